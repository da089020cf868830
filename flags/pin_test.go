package flags_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestPinKeepsTheStageOfARequestAndItsEpochAlive(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	ctx, release := flags.Pin(t.Context(), 0)
	enter(t, ctx, flag).Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))

	use := enter(t, ctx, flag)
	assert.Equal(t, flags.Shadow, use.Stage, "a request never mixes stages")
	outside := enter(t, t.Context(), flag)
	assert.Equal(t, flags.Live, outside.Stage)
	outside.Done()

	use.Done()
	assert.EqualValues(t, 1, oldest(t, set), "the pin is in use between operations")
	release()
	assert.EqualValues(t, 2, oldest(t, set))
	release()

	use = enter(t, ctx, flag)
	assert.EqualValues(t, 2, use.Epoch, "a released pin decides anew")
	use.Done()
	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	assert.EqualValues(t, 3, oldest(t, set), "and holds nothing")
}

func TestPinHoldsUntilTheLastOperationOfItEnds(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	ctx, release := flags.Pin(t.Context(), 0)
	use := enter(t, ctx, set.Flag(migration))
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	release()
	assert.EqualValues(t, 1, oldest(t, set), "an operation outlives its pin")
	use.Done()
	assert.EqualValues(t, 2, oldest(t, set))
}

func TestPinDecidesPerTenantAndMigration(t *testing.T) {
	orders := policy(1, flags.New)
	orders.Migration = "orders-v2"
	set := setOf(t, policy(1, flags.Shadow), orders)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	enter(t, ctx, set.Flag(migration)).Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))

	other, err := set.Flag(migration).Enter(ctx, flags.Subject{Tenant: "globex"})
	require.NoError(t, err)
	defer other.Done()
	assert.Equal(t, flags.Live, other.Stage, "the first use of a tenant decides for it")
	use := enter(t, ctx, set.Flag("orders-v2"))
	defer use.Done()
	assert.Equal(t, flags.New, use.Stage)
}

func TestPinWithinAPinIsTheOuterOne(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	outer, releaseOuter := flags.Pin(t.Context(), 0)
	enter(t, outer, set.Flag(migration)).Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))

	inner, releaseInner := flags.Pin(outer, 0)
	use := enter(t, inner, set.Flag(migration))
	use.Done()
	assert.Equal(t, flags.Shadow, use.Stage)
	releaseInner()
	assert.EqualValues(t, 1, oldest(t, set), "the outer request still holds")
	releaseOuter()
	assert.EqualValues(t, 2, oldest(t, set))

	// Work that outlives its request pins anew, although its ctx still carries
	// the pin of that request.
	later, releaseLater := flags.Pin(context.WithoutCancel(outer), 0)
	defer releaseLater()
	enter(t, later, set.Flag(migration)).Done()
	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	use = enter(t, later, set.Flag(migration))
	defer use.Done()
	assert.Equal(t, flags.Live, use.Stage)
}

func TestPinLetsGoByItselfAtItsAge(t *testing.T) {
	for name, c := range map[string]struct{ age, held time.Duration }{
		"given":   {5 * time.Second, 5 * time.Second},
		"default": {0, flags.DefaultPinAge},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := setOf(t, policy(1, flags.Shadow))
				ctx, release := flags.Pin(t.Context(), c.age)
				defer release()
				enter(t, ctx, set.Flag(migration)).Done()
				require.NoError(t, set.Apply(policy(2, flags.Live)))

				wait(c.held - time.Nanosecond)
				use := enter(t, ctx, set.Flag(migration))
				use.Done()
				assert.EqualValues(t, 1, use.Epoch)
				assert.EqualValues(t, 1, oldest(t, set))

				wait(time.Nanosecond)
				assert.EqualValues(t, 2, oldest(t, set), "a request that hangs holds up no step for ever")
				use = enter(t, ctx, set.Flag(migration))
				use.Done()
				assert.EqualValues(t, 2, use.Epoch)
			})
		})
	}
}

