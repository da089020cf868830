package flags_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestUnguardedTakesTheStageOfAnyProvider(t *testing.T) {
	for _, stage := range flags.Stages() {
		d := flags.Unguarded(clientOf(t, vendor(migration, stage.String())), migration, nil)
		assert.Equal(t, migration, d.Migration())
		use := enter(t, t.Context(), d)
		assert.Equal(t, flags.Decision{Migration: migration, Stage: stage, Reason: flags.ReasonUnguarded}, use.Decision)
		assert.False(t, use.Guarded(), "nothing can be fenced by it")
		use.Done()
		use.Done() // counts nothing
	}
}

func TestUnguardedPassesTheTenantAsTargetingKeyAndNothingElse(t *testing.T) {
	byTenant := func(_ memprovider.InMemoryFlag, flat openfeature.FlattenedContext) (any, openfeature.ProviderResolutionDetail) {
		assert.Len(t, flat, 1)
		return map[any]string{"acme": "live", "globex": "old"}[flat[openfeature.TargetingKey]], openfeature.ProviderResolutionDetail{Reason: openfeature.TargetingMatchReason}
	}
	client := clientOf(t, memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{migration: {State: memprovider.Enabled, ContextEvaluator: &byTenant}}))
	d := flags.Unguarded(client, migration, nil)
	assert.Equal(t, flags.Live, enter(t, t.Context(), d).Stage)
	use, err := d.Enter(t.Context(), flags.Subject{Tenant: "globex"})
	require.NoError(t, err)
	assert.Equal(t, flags.Old, use.Stage)

	_, err = d.Enter(t.Context(), flags.Subject{})
	assert.ErrorContains(t, err, "name the tenant")
}

func TestUnguardedRefusesRulesPerUser(t *testing.T) {
	client := clientOf(t, vendor(migration, "live"))
	d := flags.Unguarded(client, migration, nil)
	for name, ec := range map[string]openfeature.EvaluationContext{
		"targeting key": openfeature.NewEvaluationContext("a-user", nil),
		"the tenant":    openfeature.NewEvaluationContext("acme", nil),
		"attributes":    openfeature.NewTargetlessEvaluationContext(map[string]any{"plan": "gold"}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := openfeature.WithTransactionContext(t.Context(), ec)
			assert.Contains(t, refused(t, d, ctx).Problem, "would split a key between stages")
			ctx, release := flags.Pin(t.Context(), 0)
			defer release()
			enter(t, ctx, d).Done()
			refused(t, d, openfeature.WithTransactionContext(ctx, ec))
		})
	}
	t.Run("an empty context says nothing", func(t *testing.T) {
		enter(t, openfeature.WithTransactionContext(t.Context(), openfeature.EvaluationContext{}), d).Done()
	})
	t.Run("by a hook", func(t *testing.T) {
		client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
			ec := tenant("a-user")
			return &ec, nil
		}})
		assert.ErrorContains(t, refused(t, d, t.Context()), "a hook changed the targeting key")
	})
}

func TestUnguardedPins(t *testing.T) {
	provider := vendor(migration, "shadow")
	d := flags.Unguarded(clientOf(t, provider), migration, nil)
	ctx, release := flags.Pin(t.Context(), 0)
	first := enter(t, ctx, d)
	provider.UpdateFlags(map[string]memprovider.InMemoryFlag{migration: {State: memprovider.Enabled, DefaultVariant: "on", Variants: map[string]any{"on": "live"}}})
	assert.Equal(t, flags.Shadow, enter(t, ctx, d).Stage, "a request never mixes stages")
	assert.Equal(t, flags.Live, enter(t, t.Context(), d).Stage)

	require.NoError(t, d.Refused(t.Context(), acme, first.Decision), "without a pin there is nothing to forget")
	require.NoError(t, d.Refused(ctx, acme, first.Decision))
	assert.Equal(t, flags.Live, enter(t, ctx, d).Stage)
	release()
}

func TestUnguardedNamesFlagAndValueAndRemedyOfABadFlag(t *testing.T) {
	const stages = "old, dual, shadow, live, rampdown, new"
	for name, c := range map[string]struct {
		provider openfeature.FeatureProvider
		value    string
		says     string
	}{
		"missing":       {vendor("another", "live"), "", "create it with one of " + stages},
		"no provider":   {openfeature.NoopProvider{}, "", "create the flag with one of " + stages},
		"disabled":      {memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{migration: {State: memprovider.Disabled}}), "", "enable it with one of " + stages},
		"empty":         {vendor(migration, ""), "", "gave no value"},
		"unknown stage": {vendor(migration, "blue"), "blue", "use one of " + stages},
		"other case":    {vendor(migration, "Live"), "Live", "use one of " + stages},
		"boolean":       {vendor(migration, true), "true", "of type bool: make it a string flag with one of " + stages},
		"number":        {vendor(migration, 3), "3", "of type int: make it a string flag"},
		"not a number":  {vendor(migration, math.NaN()), "NaN", "of type float64"},
		"object":        {vendor(migration, map[string]any{"stage": "live"}), "map[stage:live]", "make it a string flag"},
		"nothing":       {vendor(migration, nil), "", "make it a string flag"},
		"long rubbish":  {vendor(migration, []string{strings.Repeat("x", 1<<20)}), "[" + strings.Repeat("x", 119) + "...", "of type []string"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := refused(t, flags.Unguarded(clientOf(t, c.provider), migration, nil), t.Context())
			assert.Equal(t, c.value, bad.Value)
			assert.ErrorContains(t, bad, c.says)
			assert.Less(t, len(bad.Error()), 600)
		})
	}
}

