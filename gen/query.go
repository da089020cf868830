package gen

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// query is one method of sqlc's Queries.
type query struct {
	name    string
	command string // as in "-- name: X :one"
	pos     token.Position
	dbArg   bool // emit_methods_with_db_argument

	params    []target
	struct_   types.Type // of params, where they are fields of a struct
	structPtr bool
	row       types.Type // of :one, :many, :batchone, :batchmany; what a method returns besides the error
}

// target is something to be filled in: a field or a parameter.
type target struct {
	name string
	typ  types.Type
}

// queryPackage is a package that sqlc generated.
type queryPackage struct {
	*pkg
	queries map[string]*query
	names   []string // sorted
	newArg  bool     // New takes the handle
}

// readQueries reads the package of a version's queries, or reports why it is
// none.
func (g *generator) readQueries(v *version) *queryPackage {
	at := v.SQLC.Package
	dir := g.config.Folder(at)
	p := g.loader.byDir[dir]
	switch {
	case p == nil && !hasGoFiles(dir):
		g.ps.add(at.Pos, v.where, "sqlc: package: %s has no Go files: run `sqlc generate`", at)
		return nil
	case p == nil:
		return nil // the loader has said what is wrong
	}
	obj, _ := p.Types.Scope().Lookup("Queries").(*types.TypeName)
	newFunc, _ := p.Types.Scope().Lookup("New").(*types.Func)
	if obj == nil || newFunc == nil {
		g.ps.add(at.Pos, v.where, "sqlc: package: %s declares no Queries and New, as sqlc does: name the folder that is `out:` in sqlc.yaml", at)
		return nil
	}
	if usesDatabaseSQL(p.Types) {
		g.ps.add(at.Pos, v.where, "sqlc: package: %s is generated for database/sql, and a side runs on pgx: add `sql_package: pgx/v5` below gen: go: in sqlc.yaml and run `sqlc generate`", at)
		return nil
	}
	named, ok := obj.Type().(*types.Named)
	if !ok {
		return nil
	}
	qp := &queryPackage{pkg: p, queries: map[string]*query{}, newArg: newFunc.Signature().Params().Len() > 0}
	commands := sqlCommands(p.Types)
	for fn := range named.Methods() {
		if q := readQuery(p, fn, commands); q != nil {
			qp.queries[q.name] = q
			qp.names = append(qp.names, q.name)
		}
	}
	slices.Sort(qp.names)
	return qp
}

// usesDatabaseSQL tells by the methods of DBTX.
func usesDatabaseSQL(p *types.Package) bool {
	obj := p.Scope().Lookup("DBTX")
	if obj == nil {
		return false
	}
	found, _, _ := types.LookupFieldOrMethod(obj.Type(), false, p, "ExecContext")
	return found != nil
}

var sqlName = regexp.MustCompile(`^\s*-- name: (\w+) :(\w+)`)

// sqlCommands reads the first lines of the statements that sqlc keeps as
// constants: the command of each query.
func sqlCommands(p *types.Package) map[string]string {
	commands := map[string]string{}
	for _, name := range p.Scope().Names() {
		c, ok := p.Scope().Lookup(name).(*types.Const)
		if !ok || c.Val().Kind() != constant.String {
			continue
		}
		if m := sqlName.FindStringSubmatch(constant.StringVal(c.Val())); m != nil {
			commands[m[1]] = m[2]
		}
	}
	return commands
}

// readQuery understands one method, or returns nil for one that is no query.
func readQuery(p *pkg, fn *types.Func, commands map[string]string) *query {
	sig := fn.Signature()
	if !fn.Exported() || sig.Params().Len() == 0 || !isNamed(sig.Params().At(0).Type(), "context", "Context") {
		return nil
	}
	q := &query{name: fn.Name(), command: commands[fn.Name()], pos: p.Fset.Position(fn.Pos())}
	if !q.results(p, sig) {
		return nil
	}
	from := 1
	if sig.Params().Len() > 1 && isNamed(sig.Params().At(1).Type(), p.Types.Path(), "DBTX") {
		q.dbArg, from = true, 2
	}
	q.readParams(sig, from)
	return q
}

// results tells the command by the results, where no constant does, and what a
// row is.
func (q *query) results(p *pkg, sig *types.Signature) bool {
	rs := sig.Results()
	switch {
	case rs.Len() == 1 && isError(rs.At(0).Type()):
		q.command = "exec"
		return true
	case rs.Len() == 1:
		return q.batch(rs.At(0).Type())
	case rs.Len() != 2 || !isError(rs.At(1).Type()):
		return false
	}
	first := rs.At(0).Type()
	switch slice, isSlice := first.(*types.Slice); {
	case p.Types.Scope().Lookup("iteratorFor"+q.name) != nil:
		q.command = "copyfrom"
	case isNamed(first, "github.com/jackc/pgx/v5/pgconn", "CommandTag"):
		q.command = "execresult"
	case q.command == "execrows":
	case isSlice && !isBytes(first) && q.command != "one":
		q.command, q.row = "many", slice.Elem()
	default:
		q.command, q.row = "one", first
	}
	return true
}

// batch reads *XBatchResults, which hands out results to a function.
func (q *query) batch(t types.Type) bool {
	for method, command := range map[string]string{"Exec": "batchexec", "QueryRow": "batchone", "Query": "batchmany"} {
		sig := methodOf(t, method)
		if sig == nil || sig.Params().Len() != 1 {
			continue
		}
		each, ok := sig.Params().At(0).Type().Underlying().(*types.Signature)
		if !ok {
			continue
		}
		q.command = command
		if command != "batchexec" && each.Params().Len() == 3 {
			q.row = each.Params().At(1).Type()
			if slice, ok := q.row.(*types.Slice); ok && command == "batchmany" {
				q.row = slice.Elem()
			}
		}
		return true
	}
	return false
}

// isBatch reports whether the query takes a slice of parameters.
func (q *query) isBatch() bool {
	return strings.HasPrefix(q.command, "batch") || q.command == "copyfrom"
}

func (q *query) readParams(sig *types.Signature, from int) {
	for i := from; i < sig.Params().Len(); i++ {
		p := sig.Params().At(i)
		t := p.Type()
		if slice, ok := t.(*types.Slice); ok && q.isBatch() {
			t = slice.Elem()
		}
		if s, ptr := paramsStruct(t, q.name); s != nil {
			q.struct_, q.structPtr = t, ptr
			if ptr {
				q.struct_, _ = deref(t)
			}
			for f := range s.Fields() {
				q.params = append(q.params, target{f.Name(), f.Type()})
			}
			continue
		}
		q.params = append(q.params, target{p.Name(), t})
	}
}

// paramsStruct returns the fields of XParams, or of a pointer to it.
func paramsStruct(t types.Type, query string) (s *types.Struct, ptr bool) {
	p, ptr := t.(*types.Pointer)
	if ptr {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Name() != query+"Params" {
		return nil, false
	}
	s, _ = named.Underlying().(*types.Struct)
	return s, ptr
}
