package control_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
)

// write is one fenced write that notes the epoch on which it acts. The process
// acknowledges newer epochs meanwhile, so that only the drain waits for it.
func write(ctx context.Context, pool *pgxpool.Pool, migration int32, flag *flags.Flag) error {
	use, err := flag.Enter(ctx, acme)
	if err != nil {
		return err
	}
	use.Done()
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	err = fenced(ctx, tx, fence.Call{Migration: migration, Tenant: "acme", Guarded: true, Epoch: use.Epoch, Policy: use.PolicyID})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "XF001" {
		return flag.Refused(ctx, acme, use.Decision)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into written (epoch) values ($1)`, use.Epoch); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func TestNoWriterOfADrainedEpochCommitsLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`create table written (epoch bigint not null)`)
	config := w.pool.Config()
	config.MaxConns = 6
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	flag := w.join(control.MemberConfig{}).Flag(name)

	var writers errgroup.Group
	var done atomic.Bool
	var writes atomic.Int64
	for range 6 {
		writers.Go(func() error {
			for !done.Load() {
				if err := write(t.Context(), pool, w.migration.ID, flag); err != nil {
					return err
				}
				writes.Add(1)
			}
			return nil
		})
	}
	settled := map[int64]int{} // how many had written under older epochs when an epoch was settled
	older := func(epoch int64) (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `select count(*) from written where epoch < $1`, epoch).Scan(&n))
		return n
	}
	for i := range 20 {
		before := writes.Load()
		r := w.step(toDefault([]flags.Stage{flags.Dual, flags.Old}[i%2]))
		settled[r.After.Epoch] = older(r.After.Epoch)
		eventually(t, func() bool { return writes.Load() > before+20 }, "writers go on")
	}
	done.Store(true)
	require.NoError(t, writers.Wait())
	for epoch, n := range settled {
		assert.Equal(t, n, older(epoch), "writes under epochs before %d", epoch)
	}
	assert.Greater(t, older(1_000_000), 400)
}
