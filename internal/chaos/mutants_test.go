package chaos

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// mutant is a piece of the application without which the promises do not hold,
// and a plan that is made to miss it.
type mutant struct {
	files   string            // a pattern, from the module's root
	instead map[string]string // of each text, wherever it is in those files
	plan    plan
}

// mix is made of some operations only.
func mix(weights map[string]int) (m accounts.Mix) {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		o, _ := accounts.Operations.Named(name)
		o.Weight = weights[name]
		m = append(m, o)
	}
	return m
}

var mutants = map[string]mutant{
	"the key lock": {
		files:   "internal/fence/*.go",
		instead: map[string]string{`"pg_advisory_xact_lock"+numbered(3,`: `"concat"+numbered(3,`},
		plan: plan{
			applications: 2, clients: 3, operators: 1, turns: 30, lease: 1500 * time.Millisecond, keys: 1,
			mix:     mix(map[string]int{"increment": 8, "add": 1, "get": 1}),
			targets: []flags.Stage{flags.Dual, flags.Shadow, flags.Live},
		},
	},
	"the fence": {
		files: "internal/fence/*.go",
		instead: map[string]string{
			`when not pg_try_advisory_xact_lock_shared((1 << 28) | "+migration+", ("+epoch+"::bigint)::integer) then`: "when false then",
			`where += " and m.epoch = " + epoch + " and m.policy_id = " + policy`:                                     `where += " and (m.epoch > 0 or " + epoch + "::bigint = 0 or m.policy_id = " + policy + ")"`,
		},
		plan: plan{
			applications: 3, calm: 1, clients: 3, operators: 1, turns: 30, lease: 400 * time.Millisecond,
			hold: 2, late: time.Second, heldFails: true, keys: 1,
			mix:     mix(map[string]int{"add": 1, "create": 1, "get": 20}),
			targets: []flags.Stage{flags.Shadow, flags.RampDown},
		},
	},
	"the stale read": {
		files:   "repo/read.go",
		instead: map[string]string{"other = staleOn(s.Stale(), side)": "other = false"},
		plan: plan{
			applications: 2, clients: 3, operators: 1, turns: 40, lease: 1500 * time.Millisecond,
			sideFaults: 2, kinds: []accounts.FaultKind{accounts.ErrorBefore},
			mix:     mix(map[string]int{"get": 10, "list": 4, "put": 6, "add": 3}),
			targets: []flags.Stage{flags.Shadow, flags.Live},
		},
	},
}

// TestWhatIsTakenOutIsMissed takes out one piece of the application at a time
// and demands that the same checks, which find nothing wrong with the whole of
// it, find something.
func TestWhatIsTakenOutIsMissed(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(mutants)) {
		m := mutants[name]
		m.plan.seed, m.plan.silent = whole(t).seed, true
		t.Run("with "+name, func(t *testing.T) {
			m.plan.length = 3 * time.Second
			w := newWorld(t, m.plan)
			t.Log(w.summary(w.rounds()))
			require.False(t, w.broken(), "%s", lazy(w.report))
		})
		t.Run("without "+name, func(t *testing.T) {
			m.plan.program = m.build(t)
			m.plan.length = 3 * time.Minute // of which a few seconds are needed
			w := newWorld(t, m.plan)
			t.Log(w.summary(w.rounds()))
			require.True(t, w.broken(), "the missing piece was not noticed")
			require.Regexp(t, "have no order in which each saw what it saw|differ at .* without a record", strings.Join(w.violations, "\n"))
		})
	}
}

// build makes this program without the piece. The working tree is not touched.
func (m mutant) build(t *testing.T) (program string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	paths, err := filepath.Glob(filepath.Join(root, m.files))
	require.NoError(t, err)
	folder, replaced := t.TempDir(), map[string]string{}
	for text, instead := range m.instead {
		found := false
		for _, path := range paths {
			from := path
			if replaced[path] != "" {
				from = replaced[path]
			}
			source, err := os.ReadFile(from)
			require.NoError(t, err)
			if !strings.Contains(string(source), text) {
				continue
			}
			found, replaced[path] = true, filepath.Join(folder, filepath.Base(path))
			require.NoError(t, os.WriteFile(replaced[path], []byte(strings.ReplaceAll(string(source), text, instead)), 0o600))
		}
		require.True(t, found, "nothing like this is to be found in %s: %s", m.files, text)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	config := filepath.Join(folder, "overlay.json")
	require.NoError(t, os.WriteFile(config, overlay, 0o600))
	program = filepath.Join(folder, "mutant.test")
	command := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", config, "-o", program, "./internal/chaos")
	command.Dir = root
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}
