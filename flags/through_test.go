package flags_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// hook is a user's hook made of functions.
type hook struct {
	openfeature.UnimplementedHook
	before func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error)
	after  func(openfeature.InterfaceEvaluationDetails)
}

func (h hook) Before(ctx context.Context, hc openfeature.HookContext, _ openfeature.HookHints) (*openfeature.EvaluationContext, error) {
	if h.before == nil {
		return nil, nil
	}
	return h.before(ctx, hc)
}

func (h hook) After(_ context.Context, _ openfeature.HookContext, d openfeature.InterfaceEvaluationDetails, _ openfeature.HookHints) error {
	if h.after != nil {
		h.after(d)
	}
	return nil
}

// refused returns the decider's error, which must be a FlagError of the migration.
func refused(t *testing.T, d flags.Decider, ctx context.Context) *flags.FlagError { //nolint:revive // the decider is the subject
	t.Helper()
	use, err := d.Enter(ctx, acme)
	var bad *flags.FlagError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, migration, bad.Flag)
	assert.ErrorContains(t, err, `flag "customers-v2"`)
	assert.Equal(t, flags.Use{}, use, "never a default")
	return bad
}

func TestThroughRunsHooksAndDecidesAsTheFlag(t *testing.T) {
	set := setOf(t, policy(4, flags.Shadow))
	client := clientOf(t, flags.NewProvider(set))
	var seen []any
	client.AddHooks(hook{after: func(d openfeature.InterfaceEvaluationDetails) {
		seen = append(seen, d.FlagKey, d.Value, d.FlagMetadata[flags.MetadataEpoch])
	}})
	through := flags.Through(client, set.Flag(migration), nil)
	assert.Equal(t, migration, through.Migration())
	use := enter(t, t.Context(), through)
	want, err := set.Flag(migration).Peek(acme)
	require.NoError(t, err)
	assert.Equal(t, want, use.Decision)
	assert.Equal(t, []any{migration, "shadow", int64(4)}, seen)

	require.NoError(t, set.Apply(policy(5, flags.Live)))
	assert.EqualValues(t, 4, oldest(t, set), "the epoch is kept alive")
	use.Done()
	assert.EqualValues(t, 5, oldest(t, set))
}

func TestThroughPinsTogetherWithItsFlag(t *testing.T) {
	set := setOf(t, policy(1, flags.Shadow))
	flag := set.Flag(migration)
	through := flags.Through(clientOf(t, flags.NewProvider(set)), flag, nil)
	ctx, release := flags.Pin(t.Context(), 0)
	first := enter(t, ctx, through)
	first.Done()
	require.NoError(t, set.Apply(policy(2, flags.Live)))
	for _, d := range []flags.Decider{through, flag} {
		use := enter(t, ctx, d)
		use.Done()
		assert.EqualValues(t, 1, use.Epoch)
	}
	require.NoError(t, through.Refused(ctx, acme, first.Decision))
	use := enter(t, ctx, through)
	use.Done()
	assert.EqualValues(t, 2, use.Epoch)
	release()
	require.NoError(t, set.Apply(policy(3, flags.RampDown)))
	assert.EqualValues(t, 3, oldest(t, set))
}

func TestThroughFetchesWhereThereIsNoPolicy(t *testing.T) {
	var set *flags.Set
	set = flags.NewSet(func(context.Context, string) error { return set.Apply(policy(1, flags.Dual)) })
	through := flags.Through(clientOf(t, flags.NewProvider(set)), set.Flag(migration), nil)
	enter(t, t.Context(), through).Done()
	set.Expire(errors.New("lease over"))
	use := enter(t, t.Context(), through)
	use.Done()
	assert.Equal(t, flags.Dual, use.Stage)

	set = flags.NewSet(nil)
	_, err := flags.Through(clientOf(t, flags.NewProvider(set)), set.Flag(migration), nil).Enter(t.Context(), acme)
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
}

func TestThroughEvaluatesAgainWhenThePolicyChangesMeanwhile(t *testing.T) {
	set := setOf(t, policy(1, flags.Old))
	client := clientOf(t, flags.NewProvider(set))
	epoch, changes := int64(1), 0
	client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
		if changes > 0 {
			changes--
			epoch++
			return nil, set.Apply(policy(epoch, flags.Stages()[epoch%6]))
		}
		return nil, nil
	}})
	through := flags.Through(client, set.Flag(migration), nil)
	changes = 3
	use := enter(t, t.Context(), through)
	assert.EqualValues(t, 4, use.Epoch)
	assert.Equal(t, flags.Stages()[4], use.Stage)
	use.Done()
	assert.EqualValues(t, 4, oldest(t, set), "the attempts before left no use")

	changes = 1000
	bad := refused(t, through, t.Context())
	assert.Contains(t, bad.Problem, "try again if policies change that fast")
	assert.Less(t, epoch, int64(20), "the attempts are bounded")
	assert.Equal(t, epoch, oldest(t, set))
}

