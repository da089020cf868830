package fleet

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(beChild())
	}
	os.Exit(pgtest.Main(m, accounts.Migrate))
}

const (
	tenant = "acme"
	// patience is how long something may take that nothing prevents any more,
	// before it counts as hanging.
	patience = 5 * time.Minute
)

// world is a database with the accounts, and an operator on it.
type world struct {
	t     *testing.T
	dsn   string
	pool  *pgxpool.Pool
	store *ledger.Store
	plane *control.Plane
}

func newWorld(t *testing.T, dsn string) *world {
	t.Helper()
	pool, err := accounts.Open(dsn, "operator", 8)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := &world{t: t, dsn: dsn, pool: pool, store: ledger.New(pool, nil)}
	_, err = w.store.Register(t.Context(), accounts.Migration, "salt")
	require.NoError(t, err)
	w.plane = control.New(w.store, &control.Config{Poll: 5 * time.Millisecond, DrainTimeout: patience})
	return w
}

// start joins a process of this program to the fleet.
func (w *world) start(cfg accounts.ProcessConfig) *accounts.Process {
	w.t.Helper()
	if cfg.DSN == "" {
		cfg.DSN = w.dsn
	}
	p, err := accounts.StartProcess(w.t.Context(), cfg)
	require.NoError(w.t, err)
	w.t.Cleanup(p.Stop)
	return p
}

// walk brings everybody to a stage, rung by rung, and has done what the rungs
// need. A worker must be running.
func (w *world) walk(to flags.Stage) (steps []control.Result) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		policy, err := w.store.Policy(ctx, accounts.MigrationName)
		require.NoError(w.t, err)
		if policy.Default == to {
			return steps
		}
		result, err := w.plane.Apply(ctx, control.Change{
			Migration: accounts.MigrationName, Kind: control.SetDefault, To: policy.Default.Toward(to), Actor: "ann", Reason: "test",
		})
		if err == nil {
			steps = append(steps, result)
			continue
		}
		var refused *control.StepError
		require.ErrorAs(w.t, err, &refused, "towards %s", to)
		w.need(ctx, refused)
	}
}

// need does what the first reason against a step asks for.
func (w *world) need(ctx context.Context, refused *control.StepError) {
	w.t.Helper()
	var kind string
	switch refused.Blocks[0].Kind {
	case control.BlockBackfill, control.BlockOldIncomplete:
		kind = ledger.JobBackfill
	case control.BlockVerify:
		kind = ledger.JobVerify
	case control.BlockStaleNew, control.BlockStaleOld, control.BlockFailing:
		kind = ledger.JobReconcile
	default:
		require.NoError(w.t, ctx.Err(), "%s", refused)
		accounts.Pause(ctx, 5*time.Millisecond)
		return
	}
	w.job(ctx, kind)
}

// job requests a job and waits for its end.
func (w *world) job(ctx context.Context, kind string) {
	w.t.Helper()
	id, err := w.store.RequestJob(ctx, ledger.JobRequest{Migration: accounts.MigrationName, Kind: kind, Actor: "ann"})
	var open *ledger.JobOpenError
	if errors.As(err, &open) {
		id, err = open.ID, nil
	}
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool {
		job, err := w.store.JobByID(ctx, id)
		return err == nil && !job.Open()
	}, patience, 5*time.Millisecond, "the %s job ends", kind)
}

// put writes an account through a process.
func put(t *testing.T, p *accounts.Process, id int64, name string) {
	t.Helper()
	require.NoError(t, p.Accounts.Put(t.Context(), tenant, accounts.Write{Account: accounts.Account{ID: id, Name: name}}))
}

// name reads the name of an account in one of the tables; "" when it is not there.
func (w *world) name(table string, id int64) (name string) {
	w.t.Helper()
	err := w.pool.QueryRow(context.Background(), "select coalesce((select name from "+table+" where tenant = $1 and id = $2), '')", tenant, id).Scan(&name)
	require.NoError(w.t, err)
	return name
}

// equal demands that both sides hold the same, but for keys with a stale record.
func (w *world) equal() {
	w.t.Helper()
	all, err := accounts.CompareSides(context.Background(), w.pool)
	require.NoError(w.t, err)
	for _, c := range all {
		assert.True(w.t, c.Equal, "the ledger claims that both sides of %s are equal at %s", c.Tenant, c.Stage)
		assert.Empty(w.t, c.Different, c.Tenant)
	}
}

func eventually(t *testing.T, condition func() bool, promise string) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, promise)
}
