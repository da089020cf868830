package gen_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/gen"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The packages below internal/golden are compiled and run with the other
// packages of the module; here only their text is looked at.
func TestGoldenPackagesAreUpToDate(t *testing.T) {
	result, err := gen.Run(t.Context(), gen.Config{Dir: "internal/golden", Patterns: []string{"./..."}, Check: !*update})
	require.NoError(t, err)
	assert.Empty(t, result.OutOfDate, "run go test ./gen -update and look at the difference")
}
