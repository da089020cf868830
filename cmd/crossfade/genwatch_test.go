package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGenWatchRunsAgainAfterEachChange(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, annotated)
	s := w.start(nil, "gen", "--watch", "-C", dir)
	runs := 0
	says := func(text string) {
		t.Helper()
		runs++
		var lines []string
		require.Eventually(t, func() bool {
			lines = runLine.FindAllString(s.out.String(), -1)
			return len(lines) >= runs
		}, wait, tick, "waiting for %q", text)
		require.Len(t, lines, runs, "what gen wrote is no change")
		require.Contains(t, lines[runs-1], text)
	}
	says("  first run: 2 files written, 0 unchanged (")
	source := filepath.Join(dir, "customers.go")
	edit := func(text string) { require.NoError(t, os.WriteFile(source, []byte(text), 0o600)) }

	edit(strings.Replace(annotated, "ID int64 }", "ID int64; Name string }", 1))
	says("  customers.go changed: 1 file written, 1 unchanged (")
	edit(strings.Replace(annotated, "crossfade:read key=id", "crossfade:read key=idd", 1))
	says("  customers.go changed: 1 problem, nothing was written (")
	edit(annotated)
	says("  customers.go changed: 1 file written, 1 unchanged (")
	require.NoError(t, os.Remove(filepath.Join(dir, "customers_routed.go")))
	says("  customers_routed.go changed: 1 file written, 1 unchanged (")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "crossfade.yaml"), []byte("version: 2\n"), 0o600))
	says("  crossfade.yaml changed: 2 problems, nothing was written (")
	s.cancel()
	o := s.ends().is(exitOK)
	assert.Empty(t, o.err)
	assert.Regexp(t, `(?m)^customers\.go:10:2: Customers\.Get: .*idd`, o.out)
	assert.Regexp(t, `(?m)^crossfade\.yaml:1:10: version: expected 1`, o.out)
}

var runLine = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d  .*\n`)

func TestGenWatchInJSON(t *testing.T) {
	t.Parallel()
	w, dir := shop(t, annotated)
	s := w.start(nil, "gen", "--watch", "-C", dir, "--json")
	s.until(`{"event":"generated","changed":[],"written":["customers_compare.go","customers_routed.go"],"removed":[],"unchanged":[]}` + "\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "customers.go"), []byte("package shop\n\n//crossfade:entity x\ntype A interface{}\n"), 0o600))
	s.until(`{"event":"failed","changed":["customers.go"],"written":[],"removed":[],"unchanged":[],"error":"customers.go:3:1: `)
	s.until(`"problems":[{"file":"customers.go","line":3,"column":1,`)
	s.cancel()
	s.ends().is(exitOK)
}

func TestGenWatchLooksAtWhatGenReads(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for file, is := range map[string]bool{
		"go.mod": true, "a.go": true, "a_test.go": false, "b/queries.sql.go": true, "crossfade.yaml": true, "sqlc.yml": true, "README.md": false,
		".hidden.go": false, ".git/a.go": false, "vendor/a.go": false, "testdata/a.go": false, "node_modules/a.yaml": false, "b/queries.sql": false,
	} {
		path := filepath.Join(root, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		before := look(root)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		assert.Equal(t, is, len(before.differs(look(root))) == 1, file)
	}
	w := &world{t: t}
	w.run("gen", "--watch", "--check").is(exitInput).blames("choose one")
}
