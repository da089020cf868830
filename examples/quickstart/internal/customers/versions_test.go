package customers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// version is one of the two repositories under the contract of customers.Customers.
type version struct {
	name string
	repo customers.Customers
}

func bothVersions(t *testing.T, pool *pgxpool.Pool) []version {
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { _ = db.Close() })
	orm, err := gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: db}), &gorm.Config{
		Logger: logger.Discard, SkipDefaultTransaction: true,
	})
	require.NoError(t, err)
	return []version{{"v1", v1.New(orm)}, {"v2", v2.New(pool)}}
}

var someTime = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func someone(tenant uuid.UUID) customers.Customer {
	return customers.Customer{
		TenantID: tenant, ID: uuid.New(), FullName: "Ada Lovelace", Email: "ada@example.org",
		Address:      &customers.Address{City: "London", Country: "United Kingdom"},
		BalanceCents: -1234, UpdatedAt: someTime,
	}
}

func TestBothVersionsKeepTheContract(t *testing.T) {
	pool := pgtest.Pool(t)
	for _, v := range bothVersions(t, pool) {
		t.Run(v.name, func(t *testing.T) { contract(t, v.repo) })
	}
}

func contract(t *testing.T, repo customers.Customers) {
	ctx, tenant, later := context.Background(), uuid.New(), someTime.Add(time.Hour)
	c := someone(tenant)

	t.Run("a customer that is not there is ErrNotFound", func(t *testing.T) {
		_, err := repo.Get(ctx, tenant, c.ID)
		assert.ErrorIs(t, err, customers.ErrNotFound)
		_, err = repo.GetForUpdate(ctx, tenant, c.ID)
		assert.ErrorIs(t, err, customers.ErrNotFound)
		assert.ErrorIs(t, repo.UpdateEmail(ctx, tenant, c.ID, "x", later), customers.ErrNotFound)
		_, err = repo.AddBalance(ctx, tenant, c.ID, 1, later)
		assert.ErrorIs(t, err, customers.ErrNotFound)
		assert.ErrorIs(t, repo.Delete(ctx, tenant, c.ID), customers.ErrNotFound)
	})
	t.Run("Save makes a customer and replaces all of it", func(t *testing.T) {
		require.NoError(t, repo.Save(ctx, c))
		assertStored(t, repo, c)
		c.FullName, c.Address, c.BalanceCents, c.UpdatedAt = "Ada", nil, 5, later
		require.NoError(t, repo.Save(ctx, c))
		assertStored(t, repo, c)
		c.Address = &customers.Address{}
		require.NoError(t, repo.Save(ctx, c))
		assertStored(t, repo, c)
	})
	t.Run("UpdateEmail changes nothing else", func(t *testing.T) {
		c.Email, c.UpdatedAt = "new@example.org", later.Add(time.Microsecond)
		require.NoError(t, repo.UpdateEmail(ctx, tenant, c.ID, c.Email, c.UpdatedAt))
		assertStored(t, repo, c)
	})
	t.Run("AddBalance adds and returns the sum", func(t *testing.T) {
		balance, err := repo.AddBalance(ctx, tenant, c.ID, -1005, c.UpdatedAt)
		require.NoError(t, err)
		assert.EqualValues(t, -1000, balance)
		c.BalanceCents = -1000
		assertStored(t, repo, c)
	})
	t.Run("another tenant sees nothing of it", func(t *testing.T) {
		_, err := repo.Get(ctx, uuid.New(), c.ID)
		assert.ErrorIs(t, err, customers.ErrNotFound)
	})
	t.Run("a customer that breaks a rule is refused", func(t *testing.T) {
		broken := c
		broken.BalanceCents = customers.MaxBalanceCents + 1
		var invalid *customers.InvalidError
		assert.ErrorAs(t, repo.Save(ctx, broken), &invalid)
		assertStored(t, repo, c)
	})
	t.Run("Delete removes it, address and all", func(t *testing.T) {
		require.NoError(t, repo.Delete(ctx, tenant, c.ID))
		_, err := repo.Get(ctx, tenant, c.ID)
		assert.ErrorIs(t, err, customers.ErrNotFound)
		c.Address = nil
		require.NoError(t, repo.Save(ctx, c))
		assertStored(t, repo, c)
	})
}

