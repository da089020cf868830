package mutants

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rules are broken by `make test-mutants` alone, which takes long: that the
// text of each is still there is checked with everything else.
func TestWhatEachMutantReplacesIsThereOnce(t *testing.T) {
	for _, m := range All {
		text, err := os.ReadFile(filepath.Join("../..", m.File))
		require.NoError(t, err, m.Rule)
		assert.Equal(t, 1, strings.Count(string(text), m.Old), "%s: %s", m.File, m.Rule)
		assert.NotEqual(t, m.Old, m.New, m.Rule)
	}
}
