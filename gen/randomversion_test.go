package gen_test

import (
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/gen"
)

var randomVersions = flag.Int("random.versions", 12, "how many random entities with two versions are generated for")

// Whatever is accepted compiles and is vetted, with the mapping.go that gen
// writes: no method of it is missing, and none is too many.
func TestRandomVersionsThatAreAcceptedCompile(t *testing.T) {
	dir := realModule(t)
	entities := rapid.Custom(randomEntity)
	var names []string
	for i := range *randomVersions {
		name := fmt.Sprintf("p%d", *randomSeed+i)
		names = append(names, name)
		for file, text := range entities.Example(*randomSeed + i) {
			put(t, dir, name+"/"+file, strings.ReplaceAll(text, "PKG", name))
		}
	}
	refused := map[string]bool{}
	for {
		put(t, dir, "crossfade.yaml", randomConfig(names, refused))
		_, err := gen.Run(t.Context(), gen.Config{Dir: dir})
		var problems *gen.ProblemsError
		if !errors.As(err, &problems) {
			require.NoError(t, err)
			break
		}
		before := len(refused)
		for _, p := range problems.Problems {
			name, _, _ := strings.Cut(p.Pos.Filename, "/")
			if strings.HasPrefix(p.Where, "p") {
				name, _, _ = strings.Cut(p.Where, " ")
			}
			t.Logf("refused: %s", p)
			refused[name] = true
		}
		require.Greater(t, len(refused), before, "%v", problems)
	}
	assert.LessOrEqual(t, len(refused), *randomVersions*2/3, "too much is refused to prove anything")
	args := []string{"vet"}
	for _, name := range names {
		if !refused[name] {
			args = append(args, "./"+name+"/...")
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

func randomConfig(names []string, refused map[string]bool) string {
	var out strings.Builder
	out.WriteString("version: 1\nentities:\n")
	for _, name := range names {
		if !refused[name] {
			fmt.Fprintf(&out, `  - name: %[1]s
    package: ./%[1]s
    versions:
      - name: v1
        package: ./%[1]s/v1
        sqlc: {package: ./%[1]s/v1/queries}
      - name: v2
        package: ./%[1]s/v2
        gorm: {model: ThingRow}
`, name)
		}
	}
	return out.String()
}

const randomImports = `
import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

var (
	_ context.Context
	_ json.RawMessage
	_ = errors.New
	_ time.Time
	_ uuid.UUID
	_ pgtype.Text
)
`

// randomVersion draws an entity, queries and a model that have more or less to
// do with it.
type randomVersion struct {
	*randomSource
	domain, queries, model strings.Builder
	fields                 [][2]string // of the domain struct: name and type
	key                    string
}

var (
	unluckyFields = []string{
		"Name", "FullName", "Err", "R", "M", "Q", "Row", "Value", "List", "Type", "Range", "Queries", "Context", "Errors", "Params", "Made",
		"Pgx", "Db", "Failed", "Math", "I", "Owner", "Query", "Orm", "Mapping", "Repository",
	}
	columnTypes = []string{
		"string", "int64", "int32", "bool", "float64", "[]byte", "time.Time", "uuid.UUID", "*string", "*int64", "[]string", "json.RawMessage",
		"pgtype.Text", "pgtype.Numeric", "map[string]string", "any",
	}
)

func randomEntity(t *rapid.T) map[string]string {
	r := &randomVersion{randomSource: &randomSource{T: t}}
	r.domain.WriteString("package PKG\n" + randomImports)
	r.queries.WriteString("package queries\n" + randomImports + `
type DBTX interface{ Exec(context.Context, string, ...any) }

func New(db DBTX2) *Queries { return &Queries{} }

type Queries struct{}

type Status string

type Piece struct { A string; B int64 }
`)
	r.model.WriteString("package v2\n" + randomImports + "\ntype PieceRow struct { ID int64 `gorm:\"primaryKey\"`; A string; ThingRowID int64 }\n")
	r.declareDomain()
	r.declareRows()
	r.declareInterface()
	return map[string]string{
		"domain.go": r.domain.String(), "v2/model.go": r.model.String(),
		"v1/queries/queries.go": strings.ReplaceAll(r.queries.String(), "db DBTX2", `db interface{ Exec(context.Context, string, ...any) (pgconn.CommandTag, error) }`),
	}
}

func (r *randomVersion) declareDomain() {
	r.key = r.pick("string", "int64", "uuid.UUID", "Level")
	r.domain.WriteString("\ntype Level int64\ntype Part struct { A string; B int64 }\ntype Base struct { Region string }\n")
	r.domain.WriteString(r.pick("var ErrNone = errors.New(\"none\")\n", "type ErrNone struct{}\nfunc (*ErrNone) Error() string { return \"\" }\n",
		"func ErrNone(err error) bool { return false }\n"))
	r.domain.WriteString("type Thing struct {\n\tID " + r.key + "\n")
	if r.chance(3) {
		r.domain.WriteString("\tBase\n")
	}
	used := map[string]bool{}
	for range r.number(6) {
		name := r.pick(unluckyFields...)
		if used[name] {
			continue
		}
		used[name] = true
		typ := r.pick(append([]string{"Level", "Part", "*Part", "[]Part", "[]*Part"}, columnTypes...)...)
		r.fields = append(r.fields, [2]string{name, typ})
		fmt.Fprintf(&r.domain, "\t%s %s\n", name, typ)
	}
	if r.chance(8) {
		r.domain.WriteString("\thidden int\n")
	}
	r.domain.WriteString("}\n")
}

// columns draws fields that agree with the domain's, more or less.
func (r *randomVersion) columns(part string) string {
	key := r.key
	if key == "Level" {
		key = "int64"
	}
	out := "\tTenantID string\n\tID " + key + "\n"
	for _, f := range r.fields {
		typ := f[1]
		switch r.number(5) {
		case 0:
			continue
		case 1:
			typ = r.pick(columnTypes...)
		}
		typ = strings.NewReplacer("Level", "int64", "Part", part).Replace(typ)
		out += "\t" + f[0] + " " + typ + "\n"
	}
	if r.chance(2) {
		out += "\tMore" + r.pick("", "1", "_2") + " " + r.pick(columnTypes...) + "\n"
	}
	return out
}

func (r *randomVersion) declareRows() {
	fmt.Fprintf(&r.queries, "\ntype Thing struct {\n%s}\n", r.columns("Piece"))
	if r.chance(2) {
		fmt.Fprintf(&r.queries, "\ntype GetThingRow struct {\n\tThing Thing\n\tPiece Piece\n}\n")
	} else {
		fmt.Fprintf(&r.queries, "\ntype GetThingRow struct {\n%s}\n", r.columns("Piece"))
	}
	model := strings.Replace(r.columns("PieceRow"), "\n\tID ", "\n\tID  ", 1)
	model = strings.Replace(model, "TenantID string", "TenantID string `gorm:\"primaryKey\"`", 1)
	model = strings.Replace(model, "\tID  string", "\tID string `gorm:\"primaryKey\"`", 1)
	model = strings.Replace(model, "\tID  int64", "\tID int64 `gorm:\"primaryKey\"`", 1)
	model = strings.Replace(model, "\tID  uuid.UUID", "\tID uuid.UUID `gorm:\"primaryKey\"`", 1)
	fmt.Fprintf(&r.model, "\ntype ThingRow struct {\n%s}\n", model)
}

// query declares one query with some shape of parameters.
func (r *randomVersion) query(name, command string, params [][2]string, result string) {
	fmt.Fprintf(&r.queries, "\nconst sql%s = `-- name: %s :%s\nselect`\n", name, name, command)
	list := ""
	slice := ""
	if strings.HasPrefix(command, "batch") {
		slice = "[]"
	}
	if slice != "" || r.chance(2) {
		fmt.Fprintf(&r.queries, "\ntype %sParams struct {\n", name)
		for _, p := range params {
			fmt.Fprintf(&r.queries, "\t%s %s\n", strings.ToUpper(p[0][:1])+p[0][1:], p[1])
		}
		r.queries.WriteString("}\n")
		list = ", arg " + slice + r.pick("", "*") + name + "Params"
	} else {
		for _, p := range params {
			list += ", " + p[0] + " " + p[1]
		}
	}
	fmt.Fprintf(&r.queries, "\nfunc (q *Queries) %s(ctx context.Context%s) %s { panic(0) }\n", name, list, result)
}

func (r *randomVersion) declareInterface() {
	key := r.key
	column := strings.ReplaceAll(key, "Level", "int64")
	row, ptr := r.pick("Thing", "GetThingRow"), r.pick("", "*")
	save := [][2]string{}
	for _, line := range strings.Split(strings.TrimSpace(r.columns("Piece")), "\n") {
		words := strings.Fields(line)
		save = append(save, [2]string{words[0], words[1]})
	}
	one := [][2]string{{"tenantID", "string"}, {"id", column}}
	list := [][2]string{{"tenantID", "string"}, {"after", r.pick("*"+column, column)}, {"limit", r.pick("int32", "int64", "int")}}
	r.query("GetThing", "one", one, "("+r.pick("", "*")+row+", error)")
	r.query("SaveThing", r.pick("exec", "execrows"), save, "error")
	r.query("DeleteThing", "execrows", one, "(int64, error)")
	r.query("ThingKeys", "many", list, "([]"+column+", error)")
	r.query("Keys", "many", list, "([]"+column+", error)")
	fmt.Fprintf(&r.domain, `
//crossfade:entity name=PKG notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Things interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id %[1]s) (%[2]sThing, error)
	//crossfade:write key=%[3]s.ID
	Save(ctx context.Context, tenant string, %[3]s %[2]sThing) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id %[1]s) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *%[1]s, limit int) ([]%[1]s, error)
`, key, ptr, r.pick("t", "thing", "r", "err", "q", "queries", "row", "m"))
	for i := range r.number(5) {
		r.extra(i, one, save, row)
	}
	r.domain.WriteString("}\n")
	if !strings.Contains(r.queries.String(), "pgconn") {
		text := strings.Replace(r.queries.String(), "\t\"github.com/jackc/pgx/v5/pgtype\"\n", "\t\"github.com/jackc/pgx/v5/pgconn\"\n\t\"github.com/jackc/pgx/v5/pgtype\"\n", 1)
		r.queries.Reset()
		r.queries.WriteString(text)
	}
}

// extra declares one more method, and its query; the model's version has it by
// hand.
func (r *randomVersion) extra(i int, one, save [][2]string, row string) {
	name := fmt.Sprintf("M%d", i)
	param := r.pick("x", "err", "r", "list", "name", "rows", "queries", "postgres", "failed", "params")
	var verb, params, result string
	switch r.number(6) {
	case 0:
		verb, params, result = "list", "", "([]"+r.pick("", "*")+"Thing, error)"
		r.query(name, "many", one[:1], "([]"+r.pick("", "*")+row+", error)")
	case 1:
		verb, params, result = "list", ", "+param+" string", "("+r.pick("", "*")+"Thing, bool, error)"
		r.query(name, "one", append([][2]string{{param, "string"}}, one[:1]...), "("+row+", error)")
	case 2:
		verb, params, result = "write keys=things[].ID", ", things []Thing", "error"
		r.query(name, "batchexec", save, "*"+name+"BatchResults")
		fmt.Fprintf(&r.queries, "\ntype %[1]sBatchResults struct{}\n\nfunc (b *%[1]sBatchResults) Exec(f func(int, error)) {}\n", name)
	case 3:
		kind := r.pick("string", "int64", "time.Time", "Level", "*string")
		verb, params, result = "write key=id", ", id "+r.key+", "+param+" "+kind, "("+kind+", error)"
		column := strings.ReplaceAll(r.pick(kind, "string"), "Level", "int64")
		r.query(name, "one", append([][2]string{{param, strings.ReplaceAll(kind, "Level", "int64")}}, one...), "("+column+", error)")
	case 4:
		verb, params, result = "read keys=ids", ", ids []"+r.key, "([]Thing, error)"
		r.query(name, "batchone", one, "*"+name+"BatchResults")
		fmt.Fprintf(&r.queries, "\ntype %[1]sBatchResults struct{}\n\nfunc (b *%[1]sBatchResults) QueryRow(f func(int, %[2]s, error)) {}\n", name, row)
	case 5:
		verb, params, result = "read keys=ids", ", ids ..."+r.key, "([]"+r.key+", error)"
		r.query(name, "batchmany", one, "*"+name+"BatchResults")
		fmt.Fprintf(&r.queries, "\ntype %[1]sBatchResults struct{}\n\nfunc (b *%[1]sBatchResults) Query(f func(int, []int64, error)) {}\n", name)
	default:
		verb, params, result = "write all", ", "+param+" time.Time", "("+r.pick("int", "int64")+", error)"
		r.query(name, "execrows", append([][2]string{{r.pick(param, "before"), "time.Time"}}, one[:1]...), "(int64, error)")
	}
	fmt.Fprintf(&r.domain, "\t//crossfade:%s\n\t%s(ctx context.Context, tenant string%s) %s\n", verb, name, params, result)
	if !strings.Contains(r.model.String(), "var _ PKG") {
		r.model.WriteString("\nvar _ PKG.Thing\n")
	}
	byHand := strings.NewReplacer("Thing", "PKG.Thing", "Level", "PKG.Level").Replace(params + ") " + result)
	if !strings.Contains(r.model.String(), "random/PKG") {
		text := strings.Replace(r.model.String(), "\n)\n", "\n\n\t\"random/PKG\"\n)\n", 1)
		r.model.Reset()
		r.model.WriteString(text)
	}
	fmt.Fprintf(&r.model, "\nfunc (r *Repository) %s(ctx context.Context, tenant string%s { panic(0) }\n", name, strings.ReplaceAll(byHand, ", r ", ", r2 "))
}
