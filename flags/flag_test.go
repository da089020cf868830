package flags_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestDecisionCarriesThePolicyThatMadeIt(t *testing.T) {
	set := setOf(t, policy(7, flags.Shadow))
	use := enter(t, t.Context(), set.Flag(migration))
	defer use.Done()
	want := flags.Decision{Migration: migration, Stage: flags.Shadow, Epoch: 7, PolicyID: idOf(7), Reason: flags.ReasonDefault}
	assert.Equal(t, want, use.Decision)
	assert.True(t, use.Guarded())

	peeked, err := set.Flag(migration).Peek(acme)
	require.NoError(t, err)
	assert.Equal(t, want, peeked)
}

func TestNoPolicyIsAnErrorNeverADefault(t *testing.T) {
	set := flags.NewSet(nil)
	flag := set.Flag(migration)
	_, err := flag.Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, migration, none.Migration)
	assert.ErrorContains(t, err, "customers-v2: no policy to act on: none was loaded")
	_, err = flag.Peek(acme)
	require.ErrorAs(t, err, &none)
	assert.Empty(t, set.Oldest(), "a migration without a policy is not acknowledged")
	assert.Nil(t, flag.Current())
}

func TestEnterFetchesWhereThereIsNoPolicy(t *testing.T) {
	var set *flags.Set
	fetched := 0
	set = flags.NewSet(func(_ context.Context, name string) error {
		fetched++
		assert.Equal(t, migration, name)
		return set.Apply(policy(3, flags.Dual))
	})
	flag := set.Flag(migration)
	for range 3 {
		use := enter(t, t.Context(), flag)
		assert.Equal(t, flags.Dual, use.Stage)
		use.Done()
	}
	assert.Equal(t, 1, fetched, "with a policy in memory nothing is fetched")

	set.Expire(errors.New("lease over"))
	use := enter(t, t.Context(), flag)
	use.Done()
	assert.Equal(t, 2, fetched, "past the lease the ledger is asked inside the call")
}

func TestFetchThatFailsOrBringsNothingIsAnError(t *testing.T) {
	gone := errors.New("server gone")
	set := flags.NewSet(func(context.Context, string) error { return gone })
	_, err := set.Flag(migration).Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	require.ErrorIs(t, err, gone)
	require.ErrorIs(t, set.Flag(migration).Refused(t.Context(), acme, flags.Decision{}), gone)

	fetched := 0
	set = flags.NewSet(func(context.Context, string) error { fetched++; return nil })
	_, err = set.Flag(migration).Enter(t.Context(), acme)
	require.ErrorAs(t, err, &none)
	assert.Equal(t, 1, fetched)
}

func TestOldestIsTheOldestPolicyInUse(t *testing.T) {
	set := setOf(t, policy(1, flags.Old))
	flag := set.Flag(migration)
	assert.EqualValues(t, 1, oldest(t, set))

	first := enter(t, t.Context(), flag)
	require.NoError(t, set.Apply(policy(2, flags.Dual)))
	second := enter(t, t.Context(), flag)
	require.NoError(t, set.Apply(policy(3, flags.Shadow)))
	assert.EqualValues(t, 1, oldest(t, set))

	second.Done()
	assert.EqualValues(t, 1, oldest(t, set))
	first.Done()
	assert.EqualValues(t, 3, oldest(t, set))
}

func TestOldestSkipsAPolicyThatNobodyUsed(t *testing.T) {
	set := setOf(t, policy(1, flags.Old), policy(2, flags.Dual))
	use := enter(t, t.Context(), set.Flag(migration))
	require.NoError(t, set.Apply(policy(3, flags.Shadow)))
	require.NoError(t, set.Apply(policy(4, flags.Live)))
	assert.EqualValues(t, 2, oldest(t, set))
	use.Done()
	assert.EqualValues(t, 4, oldest(t, set))
}

func TestTheSamePolicyAgainKeepsItsUses(t *testing.T) {
	set := setOf(t, policy(1, flags.Old))
	changes := 0
	defer set.Watch(func(flags.Change) { changes++ })()
	use := enter(t, t.Context(), set.Flag(migration))
	require.NoError(t, set.Apply(policy(1, flags.Old)))
	assert.Zero(t, changes, "nothing changed")
	require.NoError(t, set.Apply(policy(2, flags.Dual)))
	assert.Equal(t, 1, changes)
	assert.EqualValues(t, 1, oldest(t, set))
	use.Done()
	assert.EqualValues(t, 2, oldest(t, set))
}

