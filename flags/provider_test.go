package flags_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

// clientOf returns a client of an API of its own with this provider.
func clientOf(t *testing.T, provider openfeature.FeatureProvider) *openfeature.Client {
	t.Helper()
	api := isolated.NewAPI()
	t.Cleanup(func() { assert.NoError(t, api.Shutdown(context.WithoutCancel(t.Context()))) })
	require.NoError(t, api.SetProviderAndWait(t.Context(), provider, openfeature.WithDomain("crossfade")))
	return api.NewClient(openfeature.WithDomain("crossfade"))
}

func tenant(name string) openfeature.EvaluationContext {
	return openfeature.NewEvaluationContext(name, nil)
}

func TestProviderServesTheGrantedStage(t *testing.T) {
	p := policy(7, flags.Dual)
	p.Step = flags.Step{To: flags.Shadow, Share: 5000}
	p.Overrides = map[string]flags.Stage{"pinned": flags.Live}
	client := clientOf(t, flags.NewProvider(setOf(t, p)))
	for name, c := range map[string]struct {
		tenant string
		stage  string
		reason openfeature.Reason
	}{
		"default":    {"t0", "dual", openfeature.StaticReason},
		"percentage": {"acme", "shadow", openfeature.SplitReason},
		"override":   {"pinned", "live", openfeature.TargetingMatchReason},
	} {
		t.Run(name, func(t *testing.T) {
			details, err := client.StringValueDetails(t.Context(), migration, "old", tenant(c.tenant))
			require.NoError(t, err)
			assert.Equal(t, c.stage, details.Value)
			assert.Equal(t, c.stage, details.Variant)
			assert.Equal(t, c.reason, details.Reason)
			assert.Equal(t, openfeature.FlagMetadata{"epoch": int64(7), "policy_id": idOf(7).String()}, details.FlagMetadata)
		})
	}
	assert.Equal(t, "crossfade", flags.NewProvider(flags.NewSet(nil)).Metadata().Name)
}

func TestProviderErrors(t *testing.T) {
	set := setOf(t, policy(1, flags.Dual))
	client := clientOf(t, flags.NewProvider(set))
	ask := func(flag, who string) openfeature.ErrorCode {
		details, err := client.StringValueDetails(t.Context(), flag, "old", tenant(who))
		assert.Error(t, err)
		assert.Equal(t, "old", details.Value, "the default goes back with the error")
		assert.Equal(t, openfeature.ErrorReason, details.Reason)
		assert.Contains(t, details.ErrorMessage, "flag "+flag)
		return details.ErrorCode
	}
	assert.Equal(t, openfeature.FlagNotFoundCode, ask("customers-v3", "acme"))
	assert.Len(t, set.Flags(), 1, "asking for a flag does not make one")
	set.Flag("asked-for")
	assert.Equal(t, openfeature.FlagNotFoundCode, ask("asked-for", "acme"))
	assert.Equal(t, openfeature.TargetingKeyMissingCode, ask(migration, ""))

	set.Expire(errors.New("ledger unreachable"))
	assert.Equal(t, openfeature.ProviderNotReadyCode, ask(migration, "acme"))
	assert.Equal(t, openfeature.ProviderNotReadyCode, ask("customers-v3", "acme"), "past the lease nobody knows what exists")
	details, _ := client.StringValueDetails(t.Context(), migration, "old", tenant("acme"))
	assert.Contains(t, details.ErrorMessage, "ledger unreachable")
}

func TestProviderRefusesOtherTypes(t *testing.T) {
	client := clientOf(t, flags.NewProvider(setOf(t, policy(1, flags.Dual))))
	for flag, want := range map[string]openfeature.ErrorCode{migration: openfeature.TypeMismatchCode, "missing": openfeature.FlagNotFoundCode} {
		boolean, err := client.BooleanValueDetails(t.Context(), flag, true, tenant("acme"))
		require.Error(t, err)
		assert.Equal(t, want, boolean.ErrorCode)
		assert.True(t, boolean.Value)
		float, err := client.FloatValueDetails(t.Context(), flag, 1.5, tenant("acme"))
		require.Error(t, err)
		assert.Equal(t, want, float.ErrorCode)
		assert.InDelta(t, 1.5, float.Value, 0)
		integer, err := client.IntValueDetails(t.Context(), flag, 3, tenant("acme"))
		require.Error(t, err)
		assert.Equal(t, want, integer.ErrorCode)
		assert.EqualValues(t, 3, integer.Value)
		object, err := client.ObjectValueDetails(t.Context(), flag, []int{1}, tenant("acme"))
		require.Error(t, err)
		assert.Equal(t, want, object.ErrorCode)
		assert.Equal(t, []int{1}, object.Value)
	}
}

