package control_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func keysAt(from, to flags.Stage, share flags.Share) flags.Policy {
	return flags.Policy{Default: from, Step: flags.Step{To: to, Share: share, Of: flags.OfKeys}}
}

func TestAShareOfKeysNeedsWhatTheStepOfAllNeeds(t *testing.T) {
	t.Parallel()
	s := at(flags.Shadow)
	assert.Empty(t, control.Check(s, keysAt(flags.Shadow, flags.Live, 500)))
	s.Whole.BackfilledAt = nil
	assert.Equal(t, []control.BlockKind{control.BlockBackfill}, kinds(control.Check(s, keysAt(flags.Shadow, flags.Live, 500))))

	some := at(flags.Shadow)
	mixed := keysAt(flags.Shadow, flags.Live, 500)
	mixed.Migration, mixed.Salt, mixed.Epoch = name, name, some.Policies[0].Epoch
	some.Policies[0].Policy = mixed
	some.Whole.OldComplete = false
	assert.Empty(t, control.Check(some, keysAt(flags.Shadow, flags.Live, 1000)), "more keys go up")
	assert.Equal(t, []control.BlockKind{control.BlockOldIncomplete}, kinds(control.Check(some, keysAt(flags.Shadow, flags.Live, 100))),
		"fewer: some come down")
	some.Whole.BackfilledAt = nil
	assert.Equal(t, []control.BlockKind{control.BlockBackfill}, kinds(control.Check(some, keysAt(flags.Shadow, flags.Live, 1000))))
}

func TestAShareOfKeysHasEveryTenantAtBothRungs(t *testing.T) {
	t.Parallel()
	s := at(flags.Shadow)
	s.Tenants = map[string]ledger.TenantState{"acme": s.Whole}
	mixed := keysAt(flags.Shadow, flags.Live, 1)
	mixed.Migration, mixed.Salt, mixed.Epoch = name, name, s.Policies[0].Epoch
	s.Policies[0].Policy = mixed

	blocks := control.Check(s, flags.Policy{Default: flags.Dual})
	require.Equal(t, []control.BlockKind{control.BlockJump}, kinds(blocks))
	assert.Equal(t, "go to shadow first", blocks[0].Text)
	blocks = control.Check(s, flags.Policy{Default: flags.RampDown})
	require.Equal(t, []control.BlockKind{control.BlockJump}, kinds(blocks))
	assert.Equal(t, "go to live first", blocks[0].Text)
	blocks = control.Check(s, keysAt(flags.Live, flags.RampDown, flags.Buckets-1))
	assert.Equal(t, []control.BlockKind{control.BlockJump}, kinds(blocks), "each key by itself would pass")
	pinned := keysAt(flags.Shadow, flags.Live, 1)
	pinned.Overrides = map[string]flags.Stage{"acme": flags.Dual}
	blocks = control.Check(s, pinned)
	require.Equal(t, []control.BlockKind{control.BlockJump}, kinds(blocks))
	assert.Equal(t, []string{"acme"}, blocks[0].Tenants)

	for _, next := range []flags.Stage{flags.Shadow, flags.Live} {
		assert.Empty(t, control.Check(s, flags.Policy{Default: next}), "to %s", next)
	}
	before(s, 1, flags.Dual)
	assert.Equal(t, []control.BlockKind{control.BlockBarrier}, kinds(control.Check(s, flags.Policy{Default: flags.Live})))
}

func TestAnOlderShareOfKeysHoldsTheNextStepUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		older flags.Policy
		free  bool
	}{
		{keysAt(flags.Shadow, flags.Live, 1), false},
		{keysAt(flags.Live, flags.Shadow, 1), false},
		{keysAt(flags.Shadow, flags.Live, flags.Buckets), true},
		{keysAt(flags.Live, flags.RampDown, 1), true},
	} {
		s := at(flags.Live)
		before(s, 1, flags.Live)
		c.older.Migration, c.older.Salt, c.older.Epoch = name, name, s.Policies[0].Epoch
		s.Policies[0].Policy = c.older
		blocks := control.Check(s, flags.Policy{Default: flags.RampDown})
		assert.Equal(t, c.free, len(blocks) == 0, "%+v: %v", c.older.Step, blocks)
	}
}

func TestSharesOfKeysAndOfTenantsAreNotMistakenForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	keys := control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 500, Of: flags.OfKeys, Actor: "ann"}
	w.step(keys)
	tenants := keys
	tenants.Of, tenants.Share = flags.OfTenants, 600
	_, err := w.plane.Apply(t.Context(), tenants)
	var wrong *control.ChangeError
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "a share of the keys stands (5% at live)")
	assert.ErrorContains(t, err, "take it back (0) or complete it (everybody at live) first")
	assert.Equal(t, flags.Step{To: flags.Live, Share: 500, Of: flags.OfKeys}, w.inForce().Step)

	w.step(control.Change{Migration: name, Kind: control.SetPercentage, Actor: "ann"})
	w.step(tenants)
	_, err = w.plane.Apply(t.Context(), keys)
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "a share of the tenants stands (6% at live)")

	for _, c := range []control.Change{
		{Migration: name, Kind: control.SetDefault, To: flags.Live, Of: flags.OfKeys, Actor: "ann"},
		{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 1, Of: 9, Actor: "ann"},
	} {
		_, err = w.plane.Apply(t.Context(), c)
		require.ErrorAs(t, err, &wrong)
	}
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{Limit: 4})
	require.NoError(t, err)
	history = slices.DeleteFunc(history, func(e ledger.Entry) bool { return e.Kind == ledger.KindPublish })
	assert.Equal(t, "from shadow with 5% of the keys at live to shadow", history[1].Change())
	assert.Equal(t, "from shadow to shadow with 5% of the keys at live", history[2].Change())
}

func TestAPinnedTenantLeavesAShareOfKeysByOneRung(t *testing.T) {
	t.Parallel()
	for to, want := range map[flags.Stage][]flags.Stage{
		flags.Dual:   {flags.Shadow, flags.Dual},
		flags.Shadow: {flags.Shadow},
		flags.Live:   {flags.Live},
		flags.New:    {flags.Live, flags.RampDown, flags.New},
	} {
		w := newWorld(t)
		w.climb(flags.Shadow)
		w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 500, Of: flags.OfKeys, Actor: "ann"})
		done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: to, Tenants: []string{"acme"}, Actor: "ann"})
		require.NoError(t, err)
		var stages []flags.Stage
		for _, r := range done {
			stages = append(stages, r.After.Overrides["acme"])
		}
		assert.Equal(t, want, stages)
	}
}

func TestAShareOfKeysWalksLikeAnyOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	share := control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 2500, Of: flags.OfKeys, Actor: "ann"}
	w.step(share)
	share.Share = 5000
	w.step(share)
	share.Share = 100
	w.step(share)
	done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Dual, Actor: "ann"})
	require.NoError(t, err)
	assert.Equal(t, []string{"shadow", "dual"}, visited(done), "the keys come back first")
}
