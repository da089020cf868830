package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// The application's data: as many as the quickstart has.
const (
	rows    = 20_000
	tenants = 20
)

// connections are the most that the application opens; the worker has some of its own.
const connections = callers + 6

var migration = versions.Migration{Name: "items-soak", Entity: "items", From: "v1", To: "v2"}

// fill makes the rows of version 1; those of version 2 are the backfill's work.
const fill = `insert into bench.items
	select 'tenant-' || g % $1, g, 'an item on the shelf, number ' || g, g % 1000, 100 + g % 9900, '2026-01-01Z'
	from generate_series(0, $2::int - 1) g`

// app is the application: one process of the fleet, its routed repository, and the worker that copies.
type app struct {
	pool     *pgxpool.Pool
	member   *control.Member
	comparer *repo.Comparer
	routed   *items.RoutedItems
	plane    *control.Plane
	store    *ledger.Store
	names    []string

	stopWorker context.CancelFunc
	worker     chan error // gives what the worker ended with
}

// names are the tenants'.
func names() []string {
	all := make([]string, tenants)
	for i := range all {
		all[i] = "tenant-" + strconv.Itoa(i)
	}
	return all
}

// open makes the tables and the ledger in an empty database, and starts the application on it.
func open(ctx context.Context, dsn string) (_ *app, err error) {
	a := &app{stopWorker: func() {}, names: names()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(context.WithoutCancel(ctx)))
		}
	}()
	if err = ledger.Migrate(ctx, dsn); err != nil {
		return a, err
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return a, fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = connections
	if a.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return a, fmt.Errorf("connect to the database: %w", err)
	}
	if _, err = a.pool.Exec(ctx, v1.Schema+v2.Schema); err == nil {
		_, err = a.pool.Exec(ctx, fill, tenants, rows)
	}
	if err != nil {
		return a, fmt.Errorf("make the tables: %w", err)
	}
	return a, a.start(ctx)
}

func (a *app) start(ctx context.Context) error {
	a.store = ledger.New(a.pool, nil)
	if _, err := a.store.Register(ctx, migration, ""); err != nil {
		return err
	}
	a.plane = control.New(a.store, nil)
	var err error
	a.member, err = control.Join(ctx, a.store, &control.MemberConfig{Name: "soak", Migrations: []string{migration.Name}})
	if err != nil {
		return err
	}
	a.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: a.store.Sink()})
	db := postgres.New(a.pool, nil)
	sides, err := postgres.Sides(db,
		postgres.Queued(func(db postgres.DBTX) items.Items { return v1.New(db) }),
		postgres.Queued(func(db postgres.DBTX) items.Items { return v2.New(db) }))
	if err != nil {
		return err
	}
	a.routed, err = items.NewRoutedItems(repo.Config[items.Items]{
		Migration: migration, Flag: a.member.Flag(migration.Name), Backend: sides, Comparer: a.comparer, Meter: a.member.MeterOf(migration.Name),
	})
	if err != nil {
		return err
	}
	keep := func(ctx context.Context, name string) error { return a.plane.Keep(ctx, name) }
	worker, err := backfill.New(db, &backfill.Config{Tenants: a.tenants, AfterRepair: keep}, backfill.ByRoute(a.routed.Route()))
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stopWorker, a.worker = stop, make(chan error, 1)
	go func() { a.worker <- worker.Run(working) }()
	return nil
}

// tenants yields all tenants.
func (a *app) tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range a.names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// compared sums what became of the comparisons so far.
func (a *app) compared() (compared, mismatched, dropped int64) {
	for _, c := range a.comparer.Stats().Operations {
		compared += c.Compared
		mismatched += c.Mismatched
		dropped += c.Dropped
	}
	return compared, mismatched, dropped
}

func (a *app) close(ctx context.Context) error {
	var errs []error
	if a.stopWorker(); a.worker != nil {
		errs = append(errs, <-a.worker)
	}
	if a.comparer != nil {
		errs = append(errs, a.comparer.Shutdown(ctx))
	}
	if a.member != nil {
		errs = append(errs, a.member.Close(ctx))
	}
	if a.pool != nil {
		a.pool.Close()
	}
	return errors.Join(errs...)
}
