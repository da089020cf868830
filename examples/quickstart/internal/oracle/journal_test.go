package oracle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestTheJournalKeepsIntentsAndOutcomes(t *testing.T) {
	ctx, pool, tenant := context.Background(), pgtest.Pool(t), uuid.New()
	one, err := OpenJournal(ctx, pool, uuid.New())
	require.NoError(t, err)
	two, err := OpenJournal(ctx, pool, uuid.New())
	require.NoError(t, err)
	a, b := uuid.New(), uuid.New()
	s := State{Exists: true, FullName: `O'Neil "\"`, Cents: -5, UpdatedAt: 7}

	transfer, err := one.Intend(ctx, Operation{Kind: Add, Tenant: tenant, Stage: "dual", Legs: []Leg{
		{Customer: a, Change: Change{Cents: -3, Set: State{UpdatedAt: 8}}}, {Customer: b, Change: Change{Cents: 3, Set: State{UpdatedAt: 8}}},
	}})
	require.NoError(t, err)
	save, err := two.Intend(ctx, Operation{Kind: Save, Tenant: tenant, Stage: "dual", Legs: []Leg{{Customer: a, Change: Change{Set: s}}}})
	require.NoError(t, err)
	require.NoError(t, save.Settle(ctx, time.Millisecond, nil, Result{Outcome: Done}))
	since := two.Now()
	balance := int64(-8)
	require.NoError(t, transfer.Settle(ctx, time.Second, errors.New("no"), Result{Outcome: Done, Seen: &s, Balance: &balance}, Result{Outcome: Refused}))
	require.NoError(t, two.Observe(ctx, Operation{Kind: Read, Tenant: tenant, Stage: "dual", Legs: []Leg{{Customer: a}}},
		since, time.Millisecond, nil, Result{Outcome: Done, Seen: &s}))
	require.NoError(t, two.Observe(ctx, Operation{Kind: List, Tenant: tenant, Stage: "dual"}, since, time.Millisecond, nil, Result{Outcome: Done}))
	_, err = two.Intend(ctx, Operation{Kind: Delete, Tenant: tenant, Stage: "dual", Legs: []Leg{{Customer: b}}})
	require.NoError(t, err)

	h, err := Load(ctx, pool)
	require.NoError(t, err)
	ofA, ofB := h[Key{tenant, a}], h[Key{tenant, b}]
	require.Len(t, ofA, 3)
	require.Len(t, ofB, 2)
	minus, saved, seen := ofA[0], ofA[1], ofA[2]
	assert.Equal(t, Add, minus.Kind)
	assert.Equal(t, minus.Line, minus.Operation)
	assert.Equal(t, minus.Operation, ofB[0].Operation)
	assert.Equal(t, Result{Outcome: Done, Seen: &s, Balance: &balance}, minus.Result)
	assert.Equal(t, Refused, ofB[0].Outcome)
	assert.Equal(t, Change{Set: s}, saved.Change)
	assert.Less(t, minus.Began, saved.Began)
	assert.Less(t, saved.Done, minus.Done)
	assert.Equal(t, since, seen.Began)
	assert.Less(t, seen.Began, minus.Done, "it did not see the end of the transfer before it read")
	assert.Less(t, minus.Done, seen.Done)
	assert.Equal(t, Open, ofB[1].Outcome)

	t.Run("what a dead process left open is unknown", func(t *testing.T) {
		require.NoError(t, Abandon(ctx, pool, one.process))
		h, err := Load(ctx, pool)
		require.NoError(t, err)
		assert.Equal(t, Open, h[Key{tenant, b}][1].Outcome, "it lives")
		require.NoError(t, Abandon(ctx, pool, two.process))
		h, err = Load(ctx, pool)
		require.NoError(t, err)
		assert.Equal(t, Unknown, h[Key{tenant, b}][1].Outcome)
		assert.Equal(t, Done, h[Key{tenant, a}][0].Outcome)
	})

	t.Run("what meets another process on a customer is contended", func(t *testing.T) {
		var contended []bool
		rows, err := pool.Query(ctx, "select contended from quickstart_oracle.journal order by id")
		require.NoError(t, err)
		for rows.Next() {
			var c bool
			require.NoError(t, rows.Scan(&c))
			contended = append(contended, c)
		}
		require.NoError(t, rows.Err())
		assert.Equal(t, []bool{false, false, true, true, false, false}, contended)
	})
}
