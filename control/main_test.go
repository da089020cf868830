package control_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childVariable); dsn != "" {
		os.Exit(beChild(dsn))
	}
	os.Exit(pgtest.Main(m, ledger.Migrate))
}

const name = "customers-v2"

// world is a ledger with customers-v2, and a plane on it.
type world struct {
	t         *testing.T
	dsn       string
	pool      *pgxpool.Pool
	store     *ledger.Store
	plane     *control.Plane
	migration ledger.Migration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dsn: pgtest.New(t)}
	var err error
	w.pool, err = pgxpool.New(context.Background(), w.dsn)
	require.NoError(t, err)
	t.Cleanup(w.pool.Close)
	w.store = ledger.New(w.pool, nil)
	w.migration, err = w.store.Register(context.Background(), versions.Migration{Name: name, Entity: "customers", From: "v1", To: "v2"}, "")
	require.NoError(t, err)
	w.plane = control.New(w.store, &control.Config{Poll: 5 * time.Millisecond})
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// join makes a member with quick heartbeats.
func (w *world) join(cfg control.MemberConfig) *control.Member {
	w.t.Helper()
	if cfg.Interval == 0 {
		cfg.Interval = 20 * time.Millisecond
	}
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = 20 * time.Second
	}
	if cfg.Migrations == nil {
		cfg.Migrations = []string{name}
	}
	m, err := control.Join(context.Background(), w.store, &cfg)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = m.Close(context.Background()) })
	return m
}

func toDefault(to flags.Stage) control.Change {
	return control.Change{Migration: name, Kind: control.SetDefault, To: to, Actor: "ann", Reason: "test"}
}

// step applies a change that must succeed.
func (w *world) step(c control.Change) control.Result {
	w.t.Helper()
	r, err := w.plane.Apply(context.Background(), c)
	require.NoError(w.t, err)
	return r
}

// backfilled makes every step up to live and rampdown possible.
func (w *world) backfilled() {
	w.t.Helper()
	w.exec(`update crossfade.tenant_states set backfilled_at = now(), verified_at = now()`)
}

// climb steps everybody up to a stage, past all conditions.
func (w *world) climb(to flags.Stage) {
	w.t.Helper()
	for {
		policy, err := w.store.Policy(context.Background(), name)
		require.NoError(w.t, err)
		if policy.Default == to {
			return
		}
		w.step(toDefault(policy.Default.Toward(to)))
		if policy.Default.Toward(to) == flags.Dual {
			w.backfilled()
		}
	}
}

// eventually polls a condition.
func eventually(t *testing.T, condition func() bool, promise string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, time.Millisecond, promise)
}
