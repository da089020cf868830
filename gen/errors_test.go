package gen_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

const wantMark = "\n/* want:\n"

// Each folder below testdata/errors holds one file that cannot be generated
// for, and at its end the problems, word for word. All are read in one run:
// every problem of every package comes at once.
func TestProblemsAreNamedWithPlaceAndRemedy(t *testing.T) {
	dirs, err := filepath.Glob("testdata/errors/*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	patterns := []string{}
	for _, dir := range dirs {
		patterns = append(patterns, "./"+filepath.ToSlash(dir))
	}
	_, err = gen.Run(t.Context(), gen.Config{Patterns: patterns})
	var problems *gen.ProblemsError
	require.ErrorAs(t, err, &problems)
	found := map[string][]string{}
	for _, p := range problems.Problems {
		dir := filepath.Dir(filepath.FromSlash(p.Pos.Filename))
		p.Pos.Filename = filepath.Base(p.Pos.Filename)
		found[dir] = append(found[dir], p.String())
	}
	for _, dir := range dirs {
		if filepath.Base(dir) == "shop" {
			assert.Empty(t, found[dir], "what all of them embed is in order")
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			file := filepath.Join(dir, "customers.go")
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			code, _, _ := strings.Cut(string(src), wantMark)
			want := fmt.Sprintf("%s%s%s\n*/\n", code, wantMark, strings.Join(found[dir], "\n"))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
				return
			}
			assert.NotEmpty(t, found[dir])
			assert.Equal(t, want, string(src), "run go test ./gen -update and look at the difference")
		})
	}
	names := slices.Collect(func(yield func(string) bool) {
		for dir := range found {
			if !yield(dir) {
				return
			}
		}
	})
	assert.Len(t, names, len(dirs)-1, "%v", names)
}
