package ormtosqlc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc"
	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/ormtosqlctest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc/v2"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// another gives a version a table of its own, as the contract of two versions asks for.
type another struct{ postgres.DBTX }

func named(sql string) string { return strings.ReplaceAll(sql, " listeners", " listeners_again") }

func (a another) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return a.DBTX.Exec(ctx, named(sql), args...)
}

func (a another) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return a.DBTX.Query(ctx, named(sql), args...)
}

func (a another) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return a.DBTX.QueryRow(ctx, named(sql), args...)
}

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	opener, err := gormtx.New(nil)
	require.NoError(t, err)
	pool := crossfadetest.Postgres(t, tables, again)
	topic := rapid.SampledFrom([]string{"news", "", "a\"b", "\u540d"})
	crossfadetest.Contract(t, pool, ormtosqlctest.Entity, v1.Factory(opener),
		func(db postgres.DBTX) ormtosqlc.Listeners { return v2.New(another{db}) },
		crossfadetest.Field("Listener.Topics", rapid.SliceOfN(topic, 0, 3)), crossfadetest.Field("ByTopic.topic", topic))
}

var again = crossfadetest.SQL("create table listeners_again (like listeners including all)")

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

func listener(n byte, name string, topics ...string) ormtosqlc.Listener {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return ormtosqlc.Listener{TenantID: tenant, ID: id, Name: name, Topics: topics, CreditCents: 100}
}

var ann, bo, cy = listener(1, "Ann", "news", "sport"), listener(2, "Bo", "news"), listener(3, "Cy")

// seed writes four times, and leaves a row that was deleted.
func seed(ctx context.Context, r ormtosqlc.Listeners) error {
	return errors.Join(r.Save(ctx, ann), r.Save(ctx, bo), r.Save(ctx, cy), r.Delete(ctx, tenant, bo.ID))
}

// writes counts the rows that were written since the database was made.
func writes(t *testing.T) (count int) {
	require.NoError(t, pool.Load().QueryRow(t.Context(), "select count(*) from listener_writes").Scan(&count))
	return count
}

func story(t *testing.T, r ormtosqlc.Listeners) {
	ctx := t.Context()
	require.Equal(t, 4, writes(t), "backfill writes nothing")

	for want := int64(150); want <= 250; want += 50 {
		credit, err := r.AddCredit(ctx, tenant, ann.ID, 50)
		require.NoError(t, err)
		require.Equal(t, want, credit, "what is added is added once")
	}
	got, err := r.Get(ctx, tenant, ann.ID)
	require.NoError(t, err)
	require.EqualValues(t, 250, got.CreditCents)
	require.Equal(t, 7, writes(t), "triggers run once")

	_, err = r.Get(ctx, tenant, bo.ID)
	require.ErrorIs(t, err, ormtosqlc.ErrNotFound, "what GORM deleted is deleted")
	_, err = r.AddCredit(ctx, tenant, bo.ID, 1)
	require.ErrorIs(t, err, ormtosqlc.ErrNotFound)
	require.NoError(t, r.Save(ctx, bo))
	found, err := r.ByTopic(ctx, tenant, "news", uuid.Nil, 10)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, bo, found[1], "it is back")

	require.NoError(t, r.Delete(ctx, tenant, cy.ID))
	require.ErrorIs(t, r.Delete(ctx, tenant, cy.ID), ormtosqlc.ErrNotFound)
	got, err = r.GetForUpdate(ctx, tenant, bo.ID)
	require.NoError(t, err)
	assert.Equal(t, bo, got)
	keys, err := r.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{ann.ID, bo.ID}, keys)
	assert.Equal(t, 9, writes(t))

	var kept, dated bool
	require.NoError(t, pool.Load().QueryRow(ctx, `
		select bool_and(created_at <= updated_at), bool_and(deleted_at is not null) filter (where name = 'Cy')
		from listeners`).Scan(&kept, &dated))
	assert.True(t, kept && dated, "the columns that the domain does not show are kept")
}

func TestATransactionOfTheApplicationWritesOnceToo(t *testing.T) {
	crossfadetest.EachStage(t, app(seed), func(t *testing.T, r ormtosqlc.Listeners) {
		ctx, routed := t.Context(), r.(*ormtosqlc.RoutedListeners)
		require.NoError(t, database.Load().InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			inside := routed.InTx(tx)
			for want := int64(101); want <= 103; want++ {
				credit, err := inside.AddCredit(ctx, tenant, ann.ID, 1)
				require.NoError(t, err)
				require.Equal(t, want, credit)
			}
			return inside.Delete(ctx, tenant, cy.ID)
		}))
		require.Equal(t, 8, writes(t))
		_, err := r.Get(ctx, tenant, cy.ID)
		require.ErrorIs(t, err, ormtosqlc.ErrNotFound)
	})
}
