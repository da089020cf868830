package control_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestStepChangesThePolicyAndTheHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.step(toDefault(flags.Dual))
	assert.True(t, r.Changed)
	assert.True(t, r.Settled)
	assert.Equal(t, []int64{1}, r.Drained)
	assert.Equal(t, []int64{1}, r.Acknowledged)
	assert.EqualValues(t, 1, r.Before.Epoch)
	assert.Equal(t, flags.Old, r.Before.Default)
	assert.Equal(t, w.inForce(), r.After)
	assert.Equal(t, flags.Dual, r.After.Default)

	tenants := control.Change{Migration: name, Kind: control.SetTenants, To: flags.Old, Tenants: []string{"b", "a", "b"}, Actor: "ben", Reason: "too early"}
	w.step(tenants)
	w.step(control.Change{Migration: name, Kind: control.Unpin, Tenants: []string{"a"}, Actor: "cat"})
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Old, Share: 1250, Actor: "dan"})
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, Actor: "eve"})
	policy, err := w.store.Policy(t.Context(), name)
	require.NoError(t, err)
	assert.EqualValues(t, 6, policy.Epoch)
	assert.Equal(t, map[string]flags.Stage{"b": flags.Old}, policy.Overrides)
	assert.Equal(t, flags.Step{}, policy.Step)

	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	var lines []string
	for _, e := range history {
		lines = append(lines, e.Actor+"/"+e.Kind+"/"+e.Reason+": "+e.Change())
	}
	assert.Equal(t, []string{
		"eve/percentage/: from dual with 12.5% at old to dual",
		"dan/percentage/: from dual to dual with 12.5% at old",
		`cat/unpin/: tenant "a" from old (pinned) to dual`,
		`ben/override/too early: tenant "b" from dual to old (pinned)`,
		`ben/override/too early: tenant "a" from dual to old (pinned)`,
		"ann/default/test: from old to dual",
		"crossfade/register/registered: to old",
	}, lines)
	assert.EqualValues(t, 3, history[3].Epoch, "many tenants change in one epoch")
	assert.EqualValues(t, 3, history[4].Epoch)
}

func TestWhatIsAsAskedAlreadyChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []control.Change{
		toDefault(flags.Old),
		{Migration: name, Kind: control.SetPercentage, Actor: "ann"},
	} {
		r, err := w.plane.Apply(t.Context(), c)
		require.NoError(t, err)
		assert.False(t, r.Changed)
		assert.EqualValues(t, 1, r.After.Epoch)
	}
}

func TestSenselessChangesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want, c := range map[string]control.Change{
		"is none of default, percentage":           {Kind: "jump", Actor: "ann"},
		"say who asks":                             {Kind: control.SetDefault, To: flags.Dual},
		"name the stage to go to: unknown stage":   {Kind: control.SetDefault, Actor: "ann"},
		"is outside 0 to 10000":                    {Kind: control.SetPercentage, To: flags.Dual, Share: 10001, Actor: "ann"},
		"share -1 is outside":                      {Kind: control.SetPercentage, To: flags.Dual, Share: -1, Actor: "ann"},
		"a share goes with a percentage step only": {Kind: control.SetDefault, To: flags.Dual, Share: 1, Actor: "ann"},
		"name at least one tenant":                 {Kind: control.SetTenants, To: flags.Dual, Actor: "ann"},
		"names no tenants":                         {Kind: control.SetDefault, To: flags.Dual, Tenants: []string{"a"}, Actor: "ann"},
		"a tenant's name is empty":                 {Kind: control.SetTenants, To: flags.Dual, Tenants: []string{""}, Actor: "ann"},
		`no override names tenant "a"`:             {Kind: control.Unpin, Tenants: []string{"a"}, Actor: "ann"},
		"joins a rung to the next one only":        {Kind: control.SetPercentage, To: flags.Shadow, Share: 100, Actor: "ann"},
	} {
		c.Migration = name
		_, err := w.plane.Apply(t.Context(), c)
		require.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, name)
	}
	_, err := w.plane.Apply(t.Context(), control.Change{Migration: "orders-v2", Kind: control.SetDefault, To: flags.Dual, Actor: "ann"})
	var unknown *ledger.UnknownMigrationError
	require.ErrorAs(t, err, &unknown)
	policy, err := w.store.Policy(t.Context(), name)
	require.NoError(t, err)
	assert.EqualValues(t, 1, policy.Epoch, "nothing was changed")
}

func TestRefusedStepChangesNothingAndGivesAllReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.plane.Apply(t.Context(), toDefault(flags.Live))
	require.EqualError(t, err, "customers-v2: cannot step from old to live: go to dual first")
	w.step(toDefault(flags.Dual))
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Shadow))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockBackfill, control.BlockVerify}, kinds(refused.Blocks))
	policy, err := w.store.Policy(t.Context(), name)
	require.NoError(t, err)
	assert.EqualValues(t, 2, policy.Epoch)
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	assert.Len(t, history, 2)
}

func TestDryRunAnswersAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dry := toDefault(flags.Dual)
	dry.DryRun = true
	r, err := w.plane.Apply(t.Context(), dry)
	require.NoError(t, err)
	assert.True(t, r.DryRun)
	assert.True(t, r.Changed, "it would")
	assert.Equal(t, flags.Dual, r.After.Default)
	dry.To = flags.Live
	_, err = w.plane.Apply(t.Context(), dry)
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	dry.To, dry.ExpectEpoch = flags.Dual, 7
	_, err = w.plane.Apply(t.Context(), dry)
	var conflict *control.ConflictError
	require.ErrorAs(t, err, &conflict)

	policy, err := w.store.Policy(t.Context(), name)
	require.NoError(t, err)
	assert.EqualValues(t, 1, policy.Epoch)
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	assert.Len(t, history, 1)
}

func TestPointOfNoReturnIsShownBeforeTheStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.RampDown)
	dry := toDefault(flags.New)
	dry.DryRun = true
	r, err := w.plane.Apply(t.Context(), dry)
	require.NoError(t, err)
	require.Len(t, r.Notes, 1)
	assert.Contains(t, r.Notes[0], "point of no return")
}

func TestOfTwoPeopleOneSeesTheOthersChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := toDefault(flags.Dual), toDefault(flags.Dual)
	ann.Reason, ann.ExpectEpoch = "the plan", 1
	ben.Actor, ben.ExpectEpoch = "ben", 1
	w.step(ann)
	_, err := w.plane.Apply(t.Context(), ben)
	var conflict *control.ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, "ann", conflict.Other.Actor)
	assert.Equal(t, "the plan", conflict.Other.Reason)
	assert.EqualValues(t, 2, conflict.Other.Epoch)
	assert.ErrorContains(t, err, "from old to dual")
}

func TestOfManyPeopleAtOnceOneWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people = 6
	results := make([]error, people)
	var group errgroup.Group
	for i := range people {
		group.Go(func() error {
			c := toDefault(flags.Dual)
			c.ExpectEpoch = 1
			_, results[i] = w.plane.Apply(context.WithoutCancel(t.Context()), c)
			return nil
		})
	}
	require.NoError(t, group.Wait())
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		var conflict *control.ConflictError
		require.ErrorAs(t, err, &conflict)
	}
	assert.Equal(t, 1, won)
}

func TestPercentagesMoveTenantsInAndNoneOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	const tenants = 400
	inside := func() map[string]bool {
		all := map[string]bool{}
		for i := range tenants {
			tenant := fmt.Sprintf("tenant-%d", i)
			d, err := m.Flag(name).Peek(flags.Subject{Tenant: tenant})
			require.NoError(t, err)
			if d.Stage == flags.Dual {
				all[tenant] = true
			}
		}
		return all
	}
	before := map[string]bool{}
	for _, percent := range []string{"0.01", "1", "5", "12.34", "25", "50", "99.99", "100"} {
		share, err := flags.ParseShare(percent)
		require.NoError(t, err)
		w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Dual, Share: share, Actor: "ann"})
		now := inside()
		for tenant := range before {
			require.True(t, now[tenant], "%s moved out at %s %%", tenant, percent)
		}
		assert.InDelta(t, float64(share)/flags.Buckets, float64(len(now))/tenants, 0.1)
		before = now
	}
	assert.Len(t, before, tenants)
	r := w.step(toDefault(flags.Dual))
	assert.Equal(t, flags.Step{}, r.After.Step)
	assert.Len(t, inside(), tenants)
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Old, Share: flags.Buckets, Actor: "ann"})
	assert.Empty(t, inside())
}

func TestStepsDoToTenantsStatesWhatTheLadderSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	load := func() *ledger.State {
		s, err := w.store.Load(t.Context(), name)
		require.NoError(t, err)
		return s
	}
	w.step(toDefault(flags.Dual))
	w.exec(`insert into crossfade.tenant_states (migration_id, tenant) select id, 'acme' from crossfade.migrations`)
	w.backfilled()
	w.step(toDefault(flags.Shadow))
	assert.NotNil(t, load().Tenant("acme").BackfilledAt)
	w.step(toDefault(flags.Dual))
	w.step(toDefault(flags.Old))
	assert.Nil(t, load().Tenant("acme").BackfilledAt, "stepping down out of dual clears backfill-complete")
	assert.Nil(t, load().Tenant("acme").VerifiedAt)
	assert.Nil(t, load().Whole.BackfilledAt)

	w.step(toDefault(flags.Dual))
	w.backfilled()
	w.climb(flags.RampDown)
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.New, Tenants: []string{"early"}, Actor: "ann"})
	assert.False(t, load().Tenant("early").OldComplete)
	assert.Nil(t, load().Tenant("early").BackfilledAt)
	assert.True(t, load().Tenant("acme").OldComplete, "who did not go to new keeps a complete old side")
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.RampDown, Tenants: []string{"early"}, Actor: "ann"})
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.Live, Tenants: []string{"early"}, Actor: "ann"})
	down := control.Change{Migration: name, Kind: control.SetTenants, To: flags.Shadow, Tenants: []string{"early"}, Actor: "ann"}
	_, err := w.plane.Apply(t.Context(), down)
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockOldIncomplete}, kinds(refused.Blocks))
	w.exec(`update crossfade.tenant_states set old_complete = true`)
	w.step(down)
}
