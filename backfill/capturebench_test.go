package backfill_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// BenchmarkCapture compares, in turns on one server, writes with capture and
// without: a routed write of one row, whose mark keeps it from being recorded; a
// plain one that is recorded, or for which nothing needs to be; and a bulk
// update of 100,000 rows. Run it with -benchtime 1x.
func BenchmarkCapture(b *testing.B) {
	w := newWorld(b, flags.Dual)
	for _, table := range []string{"c", "p"} {
		w.exec("create table bulk_" + table + " (tenant text, id bigint, body text, seen bigint default 0, primary key (tenant, id))")
		w.exec("insert into bulk_" + table + " select 'acme', g, 'note ' || g from generate_series(1, 100000) g")
	}
	w.exec("analyze")
	tables := captured[0]
	tables.Table = "bulk_c"
	ctx := context.Background()
	ratio := func(name string, times int, with, without func(i int)) {
		b.Run(name, func(b *testing.B) {
			var took [2]time.Duration
			for b.Loop() {
				for i := range times {
					for k := range 2 {
						k ^= i & 1 // in turns
						began := time.Now()
						[]func(int){with, without}[k](i)
						took[k] += time.Since(began)
					}
				}
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "ratio")
			b.ReportMetric(float64(took[0].Microseconds())/float64(b.N*times), "us-with/op")
			b.ReportMetric(float64(took[1].Microseconds())/float64(b.N*times), "us-without/op")
			b.ReportMetric(0, "ns/op")
		})
	}
	save := func(i int) {
		require.NoError(b, w.notes.Save(ctx, acme, note{ID: int64(i % 100), Text: fmt.Sprint(i)}))
	}
	// Both forms need a world of their own: capture is the migration's.
	free := newWorld(b, flags.Dual)
	freeSave := func(i int) {
		require.NoError(b, free.notes.Save(ctx, acme, note{ID: int64(i % 100), Text: fmt.Sprint(i)}))
	}
	w.capture(flags.OldSide, flags.NewSide)
	_, err := w.capture().Install(ctx, migrationName, flags.OldSide, false, tables)
	require.NoError(b, err)
	ratio("routed write of one row", 2000, save, freeSave)
	ratio("plain write of one row, recorded", 1000,
		func(i int) { w.exec("update bulk_c set seen = seen + 1 where tenant = 'acme' and id = $1", i%1000) },
		func(i int) { w.exec("update bulk_p set seen = seen + 1 where tenant = 'acme' and id = $1", i%1000) })
	ratio("plain update of 100,000 rows, recorded", 4,
		func(int) { w.exec("update bulk_c set seen = seen + 1") },
		func(int) { w.exec("update bulk_p set seen = seen + 1") })
	w.step(flags.Old)
	ratio("plain write of one row at old, not recorded", 1000,
		func(i int) { w.exec("update bulk_c set seen = seen + 1 where tenant = 'acme' and id = $1", i%1000) },
		func(i int) { w.exec("update bulk_p set seen = seen + 1 where tenant = 'acme' and id = $1", i%1000) })
}
