package gen

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// comparers are the generated comparison functions of one package: one per
// type, wherever it is used.
type comparers struct {
	g      *generator
	self   *types.Package
	fset   *token.FileSet
	names  *names
	byType typeutil.Map // *comparer
	within map[string]*comparer
	file   string // where functions that are asked for now are written
	made   []*comparer
	site   token.Position // the last place in this package on the way to a type
}

// comparer is one comparison function.
type comparer struct {
	name   string
	same   string // the function that says whether there is any difference at all
	typ    types.Type
	params string // the type as generated structs have it, which go/types does not know
	file   string
	fields []comparison
	notes  []string
	byHand bool
	byRef  bool // compares what two pointers point to without copying it: it holds a lock
}

// comparison is one statement of a comparer: one call into package compare.
type comparison struct {
	name string // of the field, "" for the value itself
	sel  string // selector behind served and other
	op   string // function of package compare
	typ  types.Type
	elem *function
	tag  tag

	custom *types.Func // func=
	method string      // expression form for a method that is no Equal(T) bool
	by     *path
	conv   types.Type // both values are converted to it first

	address bool // their addresses are compared
}

// function is an expression of type compare.Func.
type function struct {
	std string // Values, Times or Deep, instantiated with typ
	typ types.Type
	fn  *comparer
}

func newComparers(g *generator, p *pkg, n *names) *comparers {
	return &comparers{g: g, self: p.Types, fset: p.Fset, names: n, within: map[string]*comparer{}}
}

// of returns the function that compares values of t inside of owner, the named
// type that is being compared, if any.
func (cs *comparers) of(t, owner types.Type, tg tag) *function {
	tg = tag{within: tg.within, duration: tg.duration, isTime: tg.isTime, tolerance: tg.tolerance}
	switch {
	case cs.cut(t, owner) || !cs.nameable(t) || isInterface(t) || holdsLock(t):
		return &function{std: "Deep", typ: t}
	case tg.within != "":
		return &function{fn: cs.tolerant(t, owner, tg)}
	case isTime(t):
		return &function{std: "Times", typ: t}
	case cs.plain(t):
		return &function{std: "Values", typ: t}
	}
	if known, ok := cs.byType.At(t).(*comparer); ok {
		return &function{fn: known}
	}
	made := &comparer{typ: t, file: cs.file}
	cs.byType.Set(t, made)
	if made.name, made.byHand = cs.nameFor(t); made.byHand {
		return &function{fn: made}
	}
	cs.addSame(made)
	cs.made = append(cs.made, made)
	if named, ok := types.Unalias(t).(*types.Named); ok {
		owner = named
	}
	if made.byRef = pointsToLock(t) && !cs.whole(elemOf(t)); made.byRef {
		t = elemOf(t)
		owner = t
	}
	made.fields, made.notes = cs.body(t, owner)
	return &function{fn: made}
}

// tolerant returns a function for elements that may lie apart.
func (cs *comparers) tolerant(t, owner types.Type, tg tag) *comparer {
	key := types.TypeString(t, nil) + " within " + tg.within
	if known := cs.within[key]; known != nil {
		return known
	}
	made := &comparer{typ: t, file: cs.file, name: cs.names.unique("diff" + typeWords(t, cs.self) + "Within")}
	cs.within[key] = made
	cs.addSame(made)
	cs.made = append(cs.made, made)
	if one, ok := cs.comparison(fieldAt{}, t, owner, tg); ok {
		made.fields = []comparison{one}
	}
	return made
}

// addSame names the function beside a comparer.
func (cs *comparers) addSame(c *comparer) {
	words := strings.TrimPrefix(strings.TrimPrefix(c.name, "Diff"), "diff")
	c.same = cs.names.unique("same" + words)
}

// nameFor names the function of a type. A function of that name and the right
// shape that the user wrote is used instead.
func (cs *comparers) nameFor(t types.Type) (name string, byHand bool) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() != cs.self || !named.Obj().Exported() || named.TypeArgs().Len() > 0 {
		return cs.names.unique("diff" + typeWords(t, cs.self)), false
	}
	name = "Diff" + named.Obj().Name()
	if !cs.names.user[name] {
		cs.names.generated[name] = true
		return name, false
	}
	obj := cs.self.Scope().Lookup(name)
	if fn, ok := obj.(*types.Func); ok && isDiffFunc(fn.Signature(), t) {
		return name, true
	}
	cs.g.ps.add(cs.fset.Position(obj.Pos()), name, "it stands where the comparison of %s is generated: rename it, "+
		"or make it a func(served, other %s) []compare.Diff, which is then used instead", named.Obj().Name(), named.Obj().Name())
	return name, true
}

