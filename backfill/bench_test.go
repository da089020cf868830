package backfill_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// rows of each of the two tenants of the benchmarks.
const benchRows = 50_000

func benchWorld(b *testing.B) *world {
	b.Helper()
	w := newWorld(b, flags.Dual)
	w.tenants = []string{acme, "beta"}
	for _, tenant := range w.tenants {
		w.fill(tenant, benchRows)
	}
	w.exec("vacuum analyze notes_v1")
	return w
}

func (w *world) measured(b *testing.B, rows int, fn func()) {
	b.Helper()
	for b.Loop() {
		b.StopTimer()
		w.exec("truncate notes_v2")
		b.StartTimer()
		fn()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkBackfill copies an empty new side full: by one statement, which is
// the ceiling, and by jobs. Run it with -benchtime 1x.
func BenchmarkBackfill(b *testing.B) {
	b.Run("one INSERT SELECT", func(b *testing.B) {
		w := benchWorld(b)
		w.measured(b, 2*benchRows, func() {
			w.exec(`insert into notes_v2 (tenant, id, title, rest, seen)
				select tenant, id, split_part(body, ' ', 1), substr(body, length(split_part(body, ' ', 1)) + 1), seen from notes_v1`)
		})
	})
	for _, bm := range []struct {
		name    string
		sql     bool
		workers int
		chunk   int
	}{
		{"SQL, 1 worker, 250 keys", true, 1, 250},
		{"SQL, 2 workers, 250 keys", true, 2, 250},
		{"SQL, 2 workers, 500 keys", true, 2, 500},
		{"SQL, 2 workers, 1000 keys", true, 2, 1000},
		{"Go, 1 worker, 250 keys", false, 1, 250},
		{"Go, 2 workers, 250 keys", false, 2, 250},
	} {
		b.Run(bm.name, func(b *testing.B) {
			w := benchWorld(b)
			e := w.entities()[map[bool]string{true: "in SQL", false: "through the repositories"}[bm.sql]]
			worker := w.workerOf(e, func(c *backfill.Config) { c.Workers, c.ChunkKeys = bm.workers, bm.chunk })
			w.measured(b, 2*benchRows, func() {
				job := w.do(worker, ledger.JobBackfill)
				require.Equal(b, ledger.JobDone, job.State, job.Error)
			})
		})
	}
}

// BenchmarkVerify compares equal sides.
func BenchmarkVerify(b *testing.B) {
	w := benchWorld(b)
	job := w.do(w.workerOf(w.entities()["in SQL"]), ledger.JobBackfill)
	require.Equal(b, ledger.JobDone, job.State, job.Error)
	w.exec("vacuum analyze notes_v2")
	rate := func(b *testing.B) { b.ReportMetric(2*benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s") }
	b.Run("scan of both sides", func(b *testing.B) {
		for b.Loop() {
			_, err := w.pool.Exec(context.Background(), `select (select count(hashtext(body) # seen) from notes_v1), (select count(hashtext(title || rest) # seen) from notes_v2)`)
			require.NoError(b, err)
		}
		rate(b)
	})
	for name, e := range w.entities() {
		b.Run(name, func(b *testing.B) {
			worker := w.workerOf(e, func(c *backfill.Config) { c.ChunkKeys = 250 })
			for b.Loop() {
				job := w.do(worker, ledger.JobVerify)
				require.Equal(b, ledger.JobDone, job.State, job.Error)
				require.Zero(b, job.Differing)
			}
			rate(b)
		})
	}
}
