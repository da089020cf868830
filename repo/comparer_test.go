package repo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

type sinkFunc func(ctx context.Context, records []compare.Record) error

func (f sinkFunc) Record(ctx context.Context, records []compare.Record) error { return f(ctx, records) }

// The callers of these tests get their answer whatever the candidate does.
func TestWhatTheCandidateDoesNeverReachesTheCaller(t *testing.T) {
	for name, tc := range map[string]struct {
		candidate    func(ctx context.Context, method string, value []string) error
		mismatched   int64
		inconclusive int64
		panics       bool
	}{
		"it panics":         {candidate: func(context.Context, string, []string) error { panic("boom") }, mismatched: 1, panics: true},
		"it returns errors": {candidate: func(context.Context, string, []string) error { return errBoom }, mismatched: 1},
		"it hangs with ctx": {candidate: func(ctx context.Context, _ string, _ []string) error { <-ctx.Done(); return ctx.Err() }, inconclusive: 1},
		"it joins errors":   {candidate: func(context.Context, string, []string) error { return errors.Join(errBoom, errBoom) }, mismatched: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, flags.Shadow, nil)
				require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
				b.new.on(tc.candidate)
				began := time.Now()
				got, err := b.routed.Get(t.Context(), "a")
				require.NoError(t, err)
				assert.Equal(t, []string{"x"}, got)
				assert.Zero(t, time.Since(began), "nor does it take the caller's time")
				counts := b.counts(t)
				assert.Equal(t, tc.mismatched, counts.Mismatched)
				assert.Equal(t, tc.inconclusive, counts.Inconclusive)
				assert.Equal(t, tc.panics, b.comparer.Stats().Panics > 0)
			})
		})
	}
}

func TestCandidateThatIgnoresItsContextCostsAWorkerOnlyTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 1, Timeout: time.Second})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		end := make(chan struct{})
		hung := make(chan struct{}, 1)
		b.new.on(func(context.Context, string, []string) error {
			select {
			case hung <- struct{}{}:
				<-end
			default:
			}
			return nil
		})
		for range 2 {
			_, err := b.routed.Get(t.Context(), "a")
			require.NoError(t, err)
		}
		counts := b.counts(t)
		assert.EqualValues(t, 1, counts.Inconclusive, "the one that hung")
		assert.EqualValues(t, 1, counts.Compared, "the next one")
		close(end)
		synctest.Wait()
	})
}

func TestCandidateThatChangesItsArgumentsHarmsNobody(t *testing.T) {
	b := newBench(t, flags.Dual, nil)
	b.new.on(func(_ context.Context, _ string, value []string) error {
		if len(value) > 0 {
			value[0] = "damage"
		}
		return nil
	})
	value := []string{"x"}
	require.NoError(t, b.routed.Put(t.Context(), "a", value))
	assert.Equal(t, []string{"x"}, value)
	assert.Equal(t, []string{"x"}, b.old.rows["a"])
}

func TestCallerMayChangeTheAnswerWhileItIsCompared(t *testing.T) {
	b := newBench(t, flags.Shadow, nil)
	require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
	got, err := b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	got[0] = "changed by the caller"
	counts := b.counts(t)
	assert.EqualValues(t, 1, counts.Compared)
	assert.Zero(t, counts.Mismatched)
}

func TestFullPoolDropsAndCounts(t *testing.T) {
	b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 1, Queue: 2})
	require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
	end := make(chan struct{})
	b.new.on(func(context.Context, string, []string) error { <-end; return nil })
	for range 10 {
		_, err := b.routed.Get(t.Context(), "a")
		require.NoError(t, err)
	}
	assert.EqualValues(t, 3, b.comparer.Stats().Waiting, "one runs, two wait")
	close(end)
	counts := b.counts(t)
	assert.EqualValues(t, 3, counts.Compared)
	assert.EqualValues(t, 7, counts.Dropped)
}

