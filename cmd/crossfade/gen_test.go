package main

import (
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

const annotated = `package shop

import "context"

type Customer struct{ ID int64 }

//crossfade:entity notfound=nil get=Get put=Save delete=Delete keys=Keys tenant=none
type Customers interface {
	//crossfade:read key=id
	Get(ctx context.Context, id int64) (*Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, c *Customer) error
	//crossfade:write key=id
	Delete(ctx context.Context, id int64) error
	//crossfade:list
	Keys(ctx context.Context, after *int64, limit int) ([]int64, error)
}
`

// shop makes a module with one package.
func shop(t *testing.T, source string) (*world, string) {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module shop\n\ngo 1.26\n", "customers.go": source} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	return &world{t: t}, dir
}

func TestGenWritesWhatIsOutOfDate(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, annotated)
	o := w.run("gen", "--check", "-C", dir).is(exitDiffers).says("out of date customers_compare.go\n", "out of date customers_routed.go\n")
	o.blames("2 files are out of date: run `crossfade gen`")
	assert.NoFileExists(t, filepath.Join(dir, "customers_routed.go"))

	w.ok("gen", "-C", dir, "./...").says("written     customers_compare.go\n", "written     customers_routed.go\n")
	assert.FileExists(t, filepath.Join(dir, "customers_routed.go"))
	w.ok("gen", "-C", dir).says("unchanged   customers_compare.go\n", "unchanged   customers_routed.go\n")
	w.ok("gen", "-C", dir, "--check").says("unchanged   customers_routed.go\n")
	assert.JSONEq(t, `{"written":[],"removed":[],"unchanged":["customers_compare.go","customers_routed.go"],"out_of_date":[],"unwritten":[]}`,
		w.ok("gen", "-C", dir, "--json").out)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "customers.go"), []byte(annotated+"// another word\n"), 0o600))
	w.ok("gen", "-C", dir, "--check")
	require.NoError(t, os.Remove(filepath.Join(dir, "customers_compare.go")))
	w.run("gen", "-C", dir, "--check", "--json").is(exitDiffers).says(`"out_of_date": [
    "customers_compare.go"
  ]`)
}

func TestGenShowsProblemsAsEditorsReadThem(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, `package shop

import "context"

//crossfade:entity notfound=nil get=Get tenant=none
type Customers interface {
	Get(ctx context.Context, id int64) (*int64, error)
}
`)
	o := w.run("gen", "-C", dir).is(exitFailure)
	assert.Regexp(t, `(?m)^customers\.go:7:2: Customers\.Get: .*//crossfade:read`, o.err)
	assert.Regexp(t, `crossfade: \d+ problems?: nothing was written\n$`, o.err)
	problems := w.run("gen", "-C", dir, "--json").is(exitFailure).failure()["problems"].([]any)
	assert.Equal(t, "customers.go", problems[0].(map[string]any)["file"])
	assert.NoFileExists(t, filepath.Join(dir, "customers_routed.go"))
}

func TestGenWithoutAnythingToDo(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, "package shop\n")
	w.run("gen", "-C", dir).is(exitFailure).blames("no interface with a //crossfade:entity directive was found")
	w.run("gen", "-C", filepath.Join(dir, "no-such-folder")).is(exitFailure)
	w.run("gen", "-C", dir, "./no/such/package").is(exitFailure)
}

func TestGenSaysWhatKeepsTheGoCommandFromListingPackages(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, annotated)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	for file, text := range map[string]string{
		"go.mod": "module shop\n\ngo 1.26\n\nrequire github.com/crossfade-db/crossfade v0.0.0\n\nreplace github.com/crossfade-db/crossfade => " + root + "\n",
		"a/a.go": "package a\n\nimport _ \"github.com/crossfade-db/crossfade/repo/postgres\"\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	w.run("gen", "-C", dir, "./...").is(exitFailure).blames("updates to go.mod needed", "go mod tidy")
}

func TestGenTellsWhatIsLeftToWriteByHand(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	a := newApp(&out, &errs, func(string) string { return "" })
	left := gen.Problem{Pos: token.Position{Filename: "v2/mapping.go", Line: 7, Column: 1}, Where: "mapping.SaveParams", Text: "it returns an error still"}
	require.NoError(t, a.showGen(gen.Result{Written: []string{"v2/people_version.go"}, Unwritten: []gen.Problem{left}}, false))
	assert.Equal(t, "written     v2/people_version.go\nby hand     v2/mapping.go:7:1: mapping.SaveParams: it returns an error still\n", out.String())
	assert.Empty(t, errs.String())
}