// wait lets the bubble's clock run and everything that it wakes come to rest.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestPinnedDecisionEndsWithItsLease(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	enter(t, ctx, flag).Done()

	gone := errors.New("lease ran out")
	set.Expire(gone)
	_, err := flag.Enter(ctx, acme)
	require.ErrorIs(t, err, gone, "past the lease a pin guesses no more than anybody")

	// Meanwhile the fleet went on without waiting for this process.
	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	use := enter(t, ctx, flag)
	use.Done()
	assert.Equal(t, flags.RampDown, use.Stage)
	assert.EqualValues(t, 3, oldest(t, set))
}

func TestPinnedDecisionOfAnOlderPolicyEndsWithTheLease(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	enter(t, ctx, flag).Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	set.Expire(nil)
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	use := enter(t, ctx, flag)
	use.Done()
	assert.EqualValues(t, 2, use.Epoch, "epoch 1 was pinned before the lapse, and nobody waits for it any more")
}

func TestPinnedDecisionGoesOnWhenItsPolicyIsConfirmed(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	enter(t, ctx, flag).Done()
	set.Expire(nil)
	require.NoError(t, set.Apply(policy(1, flags.Shadow)))
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	use := enter(t, ctx, flag)
	use.Done()
	assert.EqualValues(t, 1, use.Epoch, "the ledger still had that epoch: the request goes on as it began")
}

func TestRefusedReplacesOnlyThePinnedDecisionThatWasRefused(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	first := enter(t, ctx, flag)
	first.Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	require.NoError(t, flag.Refused(ctx, acme, first.Decision))
	second := enter(t, ctx, flag)
	second.Done()
	assert.EqualValues(t, 2, second.Epoch)

	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	require.NoError(t, flag.Refused(ctx, acme, first.Decision), "a refusal that comes late")
	third := enter(t, ctx, flag)
	third.Done()
	assert.EqualValues(t, 2, third.Epoch, "changes no newer decision")
}

// Dropping the pinned decision before the fetch would let another goroutine of
// the request pin the refused policy again, and this one would get it back.
func TestRefusedForgetsThePinnedDecisionAfterTheFetch(t *testing.T) {
	var set *flags.Set
	var ctx context.Context
	set = flags.NewSet(func(context.Context, string) error {
		enter(t, ctx, set.Flag(migration)).Done() // another goroutine of the request, meanwhile
		return set.Apply(policy(2, flags.Live))
	})
	require.NoError(t, set.Apply(policy(1, flags.Shadow)))
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	use := enter(t, ctx, set.Flag(migration))
	use.Done()
	require.NoError(t, set.Flag(migration).Refused(ctx, acme, use.Decision))
	use = enter(t, ctx, set.Flag(migration))
	use.Done()
	assert.EqualValues(t, 2, use.Epoch)
}

func TestFirstOfTwoConcurrentDecisionsIsThePinnedOne(t *testing.T) {
	var set *flags.Set
	var ctx context.Context
	set = flags.NewSet(func(context.Context, string) error {
		// While this goroutine fetches, another one of the request decides.
		require.NoError(t, set.Apply(policy(1, flags.Shadow)))
		enter(t, ctx, set.Flag(migration)).Done()
		return set.Apply(policy(2, flags.Live))
	})
	ctx, release := flags.Pin(t.Context(), 0)
	use := enter(t, ctx, set.Flag(migration))
	assert.EqualValues(t, 1, use.Epoch, "the request never mixes stages")
	use.Done()
	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	release()
	assert.EqualValues(t, 3, oldest(t, set), "no use is left over")
}

func TestGoroutinesOfOneRequestShareItsDecision(t *testing.T) {
	for range 200 {
		set := setOf(t, policy(1, flags.Shadow))
		flag := set.Flag(migration)
		ctx, release := flags.Pin(t.Context(), 0)
		epochs := make([]int64, 4)
		var wg sync.WaitGroup
		for i := range epochs {
			wg.Go(func() {
				use, err := flag.Enter(ctx, acme)
				assert.NoError(t, err)
				epochs[i] = use.Epoch
				use.Done()
			})
		}
		wg.Go(func() { assert.NoError(t, set.Apply(policy(2, flags.Live))) })
		wg.Wait()
		for _, epoch := range epochs {
			require.Equal(t, epochs[0], epoch)
		}
		require.Equal(t, epochs[0], oldest(t, set))
		release()
		require.EqualValues(t, 2, oldest(t, set), "no use was counted twice or lost")
	}
}
