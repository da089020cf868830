package ledger

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewestVersionIsThatOfTheLastMigration(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(files, "migrations/*.sql")
	require.NoError(t, err)
	var last int64
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		require.NoError(t, err)
		last = max(last, version)
	}
	assert.EqualValues(t, newest, last)
}
