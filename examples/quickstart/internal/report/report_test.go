package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func clean() report.Report {
	return report.Report{
		Stage: "new", Operations: 1000, KeysRead: 100,
		Rungs: []report.Rung{{Stage: "dual", Operations: 500, Minimum: 100, Contended: 30, ContendedMinimum: 10, Visited: true}},
	}
}

func TestARunPassesOnlyWithAllItsZeros(t *testing.T) {
	for name, spoil := range map[string]func(*report.Report){
		"caller errors":         func(r *report.Report) { r.CallerErrors = 1 },
		"lost updates":          func(r *report.Report) { r.LostUpdates = 1 },
		"stale reads":           func(r *report.Report) { r.StaleReads = 1 },
		"undecided keys":        func(r *report.Report) { r.UndecidedKeys = 1 },
		"differing keys":        func(r *report.Report) { r.DifferingKeys = 1 },
		"unexplained mismatch":  func(r *report.Report) { r.ConfirmedMismatches = 1 },
		"nothing read":          func(r *report.Report) { r.KeysRead = 0 },
		"too little traffic":    func(r *report.Report) { r.Rungs[0].Operations = 99 },
		"too little contention": func(r *report.Report) { r.Rungs[0].Contended = 9 },
	} {
		r := clean()
		spoil(&r)
		r.Judge(nil)
		assert.False(t, r.Passed, name)
		assert.Len(t, r.Failures, 1, name)
	}
	r := clean()
	r.Judge(errors.New("no end"))
	assert.Equal(t, []string{"no end"}, r.Failures)
	r.Judge(nil)
	assert.True(t, r.Passed)
	r.PlantedBug, r.ConfirmedMismatches, r.RepairedKeys, r.UnknownOperations, r.Restarts = true, 5, 7, 3, 2
	r.Judge(nil)
	assert.True(t, r.Passed, "a planted fault is meant to be found, and kills are survived")
}

func TestTheReportHasTheKeysThatProgramsLookFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	r := clean()
	r.Judge(nil)
	require.NoError(t, r.Write(path))
	require.NoError(t, r.Write(path), "an older report is replaced")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(text, &keys))
	for _, key := range []string{
		"passed", "operations", "caller_errors", "lost_updates", "differing_keys", "confirmed_mismatches", "repaired_keys",
		"rungs", "latency", "phases",
	} {
		assert.Contains(t, keys, key)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing else is left")
	assert.ErrorContains(t, r.Write(filepath.Join(path, "no", "folder")), "write the report")
}

func TestPeopleSeeWhetherItPassed(t *testing.T) {
	var text bytes.Buffer
	r := clean()
	r.Judge(nil)
	r.Print(&text)
	assert.Contains(t, text.String(), "PASSED")
	r.LostUpdates = 2
	r.Judge(nil)
	text.Reset()
	r.Print(&text)
	assert.Contains(t, text.String(), "2 acknowledged updates are lost")
	assert.Contains(t, text.String(), "FAILED")
}
