// Command quickstart moves the customers of a small application from version 1 of their schema to version 2, while
// several processes keep reading and writing them, and proves at the end that nothing was lost.
//
//	go run ./examples/quickstart --customers 20000 --tenants 20 --rate 300 --seed 1 --report report.json
//
// The application is in internal/customers; how it is wired to Crossfade is in this file. All the rest is the
// demonstration: traffic, the walk up the ladder, and an oracle that judges both.
package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
	"github.com/crossfade-db/crossfade/versions"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		os.Exit(workerMain(os.Args[2:]))
	}
	os.Exit(demoMain(os.Args[1:], os.Stdout, os.Stderr))
}

// migration is the move that this program makes: customers from v1 to v2.
var migration = func() versions.Migration {
	m, err := versions.Must(versions.New("customers", "v1", "v2")).Migration("v1", "v2")
	if err != nil {
		panic(err)
	}
	return m
}()

// app is the application: its repository, and what Crossfade runs beside it.
type app struct {
	pool      *pgxpool.Pool
	ledger    *ledger.Store
	member    *control.Member
	comparer  *repo.Comparer
	db        *postgres.DB
	customers *customers.RoutedCustomers
	jobs      *backfill.Worker
}

// open wires the application up. The name is shown to whoever waits for this process. The fault is the demonstration's,
// and nil without --plant-bug.
func open(ctx context.Context, dsn, name string, tenants []string, fault v2.Fault) (_ *app, err error) {
	a := &app{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(context.WithoutCancel(ctx)))
		}
	}()
	if a.pool, err = connect(ctx, dsn, name, 24); err != nil {
		return a, err
	}
	a.ledger = ledger.New(a.pool, nil)
	a.member, err = control.Join(ctx, a.ledger, &control.MemberConfig{
		Name: name, Migrations: []string{migration.Name}, Interval: 300 * time.Millisecond, LeaseTTL: 3 * time.Second,
	})
	if err != nil {
		return a, err
	}
	a.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: a.ledger.Sink()})
	a.db = postgres.New(a.pool, nil)

	// Both versions as factories, so that Crossfade can hand them a transaction.
	orm, err := gormtx.New(nil)
	if err != nil {
		return a, err
	}
	sides, err := postgres.Sides(
		a.db,
		func(db postgres.DBTX) customers.Customers { return v1.New(orm.DB(db)) },
		postgres.Queued(func(db postgres.DBTX) customers.Customers { return v2.NewWithFault(db, fault) }), // sqlc's code
	)
	if err != nil {
		return a, err
	}
	a.customers, err = customers.NewRoutedCustomers(repo.Config[customers.Customers]{
		Migration: migration, Flag: a.member.Flag(migration.Name), Backend: sides, Comparer: a.comparer,
		Meter: a.member.MeterOf(migration.Name),
	})
	if err != nil {
		return a, err
	}
	a.jobs, err = backfill.New(a.db, &backfill.Config{
		Tenants: tenantsOf(tenants), Lease: 3 * time.Second, PollEvery: 200 * time.Millisecond,
	}, backfill.ByRoute(a.customers.Route()))
	return a, err
}

// Close ends what open began. The application's own work has ended before.
func (a *app) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var errs []error
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

// connect opens a pool whose sessions carry a name.
func connect(ctx context.Context, dsn, name string, most int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = most
	config.ConnConfig.RuntimeParams["application_name"] = name
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err == nil {
		err = pool.Ping(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return pool, nil
}

// tenantsOf yields the application's tenants for backfill and verification.
func tenantsOf(tenants []string) func(context.Context) iter.Seq2[string, error] {
	return func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, tenant := range tenants {
				if !yield(tenant, nil) {
					return
				}
			}
		}
	}
}

// store is the application as its code sees it: a repository, transactions and requests.
type store struct {
	customers.Customers
	app *app
}

// InTx runs fn in one transaction: version 1's GORM and version 2's sqlc share it.
func (s store) InTx(ctx context.Context, fn func(ctx context.Context, c customers.Customers) error) error {
	return s.app.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return fn(ctx, s.app.customers.InTx(tx))
	})
}

// Pin is what middleware would do at the beginning of a request: from here on the request has one stage.
func (s store) Pin(ctx context.Context, tenant uuid.UUID) (pinned context.Context, stage string, release func(), err error) {
	ctx, release = flags.Pin(ctx, 0)
	use, err := s.app.member.Flag(migration.Name).Enter(ctx, flags.Subject{Tenant: tenant.String()})
	if err != nil {
		release()
		return ctx, "", nil, err
	}
	defer use.Done()
	return ctx, use.Stage.String(), release, nil
}
