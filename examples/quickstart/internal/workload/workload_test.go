package workload_test

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/check"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/workload"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(ctx context.Context, dsn string) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, v2.Schema+oracle.Schema)
		return err
	}))
}

// direct is version 2 alone, without any migration.
type direct struct {
	customers.Customers
	pool *pgxpool.Pool
	wrap func(customers.Customers) customers.Customers
}

func (d direct) InTx(ctx context.Context, fn func(context.Context, customers.Customers) error) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return fn(ctx, d.wrap(v2.New(tx))) })
}

func (d direct) Save(ctx context.Context, c customers.Customer) error {
	return d.InTx(ctx, func(ctx context.Context, repo customers.Customers) error { return repo.Save(ctx, c) })
}

func (direct) Pin(ctx context.Context, _ uuid.UUID) (context.Context, string, func(), error) {
	return ctx, "old", func() {}, nil
}

// forgetful locks nothing.
type forgetful struct{ customers.Customers }

func (f forgetful) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (customers.Customer, error) {
	return f.Get(ctx, tenant, id)
}

// dropping loses a small part of the deletes.
type dropping struct{ customers.Customers }

func (d dropping) Delete(ctx context.Context, tenant, id uuid.UUID) error {
	if id[15]%2 == 0 {
		_, err := d.Get(ctx, tenant, id)
		return err
	}
	return d.Customers.Delete(ctx, tenant, id)
}

// drive lets two processes' worth of traffic loose on the store until the journal holds so many operations, and lets
// the oracle judge.
func drive(t *testing.T, wrap func(customers.Customers) customers.Customers) (oracle.Verdict, oracle.Totals) {
	ctx, pool, d := context.Background(), pgtest.Pool(t), seed.Data{Seed: 5, Tenants: 2, Customers: 20}
	start := check.Start(d)
	for n := range d.Tenants {
		for i := range d.InTenant(n) {
			require.NoError(t, v2.New(pool).Save(ctx, d.Customer(n, i)))
		}
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	for number := range 2 {
		process := uuid.New()
		journal, err := oracle.OpenJournal(ctx, pool, process)
		require.NoError(t, err)
		w := workload.New(workload.Config{
			Store: direct{wrap(v2.New(pool)), pool, wrap}, Journal: journal, Data: d,
			Process: process, Number: number, Rate: 2000, Sessions: 2,
		})
		go func() { ended <- w.Run(running) }()
	}
	var totals oracle.Totals
	for totals.Operations < 1500 {
		var err error
		totals, err = oracle.CountAll(ctx, pool)
		require.NoError(t, err)
	}
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, <-ended)

	history, err := oracle.Load(ctx, pool)
	require.NoError(t, err)
	end, err := check.BySQL(ctx, pool, check.V2)
	require.NoError(t, err)
	totals, err = oracle.CountAll(ctx, pool)
	require.NoError(t, err)
	return oracle.Judge(start, history, end), totals
}

func TestAStoreThatLocksSurvivesTheTraffic(t *testing.T) {
	verdict, totals := drive(t, func(c customers.Customers) customers.Customers { return c })
	assert.Zero(t, verdict.LostUpdates, verdict.Problems)
	assert.Zero(t, verdict.StaleReads, verdict.Problems)
	assert.Zero(t, verdict.Undecided)
	assert.Zero(t, totals.Errors)
	assert.Zero(t, totals.Unknown, "everything that began was settled")
}

func TestTheTrafficIsHardEnoughToBreakAStoreThatForgetsToLock(t *testing.T) {
	verdict, _ := drive(t, func(c customers.Customers) customers.Customers { return forgetful{c} })
	assert.Positive(t, verdict.LostUpdates)
}

func TestTheTrafficShowsDeletesThatAreLost(t *testing.T) {
	verdict, _ := drive(t, func(c customers.Customers) customers.Customers { return dropping{c} })
	assert.Positive(t, verdict.LostUpdates)
}