func assertStored(t *testing.T, repo customers.Customers, want customers.Customer) {
	t.Helper()
	for _, get := range []func(context.Context, uuid.UUID, uuid.UUID) (customers.Customer, error){repo.Get, repo.GetForUpdate} {
		got, err := get(context.Background(), want.TenantID, want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestBothVersionsListInPages(t *testing.T) {
	ctx, pool := context.Background(), pgtest.Pool(t)
	for _, v := range bothVersions(t, pool) {
		tenant := uuid.New()
		saved := map[uuid.UUID]customers.Customer{}
		for range 7 {
			c := someone(tenant)
			saved[c.ID] = c
			require.NoError(t, v.repo.Save(ctx, c))
		}
		require.NoError(t, v.repo.Save(ctx, someone(uuid.New())))

		var after *uuid.UUID
		last, seen := uuid.Nil, 0
		for {
			page, err := v.repo.List(ctx, tenant, last, 3)
			require.NoError(t, err)
			keys, err := v.repo.Keys(ctx, tenant, after, 3)
			require.NoError(t, err)
			require.Len(t, keys, len(page), v.name)
			if len(page) == 0 {
				break
			}
			for i, c := range page {
				assert.Equal(t, saved[c.ID], c)
				assert.Equal(t, c.ID, keys[i])
				assert.Negative(t, strings.Compare(last.String(), c.ID.String()), "ascending")
				last, after, seen = c.ID, &keys[i], seen+1
			}
		}
		assert.Equal(t, len(saved), seen, v.name)
	}
}

// TestCustomersAreTheSameInBothVersions moves customers v1 -> v2 -> v1 -> v2 as copies do, by reading from the one and
// saving to the other, and loses nothing on the way.
func TestCustomersAreTheSameInBothVersions(t *testing.T) {
	ctx, pool := context.Background(), pgtest.Pool(t)
	both := bothVersions(t, pool)
	text := rapid.String().Filter(func(s string) bool { return !strings.ContainsRune(s, 0) })
	word := rapid.OneOf(rapid.StringOfN(rapid.RuneFrom([]rune("aZ\u0416\u5c71'\"\\%")), 1, 8, -1), text)
	rapid.Check(t, func(t *rapid.T) {
		c := customers.Customer{
			TenantID: uuid.New(), ID: uuid.New(),
			FullName:     strings.Join(rapid.SliceOfN(word, 1, 5).Draw(t, "words"), rapid.SampledFrom([]string{" ", "  "}).Draw(t, "space")),
			Email:        text.Draw(t, "email"),
			BalanceCents: rapid.Int64Range(-customers.MaxBalanceCents, customers.MaxBalanceCents).Draw(t, "balance"),
			UpdatedAt:    someTime.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "time")) * time.Microsecond),
		}
		if rapid.Bool().Draw(t, "address") {
			c.Address = &customers.Address{
				Street: text.Draw(t, "street"), City: text.Draw(t, "city"),
				PostalCode: text.Draw(t, "postal code"), Country: text.Draw(t, "country"),
			}
		}
		if c.Check() != nil {
			t.Skip("not a customer")
		}
		require.NoError(t, both[0].repo.Save(ctx, c))
		for hop := range 3 {
			from, to := both[hop%2].repo, both[(hop+1)%2].repo
			read, err := from.Get(ctx, c.TenantID, c.ID)
			require.NoError(t, err)
			require.Equal(t, c, read)
			require.NoError(t, to.Save(ctx, read))
		}
		last, err := both[1].repo.Get(ctx, c.TenantID, c.ID)
		require.NoError(t, err)
		require.Equal(t, c, last)
	})
}
