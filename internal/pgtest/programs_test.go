package pgtest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindPrograms(t *testing.T) {
	dir := func(t *testing.T, programs ...string) string {
		dir := filepath.Join(t.TempDir(), "bin")
		require.NoError(t, os.Mkdir(dir, 0o755))
		for _, program := range programs {
			require.NoError(t, os.WriteFile(filepath.Join(dir, program), nil, 0o755))
		}
		real, err := filepath.EvalSymlinks(dir)
		require.NoError(t, err)
		return real
	}
	lookIn := func(t *testing.T, pgbin, path string, places ...string) (string, error) {
		t.Setenv("PGBIN", pgbin)
		t.Setenv("PATH", path)
		before := installed
		installed = places
		t.Cleanup(func() { installed = before })
		return findPrograms()
	}

	t.Run("PGBIN wins", func(t *testing.T) {
		given := dir(t, "initdb", "postgres")
		found, err := lookIn(t, given, dir(t, "initdb", "postgres"))
		require.NoError(t, err)
		assert.Equal(t, given, found)
	})
	t.Run("PGBIN without the programs is an error, not a guess", func(t *testing.T) {
		_, err := lookIn(t, dir(t, "initdb"), dir(t, "initdb", "postgres"))
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing)
		assert.ErrorContains(t, err, "PGBIN=")
	})
	t.Run("PATH comes before the installed places, through links", func(t *testing.T) {
		real, linked := dir(t, "initdb", "postgres"), dir(t)
		require.NoError(t, os.Symlink(filepath.Join(real, "initdb"), filepath.Join(linked, "initdb")))
		found, err := lookIn(t, "", linked, dir(t, "initdb", "postgres"))
		require.NoError(t, err)
		assert.Equal(t, real, found)
	})
	t.Run("a client alone does not count", func(t *testing.T) {
		place := dir(t, "initdb", "postgres")
		found, err := lookIn(t, "", dir(t, "psql", "initdb"), place)
		require.NoError(t, err)
		assert.Equal(t, place, found)
	})
	t.Run("nothing found names the places and the commands that install", func(t *testing.T) {
		_, err := lookIn(t, "", dir(t), "/no/such/*/bin")
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing)
		for _, part := range []string{"/no/such/*/bin", "apt-get install postgresql", "brew install postgresql", "PGBIN", EnvURL} {
			assert.ErrorContains(t, err, part)
		}
	})
}

func TestHighestVersionComesFirst(t *testing.T) {
	dirs := []string{
		"/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/15/bin", "/usr/pgsql-17/bin",
		"/opt/homebrew/opt/postgresql@16/bin", "/Applications/Postgres.app/Contents/Versions/latest/bin",
	}
	slices.SortFunc(dirs, byVersionDescending)
	assert.Equal(t, []string{
		"/usr/pgsql-17/bin", "/opt/homebrew/opt/postgresql@16/bin", "/usr/lib/postgresql/15/bin",
		"/usr/lib/postgresql/9.6/bin", "/Applications/Postgres.app/Contents/Versions/latest/bin",
	}, dirs)
}
