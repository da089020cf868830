package stress

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

const migrationName = "accounts-v2"

var (
	migration, _ = versions.Must(versions.New("accounts", "v1", "v2")).Last()
	tenants      = []string{"acme", "bolt"}
)

// process is one process of the fleet: a pool, a member, a routed repository
// and a worker of its own.
type process struct {
	t        *testing.T
	name     string
	dsn      string
	findings *findings

	pool     *pgxpool.Pool
	member   *control.Member
	db       *postgres.DB
	accounts routed
	comparer *repo.Comparer
	end      context.CancelFunc // of the worker
	workers  sync.WaitGroup
}

// findings are the mismatches that somebody confirmed.
type findings struct {
	mu   sync.Mutex
	seen []compare.Record
}

// Record implements [compare.Sink]. Errors of a side other than an absent key
// are left out: they are the faults of this test.
func (f *findings) Record(_ context.Context, records []compare.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range records {
		if !strings.HasPrefix(r.Served, "other: ") && !strings.HasPrefix(r.Other, "other: ") {
			f.seen = append(f.seen, r)
		}
	}
	return nil
}

// open returns a pool whose sessions have a name in pg_stat_activity.
func open(t *testing.T, dsn, name string, connections int32) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(t, err)
	return pool
}

// start joins the fleet, against connections that are cut now and then.
func (p *process) start() {
	p.t.Helper()
	p.pool = open(p.t, p.dsn, "client "+p.name, 16)
	store := ledger.New(p.pool, nil)
	p.insist("join the fleet", func() (err error) {
		p.member, err = control.Join(context.Background(), store, &control.MemberConfig{
			Name: p.name, Migrations: []string{migrationName}, Interval: 50 * time.Millisecond, LeaseTTL: 10 * time.Second,
		})
		return err
	})
	p.db = postgres.New(p.pool, &postgres.Config{
		StatementTimeout: 5 * time.Second, LockTimeout: 2 * time.Second, MaxTxAge: 5 * time.Second,
		OtherStatementTimeout: 100 * time.Millisecond, OtherLockTimeout: 50 * time.Millisecond,
	})
	p.comparer = repo.NewComparer(&repo.ComparerConfig{Workers: 2, Queue: 64, Sink: p.findings})
	p.accounts = routed{p.route(p.db, p.comparer)}
	p.work()
}

func (p *process) route(db *postgres.DB, comparer *repo.Comparer) *repo.Route[accounts] {
	backend, err := postgres.Sides(db, versionOf(flags.OldSide), versionOf(flags.NewSide))
	require.NoError(p.t, err)
	route, err := repo.NewRoute(repo.Config[accounts]{
		Migration: migration, Flag: late{p.member.Flag(migrationName)}, Backend: backend, Copier: copier, Comparer: comparer,
	})
	require.NoError(p.t, err)
	return route
}

// work runs the worker until the process stops; one that meets a cut
// connection at its start begins again.
func (p *process) work() {
	pool := open(p.t, p.dsn, "worker "+p.name, 8)
	db := postgres.New(pool, nil)
	worker, err := backfill.New(db, &backfill.Config{
		Tenants: func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for _, tenant := range tenants {
					if !yield(tenant, nil) {
						return
					}
				}
			}
		},
		ChunkKeys: 2, LockTimeout: 200 * time.Millisecond, SettleTimeout: 2 * time.Second, Lease: 2 * time.Second,
		PollEvery: 20 * time.Millisecond, ReconcileEvery: 400 * time.Millisecond, Sink: p.findings,
	}, backfill.ByRoute(p.route(db, nil)))
	require.NoError(p.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	p.workers.Go(func() {
		defer pool.Close()
		for ctx.Err() == nil {
			_ = worker.Run(ctx)
		}
	})
}

// stop leaves the fleet; whether the ledger hears of it does not matter.
func (p *process) stop() {
	p.end()
	p.workers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.comparer.Shutdown(ctx)
	_ = p.member.Close(ctx)
	p.pool.Close()
}

// insist repeats what a cut connection may fail.
func (p *process) insist(what string, fn func() error) {
	p.t.Helper()
	insist(p.t, what, fn)
}

func insist(t *testing.T, what string, fn func() error) {
	t.Helper()
	var err error
	for range 50 {
		if err = fn(); err == nil {
			return
		}
	}
	require.NoError(t, err, what)
}

// authority is the side whose answer counts, as this process sees it.
func (p *process) authority(tenant string) flags.Side {
	d, err := p.member.Flag(migrationName).Peek(flags.Subject{Tenant: tenant})
	if err != nil {
		return flags.OldSide
	}
	return d.Stage.Plan().Authority
}

// stage is where a tenant stands as this process sees it, for reports.
func (p *process) stage(tenant string) string {
	d, err := p.member.Flag(migrationName).Peek(flags.Subject{Tenant: tenant})
	if err != nil {
		return "none"
	}
	return fmt.Sprintf("%s/%d", d.Stage, d.Epoch)
}
