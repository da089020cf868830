package versions

import (
	"fmt"
	"slices"
	"strings"
)

// Row returns the registry of an entity whose migrations these are, in any order:
// what a ledger holds, or what a configuration names. They must lead from version
// to version in one row. Two that leave one version, or lead to one, are a
// duplicate; two pieces that nothing joins are a gap; a way back is a cycle. The
// [*Error] names both ends, and all that is wrong is said at once.
func Row(entity string, migrations ...Migration) (*Registry, error) {
	if len(migrations) == 0 {
		return nil, &Error{Entity: entity, Kind: KindName, Problem: "name at least one migration"}
	}
	c := row{entity: entity, leaves: map[string]Migration{}, enters: map[string]Migration{}}
	for _, m := range migrations {
		c.add(m)
	}
	first := c.first(migrations)
	if len(c.wrong) > 0 {
		return nil, c.err()
	}
	names := []string{first}
	for m, ok := c.leaves[first]; ok; m, ok = c.leaves[m.To] {
		names = append(names, m.To)
	}
	return New(entity, names...)
}

// row is what is known of the migrations of an entity.
type row struct {
	entity         string
	leaves, enters map[string]Migration
	wrong          []*Error
}

func (c *row) bad(kind Kind, from, to, format string, args ...any) {
	c.wrong = append(c.wrong, &Error{Entity: c.entity, Kind: kind, From: from, To: to, Problem: fmt.Sprintf(format, args...)})
}

func (c *row) add(m Migration) {
	if m.Entity != "" && m.Entity != c.entity {
		c.bad(KindName, m.From, m.To, "%s is a migration of %s", m.Name, m.Entity)
		return
	}
	if m.From == m.To {
		c.bad(KindCycle, m.From, m.To, "%s leads from %s to itself", m.Name, m.From)
		return
	}
	if other, ok := c.leaves[m.From]; ok {
		c.bad(KindDuplicate, m.From, m.To, "%s and %s both go on from %s: to %s and to %s", other.Name, m.Name, m.From, other.To, m.To)
		return
	}
	if other, ok := c.enters[m.To]; ok {
		c.bad(KindDuplicate, m.From, m.To, "%s and %s both lead to %s: from %s and from %s", other.Name, m.Name, m.To, other.From, m.From)
		return
	}
	c.leaves[m.From], c.enters[m.To] = m, m
}

// first finds the oldest version, and where the row is broken.
func (c *row) first(migrations []Migration) string {
	var begins, ends []string
	reached := map[string]bool{}
	for _, m := range migrations {
		if c.leaves[m.From] != m {
			continue
		}
		if _, ok := c.enters[m.From]; !ok {
			begins = append(begins, m.From)
			for at := m.From; !reached[at]; at = c.leaves[at].To {
				reached[at] = true
				if _, ok := c.leaves[at]; !ok {
					ends = append(ends, at)
					break
				}
			}
		}
	}
	for i := 1; i < len(begins); i++ {
		c.bad(KindGap, ends[i-1], begins[i], "no migration leads from %s to %s", ends[i-1], begins[i])
	}
	for _, m := range migrations {
		if c.leaves[m.From] == m && !reached[m.From] {
			way := []string{m.From}
			for at := m.To; at != m.From; at = c.leaves[at].To {
				way = append(way, at)
				reached[at] = true
			}
			reached[m.From] = true
			c.bad(KindCycle, way[len(way)-1], m.From, "they lead back: %s", strings.Join(append(way, m.From), " to "))
		}
	}
	if len(begins) == 0 {
		return ""
	}
	return begins[0]
}

// err returns one error that says everything: its kind and ends are the first's.
func (c *row) err() error {
	all := *c.wrong[0]
	texts := make([]string, len(c.wrong))
	for i, w := range c.wrong {
		texts[i] = w.Problem
	}
	all.Problem = strings.Join(slices.Compact(texts), "; ")
	return &all
}
