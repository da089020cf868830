package compare_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFiveNumbersAreHonest(t *testing.T) {
	var counters compare.Counters
	get := counters.Of("customers-v2", "Get")
	for range 10 {
		get.Judged(compare.Matched)
	}
	get.Judged(compare.Mismatched)
	get.Judged(compare.Ignored)
	get.Judged(compare.Inconclusive)
	get.Judged(compare.Verdict(99))
	get.Drop()
	counters.Of("customers-v2", "Find").Drop()
	counters.Of("a-v2", "Get").Judged(compare.Matched)
	assert.Equal(t, []compare.Counts{
		{Migration: "a-v2", Operation: "Get", Compared: 1},
		{Migration: "customers-v2", Operation: "Find", Dropped: 1},
		{Migration: "customers-v2", Operation: "Get", Compared: 11, Mismatched: 1, Ignored: 1, Inconclusive: 2, Dropped: 1},
	}, counters.Snapshot(), "ignored is not matched, dropped is not compared, what is unknown is inconclusive")
	assert.Same(t, get, counters.Of("customers-v2", "Get"))
}

func TestNoSnapshotShowsMoreMismatchesThanComparisons(t *testing.T) {
	var counters compare.Counters
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20_000 {
				counters.Of("m", "Get").Judged(compare.Mismatched)
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for _, counts := range counters.Snapshot() {
			require.LessOrEqual(t, counts.Mismatched, counts.Compared)
		}
	}
	assert.Equal(t, int64(80_000), counters.Snapshot()[0].Compared)
}

func TestSamplerTakesEverythingByDefault(t *testing.T) {
	assert.True(t, (*compare.Sampler)(nil).Take("Get"))
	s, err := compare.NewSampler(nil)
	require.NoError(t, err)
	for range 1000 {
		require.True(t, s.Take("Get"))
	}
}

func TestExactSamplerTakesExactlyItsShare(t *testing.T) {
	s, err := compare.NewSampler(&compare.SamplerConfig{
		Rest: new(0.0), Exact: true,
		Operations: map[string]float64{"Quarter": 0.25, "Third": 0.3333, "One": 1, "Least": 0.0001, "Most": 0.9999},
	})
	require.NoError(t, err)
	for operation, want := range map[string]int{"Quarter": 5000, "Third": 6666, "One": 20_000, "Least": 2, "Most": 19_998, "Unknown": 0} {
		taken := 0
		for range 20_000 {
			if s.Take(operation) {
				taken++
			}
		}
		assert.Equal(t, want, taken, operation)
	}
	fresh, err := compare.NewSampler(&compare.SamplerConfig{Rest: new(0.25), Exact: true})
	require.NoError(t, err)
	assert.Equal(t, [4]bool{false, false, false, true},
		[4]bool{fresh.Take("a"), fresh.Take("a"), fresh.Take("a"), fresh.Take("a")}, "every fourth")
}

func TestSamplerByChanceTakesAboutItsShare(t *testing.T) {
	s, err := compare.NewSampler(&compare.SamplerConfig{Operations: map[string]float64{"Get": 0.05}})
	require.NoError(t, err)
	taken := 0
	for range 100_000 {
		if s.Take("Get") {
			taken++
		}
	}
	assert.InDelta(t, 5000, taken, 700, "ten standard deviations")
}

func TestSharesOutOfRangeAreRefusedWithTheOperation(t *testing.T) {
	for _, test := range []struct {
		share float64
		want  string
	}{
		{-0.1, "compare: share -0.1 of Get: give a number from 0 to 1"},
		{1.0001, "compare: share 1.0001 of Get: give a number from 0 to 1"},
		{5, "compare: share 5 of Get: give a number from 0 to 1"},
		{math.NaN(), "compare: share NaN of Get: give a number from 0 to 1"},
		{0.00005, "compare: share 5e-05 of Get: steps finer than 0.0001 are not supported"},
	} {
		s, err := compare.NewSampler(&compare.SamplerConfig{Operations: map[string]float64{"Get": test.share}})
		assert.EqualError(t, err, test.want)
		assert.Nil(t, s)
	}
	_, err := compare.NewSampler(&compare.SamplerConfig{Rest: new(2.0)})
	assert.EqualError(t, err, "compare: share 2 of all other operations: give a number from 0 to 1")
	for share := range 10_001 {
		_, err := compare.NewSampler(&compare.SamplerConfig{Rest: new(float64(share) / 10_000)})
		require.NoError(t, err, "every ten-thousandth is a share")
	}
}

func TestRecordsLeaveOutWhatDoesNotCount(t *testing.T) {
	base := compare.Record{
		Migration: "m", Tenant: "t", Operation: "Get", Key: "k", RequestID: "r", Stage: "shadow", Epoch: 3, At: time.Unix(9, 0),
	}
	records := compare.Records(base, []compare.Diff{
		{Path: "A", Kind: compare.KindValue, Served: "1", Other: "2"},
		{Path: "B", Kind: compare.KindValue, Ignored: true},
		{Path: "C", Kind: compare.KindPanic},
		{Kind: compare.KindTruncated},
	})
	require.Len(t, records, 2)
	want := base
	want.Field, want.Kind, want.Served, want.Other, want.Truncated = "A", compare.KindValue, "1", "2", true
	assert.Equal(t, want, records[0])
	assert.Equal(t, compare.KindPanic, records[1].Kind)
	assert.Nil(t, compare.Records(base, nil))
}

func TestRequestIDTravelsInTheContext(t *testing.T) {
	assert.Empty(t, compare.RequestID(context.Background()))
	assert.Equal(t, "r-1", compare.RequestID(compare.WithRequestID(t.Context(), "r-1")))
}