func TestAnEpochHandedOutTwiceIsTwoPolicies(t *testing.T) {
	set := setOf(t, policy(5, flags.Dual))
	use := enter(t, t.Context(), set.Flag(migration))
	again := policy(5, flags.Shadow)
	again.ID = idOf(99)
	require.NoError(t, set.Apply(again))
	assert.Equal(t, idOf(5), set.Oldest()[0].PolicyID)
	use.Done()
	assert.Equal(t, idOf(99), set.Oldest()[0].PolicyID)
}

func TestDoneTwicePanicsRatherThanAcknowledgeTooEarly(t *testing.T) {
	use := enter(t, t.Context(), setOf(t, policy(1, flags.Old)).Flag(migration))
	use.Done()
	assert.PanicsWithValue(t, "flags: Done was called more than once on a use", use.Done)
	assert.NotPanics(t, flags.Use{}.Done, "a use that no policy made counts nothing")
}

func TestExpireTakesPoliciesOutOfUseUntilTheyAreAppliedAgain(t *testing.T) {
	over := errors.New("lease ran out at 12:00")
	set := setOf(t, policy(1, flags.Live))
	flag := set.Flag(migration)
	use := enter(t, t.Context(), flag)
	set.Expire(over)
	for _, f := range []*flags.Flag{flag, set.Flag("born-later")} {
		_, err := f.Enter(t.Context(), acme)
		require.ErrorIs(t, err, over, f.Migration())
		_, err = f.Peek(acme)
		require.ErrorIs(t, err, over)
	}
	assert.EqualValues(t, 1, oldest(t, set), "what was in use stays counted")

	set.Confirm()
	_, err := flag.Enter(t.Context(), acme)
	require.Error(t, err, "confirming alone brings nothing back")

	require.NoError(t, set.Apply(policy(1, flags.Live)))
	again := enter(t, t.Context(), flag)
	require.NoError(t, set.Apply(policy(2, flags.RampDown)))
	use.Done()
	assert.EqualValues(t, 1, oldest(t, set), "uses before and after the lapse share one counter")
	again.Done()
	assert.EqualValues(t, 2, oldest(t, set))
}

func TestRefusedFetchesBeforeTheNextDecision(t *testing.T) {
	epoch := int64(1)
	var set *flags.Set
	set = flags.NewSet(func(context.Context, string) error { return set.Apply(policy(epoch, flags.Stages()[epoch])) })
	flag := set.Flag(migration)
	for _, name := range []string{"without a pin", "with a pin"} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if name == "with a pin" {
				pinned, release := flags.Pin(ctx, 0)
				defer release()
				ctx = pinned
			}
			use := enter(t, ctx, flag)
			epoch++
			use.Done()
			require.NoError(t, flag.Refused(ctx, acme, use.Decision))
			use = enter(t, ctx, flag)
			defer use.Done()
			assert.Equal(t, epoch, use.Epoch)
			assert.Equal(t, epoch, oldest(t, set), "the refused decision is out of use")
		})
	}
}

func TestWatchersHearOfEveryKindOfChangeUntilTheyCancel(t *testing.T) {
	set := flags.NewSet(nil)
	var heard []flags.Change
	cancel := set.Watch(func(c flags.Change) { heard = append(heard, c) })
	lost, broken := errors.New("lost"), errors.New("broken")
	require.NoError(t, set.Apply(policy(1, flags.Old)))
	set.Fail(broken)
	set.Expire(lost)
	set.Confirm()
	want := []flags.Change{
		{Kind: flags.Applied, Migration: migration, Epoch: 1},
		{Kind: flags.Failed, Err: broken},
		{Kind: flags.Stale, Err: lost},
		{Kind: flags.Fresh},
	}
	assert.Equal(t, want, heard)
	cancel()
	cancel()
	set.Confirm()
	assert.Len(t, heard, len(want))
}

func TestAWatcherMayUseTheSetAndCancelItself(t *testing.T) {
	set := flags.NewSet(nil)
	var cancel func()
	epoch := int64(0)
	cancel = set.Watch(func(c flags.Change) {
		epoch = set.Flag(c.Migration).Current().Policy().Epoch
		cancel()
	})
	require.NoError(t, set.Apply(policy(1, flags.Old)))
	require.NoError(t, set.Apply(policy(2, flags.Old)))
	assert.EqualValues(t, 1, epoch)
}

func TestFlagsAreSortedAndMadeOnce(t *testing.T) {
	set := flags.NewSet(nil)
	var wg sync.WaitGroup
	for _, name := range []string{"b", "a", "c", "a"} {
		wg.Go(func() { set.Flag(name) })
	}
	wg.Wait()
	var names []string
	for _, f := range set.Flags() {
		names = append(names, f.Migration())
		assert.Same(t, f, set.Flag(f.Migration()))
	}
	assert.Equal(t, []string{"a", "b", "c"}, names)
}
