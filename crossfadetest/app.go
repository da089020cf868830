package crossfadetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// App describes an application to [EachStage] and [MixedFleet]. R is what its
// tests work with: the entity's interface, or a struct of several repositories.
type App[R any] struct {
	// Migration is the one whose ladder is walked.
	Migration versions.Migration
	// Setup makes the tables.
	Setup []Setup
	// Open wires the application up, as its main does, over what env holds.
	Open func(env *Env) (R, error)
	// Seed writes what is there before the migration begins, at stage old, for
	// backfill to copy. Nil means an empty database.
	Seed func(ctx context.Context, r R) error
	// Spread makes an R that asks for each call anew who serves it: that of the
	// generated package, or one by hand for a struct. [MixedFleet] needs it.
	Spread func(pick func() R) R
}

// Env is one process of the fleet, ready to be wired: what a main makes before
// it makes repositories.
//
//	sides, err := postgres.Sides(env.DB, v1.New, postgres.Queued(v2.New))
//	routed, err := customers.NewRoutedCustomers(repo.Config[customers.Customers]{
//		Migration: migration, Flag: env.Flag, Backend: sides, Comparer: env.Comparer, Meter: env.Meter,
//	})
//	worker, err := backfill.New(env.DB, &backfill.Config{Tenants: tenants}, backfill.ByRoute(routed.Route()))
//	env.Work(worker)
//
// An application that makes all of this by itself takes Pool alone, or its
// DSN, and closes what it made by Cleanup; it joins the fleet like any process.
type Env struct {
	// Pool is this process's own, and DB is over it.
	Pool *pgxpool.Pool
	DB   *postgres.DB
	// Member is this process in the fleet, Flag the migration's flag of it, and
	// Meter what it measures by.
	Member *control.Member
	Flag   *flags.Flag
	Meter  repo.Meter
	// Comparer compares every read at the stages that ask for it, and a
	// mismatch fails the test; so does one that Sink is given.
	Comparer *repo.Comparer
	Sink     compare.Sink

	t       testing.TB
	workers []*backfill.Worker
}

// Work has a worker do the jobs of the ladder: the copying and comparing that
// steps ask for. Without any, the application's own is waited for.
func (e *Env) Work(worker *backfill.Worker) { e.workers = append(e.workers, worker) }

// Cleanup runs fn when the test ends, before Env's own parts are closed.
func (e *Env) Cleanup(fn func()) { e.t.Cleanup(fn) }

// newEnv joins the fleet. What it makes is closed when the test ends.
func newEnv(t testing.TB, dsn string, cfg control.MemberConfig) *Env {
	t.Helper()
	pool := open(t, dsn, cfg.Name, 8)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	member, err := control.Join(ctx, ledger.New(pool, nil), &cfg)
	if err != nil {
		t.Fatalf("crossfadetest: join the fleet: %v", err)
	}
	sink := FailOnMismatch(t)
	comparer := repo.NewComparer(&repo.ComparerConfig{Sink: sink, Harm: -1, Queue: 1 << 16, Timeout: closeTimeout})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := errors.Join(comparer.Shutdown(ctx), member.Close(ctx)); err != nil {
			t.Errorf("crossfadetest: leave the fleet: %v", err)
		}
	})
	return &Env{
		Pool: pool, DB: postgres.New(pool, nil), Member: member, Flag: member.Flag(cfg.Migrations[0]), Meter: member,
		Comparer: comparer, Sink: sink, t: t,
	}
}

// member says how a process of a test takes part in the fleet. The lease is
// long, since a test's machine may be slow, and nobody waits for it: processes
// of a test leave.
func (a *App[R]) member(name string) control.MemberConfig {
	return control.MemberConfig{Name: name, Migrations: []string{a.Migration.Name}, Interval: 250 * time.Millisecond, LeaseTTL: time.Minute}
}

// instance is the application in one process.
type instance[R any] struct {
	*Env
	repositories R
}

func (a *App[R]) start(t testing.TB, dsn string, cfg control.MemberConfig) *instance[R] {
	t.Helper()
	env := newEnv(t, dsn, cfg)
	repositories, err := a.Open(env)
	if err != nil {
		t.Fatalf("crossfadetest: open the application: %v", err)
	}
	return &instance[R]{Env: env, repositories: repositories}
}

// database makes a database with the migration in its ledger.
func (a *App[R]) database(t testing.TB) (dsn string, operator *operator) {
	t.Helper()
	if a.Open == nil {
		t.Fatalf("crossfadetest: App.Open is missing: it wires the application up")
	}
	dsn = newDatabase(t, a.Setup)
	store := ledger.New(open(t, dsn, "crossfadetest operator", 4), nil)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if _, err := store.Register(ctx, a.Migration, ""); err != nil {
		t.Fatalf("crossfadetest: register %s: %v", a.Migration.Name, err)
	}
	return dsn, newOperator(t, store, a.Migration.Name)
}

func (a *App[R]) seed(t testing.TB, r R) {
	t.Helper()
	if a.Seed == nil {
		return
	}
	if err := a.Seed(t.Context(), r); err != nil {
		t.Fatalf("crossfadetest: App.Seed: %v", err)
	}
}
