package micro_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/micro"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// quick measures the rows whose names begin with one of the words.
func quick(t *testing.T, server *pgtest.Server, words ...string) micro.Result {
	t.Helper()
	found, err := micro.Run(t.Context(), micro.Config{
		Server: server, Quick: true, Progress: t.Logf,
		Only: func(name string) bool {
			return slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(name, word) })
		},
	})
	require.NoError(t, err)
	for _, row := range found.Rows {
		assert.Equal(t, report.Loopback, row.Network, row.Name)
		assert.Equal(t, row.Target != nil, row.Met != nil, row.Name)
		assert.GreaterOrEqual(t, row.Noise, 0.0, row.Name)
		if row.Unit != report.Allocs {
			assert.Positive(t, row.Value, row.Name)
		}
	}
	return found
}

// targets are the targets of rows by name, those of one unit.
func targets(found micro.Result, unit string) map[string]float64 {
	all := map[string]float64{}
	for _, row := range found.Rows {
		if row.Unit == unit && row.Target != nil {
			all[row.Name] = *row.Target
		}
	}
	return all
}

func TestDecisionsHaveTheirTargetsAndAllocateNothing(t *testing.T) {
	found := quick(t, nil, "decision", "OpenFeature", "LaunchDarkly")
	assert.Equal(t, map[string]float64{
		"decision, uniform": 5, "decision, percentage of keys": 5,
		"decision, percentage of tenants, names of 16 bytes": 5, "decision, percentage of tenants, names of 36 bytes": 5,
		"decision, 1,000 overrides": 25, "decision, 1,000,000 overrides": 25, "decision, 1,000,000 overrides, in no order": 25,
	}, targets(found, report.Nanos))
	assert.Equal(t, map[string]float64{"decision, the most that any of them allocates": 0}, targets(found, report.Allocs))
	for _, row := range found.Rows {
		if row.Unit == report.Allocs && row.Target != nil {
			assert.Zero(t, row.Value)
		}
	}
	require.Len(t, found.Facts, 1)
	assert.Equal(t, "bytes", found.Facts[0].Unit)
}

func TestAComparisonHasItsTargetsAndAllocatesNothing(t *testing.T) {
	found := quick(t, nil, "comparing")
	assert.Equal(t, map[string]float64{"comparing two equal structs of 20 fields": 50}, targets(found, report.Nanos))
	assert.Equal(t, map[string]float64{"comparing two equal structs of 20 fields": 0}, targets(found, report.Allocs))
	for _, row := range found.Rows {
		if row.Unit == report.Allocs && row.Target != nil {
			assert.Zero(t, row.Value)
		}
	}
}

func TestTheGeneratorIsRunWhereItsOutputCompiles(t *testing.T) {
	found := quick(t, nil, "generating")
	assert.Equal(t, map[string]float64{"generating for 50 entities, warm": 2e9}, targets(found, report.Nanos))
}

func TestDataIsMeasuredOnAServer(t *testing.T) {
	server, err := pgtest.Start(t.Context(), &pgtest.Config{Own: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close(context.WithoutCancel(t.Context()))) })
	found := quick(t, server, "backfill", "INSERT..SELECT", "verification", "scan", "foreground")
	assert.Equal(t, map[string]float64{
		"backfill in SQL, two workers / INSERT..SELECT":                   0.90,
		"backfill through Go, two workers / INSERT..SELECT":               0.65,
		"verification in SQL, two workers / scan of the same columns":     0.25,
		"verification through Go, two workers / scan of the same columns": 0.18,
	}, targets(found, report.Ratio))
	assert.Equal(t, map[string]float64{
		"foreground p99 beside a backfill in SQL": 8e6, "foreground p99 beside a backfill through Go": 8e6,
	}, targets(found, report.Nanos))
}

func TestWithoutAServerThereIsNothingAboutData(t *testing.T) {
	assert.Empty(t, quick(t, nil, "backfill").Rows)
}

func TestOnlyWhatIsWantedIsReported(t *testing.T) {
	found := quick(t, nil, "comparing the same")
	require.Len(t, found.Rows, 2)
	for _, row := range found.Rows {
		assert.Equal(t, "comparing the same by reflect.DeepEqual", row.Name)
	}
}