func TestProviderIsEqualToTheCompiledPolicy(t *testing.T) {
	set := flags.NewSet(nil)
	client := clientOf(t, flags.NewProvider(set))
	through := flags.Through(client, set.Flag(migration), nil)
	reasons := map[flags.Reason]openfeature.Reason{
		flags.ReasonDefault: openfeature.StaticReason, flags.ReasonPercentage: openfeature.SplitReason, flags.ReasonOverride: openfeature.TargetingMatchReason,
	}
	epoch := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPolicies(rt, rapid.IntRange(0, flags.Buckets), rapid.String())[0]
		epoch++
		p.Epoch, p.ID = epoch, idOf(epoch)
		require.NoError(rt, set.Apply(p))
		who := rapid.OneOf(rapid.SampledFrom([]string{"x", "y", "z"}), rapid.StringN(1, -1, -1)).Draw(rt, "tenant")

		subject := flags.Subject{Tenant: who, Key: rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "key")}

		want, err := set.Flag(migration).Peek(subject)
		require.NoError(rt, err)
		about := openfeature.NewEvaluationContext(who, map[string]any{flags.AttributeKey: subject.Key})
		details, err := client.StringValueDetails(t.Context(), migration, "", about)
		require.NoError(rt, err)
		require.Equal(rt, want.Stage.String(), details.Value)
		require.Equal(rt, reasons[want.Reason], details.Reason)
		metadata := openfeature.FlagMetadata{flags.MetadataEpoch: want.Epoch, flags.MetadataPolicyID: want.PolicyID.String()}
		if want.Mixed.Valid() {
			metadata[flags.MetadataMixed] = want.Mixed.String()
		}
		require.Equal(rt, metadata, details.FlagMetadata)

		use, err := through.Enter(t.Context(), subject)
		require.NoError(rt, err)
		use.Done()
		require.Equal(rt, want, use.Decision)
	})
}

// started returns an initialized provider without an SDK around it.
func started(t *testing.T, set *flags.Set) *flags.Provider {
	t.Helper()
	p := flags.NewProvider(set)
	require.NoError(t, p.Init(openfeature.EvaluationContext{}))
	t.Cleanup(p.Shutdown)
	return p
}

// taken returns the events that are there once everything has come to rest.
func taken(p *flags.Provider) (events []openfeature.Event) {
	for {
		synctest.Wait()
		select {
		case e := <-p.EventChannel():
			events = append(events, e)
		default:
			return events
		}
	}
}

func TestProviderAnnouncesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := setOf(t, policy(1, flags.Old))
		p := started(t, set)
		assert.Empty(t, taken(p), "what was there at the start is no change")

		require.NoError(t, set.Apply(policy(2, flags.Dual)))
		events := taken(p)
		require.Len(t, events, 1)
		assert.Equal(t, openfeature.ProviderConfigChange, events[0].EventType)
		assert.Equal(t, "crossfade", events[0].ProviderName)
		assert.Equal(t, []string{migration}, events[0].FlagChanges)
		assert.Equal(t, map[string]any{"epoch": int64(2), "policy_id": idOf(2).String()}, events[0].EventMetadata)

		require.NoError(t, set.Apply(policy(2, flags.Dual)))
		assert.Empty(t, taken(p), "the same policy again is no change")
	})
}

func TestProviderAnnouncesItsHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := setOf(t, policy(1, flags.Old))
		p := started(t, set)
		one := func(kind openfeature.EventType, says string) {
			t.Helper()
			events := taken(p)
			require.Len(t, events, 1)
			assert.Equal(t, kind, events[0].EventType)
			assert.Contains(t, events[0].Message, says)
		}
		set.Fail(errors.New("connection refused"))
		one(openfeature.ProviderError, "could not be read; the policies still hold: connection refused")
		set.Fail(errors.New("connection refused"))
		assert.Empty(t, taken(p), "the same again is no news")
		set.Fail(errors.New("too many clients"))
		one(openfeature.ProviderError, "too many clients")
		set.Expire(errors.New("too many clients"))
		one(openfeature.ProviderStale, "the lease ran out: too many clients")
		set.Fail(errors.New("still down"))
		assert.Empty(t, taken(p), "stale says more than error")
		set.Confirm()
		one(openfeature.ProviderReady, "confirmed")
		set.Confirm()
		assert.Empty(t, taken(p))
	})
}

