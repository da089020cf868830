package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Flush is what one process measured since the last one. What the contents
// mean is up to package control.
type Flush struct {
	Process [16]byte
	// Number tells the flushes of a process apart: one that is sent again, as
	// nobody knows what became of it, counts once.
	Number int64
	// Elapsed is how long ago measuring began.
	Elapsed time.Duration
	Of      []Flushed
}

// Flushed is the part of a flush that is about one migration.
type Flushed struct {
	Migration string
	NewCalls  int64 // of the new side
	Content   []byte
}

// AddMeasurements writes a flush in one statement. Migrations that the ledger
// does not hold are left out.
func (s *Store) AddMeasurements(ctx context.Context, f Flush) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	params := ledgerdb.AddMeasurementsParams{ProcessID: toUUID(f.Process), Number: f.Number, ElapsedSeconds: f.Elapsed.Seconds()}
	for _, m := range f.Of {
		params.Names = append(params.Names, m.Migration)
		params.NewCalls = append(params.NewCalls, m.NewCalls)
		params.Contents = append(params.Contents, m.Content)
	}
	return wrap("write measurements", s.q.AddMeasurements(ctx, params))
}

// Measurement is a flush as the ledger holds it.
type Measurement struct {
	Began, At time.Time
	Content   []byte
}

// MeasurementsSince returns what was measured of a migration and arrived after
// a moment of the server's clock.
func (s *Store) MeasurementsSince(ctx context.Context, m Migration, since time.Time) ([]Measurement, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.MeasurementsSince(ctx, ledgerdb.MeasurementsSinceParams{MigrationID: m.ID, Since: since})
	if err != nil {
		return nil, wrap("read the measurements of "+m.Name, err)
	}
	all := make([]Measurement, len(rows))
	for i, r := range rows {
		all[i] = Measurement{Began: utc(r.Began), At: utc(r.At), Content: r.Content}
	}
	return all, nil
}

// NewCallsSince counts the calls of the new side that were measured wholly
// after a moment of the server's clock.
func (s *Store) NewCallsSince(ctx context.Context, m Migration, since time.Time) (int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	calls, err := s.q.NewCallsSince(ctx, ledgerdb.NewCallsSinceParams{MigrationID: m.ID, Since: since})
	return calls, wrap("count the calls of "+m.Name, err)
}

// MergeMeasurements makes one row of each minute that is over for two minutes,
// keeps of those older than 25 hours the counts of calls alone, and forgets
// what is older than 30 days. merge makes one content of several.
func (s *Store) MergeMeasurements(ctx context.Context, d Duty, m Migration, merge func(contents [][]byte) ([]byte, error)) error {
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) error {
		rows, err := q.TakeUnmerged(ctx, m.ID)
		if err != nil {
			return err
		}
		minutes := map[time.Time][]ledgerdb.TakeUnmergedRow{}
		for _, r := range rows {
			minutes[utc(r.Minute)] = append(minutes[utc(r.Minute)], r)
		}
		for minute, rows := range minutes {
			if err := addMerged(ctx, q, m.ID, rows, merge); err != nil {
				return fmt.Errorf("merge %s: %w", minute.Format(time.RFC3339), err)
			}
		}
		if err := q.EmptyMeasurements(ctx, m.ID); err != nil {
			return fmt.Errorf("empty old measurements: %w", err)
		}
		return q.PruneMeasurements(ctx, m.ID)
	})
	return wrap("merge the measurements of "+m.Name, err)
}

func addMerged(
	ctx context.Context, q *ledgerdb.Queries, migration int32, rows []ledgerdb.TakeUnmergedRow, merge func([][]byte) ([]byte, error),
) error {
	merged := ledgerdb.AddMergedParams{MigrationID: migration, Began: rows[0].Began, At: rows[0].At}
	contents := make([][]byte, len(rows))
	for i, r := range rows {
		if r.Began.Before(merged.Began) {
			merged.Began = r.Began
		}
		if r.At.After(merged.At) {
			merged.At = r.At
		}
		merged.NewCalls += r.NewCalls
		contents[i] = r.Content
	}
	var err error
	if merged.Content, err = merge(contents); err != nil {
		return err
	}
	return q.AddMerged(ctx, merged)
}
