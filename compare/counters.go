package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Counts are the numbers of one operation of one migration since the process started. Every comparison that was meant
// to take place is in exactly one of Compared, Ignored, Dropped and Inconclusive. Reads that the sampler left out are
// in none.
type Counts struct {
	Migration, Operation string

	Compared     int64 // judged: equal or Mismatched
	Ignored      int64 // differed in ignored fields only; not in Compared
	Dropped      int64 // never compared: the pool was full or closed
	Inconclusive int64 // could not be judged: a key written in between, a panic, a timeout, a value that cannot be compared
	Mismatched   int64 // differed, confirmed; part of Compared
}

// Meant returns how many comparisons were meant to take place. A rate of mismatches says little where Compared is a
// small part of them.
func (c Counts) Meant() int64 { return c.Compared + c.Ignored + c.Dropped + c.Inconclusive }

// Counters holds the Counts of all operations. The zero value is ready. It is safe for concurrent use.
type Counters struct {
	mu         sync.Mutex // held while an operation is added
	operations atomic.Pointer[map[operation]*Counter]
}

type operation struct{ migration, name string }

// Of returns the counter of one operation of one migration. It allocates nothing but at an operation's first call, and
// keeps neither of the two strings.
func (c *Counters) Of(migration, name string) *Counter {
	if all := c.operations.Load(); all != nil {
		if have := (*all)[operation{migration, name}]; have != nil {
			return have
		}
	}
	return c.add(operation{strings.Clone(migration), strings.Clone(name)})
}

func (c *Counters) add(key operation) *Counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[operation]*Counter{}
	if have := c.operations.Load(); have != nil {
		if counter := (*have)[key]; counter != nil {
			return counter
		}
		maps.Copy(all, *have)
	}
	all[key] = &Counter{}
	c.operations.Store(&all)
	return all[key]
}

// Snapshot returns the counts of all operations, ordered by migration and operation. Mismatched is never above
// Compared, but comparisons that end meanwhile may be in one operation's counts and not yet in another's.
func (c *Counters) Snapshot() []Counts {
	var all []Counts
	if have := c.operations.Load(); have != nil {
		for op, counter := range *have {
			counts := counter.Snapshot()
			counts.Migration, counts.Operation = op.migration, op.name
			all = append(all, counts)
		}
	}
	slices.SortFunc(all, func(a, b Counts) int {
		return cmp.Or(cmp.Compare(a.Migration, b.Migration), cmp.Compare(a.Operation, b.Operation))
	})
	return all
}

// Counter counts the comparisons of one operation. The zero value is ready. It is safe for concurrent use.
type Counter struct {
	compared, ignored, dropped, inconclusive, mismatched atomic.Int64
}

// Judged counts one comparison that took place.
func (c *Counter) Judged(v Verdict) {
	switch v {
	case Matched:
		c.compared.Add(1)
	case Ignored:
		c.ignored.Add(1)
	case Mismatched:
		c.compared.Add(1) // before mismatched, so that no snapshot shows more mismatches than comparisons
		c.mismatched.Add(1)
	case Inconclusive:
		c.inconclusive.Add(1)
	default:
		c.inconclusive.Add(1)
	}
}

// Drop counts one comparison that did not take place.
func (c *Counter) Drop() { c.dropped.Add(1) }

// Snapshot returns the counts, without the names.
func (c *Counter) Snapshot() Counts {
	mismatched := c.mismatched.Load() // first: see Judged
	return Counts{
		Compared:     c.compared.Load(),
		Ignored:      c.ignored.Load(),
		Dropped:      c.dropped.Load(),
		Inconclusive: c.inconclusive.Load(),
		Mismatched:   mismatched,
	}
}
