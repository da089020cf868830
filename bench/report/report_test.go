package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files again")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// made is a report of invented figures.
func made() *Report {
	r := &Report{
		Machine: Machine{
			CPU: "Imaginary CPU", Cores: 2, System: "Linux 6.1", Go: "go1.26.8", PostgreSQL: "15.14", Date: "2026-11-20", Rows: 200_000,
		},
		Rows: []Row{
			AtMost("decision, uniform", Loopback, Nanos, 2.3049, 0.04, 25),
			AtMost("decision, uniform", Loopback, Allocs, 0, 0, 0),
			AtMost("routed read at old / direct", Loopback, Ratio, 1.00412, 0.0061, 1.02),
			AtMost("routed read at old / direct", OneMilli, Ratio, 1.0003, 0.002, 1.01),
			AtMost("dual write, queued / single write", Loopback, Ratio, 1.4004, 0.02, 1.4),
			AtMost("dual write, queued / single write", OneMilli, Ratio, 1.07, 0.01, 1.12),
			AtLeast("backfill in SQL, two workers / INSERT..SELECT", Loopback, Ratio, 0.9312, 0.03, 0.9),
			AtLeast("verification through Go / a scan", Loopback, Ratio, 0.1511, 0.01, 0.18),
			AtMost("generating for 50 entities, warm", Loopback, Nanos, 812_345_678, 20_000_000, 2e9),
			Of("LaunchDarkly migrator, dual write", Loopback, Ratio, 3.0812, 0.05),
			Of("LaunchDarkly migrator, dual write", OneMilli, Ratio, 4.7701, 0.02),
			Of("backfill, rows", Loopback, RowsPerSec, 152_344.2, 2_100),
		},
		Floors: []Floor{{"reads of one side", Read, Loopback, true, 1, 1.0013, 0.0042}, {"writes of one side", Write, OneMilli, true, 1, 0.9991, 0.0017}},
		Facts:  []Fact{{"memory per tenant with an override", "bytes", 96.24}, {"comparisons shed at saturation", "%", 41.7}},
	}
	r.Measures = measures()
	return r
}

func measures() []Measure {
	var all []Measure
	for _, v := range []struct {
		op             Operation
		variant, short string
		kind           Kind
		loopback, one  float64
	}{
		{Read, "direct, sqlc", "", Direct, 1, 1},
		{Read, "routed at old", "routed, old", Routed, 1.004, 1.001},
		{Read, "routed at new", "routed, new", Routed, 0.998, 1},
		{Read, "routed at shadow, every read compared", "routed, shadow", Routed, 1.12, 1.012},
		{Read, "routed at live", "routed, live, clean", Routed, 1.13, 1.015},
		{Read, "LaunchDarkly migrator, shadow", "LaunchDarkly migrator, shadow", Peer, 3.57, 1.25},
		{Read, "Scientist-style experiment", "Scientist-style experiment", Peer, 2.31, 2.05},
		{Write, "direct, sqlc", "", Direct, 1, 1},
		{Write, "routed at old, unfenced", "at old, no capture", Routed, 1.02, 1.004},
		{Write, "routed at old, capture standing", "at old, capture standing", Routed, 1.09, 1.02},
		{Write, "routed at old, fenced", "at old, fenced", Routed, 1.2, 1.03},
		{Write, "routed at dual, queued", "at dual, queued", Routed, 1.37, 1.08},
		{Write, "routed at dual, two statements", "at dual, two statements", Routed, 2.28, 4.02},
		{Write, "routed at dual, GORM", "at dual, GORM & queue", Routed, 1.9, 2.1},
		{Write, "routed at new", "at new, no capture", Routed, 1.02, 1.004},
		{Write, "trigger in PL/pgSQL", "trigger in PL/pgSQL", Peer, 1.52, 1.14},
		{Write, "sequential dual write", "sequential, one transaction", Peer, 2.24, 4.64},
		{Write, "LaunchDarkly migrator, dual write", "LaunchDarkly migrator, dual", Peer, 3.08, 7.77},
	} {
		m := Measure{
			Operation: v.op, Variant: v.variant, Short: v.short, Kind: v.kind, Network: Loopback, Fsync: true, Connections: 1,
			Ratio: v.loopback, Noise: v.loopback * 0.01, P50: 101_234 * v.loopback, P99: 301_234 * v.loopback,
			PerSecond: 9_812.34 / v.loopback, Allocs: 21, Bytes: 1_844, DatabaseCPU: 61_000,
		}
		all = append(all, m)
		m.Network, m.Ratio, m.P50, m.PerSecond = OneMilli, v.one, 1_301_234*v.one, 801/v.one
		all = append(all, m)
		if v.op == Read {
			m.Network, m.Connections, m.PerSecond = Loopback, 32, 21_000
			all = append(all, m)
			m.Fsync, m.Connections = false, 1
			all = append(all, m)
		}
	}
	return all
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "if this is meant: go test ./report -update")
}

func TestFilesAreAsTheyWere(t *testing.T) {
	r := made()
	latest, err := r.Latest()
	require.NoError(t, err)
	golden(t, "latest.json", latest)
	detail, err := r.Detail()
	require.NoError(t, err)
	golden(t, "detail.json", detail)
	golden(t, "tables.md", []byte(r.Markdown()))
	golden(t, "chart.svg", r.Chart())
}

func TestTargetsAreJudgedAsTheyAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		row  Row
		met  bool
		text string
	}{
		"a maximum that is reached":            {AtMost("", "", Ratio, 1.02, 0, 1.02), true, "1.020 of max 1.02: met"},
		"a maximum that is passed":             {AtMost("", "", Ratio, 1.021, 0, 1.02), false, "1.021 of max 1.02: **missed**"},
		"one that is passed by a little":       {AtMost("", "", Ratio, 1.0203, 0, 1.02), false, "1.0203 of max 1.02: **missed**"},
		"one that is passed by less than that": {AtMost("", "", Ratio, 1.02004, 0, 1.02), true, "1.020 of max 1.02: met"},
		"a minimum that is passed":             {AtLeast("", "", Ratio, 0.93, 0, 0.9), true, "0.930 of min 0.90: met"},
		"a minimum that is not reached":        {AtLeast("", "", Ratio, 0.89, 0.01, 0.9), false, "0.890 (0.010) of min 0.90: **missed**"},
		"no allocations":                       {AtMost("", "", Allocs, 0, 0, 0), true, "0 of max 0: met"},
		"nanoseconds":                          {AtMost("", "", Nanos, 6_123_456, 0, 8e6), true, "6.12 ms of max 8 ms: met"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.met, *c.row.Met)
			assert.Equal(t, c.text, c.row.reached()+" of "+c.row.wanted()+": "+c.row.verdict())
			read := Row{Unit: c.row.Unit, Value: c.row.Value, Target: c.row.Target, Met: c.row.Met}
			if read.Value != *read.Target {
				assert.Equal(t, c.row.wanted(), read.wanted(), "of a row that was read from a file")
			}
		})
	}
	plain := Of("peer", Loopback, Ratio, 3, 0)
	assert.Nil(t, plain.Target)
	assert.Nil(t, plain.Met)
}

func TestFiguresKeepWhatCanBeRead(t *testing.T) {
	for want, got := range map[string]string{
		"2.30 ns": nanos(2.304), "14.2 \u00b5s": nanos(14_238), "1.00 ms": nanos(999_960), "1.40 s": nanos(1.4e9),
		"152,344/s": figure(RowsPerSec, 152_344.2), "1.004": figure(Ratio, 1.00412), "12.3": figure(Ratio, 12.34),
		"-1,235": grouped(-1234.6), "0": grouped(-0.2), "0.5": figure(Allocs, 0.5),
	} {
		assert.Equal(t, want, got)
	}
	assert.InDelta(t, 152_300, rounded(RowsPerSec, 152_344.2), 0)
	assert.InDelta(t, 1.0041, rounded(Ratio, 1.00412), 0)
}

func TestChartIsWellFormedAndHoldsItsText(t *testing.T) {
	decoder := xml.NewDecoder(bytes.NewReader(made().Chart()))
	texts := map[string]int{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if words, is := token.(xml.CharData); is {
			texts[string(words)]++
		}
	}
	assert.Positive(t, texts["at dual, GORM & queue"], "names are escaped")
	assert.Positive(t, texts["4.64"], "figures stand on the bars")
	assert.Positive(t, texts["7.77"], "also on a bar that is cut")
	drawn := string(made().Chart())
	assert.Less(t, strings.Index(drawn, "at live, clean"), strings.Index(drawn, "at new"), "up the ladder")
	assert.Zero(t, texts["direct, sqlc"], "the direct call is the axis")
	assert.NotContains(t, string(made().Chart()), "NaN")
	assert.NotContains(t, string(new(Report).Chart()), "NaN", "a report without measures")
}

func TestTimelineIsAsItWas(t *testing.T) {
	line := &Timeline{
		Title: "Flat over an hour", Subtitle: "Invented figures of a process that goes up the ladder and down.", Lasted: time.Hour,
		Captions: []string{"Measured nowhere."},
	}
	names := []string{"old", "dual", "shadow", "live", "rampdown", "new", "rampdown", "live", "shadow", "dual"}
	for i := range 60 {
		level := i % 10
		if level > 5 {
			level = 10 - level
		}
		line.Bands = append(line.Bands, Band{time.Duration(i) * time.Minute, names[i%10], float64(level) / 5})
	}
	for _, name := range []string{"heap in use after a collection, MiB", "resident memory, MiB", "goroutines", "open connections"} {
		p := Panel{Name: name, Note: "+0.01 an hour (noise 0.02)"}
		for i := range 180 {
			value := 24 + math.Sin(float64(i)/19) + 1.5*math.Sin(float64(i*i))
			p.Points = append(p.Points, Point{time.Duration(i) * 20 * time.Second, value})
		}
		line.Panels = append(line.Panels, p)
	}
	golden(t, "timeline.svg", line.Chart())
	assert.NotContains(t, string(new(Timeline).Chart()), "NaN", "a run that measured nothing")
}

func TestOnlyWhatLiesBetweenTheMarkersIsReplaced(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "docs"), 0o755))
	path := filepath.Join(root, documentFile)
	require.NoError(t, os.WriteFile(path, []byte("before\n"+beginMarker+"\nold\n"+endMarker+"\nafter\n"), 0o644))

	require.NoError(t, made().Save(root))
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(first), "before\n"+beginMarker+"\n"))
	assert.True(t, strings.HasSuffix(string(first), "\n"+endMarker+"\nafter\n"))
	assert.NotContains(t, string(first), "\nold\n")

	read, err := Load(filepath.Join(root, filepath.Dir(latestFile)))
	require.NoError(t, err)
	require.NoError(t, read.Save(root))
	second, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(first), string(second), "what was loaded says the same")

	require.NoError(t, os.WriteFile(path, []byte("no markers"), 0o644))
	require.ErrorContains(t, made().Save(root), beginMarker)
}
