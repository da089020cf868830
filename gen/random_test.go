package gen_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/gen"
)

var (
	randomPackages = flag.Int("random.packages", 25, "how many random packages are generated for")
	randomSeed     = flag.Int("random.seed", 1, "the first of them")
)

// Whatever is accepted compiles and is vetted without being touched.
func TestRandomPackagesThatAreAcceptedCompile(t *testing.T) {
	dir := realModule(t)
	packages := rapid.Custom(randomPackage)
	for i := range *randomPackages {
		name := fmt.Sprintf("p%d", *randomSeed+i)
		put(t, dir, name+"/"+name+".go", "package "+name+"\n"+packages.Example(*randomSeed+i))
	}
	refused := 0
	_, err := gen.Run(t.Context(), gen.Config{Dir: dir, Patterns: []string{"./..."}})
	var problems *gen.ProblemsError
	if errors.As(err, &problems) {
		for _, p := range problems.Problems {
			pkg := filepath.Join(dir, filepath.Dir(p.Pos.Filename))
			if _, err := os.Stat(pkg); err == nil {
				t.Logf("refused: %s", p)
				require.NoError(t, os.RemoveAll(pkg))
				refused++
			}
		}
		_, err = gen.Run(t.Context(), gen.Config{Dir: dir, Patterns: []string{"./..."}})
	}
	require.NoError(t, err)
	assert.LessOrEqual(t, refused, *randomPackages/5, "too much is refused to prove anything")
	cmd := exec.CommandContext(t.Context(), "go", "vet", "./...")
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// realModule is a module outside of this one, which requires it and what it requires.
func realModule(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod := strings.Replace(read(t, root, "go.mod"), "module github.com/crossfade-db/crossfade\n", "module random\n", 1)
	mod += "\nrequire github.com/crossfade-db/crossfade v0.0.0\n\nreplace github.com/crossfade-db/crossfade => " + root + "\n"
	dir := t.TempDir()
	put(t, dir, "go.mod", mod)
	put(t, dir, "go.sum", read(t, root, "go.sum"))
	return dir
}

// randomSource draws one package.
type randomSource struct {
	*rapid.T
	structs []string
	out     strings.Builder
}

func (r *randomSource) pick(from ...string) string { return rapid.SampledFrom(from).Draw(r.T, "pick") }

func (r *randomSource) chance(n int) bool { return rapid.IntRange(0, n-1).Draw(r.T, "chance") == 0 }

func (r *randomSource) number(max int) int { return rapid.IntRange(0, max).Draw(r.T, "number") }

func randomPackage(t *rapid.T) string {
	r := &randomSource{T: t}
	r.out.WriteString(`
import (
	"context"
	"errors"
	"iter"
	"time"

	decimal2 "github.com/shopspring/decimal"
	"github.com/google/uuid"
)

var ErrNone = errors.New("none")

var _ iter.Seq[uuid.UUID]
var _ decimal2.Decimal
var _ time.Time

type Page[T any] struct { Items []T; Next *T }
type Level int
type Stamp time.Time
type Names []string
type Bag map[string][]Level
`)
	for _, name := range []string{"repo", "side", "other", "c", "v", "customersKeyText", "route", "compare", "value", "errors2"} {
		if r.chance(6) {
			fmt.Fprintf(&r.out, "var %s = 1\n", name)
		}
	}
	for i := range 2 + r.number(4) {
		name := fmt.Sprintf(r.pick("Thing%d", "thing%d", "T%d"), i)
		r.structs = append(r.structs, name)
	}
	for i, name := range r.structs {
		r.declareStruct(i, name)
	}
	r.declareEntity()
	return r.out.String()
}

func (r *randomSource) declareStruct(i int, name string) {
	fmt.Fprintf(&r.out, "type %s struct {\n", name)
	for f := range r.number(7) {
		typ := r.typ(3)
		if i+1 < len(r.structs) && r.chance(3) {
			typ = r.pick("", "*", "[]", "[]*") + r.structs[i+1] // by value only to later ones: no endless sizes
		}
		fmt.Fprintf(&r.out, "\t%s%d %s%s\n", r.pick("F", "f", "Field"), f, typ, r.tag(typ))
	}
	if r.chance(3) && i+1 < len(r.structs) {
		fmt.Fprintf(&r.out, "\t%s\n", r.structs[i+1])
	}
	r.out.WriteString("}\n")
}

func (r *randomSource) tag(typ string) string {
	if !r.chance(3) {
		return ""
	}
	options := []string{"ignore", "safe", "-", ""}
	switch {
	case strings.HasPrefix(typ, "[]"):
		options = append(options, "unordered", "nilempty", "unordered,safe")
	case strings.HasPrefix(typ, "map"), strings.HasPrefix(typ, "*"):
		options = append(options, "nilempty")
	case typ == "string":
		options = append(options, "decimal", "json", "decimal,within=0.1")
	case typ == "time.Time":
		options = append(options, "within=1ms")
	case typ == "float64", typ == "int", typ == "Level":
		options = append(options, "within=2")
	}
	return fmt.Sprintf(" `db:\"x\" compare:%q`", r.pick(options...))
}

func (r *randomSource) typ(depth int) string {
	scalars := []string{
		"string", "int", "bool", "float64", "[]byte", "time.Time", "uuid.UUID", "decimal2.Decimal", "Level", "Stamp",
		"Names", "Bag", "any", "error", "time.Duration", "complex128", "[3]int", "struct{}",
	}
	if depth == 0 || r.chance(2) {
		return r.pick(scalars...)
	}
	inner := r.typ(depth - 1)
	if r.chance(2) {
		inner = "*" + r.pick(r.structs...)
	}
	switch r.number(5) {
	case 0:
		return "[]" + inner
	case 1:
		return "*" + inner
	case 2:
		return "map[" + r.pick("string", "uuid.UUID", "Level") + "]" + inner
	case 3:
		return "[2]" + inner
	case 4:
		return "Page[" + inner + "]"
	}
	return "struct { A " + inner + "; b int }"
}

var unlucky = []string{
	"r", "ctx2", "side", "args", "repo", "compare", "context", "err", "out", "nil", "len", "string", "key", "v", "served",
	"c", "_", "uuid", "time", "errors", "route", "other", "any", "error", "new", "made", "iter", "arg1", "Thing0", "slices",
}

// params draws other parameters, with unlucky names.
func (r *randomSource) params(taken ...string) string {
	var list []string
	for range r.number(3) {
		name := r.pick(unlucky...)
		for _, t := range taken {
			if t == name && name != "_" {
				name = ""
			}
		}
		if name == "" {
			continue
		}
		taken = append(taken, name)
		typ := r.pick("uint16", "[]byte", "bool", "map[Level]float32", "*Level", "struct{ A []Level }", "[]Names")
		list = append(list, ", "+name+" "+typ)
	}
	return strings.Join(list, "")
}

func (r *randomSource) results() string {
	var list []string
	for range r.number(3) {
		list = append(list, r.typ(2))
		if list[len(list)-1] == "error" {
			list[len(list)-1] = "int"
		}
	}
	return "(" + strings.Join(append(list, "error"), ", ") + ")"
}

func (r *randomSource) declareEntity() {
	value, key := r.pick(r.structs...), r.pick("string", "int64", "uuid.UUID", "Level", "struct { A string; B Level }")
	fmt.Fprintf(&r.out, "type K = %s\ntype Row struct { ID K; Value %s }\n", key, value)
	fmt.Fprintf(&r.out, `
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id K) (%[1]sRow, error)
	//crossfade:write key=row.ID
	Save(ctx context.Context, tenant string, row %[1]sRow) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id K) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *K, limit int) ([]K, error)
`, r.pick("", "*"))
	for i := range r.number(8) {
		r.method(i)
	}
	r.out.WriteString("}\n")
}

func (r *randomSource) method(i int) {
	name := r.pick(unlucky...)
	if name == "_" {
		name = "id"
	}
	head := fmt.Sprintf("\tM%d(%s context.Context, tenant string", i, r.pick("ctx", "_"))
	rest := r.params(name, "tenant", "ctx")
	switch r.number(7) {
	case 0:
		fmt.Fprintf(&r.out, "\t//crossfade:read key=%s\n%s, %s K%s) %s\n", name, head, name, rest, r.results())
	case 1:
		fmt.Fprintf(&r.out, "\t//crossfade:read keys=%s\n%s%s, %s ...K) %s\n", name, head, rest, name, r.results())
	case 2:
		fmt.Fprintf(&r.out, "\t//crossfade:list\n%s%s) %s\n", head, rest, r.results())
	case 3:
		fmt.Fprintf(&r.out, "\t//crossfade:write keys=%s[].ID\n%s, %s []*Row%s) %s\n", name, head, name, rest, r.results())
	case 4:
		fmt.Fprintf(&r.out, "\t//crossfade:lock key=%s.ID\n%s, %s *Row%s) %s\n", name, head, name, rest, r.results())
	case 5:
		fmt.Fprintf(&r.out, "\t//crossfade:create key=result.ID\n%s%s) (%sRow, int, error)\n", head, rest, r.pick("", "*"))
	case 6:
		fmt.Fprintf(&r.out, "\t//crossfade:stream\n%s%s) iter.Seq2[%s, error]\n", head, rest, r.typ(1))
	case 7:
		fmt.Fprintf(&r.out, "\t//crossfade:write key=%s.ID\n%s, %s Row%s) %s\n", name, head, name, rest, r.results())
	}
}
