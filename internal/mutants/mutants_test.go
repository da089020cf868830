//go:build mutants

package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryBrokenRuleIsNoticed(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	sound := map[string]bool{}
	for _, m := range All {
		t.Run(m.Rule, func(t *testing.T) {
			if tests := m.Package + " " + m.Run; !sound[tests] {
				out, failed := run(t, root, Mutant{File: m.File, Package: m.Package, Run: m.Run})
				require.False(t, failed, "its tests must pass while the rule stands:\n%s", out)
				require.NotContains(t, out, "no tests to run")
				sound[tests] = true
			}
			out, failed := run(t, root, m)
			require.True(t, failed, "the rule is broken and its tests pass:\n%s", out)
			require.NotContains(t, out, "build failed", "it must fail in a test, not to build")
		})
	}
}

// run tests the package with one file replaced; with the same text where the
// mutant changes nothing.
func run(t *testing.T, root string, m Mutant) (out string, failed bool) {
	t.Helper()
	path := filepath.Join(root, m.File)
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	if m.Old != "" {
		require.Equal(t, 1, strings.Count(string(source), m.Old), "%s must hold the text exactly once:\n%s", m.File, m.Old)
	}
	folder := t.TempDir()
	mutated := filepath.Join(folder, filepath.Base(m.File))
	require.NoError(t, os.WriteFile(mutated, []byte(strings.Replace(string(source), m.Old, m.New, 1)), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: mutated}})
	require.NoError(t, err)
	config := filepath.Join(folder, "overlay.json")
	require.NoError(t, os.WriteFile(config, overlay, 0o600))
	// A mutant may hang where the real code would not: the timeout ends it.
	command := exec.CommandContext(t.Context(), "go", "test", "-overlay", config, "-vet=off", "-timeout", "60s",
		"-run", fmt.Sprintf("^(%s)$", m.Run), m.Package)
	command.Dir = root
	result, err := command.CombinedOutput()
	return string(result), err != nil
}
