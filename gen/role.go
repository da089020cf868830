package gen

import (
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"strings"
)

// copier is what copying a key from side to side needs, and which methods do it.
type copier struct {
	get, put, del, keys *method
	value               types.Type // what get returns
	found               bool       // get returns (T, bool, error)
	putDeref            int        // put takes T (0), *T (1), or what T points to (-1)
	missing             missing
}

// needsAbsent reports whether "not there" has to be turned into an error of ours:
// get answers it without one.
func (c *copier) needsAbsent() bool {
	_, pointer := c.value.Underlying().(*types.Pointer)
	return (pointer || c.found) && c.missing.form != missingIs
}

// missing says how a side tells that a key is not there.
type missing struct {
	form missingForm
	name string // of the variable, function or type
	pkg  *types.Package
	ptr  bool // the pointer to the type is the error
}

type missingForm int

const (
	missingIs   missingForm = iota + 1 // errors.Is with a variable
	missingAs                          // errors.As with a type
	missingFunc                        // func(error) bool
	missingNil                         // a nil pointer, or false
)

var roleNames = []string{"get", "put", "delete", "keys"}

var roleGuesses = map[string]*regexp.Regexp{
	"get":    regexp.MustCompile(`^(Get|Find|Load|Read|Fetch|ByID)`),
	"put":    regexp.MustCompile(`^(Save|Put|Upsert|Store|Set|Write)`),
	"delete": regexp.MustCompile(`^(Delete|Remove|Erase|Drop)`),
	"keys":   regexp.MustCompile(`(Keys|IDs)`),
}

// roles checks the methods by which keys are copied.
func (g *generator) roles(e *entity) {
	chosen := map[string]*method{}
	complete := g.rolesNamed(e)
	for _, role := range roleNames {
		name, ok := e.dir.get(role)
		if !ok {
			continue
		}
		switch m := e.method(name); {
		case m != nil:
			chosen[role] = m
		case hasMethodNamed(e, name):
			complete = false // its problem has been said
		default:
			g.ps.add(e.dir.pos, e.iface, "%s=%s: the interface has no method %s", role, name, name)
			complete = false
		}
	}
	if !complete {
		return
	}
	c := &e.copier
	c.get, c.put, c.del, c.keys = chosen["get"], chosen["put"], chosen["delete"], chosen["keys"]
	if g.keysRole(e) && g.keysAgree(e) && g.getRole(e) {
		g.putRole(e)
		g.deleteRole(e)
		g.missingRole(e)
	}
}

func (e *entity) method(name string) *method {
	for _, m := range e.methods {
		if m.name == name {
			return m
		}
	}
	return nil
}

func hasMethodNamed(e *entity, name string) bool {
	for fn := range e.methodSet().Methods() {
		if fn.Name() == name {
			return true
		}
	}
	return false
}

// rolesNamed reports the roles that the directive leaves out, with guesses.
func (g *generator) rolesNamed(e *entity) bool {
	var lacking, add []string
	for _, role := range roleNames {
		if e.dir.has(role) {
			continue
		}
		lacking = append(lacking, role+"=")
		guess := "..."
		for fn := range e.methodSet().Methods() {
			if roleGuesses[role].MatchString(fn.Name()) {
				guess = fn.Name()
				break
			}
		}
		if guess == "..." && role == "keys" {
			guess = "Keys, and a method Keys(ctx context.Context, tenant string, after *K, limit int) ([]K, error) with " + marker + verbList
		}
		add = append(add, role+"="+guess)
	}
	if !e.dir.has("notfound") {
		lacking = append(lacking, "notfound=")
		guess := "... (an error variable, an error type, a func(error) bool, or nil)"
		if e.pkg.Types.Scope().Lookup("ErrNotFound") != nil {
			guess = "ErrNotFound"
		}
		add = append([]string{"notfound=" + guess}, add...)
	}
	if len(lacking) == 0 {
		return true
	}
	g.ps.add(e.dir.pos, e.iface, "%s%s lacks %s: backfill and repair copy a key from side to side by the interface's own methods, "+
		"which read it, write all of it, delete it, walk the keys, and tell that it is not there; add %s",
		marker, verbEntity, strings.Join(lacking, ", "), strings.Join(add, " "))
	return false
}

