package orm_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen/internal/golden/orm"
	v1 "github.com/crossfade-db/crossfade/gen/internal/golden/orm/v1"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, tables)) }

func tables(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, v1.Schema)
	return err
}

func open(t *testing.T) (orm.Invoices, *pgxpool.Pool) {
	pool := pgtest.Pool(t)
	opener, err := gormtx.New(nil)
	require.NoError(t, err)
	return v1.Factory(opener)(pool), pool
}

func invoice() orm.Invoice {
	return orm.Invoice{
		Tenant: "acme", Number: 7, Note: "first", Labels: map[string]string{"a": "b"}, Address: orm.Address{Street: "Main", City: "Oslo"},
		Lines:  []orm.Line{{Position: 2, Text: "TWO", Cents: 201}, {Position: 1, Text: "ONE", Cents: -5}},
		Seller: &orm.Seller{Name: "Eve"}, UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
	}
}

func stored(t *testing.T, repo orm.Invoices, want orm.Invoice) {
	t.Helper()
	got, err := repo.Get(t.Context(), want.Tenant, want.Number)
	require.NoError(t, err)
	assert.Empty(t, orm.DiffInvoice(want, *got))
}

func TestWhatIsNotThereIsTheEntitysError(t *testing.T) {
	repo, _ := open(t)
	_, err := repo.Get(t.Context(), "acme", 1)
	require.ErrorIs(t, err, orm.ErrNone)
	require.ErrorIs(t, repo.Delete(t.Context(), "acme", 1), orm.ErrNone)
}

func TestSaveReplacesAllThatBelongsToAnInvoice(t *testing.T) {
	repo, pool := open(t)
	ctx, want := t.Context(), invoice()
	require.NoError(t, repo.Save(ctx, &want))
	sorted := want
	sorted.Lines = []orm.Line{want.Lines[1], want.Lines[0]}
	stored(t, repo, sorted)

	want.Note, want.Labels, want.Seller, want.Address.City = "", nil, nil, "Bergen"
	want.Lines = []orm.Line{{Position: 1, Text: "small", Cents: 3}}
	want.UpdatedAt = want.UpdatedAt.Add(-time.Hour)
	require.NoError(t, repo.Save(ctx, &want))
	want.Lines = []orm.Line{{Position: 1, Text: "SMALL", Cents: 3}} // the hook ran
	stored(t, repo, want)

	want.Lines = nil
	require.NoError(t, repo.Save(ctx, &want))
	stored(t, repo, want)
	var rest int
	require.NoError(t, pool.QueryRow(ctx, "select (select count(*) from orm_v1.lines) + (select count(*) from orm_v1.sellers)").Scan(&rest))
	assert.Zero(t, rest)
}

func TestSoftDeleteIsHonouredAndSaveBringsBack(t *testing.T) {
	repo, pool := open(t)
	ctx, want := t.Context(), invoice()
	want.Lines = want.Lines[:1]
	require.NoError(t, repo.Save(ctx, &want))
	require.NoError(t, repo.Delete(ctx, want.Tenant, want.Number))
	_, err := repo.Get(ctx, want.Tenant, want.Number)
	require.ErrorIs(t, err, orm.ErrNone)
	require.ErrorIs(t, repo.Delete(ctx, want.Tenant, want.Number), orm.ErrNone)
	keys, err := repo.Keys(ctx, want.Tenant, nil, 10)
	require.NoError(t, err)
	assert.Empty(t, keys)
	var marked int
	require.NoError(t, pool.QueryRow(ctx, "select count(*) from orm_v1.invoices where deleted_at is not null").Scan(&marked))
	assert.Equal(t, 1, marked, "the row is marked, and there")
	require.NoError(t, repo.Save(ctx, &want))
	stored(t, repo, want)
}

func TestKeysAreWalkedAndHandWrittenMethodsCount(t *testing.T) {
	repo, _ := open(t)
	ctx := t.Context()
	for n := range int64(5) {
		one := invoice()
		one.Number = n + 1
		require.NoError(t, repo.Save(ctx, &one))
	}
	after := int64(2)
	keys, err := repo.Keys(ctx, "acme", &after, 2)
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 4}, keys)
	keys, err = repo.Keys(ctx, "other", nil, 2)
	require.NoError(t, err)
	assert.Empty(t, keys)
	n, err := repo.Count(ctx, "acme")
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
}
