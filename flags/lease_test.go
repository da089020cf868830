package flags_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestUseIsHeldUntilTheLeaseRunsOut(t *testing.T) {
	set := setOf(t, policy(1, flags.Live))
	use := enter(t, t.Context(), set.Flag(migration))
	assert.True(t, use.Held(), "a set that nobody holds has no end")
	set.Hold(time.Now().Add(time.Hour))
	assert.True(t, use.Held())
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	assert.True(t, use.Held(), "another policy is no gap: who published it waits for this use")
	use.Done()
	assert.True(t, use.Held())

	set.Expire(nil)
	assert.False(t, use.Held())
	set.Hold(time.Now().Add(time.Hour))
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	assert.False(t, use.Held(), "a new lease does not bring back what was read without one")
	again := enter(t, t.Context(), set.Flag(migration))
	again.Done()
	assert.True(t, again.Held())
}

func TestUseIsNotHeldPastTheEndThatNoTimerHasNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := setOf(t, policy(1, flags.Live))
		set.Hold(time.Now().Add(time.Second))
		use := enter(t, t.Context(), set.Flag(migration))
		use.Done()
		<-time.After(time.Second - 1)
		assert.True(t, use.Held())
		<-time.After(1)
		assert.False(t, use.Held(), "the clock says so")
		set.Hold(time.Now().Add(time.Second))
		assert.True(t, use.Held(), "renewed without having run out: whoever renews looks at the clock before")
	})
}

func TestUseOfAPolicyThatWasReadBeforeALapseIsNotHeld(t *testing.T) {
	set := setOf(t, policy(1, flags.Live))
	ctx, release := flags.Pin(t.Context(), 0)
	defer release()
	pinned := enter(t, ctx, set.Flag(migration))
	pinned.Done()
	set.Expire(nil)
	require.NoError(t, set.Apply(policy(1, flags.Live)))
	assert.False(t, pinned.Held(), "the operation of before the lapse is over")
	later := enter(t, ctx, set.Flag(migration))
	later.Done()
	assert.True(t, later.Held(), "the pin's policy was confirmed: a later operation of the request begins anew")
}

func TestUnguardedUseIsAlwaysHeld(t *testing.T) {
	assert.True(t, flags.Use{}.Held())
	flags.Use{}.OnLapse(func() { t.Error("it has no lease") })()
}

func TestWhoReadsForLongIsToldOfTheLapse(t *testing.T) {
	set := setOf(t, policy(1, flags.Live))
	use := enter(t, t.Context(), set.Flag(migration))
	defer use.Done()
	told := 0
	tell := func() { told++ }
	stop := use.OnLapse(tell)
	use.OnLapse(func() { t.Error("it was stopped") })()
	assert.Zero(t, told)
	set.Expire(nil)
	assert.Equal(t, 1, told)
	set.Expire(nil)
	assert.Equal(t, 1, told, "once")
	stop()
	use.OnLapse(tell)()
	assert.Equal(t, 2, told, "too late is at once")
}

func TestHeldCostsAClockAndNoAllocation(t *testing.T) {
	set := setOf(t, policy(1, flags.Live))
	set.Hold(time.Now().Add(time.Hour))
	use := enter(t, t.Context(), set.Flag(migration))
	defer use.Done()
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = use.Held() }))
}

func BenchmarkHeld(b *testing.B) {
	set := flags.NewSet(nil)
	if err := set.Apply(policy(1, flags.Live)); err != nil {
		b.Fatal(err)
	}
	set.Hold(time.Now().Add(time.Hour))
	use, err := set.Flag(migration).Enter(context.Background(), acme)
	if err != nil {
		b.Fatal(err)
	}
	defer use.Done()
	b.ReportAllocs()
	for b.Loop() {
		if !use.Held() {
			b.Fatal("the lease is over")
		}
	}
}
