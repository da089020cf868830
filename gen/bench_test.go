package gen_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

// Fifty entities in fifty packages, with everything that they import compiled
// before.
func BenchmarkFiftyEntities(b *testing.B) {
	dir := b.TempDir()
	put(b, dir, "go.mod", "module shop\n\ngo 1.26\n")
	for i := range 50 {
		put(b, dir, fmt.Sprintf("p%d/customers.go", i), shopSource)
	}
	cfg := gen.Config{Dir: dir, Patterns: []string{"./..."}}
	_, err := gen.Run(b.Context(), cfg)
	require.NoError(b, err)
	for b.Loop() {
		result, err := gen.Run(b.Context(), cfg)
		require.NoError(b, err)
		require.Len(b, result.Unchanged, 100)
	}
}
