package backfill

import (
	"context"
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
)

// measurePage is how many keys are asked for at once while keys are counted.
const measurePage = 10_000

// page is a run of keys in a side's own order.
type page struct {
	keys  []string
	after string // the key before the first, empty at the start
	last  bool   // nothing follows
}

// end is the cursor behind the page.
func (p page) end() string {
	if len(p.keys) == 0 {
		return p.after
	}
	return p.keys[len(p.keys)-1]
}

// walkError says that a side's keys cannot be walked.
type walkError struct {
	migration string
	side      flags.Side
}

func (e *walkError) Error() string {
	return fmt.Sprintf("%s: the keys of the %s side do not advance: their query must return keys behind the given one, in a total order", e.migration, e.side)
}

// next reads the page behind the cursor. The walk ends at the bound, a key that
// was the last one when the walk began: rows that are made later are written on
// both sides by those who make them, and a walk that followed them might never
// end. Where the bound was deleted meanwhile, it ends with the last key.
func next(ctx context.Context, e Entity, at place, side flags.Side, cursor, bound string, limit int) (page, error) {
	keys, err := e.keys(ctx, at, side, cursor, limit)
	if err != nil {
		return page{}, fmt.Errorf("walk the keys of the %s side: %w", side, err)
	}
	if cursor != "" && slices.Contains(keys, cursor) {
		return page{}, &walkError{migration: e.Migration(), side: side}
	}
	p := page{keys: keys, after: cursor, last: len(keys) < limit}
	if i := slices.Index(keys, bound); bound != "" && i >= 0 {
		p.keys, p.last = keys[:i+1], true
	}
	return p, nil
}

// extra returns those keys of a page of one side that the other side may lack.
func extra(ctx context.Context, e Entity, at place, other flags.Side, p page) ([]string, error) {
	if len(p.keys) == 0 {
		return nil, nil
	}
	// Mostly the other side has the same keys in the same order.
	same, err := e.keys(ctx, at, other, p.after, len(p.keys))
	if err != nil {
		return nil, fmt.Errorf("walk the keys of the %s side: %w", other, err)
	}
	has := make(map[string]bool, len(same))
	for _, key := range same {
		has[key] = true
	}
	var unsure []string
	for _, key := range p.keys {
		if !has[key] {
			unsure = append(unsure, key)
		}
	}
	if len(unsure) == 0 {
		return nil, nil
	}
	return e.lacking(ctx, at, other, unsure)
}
