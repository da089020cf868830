package workload

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// App is the application: one process of the fleet, with a routed repository for each state.
type App struct {
	Pool *pgxpool.Pool
	// ORM and TxORM are GORM over the same pool, as an application without Crossfade has it: without and with the
	// transaction that GORM puts around every write by default.
	ORM, TxORM *gorm.DB
	Rows       int

	std      *sql.DB
	member   *control.Member
	comparer *repo.Comparer
	routed   map[State]*items.RoutedItems
	tenants  []string
}

// Open wires the application up over the database, which may be behind a delay. callers is how many goroutines it will
// serve at once.
func Open(ctx context.Context, dsn string, rows, callers int) (_ *App, err error) {
	a := &App{Rows: rows, routed: map[State]*items.RoutedItems{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(context.WithoutCancel(ctx)))
		}
	}()
	for i := range Tenants {
		a.tenants = append(a.tenants, "tenant-"+strconv.Itoa(i))
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return a, fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = int32(callers + 8) //nolint:gosec // small; the comparer has four workers
	// As docs/performance.md recommends. Direct calls run on the same connections.
	(&postgres.Config{}).SetTimeouts(config)
	if a.Pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return a, fmt.Errorf("connect to the database: %w", err)
	}
	if err = a.openORM(); err != nil {
		return a, err
	}
	return a, a.route(ctx)
}

func (a *App) openORM() (err error) {
	a.std = stdlib.OpenDBFromPool(a.Pool)
	open := func(skip bool) (*gorm.DB, error) {
		return gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: a.std}), &gorm.Config{
			Logger: logger.Discard, SkipDefaultTransaction: skip, TranslateError: true,
		})
	}
	if a.ORM, err = open(true); err == nil {
		a.TxORM, err = open(false)
	}
	if err != nil {
		return fmt.Errorf("open GORM: %w", err)
	}
	return nil
}

// route joins the fleet and makes the routed repositories, all as an application would: decisions come from the
// ledger's policies, every read at shadow and live is compared, calls are metered.
func (a *App) route(ctx context.Context) (err error) {
	store := ledger.New(a.Pool, nil)
	names := []string{}
	for _, state := range States() {
		names = append(names, state.migration().Name)
	}
	a.member, err = control.Join(ctx, store, &control.MemberConfig{Name: "bench", Migrations: names})
	if err != nil {
		return err
	}
	a.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: store.Sink()})
	orm, err := gormtx.New(nil)
	if err != nil {
		return err
	}
	db := postgres.New(a.Pool, nil)
	for _, state := range States() {
		m := state.migration()
		oldSide, newSide := state.factories(orm)
		if state != DualSplit { // of which nothing can be queued
			oldSide, newSide = postgres.Queued(oldSide), postgres.Queued(newSide)
		}
		sides, err := postgres.Sides(db, oldSide, newSide)
		if err != nil {
			return err
		}
		a.routed[state], err = items.NewRoutedItems(repo.Config[items.Items]{
			Migration: m, Flag: a.member.Flag(m.Name), Backend: sides, Comparer: a.comparer, Meter: a.member.MeterOf(m.Name),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Routed returns the repository of a state.
func (a *App) Routed(state State) *items.RoutedItems { return a.routed[state] }

// look is how long Settle lets pass between two looks at the comparer, whose answer costs memory.
const look = 20 * time.Microsecond

// Settle waits until no comparison is queued or running. It does not sleep: the processors would be cold, and what is
// measured next would pay for that.
func (a *App) Settle(ctx context.Context) error {
	for a.comparer.Stats().Waiting > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		for began := time.Now(); time.Since(began) < look; {
			runtime.Gosched()
		}
	}
	return nil
}

// Compared sums what became of the comparisons so far.
func (a *App) Compared() (sum compare.Counts) {
	for _, c := range a.comparer.Stats().Operations {
		sum.Compared += c.Compared
		sum.Mismatched += c.Mismatched
		sum.Inconclusive += c.Inconclusive
		sum.Dropped += c.Dropped
	}
	return sum
}

// Close ends what Open began.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	if a.comparer != nil {
		errs = append(errs, a.comparer.Shutdown(ctx))
	}
	if a.member != nil {
		errs = append(errs, a.member.Close(ctx))
	}
	if a.std != nil {
		errs = append(errs, a.std.Close())
	}
	if a.Pool != nil {
		a.Pool.Close()
	}
	return errors.Join(errs...)
}