func isDiffFunc(sig *types.Signature, t types.Type) bool {
	if sig.TypeParams() != nil || sig.Params().Len() != 2 || sig.Results().Len() != 1 {
		return false
	}
	slice, ok := sig.Results().At(0).Type().(*types.Slice)
	return ok && isNamed(slice.Elem(), comparePath, "Diff") &&
		types.Identical(sig.Params().At(0).Type(), t) && types.Identical(sig.Params().At(1).Type(), t)
}

// body returns the statements that compare two values of t.
func (cs *comparers) body(t, owner types.Type) (all []comparison, notes []string) {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || cs.whole(t) {
		if one, ok := cs.comparison(fieldAt{pos: cs.posOf(t)}, t, owner, tag{}); ok {
			all = append(all, one)
		}
		return all, nil
	}
	for i := range s.NumFields() {
		f := s.Field(i)
		if f.Name() == "_" || !f.Exported() && f.Pkg() != cs.self || isLock(f.Type()) {
			continue
		}
		at := cs.field(t, f)
		tg, err := parseTag(s.Tag(i))
		if err != nil {
			cs.problem(at, "compare tag: %v", err)
			continue
		}
		if f.Pkg() == cs.self {
			cs.site = at.pos
		}
		if one, ok := cs.comparison(at, f.Type(), owner, tg); ok {
			all = append(all, one)
			if cs.cut(f.Type(), owner) && !tg.ignore {
				notes = append(notes, f.Name()+" leads back to the type itself: it is compared by reflection, and tags beneath it are not read.")
			}
		}
	}
	return all, notes
}

func (cs *comparers) posOf(t types.Type) token.Position {
	if obj := typeName(t); obj != nil {
		return cs.fset.Position(obj.Pos())
	}
	return token.Position{}
}

func (cs *comparers) field(t types.Type, f *types.Var) fieldAt {
	where := f.Name()
	if name := typeName(t); name != nil {
		where = name.Name() + "." + where
	}
	return fieldAt{name: f.Name(), sel: "." + f.Name(), where: where, pos: cs.fset.Position(f.Pos()), pkg: f.Pkg()}
}

// problem reports something about a field; if it is one of another package, at
// the place in this one from where it was reached.
func (cs *comparers) problem(at fieldAt, format string, args ...any) {
	if at.pkg != nil && at.pkg != cs.self {
		at.pos = cs.site
		format += " (the field belongs to package " + at.pkg.Path() + ")"
	}
	cs.g.ps.add(at.pos, at.where, format, args...)
}

// fieldAt says which field is compared, and where it is declared.
type fieldAt struct {
	name, sel, where string
	pos              token.Position
	pkg              *types.Package // of the field
}

// result returns the function that compares the results of an operation.
func (cs *comparers) result(m *method, structName string, fields []string) *function {
	cs.site = m.pos()
	if len(m.results) == 1 && !m.unordered {
		return cs.of(m.results[0].typ, nil, tag{})
	}
	if len(m.results) == 0 {
		return &function{std: "Values", typ: types.NewStruct(nil, nil)}
	}
	made := &comparer{file: cs.file, name: cs.names.unique("diff" + upperFirst(m.entity.iface) + upperFirst(m.name)), params: structName}
	cs.addSame(made)
	cs.made = append(cs.made, made)
	if len(m.results) == 1 {
		made.typ = m.results[0].typ
	}
	for i, r := range m.results {
		at := fieldAt{where: m.entity.iface + "." + m.name, pos: m.pos()}
		if len(m.results) > 1 {
			at.name, at.sel = fields[i], "."+fields[i]
		}
		tg := tag{}
		if i == 0 {
			tg.unordered, tg.by = m.unordered, m.by
		}
		if one, ok := cs.comparison(at, r.typ, nil, tg); ok {
			made.fields = append(made.fields, one)
		}
	}
	return &function{fn: made}
}
