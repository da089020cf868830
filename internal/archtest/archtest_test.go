package archtest

import (
	"go/types"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/tools/go/packages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rules are all rules over the graph, by the sentence that they enforce.
var rules = map[string]func(g *Graph) []string{
	"every package has its place":                             Placed,
	"imports run only downward":                               Downward,
	"repo, flags, compare, versions and gen know no driver":   DriverFree,
	"only gormtx and examples link GORM":                      GormOnly,
	"only two files import OpenFeature":                       OpenFeatureOnly,
	"runtime packages import no test library":                 TestFree,
	"every package has a package comment":                     Commented,
	"every public package has an Example":                     Exemplified,
	"no file that is written by hand has more than 500 lines": SmallFiles,
}

func TestModuleFollowsItsRules(t *testing.T) {
	graph, err := Load(moduleRoot(t))
	require.NoError(t, err)
	require.NotEmpty(t, graph.Packages)
	for sentence, rule := range rules {
		t.Run(sentence, func(t *testing.T) {
			for _, broken := range rule(graph) {
				t.Error(broken)
			}
		})
	}
}

func TestNoExportedSignatureShowsGeneratedQueries(t *testing.T) {
	root := moduleRoot(t)
	graph, err := Load(root)
	require.NoError(t, err)
	var patterns []string
	generated := map[string]bool{}
	for _, p := range graph.Packages {
		generated[graph.Module+"/"+p.Path] = p.generated()
		if u, _ := unitOf(p.Path); u.kind == library && isPublic(p.Path) {
			patterns = append(patterns, "./"+p.Path)
		}
	}
	require.Contains(t, generated, graph.Module+"/ledger/internal/ledgerdb")
	require.True(t, generated[graph.Module+"/ledger/internal/ledgerdb"], "nothing is hidden, so nothing is proven")
	loaded, err := packages.Load(&packages.Config{
		Dir:  root,
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedExportFile | packages.NeedImports,
	}, patterns...)
	require.NoError(t, err)
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.PkgPath)
		for _, broken := range HiddenTypes(p.Types, func(path string) bool { return generated[path] }) {
			t.Error(broken)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	require.NoError(t, err)
	root := strings.TrimSpace(string(output))
	require.NotEmpty(t, root)
	return root
}

// module makes a small graph: "package: import, import". Imports that begin with "./" are of the module's own.
func module(lines ...string) *Graph {
	g := &Graph{Module: "example.com/m"}
	for _, line := range lines {
		path, imports, _ := strings.Cut(line, ":")
		file := File{Name: "x.go", Commented: true}
		for path := range strings.SplitSeq(imports, ",") {
			if path = strings.TrimSpace(path); path != "" {
				file.Imports = append(file.Imports, strings.Replace(path, "./", g.Module+"/", 1))
			}
		}
		g.Packages = append(g.Packages, Package{
			Path: path, Name: lastPart(path),
			Files: []File{file, {Name: "example_test.go", Test: true, HasExample: true}},
		})
	}
	return g
}

// sound is a graph that follows every rule and uses each of their exceptions.
func sound() *Graph {
	g := module(
		"flags: context", "compare:", "versions:", "gen: go/ast",
		"gen/internal/golden/shop: ./repo, ./compare, testing",
		"repo: ./flags, ./compare, ./versions",
		"repo/postgres: ./repo, ./flags, github.com/jackc/pgx/v5",
		"repo/postgres/gormtx: ./repo/postgres, gorm.io/gorm",
		"ledger: ./flags, ./ledger/internal/ledgerdb", "ledger/internal/ledgerdb: github.com/jackc/pgx/v5",
		"backfill: ./repo/postgres, ./ledger", "control: ./backfill, ./ledger",
		"cmd/crossfade: ./control, ./gen", "crossfadetest: ./control, testing, github.com/stretchr/testify/require",
		"examples/shop: ./control, ./repo/postgres/gormtx, ./internal/pgtest, gorm.io/gorm, github.com/open-feature/go-sdk/openfeature",
		"internal/pgtest: testing, go.uber.org/goleak", "internal/words:",
	)
	g.Packages[0].Files = append(g.Packages[0].Files,
		File{Name: "openfeature.go", Imports: []string{"github.com/open-feature/go-sdk/openfeature"}},
		File{Name: "long_generated.go", Lines: 9000, Generated: true},
		File{Name: "flags_test.go", Test: true, Imports: []string{"testing", "github.com/jackc/pgx/v5", g.Module + "/control"}})
	return g
}

func TestSoundGraphBreaksNoRule(t *testing.T) {
	for sentence, rule := range rules {
		assert.Empty(t, rule(sound()), sentence)
	}
}

func TestEachRuleCanFail(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  func(*Graph) []string
		graph *Graph
		want  string
	}{
		{"a package without a place", Placed, module("utils:"), "utils has no place"},
		{"the module's own folder has no place", Placed, module(".:"), ". has no place"},
		{"upward", Downward, module("repo: ./control"), "repo imports ./control: arrows run only downward"},
		{"across the same floor", Downward, module("ledger: ./repo/postgres"), "ledger imports ./repo/postgres"},
		{"ground floor knows ground floor", Downward, module("flags: ./compare"), "flags imports ./compare"},
		{"ground floor knows ground floor, below", Downward, module("flags/deep: ./versions"), "flags/deep imports ./versions"},
		{"child is a floor of its own", Downward, module("repo: ./repo/postgres"), "repo imports ./repo/postgres"},
		{"gen stands alone", Downward, module("gen: ./compare"), "gen imports ./compare"},
		{"gen stands alone, below", Downward, module("gen/internal/load: ./flags"), "gen/internal/load imports ./flags"},
		{"internal packages import none of ours", Downward, module("internal/a: ./internal/b"), "internal/a imports ./internal/b"},
		{"a library imports what is for tests", Downward, module("control: ./internal/pgtest"), "which is for tests"},
		{"a program imports what is for tests", Downward, module("cmd/crossfade: ./crossfadetest"), "which is for tests"},
		{"an example is imported", Downward, module("crossfadetest: ./examples/shop"), "which is a program"},
		{"the command is imported", Downward, module("examples/shop: ./cmd/crossfade"), "which is a program"},
		{"a driver directly", DriverFree, module("repo: github.com/jackc/pgx/v5/pgconn"), "repo -> github.com/jackc/pgx/v5/pgconn"},
		{"a driver through another", DriverFree, module("repo: ./ledger", "ledger: github.com/lib/pq"), "repo -> ./ledger -> github.com/lib/pq"},
		{"a driver below a free package", DriverFree, module("compare/deep: gorm.io/gorm"), "compare/deep knows a database driver"},
		{"GORM in a library", GormOnly, module("ledger: gorm.io/driver/postgres"), "ledger links GORM"},
		{"GORM through gormtx", GormOnly, module("control: ./repo/postgres/gormtx", "repo/postgres/gormtx: gorm.io/gorm"), "control links GORM"},
		{"OpenFeature elsewhere", OpenFeatureOnly, module("control: github.com/open-feature/go-sdk/openfeature"), "control/x.go imports"},
		{"OpenFeature in another file of flags", OpenFeatureOnly, module("flags: github.com/open-feature/go-sdk/openfeature"), "flags/x.go imports"},
		{"testing in a library", TestFree, module("compare: testing"), "compare imports the test library testing"},
		{"testify in a library", TestFree, module("repo: github.com/stretchr/testify/assert"), "test library github.com/stretchr"},
		{"goleak in a program", TestFree, module("cmd/crossfade: go.uber.org/goleak"), "go.uber.org/goleak"},
		{"no package comment", Commented, withFile("flags", File{Name: "a.go"}), "flags has no package comment"},
		{"a comment in a test only", Commented, withFile("flags", File{Name: "a.go"}, File{Name: "a_test.go", Test: true, Commented: true}), "no package comment"},
		{"no Example", Exemplified, withFile("repo", File{Name: "a_test.go", Test: true}), "repo has no Example"},
		{"an Example outside tests", Exemplified, withFile("repo", File{Name: "a.go", HasExample: true}), "repo has no Example"},
		{"a long file", SmallFiles, withFile("repo", File{Name: "a.go", Lines: 501}), "repo/a.go has 501 lines"},
		{"a long test", SmallFiles, withFile("repo", File{Name: "a_test.go", Test: true, Lines: 501}), "repo/a_test.go has 501 lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := c.rule(c.graph)
			require.Len(t, broken, 1)
			assert.Contains(t, strings.ReplaceAll(broken[0], c.graph.Module+"/", "./"), strings.ReplaceAll(c.want, "./", ""))
		})
	}
}