func TestShutdown(t *testing.T) {
	t.Run("compares what is queued, drops what comes later", func(t *testing.T) {
		b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 1})
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		for range 5 {
			_, err := b.routed.Get(t.Context(), "a")
			require.NoError(t, err)
		}
		assert.EqualValues(t, 5, b.counts(t).Compared)
		_, err := b.routed.Get(t.Context(), "a")
		require.NoError(t, err, "the caller does not notice")
		assert.EqualValues(t, 1, b.counts(t).Dropped)
	})
	t.Run("gives up what is queued when ctx ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, flags.Shadow, &repo.ComparerConfig{Workers: 1, Timeout: time.Hour})
			require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
			b.new.on(func(ctx context.Context, _ string, _ []string) error { <-ctx.Done(); return ctx.Err() })
			for range 5 {
				_, err := b.routed.Get(t.Context(), "a")
				require.NoError(t, err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			require.ErrorIs(t, b.comparer.Shutdown(ctx), context.DeadlineExceeded)
			assert.EqualValues(t, 5, b.counts(t).Inconclusive)
		})
	})
	t.Run("is safe against reads at the same time", func(t *testing.T) {
		b := newBench(t, flags.Shadow, nil)
		require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 200 {
				_, err := b.routed.Get(context.Background(), "a")
				assert.NoError(t, err)
			}
		}()
		require.NoError(t, b.comparer.Shutdown(context.Background()))
		<-done
		counts := b.counts(t)
		assert.EqualValues(t, 200, counts.Compared+counts.Dropped)
	})
}

func TestSinksRedactorsAndComparatorsThatPanicAreCounted(t *testing.T) {
	broken := sinkFunc(func(context.Context, []compare.Record) error { panic("sink") })
	b := newBench(t, flags.Shadow, &repo.ComparerConfig{Sink: broken})
	b.old.rows["a"] = []string{"x"}
	_, err := b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.EqualValues(t, 1, b.counts(t).Mismatched)
	assert.EqualValues(t, 1, b.comparer.Stats().Panics)
	assert.EqualValues(t, 1, b.comparer.Stats().SinkErrors)

	b = newBench(t, flags.Shadow, &repo.ComparerConfig{Rules: &compare.Rules{Redactor: func(string, any) string { panic("redactor") }}})
	b.old.rows["a"], b.new.rows["a"] = []string{"x"}, []string{"y"}
	_, err = b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.EqualValues(t, 1, b.counts(t).Mismatched)
	assert.Positive(t, b.comparer.Stats().Panics)

	b = newBench(t, flags.Shadow, nil)
	require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
	_, err = repo.Read(t.Context(), b.routed.route, repo.Op{Entity: "Things", Method: "Get"}, "acme", repo.Key("a"),
		func(_, _ []string) []compare.Diff { panic("comparator") }, "a",
		func(ctx context.Context, side *things, key string) ([]string, error) { return side.Get(ctx, key) })
	require.NoError(t, err)
	counts := b.counts(t)
	assert.EqualValues(t, 1, counts.Inconclusive)
	assert.Zero(t, counts.Compared)
	assert.Positive(t, b.comparer.Stats().Panics)
}

func TestUncomparableAnswersAreInconclusive(t *testing.T) {
	b := newBench(t, flags.Shadow, nil)
	_, err := repo.Read(t.Context(), b.routed.route, repo.Op{Entity: "Things", Method: "Get"}, "acme", repo.Key("a"),
		compare.Deep[any], "a",
		func(context.Context, *things, string) (any, error) { return func() {}, nil })
	require.NoError(t, err)
	assert.EqualValues(t, 1, b.counts(t).Inconclusive)
}

func TestIgnoredDifferencesAreNotMatches(t *testing.T) {
	rules, err := compare.NewRules(compare.Rules{Ignore: []string{"*"}})
	require.NoError(t, err)
	b := newBench(t, flags.Shadow, &repo.ComparerConfig{Rules: rules})
	b.old.rows["a"], b.new.rows["a"] = []string{"x"}, []string{"y"}
	_, err = b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	counts := b.counts(t)
	assert.EqualValues(t, 1, counts.Ignored)
	assert.Zero(t, counts.Compared)
}

func TestSamplingIsPerOperation(t *testing.T) {
	sampler, err := compare.NewSampler(&compare.SamplerConfig{Operations: map[string]float64{"Things.Get": 0.25}, Exact: true})
	require.NoError(t, err)
	b := newBench(t, flags.Shadow, &repo.ComparerConfig{Sampler: sampler})
	require.NoError(t, b.routed.Put(t.Context(), "a", []string{"x"}))
	for range 20 {
		_, err := b.routed.Get(t.Context(), "a")
		require.NoError(t, err)
	}
	assert.EqualValues(t, 5, b.counts(t).Compared)
}

func TestStagesThatDoNotCompareAskOneSide(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.RampDown, flags.New} {
		b := newBench(t, stage, nil)
		b.old.rows["a"], b.new.rows["a"] = []string{"x"}, []string{"x"}
		other := b.new
		if stage.Plan().Authority == flags.NewSide {
			other = b.old
		}
		other.on(func(context.Context, string, []string) error { t.Error("asked at", stage); return nil })
		_, err := b.routed.Get(t.Context(), "a")
		require.NoError(t, err)
		assert.Zero(t, b.counts(t), stage)
	}
}