func TestThroughSurvivesALeaseThatRunsOutMeanwhile(t *testing.T) {
	var set *flags.Set
	set = flags.NewSet(func(context.Context, string) error { return set.Apply(policy(1, flags.Dual)) })
	client := clientOf(t, flags.NewProvider(set))
	once := sync.OnceFunc(func() { set.Expire(errors.New("lease over")) })
	client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
		once()
		return nil, nil
	}})
	use := enter(t, t.Context(), flags.Through(client, set.Flag(migration), nil))
	use.Done()
	assert.Equal(t, flags.Dual, use.Stage)
}

func TestThroughWhileThePolicyChangesAllTheTime(t *testing.T) {
	set := setOf(t, policy(1, flags.Stages()[1]))
	flag := set.Flag(migration)
	through := flags.Through(clientOf(t, flags.NewProvider(set)), flag, nil)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 300 {
				use, err := through.Enter(t.Context(), acme)
				var bad *flags.FlagError
				if errors.As(err, &bad) {
					assert.Contains(t, bad.Problem, "change that fast")
					continue
				}
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, flags.Stages()[use.Epoch%6], use.Stage)
				assert.LessOrEqual(t, set.Oldest()[0].Epoch, use.Epoch)
				use.Done()
			}
		})
	}
	for epoch := int64(2); epoch < 3000; epoch++ {
		require.NoError(t, set.Apply(policy(epoch, flags.Stages()[epoch%6])))
	}
	wg.Wait()
	assert.EqualValues(t, 2999, oldest(t, set))
}

func TestThroughRefusesAnAnswerThatIsNotThePolicys(t *testing.T) {
	p := policy(1, flags.Dual)
	p.Overrides = map[string]flags.Stage{"globex": flags.Live}
	set := setOf(t, p)
	flag := set.Flag(migration)

	t.Run("of another provider", func(t *testing.T) {
		bad := refused(t, flags.Through(clientOf(t, vendor(migration, "dual")), flag, nil), t.Context())
		assert.Equal(t, "dual", bad.Value)
		assert.Contains(t, bad.Problem, "bind the client to flags.NewProvider")
	})
	t.Run("of another set", func(t *testing.T) {
		other := clientOf(t, flags.NewProvider(setOf(t, policy(9, flags.Dual))))
		bad := refused(t, flags.Through(other, flag, nil), t.Context())
		assert.Contains(t, bad.Problem, "epoch 9")
		assert.Contains(t, bad.Problem, "epoch 1")
	})
	t.Run("about another tenant", func(t *testing.T) {
		client := clientOf(t, flags.NewProvider(set))
		client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
			ec := tenant("globex")
			return &ec, nil
		}})
		bad := refused(t, flags.Through(client, flag, nil), t.Context())
		assert.ErrorContains(t, bad, "a hook changed the targeting key")
	})
	t.Run("another stage", func(t *testing.T) {
		twin := p
		twin.Default = flags.Shadow // with the same epoch and id, which no ledger does
		bad := refused(t, flags.Through(clientOf(t, flags.NewProvider(setOf(t, twin))), flag, nil), t.Context())
		assert.Equal(t, "shadow", bad.Value)
		assert.Contains(t, bad.Problem, "the policy of epoch 1 says dual")
	})
	t.Run("a hook's error", func(t *testing.T) {
		client := clientOf(t, flags.NewProvider(set))
		client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
			return nil, errors.New("audit log is full")
		}})
		assert.ErrorContains(t, refused(t, flags.Through(client, flag, nil), t.Context()), "audit log is full")
	})
	assert.EqualValues(t, 1, oldest(t, set))
	require.NoError(t, set.Apply(policy(2, flags.Old)))
	assert.EqualValues(t, 2, oldest(t, set), "no refusal left a use behind")
}

func TestThroughIgnoresATransactionContextOfTheRequest(t *testing.T) {
	set := setOf(t, policy(1, flags.Dual))
	ctx := openfeature.WithTransactionContext(t.Context(), openfeature.NewEvaluationContext("a-user", map[string]any{"plan": "gold"}))
	enter(t, ctx, flags.Through(clientOf(t, flags.NewProvider(set)), set.Flag(migration), nil)).Done()
}

// vendor returns any other provider, with one flag.
func vendor(flag string, value any) *memprovider.InMemoryProvider {
	return memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{
		flag: {State: memprovider.Enabled, DefaultVariant: "on", Variants: map[string]any{"on": value}},
	})
}