func withFile(path string, files ...File) *Graph {
	return &Graph{Module: "example.com/m", Packages: []Package{{Path: path, Name: lastPart(path), Files: files}}}
}

func TestLoadSeesWhatRulesAskFor(t *testing.T) {
	graph, err := Load("testdata/module")
	require.NoError(t, err)
	assert.Equal(t, "example.com/loaded", graph.Module)
	var paths []string
	byName := map[string]File{}
	for _, p := range graph.Packages {
		paths = append(paths, p.Path)
		if p.Path == "inner" {
			for _, f := range p.Files {
				byName[f.Name] = f
			}
		}
	}
	assert.ElementsMatch(t, []string{".", "inner", "querydb", "shows"}, paths)
	assert.Equal(t, File{Name: "inner.go", Imports: []string{"example.com/loaded", "strings"}, Lines: 9, Commented: true}, byName["inner.go"])
	assert.Equal(t, File{Name: "made.go", Lines: 3, Generated: true}, byName["made.go"])
	assert.Equal(t, []string{"os"}, byName["elsewhere_plan9.go"].Imports, "files of other platforms count")
	assert.True(t, byName["example_test.go"].HasExample)
	assert.True(t, byName["example_test.go"].Test)

	_, err = Load("testdata/module/no/such/folder")
	require.Error(t, err)
}

func TestHiddenTypes(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{
		Dir:  "testdata/module",
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedImports | packages.NeedDeps | packages.NeedFiles,
	}, "./...")
	require.NoError(t, err)
	var root *types.Package
	for _, p := range loaded {
		require.Empty(t, p.Errors)
		if p.PkgPath == "example.com/loaded/shows" {
			root = p.Types
		}
	}
	require.NotNil(t, root)
	broken := HiddenTypes(root, func(path string) bool { return strings.HasSuffix(path, "/querydb") })
	var where []string
	for _, line := range broken {
		where = append(where, strings.Fields(strings.TrimPrefix(line, root.Path()+"."))[0])
	}
	assert.ElementsMatch(t, []string{
		"Alias", "Constraint", "Embedded", "Field", "Function", "InstanceOf", "Interface", "List", "Method.Get",
		"ThroughUnexported", "Variable",
	}, where)
}