func TestProviderNeverBlocksAndNeverLosesTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := flags.NewSet(nil)
		p := started(t, set)
		for epoch := int64(1); epoch <= 500; epoch++ { // nobody takes any event
			for i := range 3 {
				q := policy(epoch, flags.Stages()[epoch%6])
				q.Migration = fmt.Sprintf("m%d", i)
				require.NoError(t, set.Apply(q))
			}
			set.Expire(errors.New("lease over"))
			set.Confirm()
			set.Fail(fmt.Errorf("failure %d", epoch))
		}
		latest, health := map[string]any{}, ""
		events := taken(p)
		for _, e := range events {
			if e.EventType == openfeature.ProviderConfigChange {
				latest[e.FlagChanges[0]] = e.EventMetadata["epoch"]
			} else {
				health = e.Message
			}
		}
		assert.Equal(t, map[string]any{"m0": int64(500), "m1": int64(500), "m2": int64(500)}, latest)
		assert.Contains(t, health, "failure 500")
		assert.Len(t, events, 4, "what nobody took is replaced, not queued")
	})
}

func TestProviderAnnouncesNoOlderEpochAfterANewerOne(t *testing.T) {
	set := flags.NewSet(nil)
	p := started(t, set)
	const epochs = 5000
	var wg sync.WaitGroup
	wg.Go(func() {
		for epoch := int64(1); epoch <= epochs; epoch++ {
			assert.NoError(t, set.Apply(policy(epoch, flags.Old)))
		}
	})
	for last := int64(0); last < epochs; {
		e := <-p.EventChannel()
		epoch, ok := e.EventMetadata["epoch"].(int64)
		require.True(t, ok)
		require.Greater(t, epoch, last)
		last = epoch
	}
	wg.Wait()
}

func TestProviderStartsAndStopsAsOftenAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble fails when a goroutine stays
		set := setOf(t, policy(1, flags.Old))
		p := flags.NewProvider(set)
		channel := p.EventChannel()
		require.NoError(t, set.Apply(policy(2, flags.Old)))
		assert.Empty(t, taken(p), "nothing is announced before the start")
		for epoch := int64(3); epoch < 6; epoch++ {
			require.NoError(t, p.Init(openfeature.EvaluationContext{}))
			require.NoError(t, p.InitWithContext(t.Context(), openfeature.EvaluationContext{}))
			require.NoError(t, set.Apply(policy(epoch, flags.Old)))
			assert.Len(t, taken(p), 1)
			require.NoError(t, set.Apply(policy(epoch+100, flags.Old))) // announced to nobody
			require.NoError(t, p.ShutdownWithContext(t.Context()))
			p.Shutdown()
			assert.Empty(t, taken(p), "nothing is announced after the end")
			assert.Zero(t, set.Watchers(), "nothing is left behind")
			assert.Equal(t, channel, p.EventChannel(), "the same channel at every call")
		}
	})
}

func TestProviderInitialization(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	p := flags.NewProvider(flags.NewSet(nil))
	require.ErrorIs(t, p.InitWithContext(over, openfeature.EvaluationContext{}), context.Canceled)

	synctest.Test(t, func(t *testing.T) {
		set := setOf(t, policy(1, flags.Old))
		set.Expire(errors.New("no answer"))
		p := flags.NewProvider(set)
		defer p.Shutdown()
		err := p.Init(openfeature.EvaluationContext{})
		var failed *openfeature.ProviderInitError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, openfeature.ProviderNotReadyCode, failed.ErrorCode)
		assert.Contains(t, failed.Message, "no answer")
		assert.Empty(t, taken(p))
		set.Confirm()
		events := taken(p)
		require.Len(t, events, 1)
		assert.Equal(t, openfeature.ProviderReady, events[0].EventType, "it becomes ready by itself")
	})
}

func TestClientFollowsTheProvidersEvents(t *testing.T) {
	set := setOf(t, policy(1, flags.Old))
	client := clientOf(t, flags.NewProvider(set))
	heard := make(chan openfeature.EventType, 100)
	for _, kind := range []openfeature.EventType{openfeature.ProviderConfigChange, openfeature.ProviderStale, openfeature.ProviderError, openfeature.ProviderReady} {
		handler := func(openfeature.EventDetails) { heard <- kind }
		client.AddHandler(kind, &handler)
	}
	assert.Equal(t, openfeature.ProviderReady, <-heard)
	assert.Equal(t, openfeature.ReadyState, client.State())

	set.Fail(errors.New("refused"))
	assert.Equal(t, openfeature.ProviderError, <-heard)
	assert.Equal(t, openfeature.ErrorState, client.State())
	value, err := client.StringValue(t.Context(), migration, "", tenant("acme"))
	require.NoError(t, err, "within the lease the policies still hold")
	assert.Equal(t, "old", value)

	set.Expire(errors.New("refused"))
	assert.Equal(t, openfeature.ProviderStale, <-heard)
	assert.Equal(t, openfeature.StaleState, client.State())
	require.NoError(t, set.Apply(policy(2, flags.Dual)))
	assert.Equal(t, openfeature.ProviderConfigChange, <-heard)
	set.Confirm()
	assert.Equal(t, openfeature.ProviderReady, <-heard)
	assert.Equal(t, openfeature.ReadyState, client.State())
}