// keysRole checks Keys(ctx, tenant, after *K, limit int) ([]K, error).
func (g *generator) keysRole(e *entity) bool {
	m := e.copier.keys
	args := m.args()
	wrong := func() bool {
		tenant := "tenant string, "
		if e.tenant.none {
			tenant = ""
		}
		g.problem(m, "it is the role keys=, and its shape is not (ctx context.Context, %safter *K, limit int) ([]K, error): "+
			"up to limit keys behind after, in an order of the side's own", tenant)
		return false
	}
	if len(args) != 2 || len(m.results) != 1 || m.variadic || m.verb != verbList || !e.tenant.none && m.tenantParam() < 0 {
		return wrong()
	}
	after, ok := m.params[args[0]].typ.Underlying().(*types.Pointer)
	slice, ok2 := m.results[0].typ.Underlying().(*types.Slice)
	if !ok || !ok2 || !types.Identical(after.Elem(), slice.Elem()) || !types.Identical(m.params[args[1]].typ, types.Typ[types.Int]) {
		return wrong()
	}
	c, err := newCodec(e.pkg.Types, slice.Elem())
	if err != nil {
		g.problem(m, "%v", err)
		return false
	}
	e.key = c
	return true
}

// keysAgree checks that all methods make the text of a key from the same types.
func (g *generator) keysAgree(e *entity) bool {
	agree := true
	for _, m := range e.methods {
		for _, set := range m.keys {
			if !set.codec.sameText(e.key) {
				g.problem(m, "its key has type (%s), and %s returns keys of type (%s): the texts of one key could differ, and with them its lock; use the same types",
					set.codec.show(g.qualifier(m)), e.copier.keys.name, e.key.show(g.qualifier(m)))
				agree = false
			}
		}
	}
	return agree
}

func (g *generator) getRole(e *entity) bool {
	c := &e.copier
	m := c.get
	c.found = len(m.results) == 2 && types.Identical(m.results[1].typ, types.Typ[types.Bool])
	if m.verb != verbRead || len(m.keys) != 1 || m.keys[0].many || len(m.results) != 1 && !c.found {
		g.problem(m, "it is the role get=, and is no %s%s of one key that returns (T, error) or (T, bool, error)", marker, verbRead)
		return false
	}
	c.value = m.results[0].typ
	return g.takesKey(e, m, "get")
}

func (g *generator) deleteRole(e *entity) {
	m := e.copier.del
	if m.verb != verbWrite || len(m.keys) != 1 {
		g.problem(m, "it is the role delete=, and is no %s%s of one key", marker, verbWrite)
		return
	}
	g.takesKey(e, m, "delete")
}

// takesKey checks that a method can be called with nothing but tenant and key.
func (g *generator) takesKey(e *entity, m *method, role string) bool {
	if _, err := m.keyArgs("", "key"); err != nil {
		g.problem(m, "it is the role %s=, and %v: it must take the tenant and the key, as %s returns it, and nothing else", role, err, e.copier.keys.name)
		return false
	}
	return true
}

// keyArgs returns the arguments besides ctx of a call with tenant and key.
func (m *method) keyArgs(tenant, key string) ([]string, error) {
	var args []string
	for i, p := range m.params {
		typ := p.typ
		if m.variadic && i == len(m.params)-1 {
			typ = typ.(*types.Slice).Elem() // so is the last parameter of a variadic function
		}
		switch part := m.keyPartOf(i); {
		case i == m.tenantParam():
			args = append(args, tenant)
		case types.Identical(typ, m.entity.key.typ):
			args = append(args, key)
		case part != "" && !m.variadic:
			args = append(args, key+"."+part)
		default:
			return nil, fmt.Errorf("parameter %s is neither the tenant nor the key", p.name)
		}
	}
	return args, nil
}

// keyPartOf returns the field of the key type that the parameter holds.
func (m *method) keyPartOf(i int) string {
	for j, p := range m.keys[0].parts {
		if p.root == i && len(p.steps) == 0 {
			return m.entity.key.parts[j].field
		}
	}
	return ""
}

