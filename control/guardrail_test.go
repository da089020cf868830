package control_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// calls puts calls of one kind into the evidence.
func calls(e *control.Evidence, side flags.Side, role control.Role, work control.Work, n, failed int64, each time.Duration) {
	s := &e.Calls[side][role][work]
	s.Calls, s.Failed = s.Calls+n, s.Failed+failed
	for range n {
		s.Latency.Add(each)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const o, n = flags.OldSide, flags.NewSide
	for _, c := range []struct {
		promise string
		rule    ledger.Guardrail
		at      flags.Stage
		fill    func(*control.Evidence)
		want    string
		numbers string
	}{
		{
			"the difference is of the new side's rate and the old side's",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 100, 0)
				calls(e, n, control.Compared, control.Reads, 1000, 112, 0)
			}, ledger.VerdictViolated, "reads: 112 of 1000 failed on the new side and 100 of 1000 on the old side, a difference of 1.2% (threshold 1%)",
		},
		{
			"what both sides do alike is nobody's fault",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 100, 0)
				calls(e, n, control.Compared, control.Reads, 1000, 100, 0)
			}, ledger.VerdictOK, "a difference of 0%",
		},
		{
			"the threshold itself is allowed",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.1, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 100, 0, 0)
				calls(e, n, control.Compared, control.Reads, 100, 10, 0)
			}, ledger.VerdictOK, "",
		},
		{
			"one call short is inconclusive",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, n, control.Compared, control.Reads, 99, 99, 0)
			}, ledger.VerdictInconclusive, "reads: 99 calls of the new side and 1000 of the old side are too few, 100 of each are needed",
		},
		{
			"served is compared with served where both suffice",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Live,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, n, control.Served, control.Reads, 100, 0, 0)
				calls(e, n, control.Compared, control.Reads, 100, 100, 0)
			}, ledger.VerdictOK, "",
		},
		{
			"at live the old side is the one that is compared",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Live,
			func(e *control.Evidence) {
				calls(e, o, control.Compared, control.Reads, 100, 0, 0)
				calls(e, n, control.Served, control.Reads, 100, 50, 0)
			}, ledger.VerdictViolated, "50 of 100 failed on the new side",
		},
		{
			"reads do not hide writes",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 9000, 0, 0)
				calls(e, n, control.Compared, control.Reads, 9000, 0, 0)
				calls(e, o, control.Served, control.Writes, 100, 0, 0)
				calls(e, n, control.Compared, control.Writes, 100, 20, 0)
			}, ledger.VerdictViolated, "writes: 20 of 100 failed",
		},
		{
			"enough reads do not speak for too few writes",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, n, control.Compared, control.Reads, 1000, 0, 0)
				calls(e, o, control.Served, control.Writes, 1000, 0, 0)
				calls(e, n, control.Compared, control.Writes, 99, 99, 0)
			}, ledger.VerdictInconclusive, "writes: 99 calls of the new side and 1000 of the old side are too few, 100 of each are needed",
		},
		{
			"calls of one side alone are too few",
			ledger.Guardrail{Measure: ledger.MeasureLatencyP50, Threshold: 1.5, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Writes, 1000, 0, time.Millisecond)
				calls(e, n, control.Compared, control.Writes, 1000, 0, time.Millisecond)
				calls(e, o, control.Served, control.Reads, 1, 0, time.Millisecond)
			}, ledger.VerdictInconclusive, "reads: 0 calls of the new side and 1 of the old side",
		},
		{
			"what nobody calls counts for nothing",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, n, control.Compared, control.Reads, 1000, 0, 0)
			}, ledger.VerdictOK, "reads: 0 of 1000",
		},
		{
			"violated beats too few",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, n, control.Compared, control.Reads, 1, 0, 0)
				calls(e, o, control.Served, control.Writes, 1000, 0, 0)
				calls(e, n, control.Compared, control.Writes, 100, 50, 0)
			}, ledger.VerdictViolated, "writes: 50 of 100 failed",
		},
		{
			"reads at dual never meet the new side, and writes speak for themselves",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Dual,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 1000, 0, 0)
				calls(e, o, control.Served, control.Writes, 1000, 0, 0)
				calls(e, n, control.Compared, control.Writes, 1000, 0, 0)
			}, ledger.VerdictOK, "writes: 0 of 1000",
		},
		{
			"reads alone say nothing at dual",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 100},
			flags.Dual,
			func(e *control.Evidence) { calls(e, o, control.Served, control.Reads, 1000, 0, 0) }, ledger.VerdictInconclusive, "reads: 0 calls of the new side",
		},
		{
			"writes at dual can be judged",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 10},
			flags.Dual,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Writes, 100, 0, 0)
				calls(e, n, control.Compared, control.Writes, 100, 20, 0)
			}, ledger.VerdictViolated, "writes",
		},
		{
			"at old there is nothing to judge",
			ledger.Guardrail{Measure: ledger.MeasureErrorRate, MinSample: 1},
			flags.Old,
			func(e *control.Evidence) { calls(e, o, control.Served, control.Reads, 1000, 0, 0) }, ledger.VerdictIdle, "nobody stands",
		},
		{"nothing at all is inconclusive", ledger.Guardrail{Measure: ledger.MeasureErrorRate}, flags.Shadow, func(*control.Evidence) {}, ledger.VerdictInconclusive, ""},
		{
			"p50 looks at the middle",
			ledger.Guardrail{Measure: ledger.MeasureLatencyP50, Threshold: 1.5, MinSample: 10},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 100, 0, 10*time.Millisecond)
				calls(e, n, control.Compared, control.Reads, 90, 0, 11*time.Millisecond)
				calls(e, n, control.Compared, control.Reads, 10, 0, time.Second)
			}, ledger.VerdictOK, "a ratio of 1.08x",
		},
		{
			"p99 looks at the tail",
			ledger.Guardrail{Measure: ledger.MeasureLatencyP99, Threshold: 1.5, MinSample: 10},
			flags.Shadow,
			func(e *control.Evidence) {
				calls(e, o, control.Served, control.Reads, 100, 0, 10*time.Millisecond)
				calls(e, n, control.Compared, control.Reads, 90, 0, 11*time.Millisecond)
				calls(e, n, control.Compared, control.Reads, 10, 0, time.Second)
			}, ledger.VerdictViolated, "(threshold 1.5x)",
		},
		{"reads are not compared at dual", ledger.Guardrail{Measure: ledger.MeasureLatencyP99, MinSample: 10}, flags.Dual, func(*control.Evidence) {}, ledger.VerdictIdle, ""},
		{
			"mismatches are of what was judged, not of what was dropped",
			ledger.Guardrail{Measure: ledger.MeasureMismatchRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) {
				e.Comparisons = control.Comparisons{Matched: 98, Mismatched: 2, Dropped: 10_000, Ignored: 10_000, Inconclusive: 10_000}
			}, ledger.VerdictViolated, "2 of 100 comparisons differ, 2% (threshold 1%)",
		},
		{
			"what cannot be judged is no match",
			ledger.Guardrail{Measure: ledger.MeasureMismatchRate, Threshold: 0.01, MinSample: 100},
			flags.Shadow,
			func(e *control.Evidence) { e.Comparisons = control.Comparisons{Matched: 99, Inconclusive: 10_000} }, ledger.VerdictInconclusive, "99 comparisons are too few",
		},
		{
			"drops are of all",
			ledger.Guardrail{Measure: ledger.MeasureDropRate, Threshold: 0.5, MinSample: 100},
			flags.Live,
			func(e *control.Evidence) { e.Comparisons = control.Comparisons{Matched: 40, Dropped: 60} }, ledger.VerdictViolated, "60 of 100 comparisons were dropped",
		},
		{"no stale key is no age", ledger.Guardrail{Measure: ledger.MeasureStaleAge, Threshold: 60}, flags.Old, func(*control.Evidence) {}, ledger.VerdictOK, "0 keys"},
		{
			"the oldest stale key counts",
			ledger.Guardrail{Measure: ledger.MeasureStaleAge, Threshold: 60},
			flags.Dual,
			func(e *control.Evidence) {
				e.Stale = []ledger.StaleCount{{Tenant: "a", Keys: 1, Oldest: now.Add(-time.Second)}, {Tenant: "b", Keys: 2, Oldest: now.Add(-time.Hour)}}
			}, ledger.VerdictViolated, "3 keys are stale, the oldest for 1h0m0s",
		},
		{"a measure of a newer program", ledger.Guardrail{Measure: "weather"}, flags.Shadow, func(*control.Evidence) {}, ledger.VerdictInconclusive, "not known"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			t.Parallel()
			e := &control.Evidence{Policy: flags.Policy{Default: c.at}, At: now}
			c.fill(e)
			got := control.Judge(c.rule, e)
			assert.Equal(t, c.want, got.Verdict, got.Numbers)
			assert.Contains(t, got.Numbers, c.numbers)
		})
	}
}

