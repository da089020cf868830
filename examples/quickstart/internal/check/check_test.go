package check_test

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/check"
	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(ctx context.Context, dsn string) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, v1.Schema+v2.Schema)
		return err
	}))
}

func TestPlainSQLAndRepositoryReadTheSameOfBothVersions(t *testing.T) {
	ctx, pool, d := context.Background(), pgtest.Pool(t), seed.Data{Seed: 3, Tenants: 4, Customers: 400}
	require.NoError(t, d.Load(ctx, pool))
	start := check.Start(d)
	require.Len(t, start, 400)
	repo := v2.New(pool)
	for n := range d.Tenants {
		for i := range d.InTenant(n) {
			require.NoError(t, repo.Save(ctx, d.Customer(n, i)))
		}
	}
	one, err := check.BySQL(ctx, pool, check.V1)
	require.NoError(t, err)
	two, err := check.BySQL(ctx, pool, check.V2)
	require.NoError(t, err)
	stranger := oracle.Key{Tenant: d.Tenant(0), Customer: uuid.New()}
	keys := check.Keys([]oracle.Key{stranger}, start, one, two)
	assert.Len(t, keys, 401)
	read, err := check.ByRepository(ctx, repo, keys)
	require.NoError(t, err)
	assert.Len(t, read, 400, "one that is not there is left out")

	differing, problems := check.Compare(keys, check.Named{Name: "the seed", States: start},
		check.Named{Name: "v1", States: one}, check.Named{Name: "v2", States: two}, check.Named{Name: "the repository", States: read})
	assert.Zero(t, differing, problems)
}

func TestADifferenceInAnyFieldIsSeenInPlainSQL(t *testing.T) {
	ctx, pool, d := context.Background(), pgtest.Pool(t), seed.Data{Seed: 3, Tenants: 1, Customers: 8}
	require.NoError(t, d.Load(ctx, pool))
	before, err := check.BySQL(ctx, pool, check.V1)
	require.NoError(t, err)
	for field, sql := range map[string]string{
		"FullName":     "update quickstart_v1.customers set full_name = full_name || ' '",
		"Email":        "update quickstart_v1.customers set email = upper(email) || '!'",
		"Address":      `update quickstart_v1.customers set address = case when address = '{}' then null else '{}'::jsonb end`,
		"BalanceCents": "update quickstart_v1.customers set balance_cents = balance_cents + 1",
		"UpdatedAt":    "update quickstart_v1.customers set updated_at = updated_at + '1 microsecond'",
		"existence":    "delete from quickstart_v1.customers",
	} {
		_, err := pool.Exec(ctx, "truncate quickstart_v1.customers")
		require.NoError(t, err)
		require.NoError(t, d.Load(ctx, pool))
		_, err = pool.Exec(ctx, sql)
		require.NoError(t, err)
		after, err := check.BySQL(ctx, pool, check.V1)
		require.NoError(t, err)
		differing, problems := check.Compare(check.Keys(nil, before, after), check.Named{Name: "before", States: before}, check.Named{Name: "after", States: after})
		assert.EqualValues(t, 8, differing, field)
		assert.Contains(t, problems[0], "before and after differ in "+field)
	}
}
