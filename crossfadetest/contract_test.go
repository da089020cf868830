package crossfadetest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people/peopletest"
	v1 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v1"
	v2 "github.com/crossfade-db/crossfade/crossfadetest/internal/people/v2"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

var schema = crossfadetest.SQL(people.Schema)

func TestContractHoldsOfVersionsThatGiveTheSameAnswers(t *testing.T) {
	crossfadetest.Contract(t, crossfadetest.Postgres(t, schema), peopletest.Entity, v1.New, v2.New)
}

func TestContractFindsALostMiddleNameAndShrinksIt(t *testing.T) {
	said := contract(t, v2.WithoutMiddleName)
	require.Contains(t, said, "the versions of people give different answers")
	require.Contains(t, said, "-rapid.seed=")
	require.LessOrEqual(t, strings.Count(behind(t, said, "func sequence"), "= r."), 4, "shrinking has a limit of time: %s", said)
}

func TestContractFindsAnotherOrder(t *testing.T) {
	said := contract(t, v2.Unordered, crossfadetest.Calls(60))
	require.Contains(t, said, "different answers to List")
}

func TestContractPrintsTheSequenceAsCodeThatCompiles(t *testing.T) {
	said := contract(t, v2.WithoutMiddleName)
	compile(t, "import ("+behind(t, said, "import ("))
}

// contract runs Contract with a version that has a mistake, and returns what it
// says about it.
func contract(t *testing.T, newSide postgres.Factory[people.People], options ...crossfadetest.Option) string {
	t.Helper()
	pool := crossfadetest.Postgres(t, schema)
	said := failure(t, func(t testing.TB) {
		crossfadetest.Contract(t, pool, peopletest.Entity, v1.New, newSide, options...)
	})
	require.NotEmpty(t, said, "nothing was found")
	return said
}

func behind(t *testing.T, text, mark string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, mark)
	require.True(t, found, text)
	return rest
}

// compile compiles code as a test of this package's.
func compile(t *testing.T, code string) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	dir, err := os.MkdirTemp(filepath.Dir(here), "testdata-pasted-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	path := filepath.Join(dir, "pasted.go")
	require.NoError(t, os.WriteFile(path, []byte("package pasted\n\n"+code+"\nvar _ = sequence\n"), 0o600))
	output, err := exec.CommandContext(t.Context(), "go", "vet", path).CombinedOutput()
	require.NoError(t, err, "%s\n%s", code, output)
}

// failure runs a test that is meant to fail, and returns what it says; nothing
// when it passes.
func failure(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	if !f.Failed() {
		return ""
	}
	return f.said()
}