func TestJudgeTenantsNamesThoseAlone(t *testing.T) {
	t.Parallel()
	e := &control.Evidence{Policy: flags.Policy{Default: flags.Shadow}, At: now}
	tenant := func(failed, mismatched int64) *control.TenantMeasurements {
		m := &control.TenantMeasurements{Comparisons: control.Comparisons{Matched: 100 - mismatched, Mismatched: mismatched}}
		m.Calls[flags.OldSide][control.Served][control.Reads] = 100
		m.Calls[flags.NewSide][control.Compared][control.Reads] = 100
		m.Failed[flags.NewSide][control.Compared][control.Reads] = failed
		return m
	}
	e.Tenants = map[string]*control.TenantMeasurements{"good": tenant(0, 0), "bad": tenant(50, 0), "odd": tenant(0, 9), "": tenant(100, 100)}
	e.Stale = []ledger.StaleCount{{Tenant: "late", Keys: 1, Oldest: now.Add(-time.Hour)}}
	names := func(g ledger.Guardrail) (all []string) {
		for _, f := range control.JudgeTenants(g, e) {
			assert.Equal(t, ledger.VerdictViolated, f.Verdict)
			all = append(all, f.Tenant)
		}
		return all
	}
	assert.Equal(t, []string{"bad"}, names(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 50}))
	assert.Equal(t, []string{"odd"}, names(ledger.Guardrail{Measure: ledger.MeasureMismatchRate, Threshold: 0.01, MinSample: 50}))
	assert.Equal(t, []string{"late"}, names(ledger.Guardrail{Measure: ledger.MeasureStaleAge, Threshold: 60}))
	assert.Empty(t, names(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 500}), "too few calls of any")
	e.Policy.Default = flags.Old
	assert.Empty(t, names(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.01, MinSample: 50}))
}
