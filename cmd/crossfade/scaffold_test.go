package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ticketShop makes a module that builds against this one, with one annotated
// interface.
func ticketShop(t *testing.T) (*world, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	mod := fileText(t, filepath.Join(root, "go.mod"))
	mod = strings.Replace(mod, "module github.com/crossfade-db/crossfade\n", "module example.com/shop\n", 1) +
		"\nrequire github.com/crossfade-db/crossfade v0.0.0\n\nreplace github.com/crossfade-db/crossfade => " + root + "\n"
	for file, text := range map[string]string{
		"go.mod": mod, "go.sum": fileText(t, filepath.Join(root, "go.sum")),
		"tickets/tickets.go": fileText(t, filepath.Join("testdata", "tickets", "tickets.go.txt")),
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return &world{t: t}, dir
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestFromInitToAVersionThatCompiles(t *testing.T) {
	t.Parallel()
	w, dir := ticketShop(t)
	golden(t, "files-init-dry.txt", w.ok("init", "-C", dir, "--dry-run").out)
	assert.NoFileExists(t, filepath.Join(dir, "crossfade.yaml"))
	golden(t, "files-init.txt", w.ok("init", "-C", dir).out)
	first := fileText(t, filepath.Join(dir, "crossfade.yaml"))
	golden(t, "files-init-again.txt", w.ok("init", "-C", dir).out)
	assert.Equal(t, first, fileText(t, filepath.Join(dir, "crossfade.yaml")))
	golden(t, "files-init.json", w.ok("init", "-C", dir, "--json").out)

	w.ok("new-version", "tickets", "v1", "--over", "gorm", "-C", dir).says("written      tickets/v1/model.go\n")
	golden(t, "new-version-dry.txt", w.ok("new-version", "tickets", "v2", "-C", dir, "--dry-run").out)
	assert.NoDirExists(t, filepath.Join(dir, "tickets", "v2"))
	golden(t, "new-version.txt", w.ok("new-version", "tickets", "v2", "-C", dir).out)
	golden(t, "new-version-again.txt", w.ok("new-version", "tickets", "v2", "-C", dir).out)
	golden(t, "new-version.json", w.ok("new-version", "tickets", "v2", "-C", dir, "--json").out)
	w.ok("new-version", "tickets", "v3", "--over", "hand", "-C", dir)
	w.run("gen", "-C", dir, "./...").is(exitFailure).blames("tickets v2: the folder ./tickets/v2/queries does not exist: run `sqlc generate`")

	// What sqlc generates of exactly this SQL is kept beside it.
	for _, file := range []string{"schema.sql", "queries.sql"} {
		goldenFile(t, filepath.Join("testdata", "tickets", file), fileText(t, filepath.Join(dir, "tickets", "v2", file)))
	}
	queries := filepath.Join(dir, "tickets", "v2", "queries")
	require.NoError(t, os.MkdirAll(queries, 0o755))
	for _, file := range []string{"db.go", "models.go", "queries.sql.go"} {
		require.NoError(t, os.WriteFile(filepath.Join(queries, file), []byte(fileText(t, filepath.Join("testdata", "tickets", file+".txt"))), 0o600))
	}
	w.ok("gen", "-C", dir, "./...").says("tickets/tickets_routed.go", "tickets/v1/tickets_version.go", "tickets/v2/tickets_version.go")
	build := exec.CommandContext(t.Context(), "go", "build", "./...")
	build.Dir = dir
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	w.ok("gen", "-C", dir, "--check", "./...")
}

func TestNewVersionRefuses(t *testing.T) {
	t.Parallel()
	w, dir := ticketShop(t)
	w.run("new-version", "tickets", "v2", "-C", dir).is(exitInput).blames("run `crossfade init` first")
	w.ok("init", "-C", dir)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"tickets"}, "VERSION is missing"},
		{[]string{"tickts", "v2"}, "did you mean tickets?"},
		{[]string{"tickets", "V2"}, "write v2"},
		{[]string{"tickets", "v2", "--over", "orm"}, `not "orm"`},
	} {
		w.run(append([]string{"new-version", "-C", dir}, c.args...)...).is(exitInput).blames(c.want)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "crossfade.yaml"), []byte("version: 1\nentites: []\nx: 1\n"), 0o600))
	for _, args := range [][]string{{"new-version", "tickets", "v2", "-C", dir}, {"init", "-C", dir}} {
		w.run(args...).is(exitFailure).blames("crossfade.yaml:2:1: unknown key entites of crossfade.yaml: write entities\n", "crossfade.yaml:3:1: unknown key x", "crossfade: 2 problems: nothing was written\n")
		problems := w.run(append(args, "--json")...).is(exitFailure).failure()["problems"].([]any)
		assert.Len(t, problems, 2)
	}
}

func TestInitOutsideOfAModule(t *testing.T) {
	t.Parallel()
	w := &world{t: t}
	w.run("init", "-C", t.TempDir()).is(exitInput).blames("no go.mod in this folder or above it, and no database is named")
	w = empty(t)
	w.ok("init", "-C", t.TempDir()).says("ledger: created in database")
}

func TestInitDoesBothJobs(t *testing.T) {
	t.Parallel()
	_, dir := ticketShop(t)
	w := empty(t)
	w.ok("init", "-C", dir, "--dry-run").says("would write  crossfade.yaml", "ledger: would be created")
	w.run("status").is(exitLedger)
	w.ok("init", "-C", dir).says("written      crossfade.yaml", "ledger: created in database", "crossfade new-version tickets v1")
	w.ok("init", "-C", dir).says("nothing to do", "ledger: up to date in database")
	o := w.ok("init", "-C", dir, "--json")
	o.says(`"change": "unchanged"`, `"change": "none"`)
	require.NoError(t, os.Remove(filepath.Join(dir, "crossfade.yaml")))
	w.ok(append(register, "-C", dir)...).says("customers-v2: registered")
	assert.NoFileExists(t, filepath.Join(dir, "crossfade.yaml"), "to register a migration is about the ledger alone")
}