func (g *generator) putRole(e *entity) {
	c := &e.copier
	m := c.put
	args := m.args()
	if m.verb != verbWrite || len(m.keys) != 1 || len(args) != 1 {
		g.problem(m, "it is the role put=, and is no %s%s of one value, which inserts it or replaces all of it", marker, verbWrite)
		return
	}
	typ := m.params[args[0]].typ
	if m.variadic {
		typ = typ.(*types.Slice).Elem() // so is the last parameter of a variadic function
	}
	value, isPtr := c.value.Underlying().(*types.Pointer)
	switch {
	case types.Identical(typ, c.value):
	case types.Identical(typ, types.NewPointer(c.value)):
		c.putDeref = 1
	case isPtr && types.Identical(typ, value.Elem()):
		c.putDeref = -1
	default:
		g.problem(m, "it is the role put= and takes %s, but %s returns %s: a copy writes what it has read",
			g.show(m, typ), c.get.name, g.show(m, c.value))
	}
}

// missingRole finds out how "not there" is told.
func (g *generator) missingRole(e *entity) {
	text, _ := e.dir.get("notfound")
	c := &e.copier
	_, pointer := c.value.Underlying().(*types.Pointer)
	if text == "nil" {
		c.missing.form = missingNil
		if !pointer && !c.found {
			g.ps.add(e.dir.pos, e.iface, "notfound=nil, but %s returns neither a pointer nor (T, bool, error)", c.get.name)
		}
		return
	}
	obj, err := e.lookup(text)
	if err != nil {
		g.ps.add(e.dir.pos, e.iface, "notfound=%s: %v", text, err)
		return
	}
	c.missing.name, c.missing.pkg = obj.Name(), obj.Pkg()
	errorType := types.Universe.Lookup("error").Type().Underlying().(*types.Interface) // so it is
	switch obj := obj.(type) {
	case *types.Var:
		if types.Implements(obj.Type(), errorType) {
			c.missing.form = missingIs
		}
	case *types.TypeName:
		c.missing.ptr = !types.Implements(obj.Type(), errorType)
		if types.Implements(obj.Type(), errorType) || types.Implements(types.NewPointer(obj.Type()), errorType) {
			c.missing.form = missingAs
		}
	case *types.Func:
		if types.TypeString(obj.Type(), nil) == "func(error) bool" || isErrorTest(obj.Signature()) {
			c.missing.form = missingFunc
		}
	}
	if c.missing.form == 0 {
		g.ps.add(e.dir.pos, e.iface, "notfound=%s is no error variable, no error type and no func(error) bool", text)
	}
}

func isErrorTest(sig *types.Signature) bool {
	return sig.TypeParams() == nil && sig.Params().Len() == 1 && isError(sig.Params().At(0).Type()) && !sig.Variadic() &&
		sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.Bool])
}

// lookup finds a name of the package, or pkg.Name of one that it imports.
func (e *entity) lookup(text string) (types.Object, error) {
	scope, name := e.pkg.Types.Scope(), text
	if dot := strings.LastIndex(text, "."); dot >= 0 {
		imported := e.imported(text[:dot])
		if imported == nil {
			return nil, fmt.Errorf("the package %s is not imported here", text[:dot])
		}
		scope, name = imported.Scope(), text[dot+1:]
		if !token.IsExported(name) {
			return nil, fmt.Errorf("%s is not exported", name)
		}
	}
	if obj := scope.Lookup(name); obj != nil {
		return obj, nil
	}
	return nil, fmt.Errorf("there is no %s", name)
}

// imported finds a package by its path, or by the name that the file gives it.
func (e *entity) imported(name string) *types.Package {
	for _, p := range e.pkg.Types.Imports() {
		if p.Path() == name {
			return p
		}
	}
	for _, spec := range e.file.Imports {
		obj := e.pkg.TypesInfo.Implicits[spec]
		if spec.Name != nil {
			obj = e.pkg.TypesInfo.Defs[spec.Name]
		}
		if p, ok := obj.(*types.PkgName); ok && p.Name() == name {
			return p.Imported()
		}
	}
	return nil
}
