package main

import (
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/bench/workload"
	"github.com/crossfade-db/crossfade/compare"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func all() []group { return suite(&workload.App{}, &rivals{}) }

func TestEveryVariantStandsBesideWhatItIsComparedWith(t *testing.T) {
	for _, g := range all() {
		seen := map[string]bool{}
		for _, v := range g.variants {
			assert.False(t, seen[v.name], "%s: %s stands there twice", g.name, v.name)
			seen[v.name] = true
			assert.LessOrEqual(t, len(v.short), 30, "%s has no place in the chart", v.short)
		}
		for _, v := range g.variants {
			assert.True(t, seen[v.base], "%s: %s is compared with %s", g.name, v.name, v.base)
		}
		assert.Equal(t, report.Direct, g.variants[0].kind, g.name)
		assert.Positive(t, g.share, g.name)
	}
}

func TestEveryLineHasItsVariants(t *testing.T) {
	for _, l := range lines {
		for _, name := range l.variants {
			assert.True(t, slices.ContainsFunc(all(), func(g group) bool {
				return g.op == l.op && slices.ContainsFunc(g.variants, func(v variant) bool { return v.name == name && v.kind != report.Direct })
			}), "%s: nothing measures %s", l.name, name)
		}
		assert.Contains(t, []int{0, 2}, len(l.targets), l.name)
	}
}

func TestOnlyLeavesWhatIsWantedAndItsDirectCalls(t *testing.T) {
	names := func(groups []group) (all []string) {
		for _, g := range groups {
			for _, v := range g.variants {
				if v.kind != report.Direct {
					all = append(all, v.name)
				}
			}
			assert.Equal(t, directV1, g.variants[0].name)
		}
		return all
	}
	for pattern, want := range map[string][]string{
		"^shadow read":                   {readShadow, readShadowAfter},
		"SCIENTIST":                      {readScientist},
		"^dual write, nothing queueable": {writeSplit},
		"no such thing":                  nil,
	} {
		o, err := parse([]string{"--only", pattern}, io.Discard)
		require.NoError(t, err)
		assert.Equal(t, want, names(only(all(), o.wanted)), pattern)
	}
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	assert.Len(t, only(all(), o.wanted), len(all()))
	assert.True(t, o.full())
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--only", "("}, {"--rows", "10"}, {"more"}, {"--no-such"}, {"--network", "wan"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, args)
	}
	o, err := parse([]string{"--quick"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, quickRows, o.rows)
	assert.False(t, o.full())
	assert.Equal(t, quickPace, o.pace)
	assert.Equal(t, 2, program([]string{"--rows", "x"}, nil, io.Discard, io.Discard))
	assert.Equal(t, 0, program([]string{"--help"}, nil, io.Discard, io.Discard))
}

func TestALineShowsItsWorstVariant(t *testing.T) {
	r := &run{options: &options{}, stderr: io.Discard, report: &report.Report{}}
	put := func(name string, network string, fsync bool, callers int, ratio float64) {
		m := r.entry(report.Read, variant{name: name, kind: report.Routed}, condition{network, fsync, callers})
		m.Ratio, m.Noise = ratio, ratio/100
	}
	put(readOld, report.Loopback, true, 1, 1.01)
	put(readNew, report.Loopback, true, 1, 1.05)
	put(readNew, report.Loopback, true, 32, 3)
	put(readNew, report.Loopback, false, 1, 4)
	put(readOld, report.OneMilli, true, 1, 1.002)
	put(readScientist, report.OneMilli, true, 1, 2)
	r.shed.add(condition{report.Loopback, true, 32}, compare.Counts{Compared: 10}, compare.Counts{Compared: 40, Dropped: 10})
	r.lines()
	require.Len(t, r.report.Rows, 3)
	want := []report.Row{
		report.AtMost(lines[0].name, report.Loopback, report.Ratio, 1.05, 0.0105, 1.02),
		report.AtMost(lines[0].name, report.OneMilli, report.Ratio, 1.002, 0.01002, 1.01),
	}
	assert.Equal(t, want, r.report.Rows[:2])
	assert.Nil(t, r.report.Rows[2].Target)
	require.Len(t, r.report.Facts, 1)
	assert.InDelta(t, 25, r.report.Facts[0].Value, 1e-9)
}
