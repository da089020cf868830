package repo_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// lapse is what a process does that loses its lease while the fleet goes on to
// a stage, and asks the ledger at its next decision.
func (b *bench) lapse(t *testing.T, stage flags.Stage) {
	t.Helper()
	b.set.Expire(errBoom)
	epoch := b.set.Oldest()[0].Epoch + 1
	assert.NoError(t, b.set.Apply(flags.Policy{Migration: "things-v2", Epoch: epoch, ID: flags.NewPolicyID(), Default: stage}))
}

func TestReadThatOutlivedItsLeaseIsThrownAwayAndRepeated(t *testing.T) {
	for _, c := range []struct {
		name   string
		before flags.Stage
		after  flags.Stage
		want   []string
	}{
		{"the old side's answer", flags.Old, flags.New, []string{"new"}},
		{"the old side's answer, that would be compared", flags.Shadow, flags.New, []string{"new"}},
		{"the answer of a look through the stale keys", flags.Live, flags.Old, []string{"old"}},
		{"the new side's answer", flags.New, flags.Old, []string{"old"}},
		{"under the same policy again", flags.New, flags.New, []string{"new"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.before, nil)
			b.old.rows["a"], b.new.rows["a"] = []string{"old"}, []string{"new"}
			once := func(context.Context, string, []string) error {
				b.old.on(nil)
				b.new.on(nil)
				b.lapse(t, c.after)
				return nil
			}
			b.old.on(once)
			b.new.on(once)
			got, err := b.routed.Get(t.Context(), "a")
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			assert.EqualValues(t, 1, b.routed.route.Stats().Lapsed)
			assert.Zero(t, b.counts(t).Compared, "what was thrown away is not compared")
		})
	}
}

// An error is an answer too: "not found" of a side that nobody writes any more.
func TestErrorOfAReadThatOutlivedItsLeaseIsThrownAway(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	b.new.rows["a"] = []string{"new"}
	b.old.on(func(context.Context, string, []string) error { b.lapse(t, flags.New); return nil })
	got, err := b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, []string{"new"}, got)
}

func TestReadPastTheLeaseFailsWhenTheLedgerCannotBeAsked(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	b.old.rows["a"] = []string{"old"}
	b.old.on(func(context.Context, string, []string) error { b.set.Expire(errBoom); return nil })
	got, err := b.routed.Get(t.Context(), "a")
	var none *flags.NoPolicyError
	require.ErrorAs(t, err, &none)
	require.ErrorIs(t, err, errBoom)
	assert.Empty(t, got)
}

func TestReadWhoseLeaseRunsOutAgainAndAgainEnds(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	b.old.rows["a"] = []string{"old"}
	b.old.on(func(context.Context, string, []string) error { b.lapse(t, flags.Old); return nil })
	got, err := b.routed.Get(t.Context(), "a")
	var lapsed *repo.LapsedError
	require.ErrorAs(t, err, &lapsed)
	assert.True(t, repo.Retryable(err))
	assert.ErrorContains(t, err, "the lease on the policy of epoch")
	assert.Empty(t, got)
}

func TestWritesDoNotRestOnTheLease(t *testing.T) {
	b := newBench(t, flags.Dual, nil)
	calls := 0
	b.old.on(func(context.Context, string, []string) error { calls++; b.lapse(t, flags.Dual); return nil })
	require.NoError(t, b.routed.Put(t.Context(), "a", []string{"1"}))
	assert.Equal(t, 1, calls, "the fence judges them")
	assert.Zero(t, b.routed.route.Stats().Lapsed)
}

func TestComparisonThatOutlivedItsLeaseIsInconclusive(t *testing.T) {
	b := newBench(t, flags.Shadow, nil)
	b.old.rows["a"], b.new.rows["a"] = []string{"1"}, []string{"2"}
	b.new.on(func(context.Context, string, []string) error { b.new.on(nil); b.lapse(t, flags.Old); return nil })
	_, err := b.routed.Get(t.Context(), "a")
	require.NoError(t, err)
	counts := b.counts(t)
	assert.Zero(t, counts.Mismatched)
	assert.EqualValues(t, 1, counts.Inconclusive)
}

func (b *bench) walk(ctx context.Context, onRow func(i int)) iter.Seq2[string, error] {
	return repo.Seq(ctx, b.routed.route, repo.Op{Entity: "Things", Method: "All", Kind: repo.KindStream}, "acme", repo.NoArgs{},
		func(_ context.Context, side *things, _ repo.NoArgs) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for i, key := range []string{"a", "b"} {
					onRow(i)
					if !yield(side.rows[key][0], nil) {
						return
					}
				}
				onRow(2)
			}
		})
}

func collect(rows iter.Seq2[string, error]) (got []string, err error) {
	for row, err := range rows {
		if err != nil {
			return got, err
		}
		got = append(got, row)
	}
	return got, nil
}

func TestStreamThatOutlivedItsLeaseSaysSoAtItsNextRow(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int // the row before which the lease runs out; 2 is the end
		want []string
		ends bool // by an error
	}{
		{"before the first row it begins anew", 0, []string{"c", "d"}, false},
		{"before the second row", 1, []string{"a"}, true},
		{"before the end, which is an answer as well", 2, []string{"a", "b"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, flags.Old, nil)
			b.old.rows["a"], b.old.rows["b"] = []string{"a"}, []string{"b"}
			b.new.rows["a"], b.new.rows["b"] = []string{"c"}, []string{"d"}
			once := false
			got, err := collect(b.walk(t.Context(), func(i int) {
				if i == c.at && !once {
					once = true
					b.lapse(t, flags.New)
				}
			}))
			assert.Equal(t, c.want, got)
			if !c.ends {
				require.NoError(t, err)
				return
			}
			var lapsed *repo.LapsedError
			require.ErrorAs(t, err, &lapsed)
			assert.True(t, repo.Retryable(err), "the caller may begin again")
			got, err = collect(b.walk(t.Context(), func(int) {}))
			require.NoError(t, err)
			assert.Equal(t, []string{"c", "d"}, got)
		})
	}
}

func TestCallbacksAreStoppedWhenTheLeaseRunsOut(t *testing.T) {
	b := newBench(t, flags.Old, nil)
	each := func(fn func(ctx context.Context) error) error {
		return repo.Each(t.Context(), b.routed.route, repo.Op{Entity: "Things", Method: "Each", Kind: repo.KindStream}, "acme", repo.NoArgs{},
			func(ctx context.Context, _ *things, _ repo.NoArgs) error { return fn(ctx) })
	}
	require.NoError(t, each(func(context.Context) error { return nil }))
	require.ErrorIs(t, each(func(context.Context) error { return errBoom }), errBoom)
	calls := 0
	var lapsed *repo.LapsedError
	require.ErrorAs(t, each(func(ctx context.Context) error {
		calls++
		b.lapse(t, flags.New)
		<-ctx.Done() // as a driver that reads the next row
		return ctx.Err()
	}), &lapsed)
	require.ErrorAs(t, each(func(context.Context) error {
		calls++
		b.lapse(t, flags.New)
		return nil
	}), &lapsed, "also when all rows were there")
	assert.Equal(t, 2, calls, "callbacks are not called twice for a row")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := repo.Each(ctx, b.routed.route, repo.Op{Kind: repo.KindStream}, "acme", repo.NoArgs{},
		func(ctx context.Context, _ *things, _ repo.NoArgs) error { b.lapse(t, flags.New); return ctx.Err() })
	require.ErrorIs(t, err, context.Canceled, "the caller's own end is the caller's own")
}
