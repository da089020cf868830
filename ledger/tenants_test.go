package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMarkCountsForATenantOrForAllWithoutAState(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	settle(t, store, to(t, store, flags.Dual))
	v := inForce(t, store)
	load := func() *ledger.State {
		s, err := store.Load(t.Context(), customers.Name)
		require.NoError(t, err)
		return s
	}
	require.NoError(t, store.Mark(t.Context(), v, ledger.Backfilled, "acme"))
	assert.NotNil(t, load().Tenant("acme").BackfilledAt)
	assert.Nil(t, load().Tenant("other").BackfilledAt)
	require.NoError(t, store.Mark(t.Context(), v, ledger.Backfilled, ""))
	assert.NotNil(t, load().Tenant("born later").BackfilledAt)
	require.NoError(t, store.Mark(t.Context(), v, ledger.Verified, "acme", ""))
	assert.False(t, load().Tenant("acme").VerifiedAt.Before(*load().Tenant("acme").BackfilledAt))
	require.NoError(t, store.Mark(t.Context(), v, ledger.NotVerified, "acme"))
	assert.Nil(t, load().Tenant("acme").VerifiedAt)
	assert.NotNil(t, load().Whole.VerifiedAt)
	require.NoError(t, store.Mark(t.Context(), v, ledger.OldComplete, "acme"))
	assert.True(t, load().Tenant("acme").OldComplete)
	require.NoError(t, store.Mark(t.Context(), v, ledger.Verified))
}

func TestMarkIsRefused(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	before := inForce(t, store)
	var stage *ledger.StageError
	require.ErrorAs(t, store.Mark(t.Context(), before, ledger.Backfilled, "acme"), &stage, "nobody writes the new side at old")
	assert.Equal(t, flags.Old, stage.Stage)
	assert.ErrorContains(t, stage, `tenant "acme" cannot be backfilled at stage old`)

	v := to(t, store, flags.Dual)
	require.ErrorIs(t, store.Mark(t.Context(), before, ledger.Backfilled, "acme"), ledger.ErrNotInForce)
	wrong := v
	wrong.PolicyID = flags.NewPolicyID()
	require.ErrorIs(t, store.Mark(t.Context(), wrong, ledger.Backfilled, "acme"), ledger.ErrNotInForce)
	require.ErrorAs(t, store.Mark(t.Context(), v, ledger.Backfilled, "acme"), &stage, "somebody may still write at old")
	settle(t, store, v)
	require.NoError(t, store.Mark(t.Context(), v, ledger.Backfilled, "acme"))

	_, err := store.Change(t.Context(), customers.Name, v.Epoch, draft("ann", func(p *flags.Policy) {
		p.Step = flags.Step{To: flags.Old, Share: 500}
		p.Overrides["pinned"] = flags.Old
		p.Overrides["with the others"] = flags.Shadow
	}, ledger.Effects{}))
	require.NoError(t, err)
	v = inForce(t, store)
	settle(t, store, v)
	require.ErrorAs(t, store.Mark(t.Context(), v, ledger.Backfilled, ""), &stage, "some tenants are at old")
	assert.ErrorContains(t, stage, "some tenants without a state of their own")
	require.NoError(t, store.Mark(t.Context(), v, ledger.NotVerified, ""), "that is true of anybody")

	_, err = store.Change(t.Context(), customers.Name, v.Epoch, draft("ann", func(p *flags.Policy) { p.Step = flags.Step{} }, ledger.Effects{}))
	require.NoError(t, err)
	v = inForce(t, store)
	settle(t, store, v)
	require.NoError(t, store.Mark(t.Context(), v, ledger.Backfilled, ""))
	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.Nil(t, state.Tenant("pinned").BackfilledAt, "who is pinned to old is not among them")
	assert.NotNil(t, state.Tenant("with the others").BackfilledAt, "who is pinned where both sides are written is")
}

// settle drains and acknowledges everything older.
func settle(t *testing.T, store *ledger.Store, v ledger.Version) {
	t.Helper()
	m := mustMigration(t, store)
	_, err := store.MarkAcknowledged(t.Context(), m)
	require.NoError(t, err)
	for epoch := int64(1); epoch < v.Epoch; epoch++ {
		ok, err := store.Drain(t.Context(), m, epoch, 1e9)
		require.NoError(t, err)
		require.True(t, ok)
	}
}