// answers is a provider whose string evaluation is the function.
type answers struct {
	openfeature.NoopProvider
	answer func(context.Context) openfeature.StringResolutionDetail
}

func (a *answers) StringEvaluation(ctx context.Context, _, _ string, _ openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return a.answer(ctx)
}

func TestUnguardedTellsWhatAProviderDoes(t *testing.T) {
	with := func(e openfeature.ResolutionError) func(context.Context) openfeature.StringResolutionDetail {
		return func(context.Context) openfeature.StringResolutionDetail {
			return openfeature.StringResolutionDetail{Value: "live", ProviderResolutionDetail: openfeature.ProviderResolutionDetail{ResolutionError: e, Reason: openfeature.ErrorReason}}
		}
	}
	for name, c := range map[string]struct {
		answer func(context.Context) openfeature.StringResolutionDetail
		says   string
	}{
		"errs":              {with(openfeature.NewGeneralResolutionError("quota used up")), "quota used up"},
		"not ready":         {with(openfeature.NewProviderNotReadyResolutionError("starting")), "wait for it with SetProviderAndWait"},
		"fatal":             {with(openfeature.NewProviderFatalResolutionError("bad key")), "set it up again"},
		"cannot parse":      {with(openfeature.NewParseErrorResolutionError("line 3")), "repair its rules"},
		"wants another key": {with(openfeature.NewTargetingKeyMissingResolutionError("no user")), "repair its rules"},
		"errs without code": {with(openfeature.ResolutionError{}), "an error without a code"},
		"off, with a value": {func(context.Context) openfeature.StringResolutionDetail {
			return detail("live", openfeature.DisabledReason)
		}, "off is no stage"},
		"panics":             {func(context.Context) openfeature.StringResolutionDetail { panic("nil map") }, "panicked: nil map"},
		"ends its goroutine": {func(context.Context) openfeature.StringResolutionDetail { runtime.Goexit(); return detail("", "") }, "ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := refused(t, flags.Unguarded(clientOf(t, &answers{answer: c.answer}), migration, nil), t.Context())
			assert.ErrorContains(t, bad, c.says)
		})
	}
	t.Run("panics in a hook", func(t *testing.T) {
		client := clientOf(t, vendor(migration, "live"))
		client.AddHooks(hook{after: func(openfeature.InterfaceEvaluationDetails) { panic(errors.New("in a hook")) }})
		assert.ErrorContains(t, refused(t, flags.Unguarded(client, migration, nil), t.Context()), "panicked: in a hook")
	})
}

func detail(value string, reason openfeature.Reason) openfeature.StringResolutionDetail {
	return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{Reason: reason}}
}

func TestUnguardedWaitsForAHangingProviderNoLongerThanAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  *flags.EvaluationConfig
		took time.Duration
	}{
		"default": {nil, time.Second},
		"zero":    {&flags.EvaluationConfig{}, time.Second},
		"given":   {&flags.EvaluationConfig{Timeout: 3 * time.Second}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, stop := hanging(t, c.cfg)
				defer stop()
				begun := time.Now()
				bad := refused(t, d, t.Context())
				assert.Equal(t, c.took, time.Since(begun))
				assert.ErrorIs(t, bad, context.DeadlineExceeded)
				assert.ErrorContains(t, bad, "no answer within "+c.took.String())
			})
		})
	}
}

// hanging returns a decider whose provider answers nothing, whatever becomes
// of its ctx, until it is stopped, and the right stage afterwards.
func hanging(t *testing.T, cfg *flags.EvaluationConfig) (d flags.Decider, stop func()) {
	t.Helper()
	stopped := make(chan struct{})
	client := clientOf(t, &answers{answer: func(context.Context) openfeature.StringResolutionDetail {
		<-stopped
		return detail("live", openfeature.StaticReason)
	}})
	return flags.Unguarded(client, migration, cfg), func() { close(stopped) }
}

func TestUnguardedEndsWithTheCallersCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, stop := hanging(t, nil)
		defer stop()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		bad := refused(t, d, ctx)
		require.ErrorIs(t, bad, context.Canceled)
		assert.ErrorContains(t, bad, "before the caller's ctx ended")
		require.ErrorIs(t, refused(t, d, ctx), context.Canceled)
	})
}

func TestUnguardedDoesNotFillTheMemoryWithHangingEvaluations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, stop := hanging(t, nil)
		for range 64 {
			assert.ErrorContains(t, refused(t, d, t.Context()), "no answer within 1s")
		}
		begun := time.Now()
		assert.ErrorContains(t, refused(t, d, t.Context()), "64 evaluations hang")
		assert.Zero(t, time.Since(begun), "refused at once")

		stop()
		synctest.Wait()
		assert.Equal(t, flags.Live, enter(t, t.Context(), d).Stage, "it recovers with its provider")
	})
}
