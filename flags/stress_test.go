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

// The rule that the barrier rests on: a process acknowledges the oldest policy
// that any of its operations acts on. Whoever holds a use therefore never sees
// a newer epoch acknowledged. Without the second look in tryAcquire this fails.
func TestOldestNeverPassesAUseThatIsAlive(t *testing.T) {
	const epochs = 20_000
	set := setOf(t, policy(1, flags.Old))
	flag := set.Flag(migration)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ctx, release := t.Context(), func() {}
				if worker == 0 && n%4 == 0 {
					ctx, release = flags.Pin(ctx, 0)
				}
				if !holdsItsEpoch(t, ctx, set, flag) {
					return
				}
				release()
			}
		})
	}
	for epoch := int64(2); epoch <= epochs && !t.Failed(); epoch++ {
		require.NoError(t, set.Apply(policy(epoch, flags.Stages()[epoch%6])))
		set.Oldest()
		if epoch%1000 == 0 {
			set.Expire(errors.New("lease over"))
			require.NoError(t, set.Apply(policy(epoch, flags.Stages()[epoch%6])))
		}
	}
	close(stop)
	wg.Wait()
	assert.EqualValues(t, epochs, oldest(t, set), "when all uses have ended the newest is acknowledged")
}

func holdsItsEpoch(t *testing.T, ctx context.Context, set *flags.Set, flag *flags.Flag) bool {
	use, err := flag.Enter(ctx, acme)
	if err != nil {
		var none *flags.NoPolicyError
		return assert.ErrorAs(t, err, &none)
	}
	defer use.Done()
	for range 2 {
		if acknowledged := set.Oldest()[0].Epoch; acknowledged > use.Epoch {
			return assert.Failf(t, "acknowledged too early", "epoch %d while epoch %d is in use", acknowledged, use.Epoch)
		}
	}
	return true
}

func TestExpireApplyRefuseAndPinsTogetherLoseNoUse(t *testing.T) {
	var set *flags.Set
	var mu sync.Mutex
	epoch := int64(1)
	fetch := func(_ context.Context, name string) error {
		mu.Lock()
		defer mu.Unlock()
		p := policy(epoch, flags.Shadow)
		p.Migration = name
		return set.Apply(p)
	}
	set = flags.NewSet(fetch)
	defer set.Watch(func(flags.Change) {})()
	flag := set.Flag(migration)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 3000 {
				ctx, release := t.Context(), func() {}
				if n%2 == 0 {
					ctx, release = flags.Pin(ctx, 0)
				}
				use, err := flag.Enter(ctx, acme)
				if !errors.As(err, new(*flags.NoPolicyError)) && assert.NoError(t, err) {
					if n%5 == worker {
						assert.NoError(t, flag.Refused(ctx, acme, use.Decision))
					}
					use.Done()
				}
				release()
			}
		})
	}
	wg.Go(func() {
		for n := range 3000 {
			if n%7 == 0 {
				set.Expire(nil)
				continue
			}
			mu.Lock()
			epoch++
			mu.Unlock()
			assert.NoError(t, fetch(t.Context(), migration))
			set.Oldest()
		}
	})
	wg.Wait()
	require.NoError(t, fetch(t.Context(), migration))
	assert.Equal(t, epoch, oldest(t, set), "every use was ended, none twice")
}
