package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/ledger"
)

// tree is mismatches by operation and field, the most frequent first.
type tree struct {
	Migration  string          `json:"migration"`
	Listed     int             `json:"listed"`
	Shown      int             `json:"shown"`
	Seen       int64           `json:"seen"`
	Operations []operationNode `json:"operations"`
}

type operationNode struct {
	Operation string      `json:"operation"`
	Seen      int64       `json:"seen"`
	Fields    []fieldNode `json:"fields"`
}

type fieldNode struct {
	Field      string         `json:"field"`
	Seen       int64          `json:"seen"`
	Dropped    int64          `json:"not_kept,omitempty"` // counted only, as there are too many
	Mismatches []mismatchJSON `json:"mismatches"`
}

type mismatchJSON struct {
	ID         int64      `json:"id"`
	Tenant     string     `json:"tenant"`
	Key        string     `json:"key"`
	Field      string     `json:"field"`
	Kind       string     `json:"kind"`
	Served     string     `json:"served"`
	Other      string     `json:"other"`
	Stage      string     `json:"stage"`
	Epoch      int64      `json:"epoch"`
	RequestID  string     `json:"request_id,omitempty"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   time.Time  `json:"last_seen"`
	Seen       int64      `json:"seen"`
	ResolvedAt *time.Time `json:"resolved_at,omitempty"`
}

// toTree counts all and holds up to limit, those seen last.
func toTree(migration string, all []ledger.Mismatch, limit int) tree {
	t := tree{Migration: migration, Operations: []operationNode{}}
	for _, m := range all {
		t.Seen += m.Count
		op := nodeOf(&t.Operations, func(n operationNode) bool { return n.Operation == m.Operation },
			operationNode{Operation: m.Operation, Fields: []fieldNode{}})
		op.Seen += m.Count
		name := compare.Pattern(m.Field)
		field := nodeOf(&op.Fields, func(n fieldNode) bool { return n.Field == name }, fieldNode{Field: name, Mismatches: []mismatchJSON{}})
		field.Seen += m.Count
		if m.Kind == ledger.OverflowKind {
			field.Dropped += m.Count
			continue
		}
		t.Listed++
		if t.Shown == limit {
			continue
		}
		t.Shown++
		field.Mismatches = append(field.Mismatches, mismatchJSON{
			ID: m.ID, Tenant: m.Tenant, Key: m.Key, Field: m.Field, Kind: m.Kind, Served: m.Served, Other: m.Other, Stage: m.Stage,
			Epoch: m.Epoch, RequestID: m.RequestID, FirstSeen: m.FirstSeen, LastSeen: m.LastSeen, Seen: m.Count, ResolvedAt: m.ResolvedAt,
		})
	}
	slices.SortStableFunc(t.Operations, func(a, b operationNode) int {
		return cmp.Or(cmp.Compare(b.Seen, a.Seen), cmp.Compare(a.Operation, b.Operation))
	})
	for _, op := range t.Operations {
		slices.SortStableFunc(op.Fields, func(a, b fieldNode) int {
			return cmp.Or(cmp.Compare(b.Seen, a.Seen), cmp.Compare(a.Field, b.Field))
		})
	}
	return t
}

// nodeOf returns the node of a list that is meant, which it adds if need be.
func nodeOf[N any](nodes *[]N, meant func(N) bool, fresh N) *N {
	i := slices.IndexFunc(*nodes, meant)
	if i < 0 {
		*nodes = append(*nodes, fresh)
		i = len(*nodes) - 1
	}
	return &(*nodes)[i]
}

func treeText(t tree, withResolved bool) string {
	open := "open "
	if withResolved {
		open = ""
	}
	if len(t.Operations) == 0 {
		return fmt.Sprintf("%s: no %smismatches\n", t.Migration, open)
	}
	var w strings.Builder
	fmt.Fprintf(&w, "%s: %s, seen %s\n", t.Migration, plural(t.Listed, open+"mismatch"), plural(t.Seen, "time"))
	for _, op := range t.Operations {
		fmt.Fprintf(&w, "\n%s  %s of %s\n", inLine(op.Operation), grouped(op.Seen), grouped(t.Seen))
		for _, f := range op.Fields {
			fmt.Fprintf(&w, "  %s  %s of %s\n", inLine(fieldName(f.Field, f.Dropped > 0 && len(f.Mismatches) == 0)), grouped(f.Seen), grouped(op.Seen))
			for _, m := range f.Mismatches {
				writeMismatch(&w, &m, f.Field)
			}
			if f.Dropped > 0 {
				fmt.Fprintf(&w, "    %s more that the ledger did not keep, as it holds too many\n", grouped(f.Dropped))
			}
		}
	}
	if t.Shown < t.Listed {
		fmt.Fprintf(&w, "\n%s more: --limit shows them\n", grouped(int64(t.Listed-t.Shown)))
	}
	return w.String()
}

func writeMismatch(w *strings.Builder, m *mismatchJSON, pattern string) {
	where := fmt.Sprintf("tenant %s, key %s", quoted(m.Tenant), quoted(m.Key))
	if m.Field != pattern {
		where += ", " + m.Field
	}
	fmt.Fprintf(w, "    #%d  %s  (%s)\n", m.ID, inLine(where), m.Kind)
	fmt.Fprintf(w, "      served  %s\n      other   %s\n", inLine(m.Served), inLine(m.Other))
	text := fmt.Sprintf("at %s, epoch %d, seen %s, last %s", m.Stage, m.Epoch, plural(m.Seen, "time"), stamp(m.LastSeen))
	if m.RequestID != "" {
		text += ", request " + m.RequestID
	}
	if m.ResolvedAt != nil {
		text += ", resolved " + stamp(*m.ResolvedAt)
	}
	fmt.Fprintf(w, "      %s\n", inLine(text))
}
