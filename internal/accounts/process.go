package accounts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// ProcessConfig says how a process of the application runs.
type ProcessConfig struct {
	Name string
	DSN  string
	// Sink receives mismatches that somebody confirmed; see [Findings].
	Sink compare.Sink
	// LeaseTTL is how long the process may act without an answer of the
	// ledger. Defaults to 10 seconds.
	LeaseTTL time.Duration
	// NoWorker leaves jobs to other processes.
	NoWorker bool
}

// Process is one process of the fleet: a pool, a member, a routed repository
// and a worker of its own.
type Process struct {
	Session
	cfg      ProcessConfig
	member   *control.Member
	comparer *repo.Comparer
	end      context.CancelFunc // of the worker
	workers  sync.WaitGroup
}

// Findings are confirmed mismatches, without those that are errors of a side
// other than an absent key: they are the tests' own faults. Notice must not block.
type Findings struct{ Notice func(compare.Record) }

// Record implements [compare.Sink].
func (f Findings) Record(_ context.Context, records []compare.Record) error {
	for _, r := range records {
		if !strings.HasPrefix(r.Served, "other: ") && !strings.HasPrefix(r.Other, "other: ") {
			f.Notice(r)
		}
	}
	return nil
}

// Open returns a pool whose sessions have a name in pg_stat_activity.
func Open(dsn, name string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open a pool: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("open a pool: %w", err)
	}
	return pool, nil
}

// StartProcess joins the fleet, against connections that are cut now and then,
// until ctx ends.
func StartProcess(ctx context.Context, cfg ProcessConfig) (*Process, error) {
	pool, err := Open(cfg.DSN, "client "+cfg.Name, 16)
	if err != nil {
		return nil, err
	}
	p := &Process{cfg: cfg, end: func() {}}
	p.Pool = pool
	for {
		p.member, err = control.Join(ctx, ledger.New(pool, nil), &control.MemberConfig{
			Name: cfg.Name, Migrations: []string{MigrationName}, Interval: 50 * time.Millisecond, LeaseTTL: cfg.LeaseTTL,
		})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			pool.Close()
			return nil, fmt.Errorf("join the fleet: %w", errors.Join(ctx.Err(), err))
		}
		Pause(ctx, 10*time.Millisecond)
	}
	p.DB = postgres.New(p.Pool, &postgres.Config{
		StatementTimeout: 5 * time.Second, LockTimeout: 2 * time.Second, MaxTxAge: 5 * time.Second,
		OtherStatementTimeout: 100 * time.Millisecond, OtherLockTimeout: 50 * time.Millisecond,
	})
	p.comparer = repo.NewComparer(&repo.ComparerConfig{Workers: 2, Queue: 64, Sink: cfg.Sink})
	if p.Accounts.Route, err = p.route(p.DB, p.comparer); err == nil && !cfg.NoWorker {
		err = p.work()
	}
	if err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *Process) route(db *postgres.DB, comparer *repo.Comparer) (*repo.Route[Accounts], error) {
	backend, err := postgres.Sides(db, VersionOf(flags.OldSide), VersionOf(flags.NewSide))
	if err != nil {
		return nil, err
	}
	return repo.NewRoute(repo.Config[Accounts]{
		Migration: Migration, Flag: Late{p.member.Flag(MigrationName)}, Backend: backend, Copier: Copier, Comparer: comparer,
	})
}

// work runs the worker until the process stops; one that meets a cut
// connection at its start begins again.
func (p *Process) work() error {
	pool, err := Open(p.cfg.DSN, "worker "+p.cfg.Name, 8)
	if err != nil {
		return err
	}
	db := postgres.New(pool, nil)
	route, err := p.route(db, nil)
	if err != nil {
		pool.Close()
		return err
	}
	worker, err := backfill.New(db, &backfill.Config{
		Tenants: func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for _, tenant := range Tenants {
					if !yield(tenant, nil) {
						return
					}
				}
			}
		},
		ChunkKeys: 2, LockTimeout: 200 * time.Millisecond, SettleTimeout: 2 * time.Second, Lease: 2 * time.Second,
		PollEvery: 20 * time.Millisecond, ReconcileEvery: 400 * time.Millisecond, Sink: p.cfg.Sink,
	}, backfill.ByRoute(route))
	if err != nil {
		pool.Close()
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	p.workers.Go(func() {
		defer pool.Close()
		for ctx.Err() == nil {
			if err := worker.Run(ctx); err != nil {
				Pause(ctx, 10*time.Millisecond)
			}
		}
	})
	return nil
}

// Stop leaves the fleet; whether the ledger hears of it does not matter.
func (p *Process) Stop() {
	p.end()
	p.workers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.comparer.Shutdown(ctx)
	_ = p.member.Close(ctx)
	p.Pool.Close()
}

// Authority is the side whose answer counts, as this process sees it.
func (p *Process) Authority(tenant string) flags.Side {
	d, err := p.member.Flag(MigrationName).Peek(flags.Subject{Tenant: tenant})
	if err != nil {
		return flags.OldSide
	}
	return d.Stage.Plan().Authority
}

// Stage is where a tenant stands as this process sees it, for reports.
func (p *Process) Stage(tenant string) string {
	d, err := p.member.Flag(MigrationName).Peek(flags.Subject{Tenant: tenant})
	if err != nil {
		return "none"
	}
	if d.Mixed.Valid() {
		return fmt.Sprintf("%s|%s/%d", d.Stage, d.Mixed, d.Epoch)
	}
	return fmt.Sprintf("%s/%d", d.Stage, d.Epoch)
}
