package backfill

import (
	"context"
	"time"

	"github.com/crossfade-db/crossfade/flags"
)

// Stats are measures of the stale keys of a worker's migrations, for whatever
// collects metrics.
type Stats struct {
	// Stale has one entry for each migration and side, also where no key is stale.
	Stale []StaleStats
	// Repaired and Failed count what this worker copied, and could not copy,
	// since it was made.
	Repaired, Failed int64
}

// StaleStats measures the stale keys of one side of a migration.
type StaleStats struct {
	Migration string
	Side      flags.Side
	// Keys counts them; a record of a whole tenant counts as one. Failing are
	// those that could not be copied.
	Keys, Failing int64
	// Oldest is the age of the oldest, by the server's clock; zero when there is none.
	Oldest time.Duration
}

// Stats looks into the ledger. It may be called at any time, also while the
// worker does not run; every worker of a fleet sees the same stale keys. The
// look counts the keys: leave some seconds between two.
func (w *Worker) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Repaired: w.repaired.Load(), Failed: w.failed.Load()}
	for _, name := range w.names {
		counts, err := w.store.StaleCounts(ctx, name)
		if err != nil {
			return s, err
		}
		sides := [2]StaleStats{{Migration: name, Side: flags.OldSide}, {Migration: name, Side: flags.NewSide}}
		for _, c := range counts {
			side := &sides[c.Side]
			side.Keys += c.Keys
			side.Failing += c.Failing
			side.Oldest = max(side.Oldest, c.Age)
		}
		s.Stale = append(s.Stale, sides[:]...)
	}
	return s, nil
}
