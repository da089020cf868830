package seed_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
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
		_, err = conn.Exec(ctx, v1.Schema)
		return err
	}))
}

func all(d seed.Data) []customers.Customer {
	var list []customers.Customer
	for n := range d.Tenants {
		for i := range d.InTenant(n) {
			list = append(list, d.Customer(n, i))
		}
	}
	return list
}

func TestTheSameSeedMakesTheSameCustomers(t *testing.T) {
	d := seed.Data{Seed: 7, Tenants: 3, Customers: 100}
	assert.Equal(t, all(d), all(d))
	assert.NotEqual(t, all(d), all(seed.Data{Seed: 8, Tenants: 3, Customers: 100}))
}

func TestACustomerIsTheSameInALargerDataSet(t *testing.T) {
	assert.Equal(t, seed.Data{Seed: 7, Tenants: 3, Customers: 100}.Customer(2, 5), seed.Data{Seed: 7, Tenants: 3, Customers: 1000}.Customer(2, 5))
}

func TestCustomersAreSpreadEvenlyAndKeepTheRules(t *testing.T) {
	for _, d := range []seed.Data{{1, 20, 2000}, {2, 3, 100}, {3, 7, 21}, {4, 1, 3}} {
		require.NoError(t, d.Check())
		list := all(d)
		require.Len(t, list, d.Customers)
		ids := map[uuid.UUID]bool{}
		for _, c := range list {
			require.NoError(t, c.Check())
			require.False(t, ids[c.ID], "ids are unique")
			ids[c.ID] = true
			require.Equal(t, c.UpdatedAt.Truncate(time.Microsecond), c.UpdatedAt)
		}
	}
}

func TestNumbersThatMakeNoDemonstrationAreRefused(t *testing.T) {
	assert.ErrorContains(t, seed.Data{Tenants: 0, Customers: 10}.Check(), "tenants")
	assert.ErrorContains(t, seed.Data{Tenants: 10, Customers: 10}.Check(), "too few for 10 tenants")
}

func TestTheCustomersAreAwkward(t *testing.T) {
	met := map[string]int{}
	for _, c := range all(seed.Data{Seed: 1, Tenants: 20, Customers: 2000}) {
		met[[]string{"", "one word", "two words", "", "", "five words"}[min(5, len(strings.Fields(c.FullName)))]]++
		for what, is := range map[string]bool{
			"quote":            strings.ContainsAny(c.FullName, `'"`),
			"double space":     strings.Contains(c.FullName, "  "),
			"no address":       c.Address == nil,
			"empty address":    c.Address != nil && *c.Address == customers.Address{},
			"partial address":  c.Address != nil && c.Address.Country == "" && c.Address.City != "",
			"complete address": c.Address != nil && c.Address.PostalCode != "",
			"debt":             c.BalanceCents < 0,
			"no balance":       c.BalanceCents == 0,
			"large balance":    c.BalanceCents > customers.MaxBalanceCents/20,
			"Cyrillic":         strings.ContainsRune(c.FullName, 'н'),
			"Han":              strings.ContainsRune(c.FullName, '山'),
			"Arabic":           strings.ContainsRune(c.FullName, 'م'),
		} {
			if is {
				met[what]++
			}
		}
	}
	for _, what := range []string{
		"one word", "two words", "five words", "quote", "double space", "no address", "empty address", "partial address",
		"complete address", "debt", "no balance", "large balance", "Cyrillic", "Han", "Arabic",
	} {
		assert.Greater(t, met[what], 20, what)
	}
}

func TestLoadStoresWhatItMakes(t *testing.T) {
	ctx, pool, d := context.Background(), pgtest.Pool(t), seed.Data{Seed: 1, Tenants: 3, Customers: 500}
	require.NoError(t, d.Load(ctx, pool))
	rows, err := pool.Query(ctx, `select tenant_id, id, full_name, email, address, balance_cents, updated_at from quickstart_v1.customers`)
	require.NoError(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByPos[customers.Customer])
	require.NoError(t, err)
	for i := range stored {
		stored[i].UpdatedAt = stored[i].UpdatedAt.UTC()
	}
	assert.ElementsMatch(t, all(d), stored)
}
