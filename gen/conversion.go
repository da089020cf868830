package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// conversion makes a struct of another, field by field: one generated function.
type conversion struct {
	from, to types.Type
	fn       string // the function's name
	arg      string // its parameter
	mapper   *mapperMethod
	fields   []fieldCopy
	done     bool // all fields are decided
}

// fieldCopy fills one field.
type fieldCopy struct {
	target
	from    string // the source, behind the parameter's name: ".ID"; "" where the Mapper gives it
	convert bool
	sub     *valueCopy // of structs and lists of structs
}

// fails reports whether the function has to return an error.
func (c *conversion) fails() bool {
	return c.mapper != nil || slices.ContainsFunc(c.fields, func(f fieldCopy) bool { return f.sub.fails() })
}

// valueCopy says how a value becomes one of another type.
type valueCopy struct {
	from, to types.Type
	convert  bool          // by T(x)
	mapper   *mapperMethod // as a whole
	conv     *conversion
	same     bool // conv takes a type with the same fields: x is converted to it first
	fromPtr  bool // x is a pointer to what conv takes
	toPtr    bool // the value is a pointer to what conv returns
	elem     *valueCopy
}

func (v *valueCopy) fails() bool {
	switch {
	case v == nil:
		return false
	case v.elem != nil:
		return v.elem.fails()
	}
	return v.mapper != nil || v.conv != nil && v.conv.fails()
}

// plain reports whether nothing is to be done but to write x, or T(x).
func (v *valueCopy) plain() bool { return v.mapper == nil && v.conv == nil && v.elem == nil }

// valueCopy returns how a value becomes one of another type, or nil where only
// a person can say it.
func (c *versionCode) valueCopy(from, to types.Type) *valueCopy {
	if convert, ok := copied(from, to); ok {
		return &valueCopy{from: from, to: to, convert: convert}
	}
	if elem := c.elements(from, to); elem != nil {
		return &valueCopy{from: from, to: to, elem: elem}
	}
	v := &valueCopy{from: from, to: to}
	var source, result types.Type
	if source, v.fromPtr = deref(from); v.fromPtr && typeName(from) != nil {
		return nil
	}
	if result, v.toPtr = deref(to); v.toPtr && typeName(to) != nil {
		return nil
	}
	if v.fromPtr != v.toPtr && c.depth > 0 {
		return nil // nil has no counterpart
	}
	if !c.pairable(source, result) {
		return nil
	}
	v.conv, v.same = c.conversion(source, result)
	if v.conv == nil {
		return nil
	}
	return v
}

func (c *versionCode) elements(from, to types.Type) *valueCopy {
	a, ok := from.Underlying().(*types.Slice)
	b, ok2 := to.Underlying().(*types.Slice)
	if !ok || !ok2 || isBytes(from) || isBytes(to) {
		return nil
	}
	c.depth++
	defer func() { c.depth-- }()
	return c.valueCopy(a.Elem(), b.Elem())
}

// pairable reports whether one struct is a row of this version and the other
// one of the application's own.
func (c *versionCode) pairable(from, to types.Type) bool {
	return c.isRow(from) && c.isDomain(to) || c.isDomain(from) && c.isRow(to)
}

func (c *versionCode) isRow(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !isOpenStruct(named) {
		return false
	}
	p := named.Obj().Pkg()
	return p == c.v.pkg.Types || c.queries != nil && p == c.queries.Types
}

func (c *versionCode) isDomain(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && !c.isRow(t) && isOpenStruct(named) && c.nameable(t) && !isGORMType(named)
}

func isGORMType(named *types.Named) bool { return named.Obj().Pkg().Path() == "gorm.io/gorm" }

// isOpenStruct reports whether all that a struct holds is exported.
func isOpenStruct(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 {
		return false
	}
	for f := range s.Fields() {
		if f.Name() != "_" && !f.Exported() && !embeddedOpen(f) {
			return false
		}
	}
	return true
}

// embeddedOpen reports whether a field is an embedded struct whose fields are
// promoted.
func embeddedOpen(f *types.Var) bool { return f.Embedded() && isOpenStruct(f.Type()) }

// conversion returns the function from one struct to another, of which there is
// one for each pair of types. Rows with the same fields in the same order are
// one: sqlc makes a type for each query that joins.
func (c *versionCode) conversion(from, to types.Type) (conv *conversion, same bool) {
	for _, known := range c.conversions {
		if !types.Identical(known.to, to) {
			continue
		}
		if types.Identical(known.from, from) {
			return known, false
		}
		if c.isRow(from) && types.IdenticalIgnoreTags(known.from.Underlying(), from.Underlying()) {
			return known, true
		}
	}
	conv = &conversion{from: from, to: to}
	name := c.conversionName(from, to)
	conv.fn, conv.arg = c.names.unique(lowerFirst(name)), c.argName(from)
	if c.names.user[conv.fn] {
		return nil, false
	}
	c.conversions = append(c.conversions, conv)
	c.depth++
	c.fill(conv, name)
	c.depth--
	conv.done = true
	return conv, false
}

// argName is the parameter of a conversion: row, or the first letter of what
// the application calls it.
func (c *versionCode) argName(from types.Type) string {
	if c.isRow(from) {
		return "row"
	}
	return strings.ToLower(typeName(from).Name()[:1])
}

// conversionName is CustomerFromRow for the first type of rows from which one of
// the application's is made, and CustomerFromListCustomersRow for others.
func (c *versionCode) conversionName(from, to types.Type) string {
	a, b := upperFirst(typeName(from).Name()), upperFirst(typeName(to).Name())
	name := b + "FromRow"
	if c.isRow(to) {
		name = "RowFrom" + a
	}
	if c.names.generated[lowerFirst(name)] {
		return b + "From" + a
	}
	return name
}

// fill decides for each field where it comes from.
func (c *versionCode) fill(conv *conversion, name string) {
	sources := c.fieldsOf(conv.from, "", true)
	var mapped []target
	for _, t := range c.fieldsOf(conv.to, "", false) {
		f := fieldCopy{target: target{t.path, t.typ}}
		source := c.pickField(sources, t.name)
		if source == nil {
			if !c.filledByGORM(conv, t) {
				mapped = append(mapped, f.target)
				conv.fields = append(conv.fields, f)
			}
			continue
		}
		if v := c.valueCopy(source.typ, t.typ); v != nil && !c.circular(v) {
			f.from, f.convert = source.path, v.convert
			if !v.plain() {
				f.sub = v
			}
		} else {
			mapped = append(mapped, f.target)
		}
		conv.fields = append(conv.fields, f)
	}
	if len(mapped) > 0 {
		conv.mapper = c.mapperMethod(name, []target{{conv.arg, conv.from}}, mapped,
			fmt.Sprintf("%s returns the fields of %s in which %s differs.", name, c.say(conv.to), c.say(conv.from)))
	}
}

// circular reports whether a conversion is needed by itself: then it cannot be
// known yet whether it fails.
func (c *versionCode) circular(v *valueCopy) bool {
	for v.elem != nil {
		v = v.elem
	}
	return v.conv != nil && slices.Contains(c.open(), v.conv)
}

// open are conversions whose fields are being decided.
func (c *versionCode) open() []*conversion {
	var list []*conversion
	for _, conv := range c.conversions {
		if !conv.done {
			list = append(list, conv)
		}
	}
	return list
}

// sourceField is a field of a struct, or of one inside of it.
type sourceField struct {
	name  string
	path  string // ".Customer.ID"
	typ   types.Type
	depth int
	main  bool // of the embedded model that is called as the entity
}

// fieldsOf lists the exported fields of a struct, those of embedded structs in
// their place. With inner, fields of rows that sqlc.embed put there follow.
func (c *versionCode) fieldsOf(t types.Type, path string, inner bool) []sourceField {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var own, below []sourceField
	for i := range s.NumFields() {
		f := s.Field(i)
		switch {
		case isGORMIgnored(s.Tag(i)):
		case embeddedOpen(f) && !isOpaque(f.Type()):
			inside := path
			if f.Exported() {
				inside += "." + f.Name()
			}
			for _, g := range c.fieldsOf(f.Type(), inside, false) {
				g.depth++
				own = append(own, g)
			}
		case !f.Exported():
		default:
			own = append(own, sourceField{name: f.Name(), path: path + "." + f.Name(), typ: f.Type()})
			if inner && c.isRow(f.Type()) && c.queries != nil {
				for _, g := range c.fieldsOf(f.Type(), path+"."+f.Name(), false) {
					g.depth, g.main = g.depth+1, strings.HasSuffix(typeName(f.Type()).Name(), c.entityNoun)
					below = append(below, g)
				}
			}
		}
	}
	return append(own, below...)
}

// isOpaque reports whether a struct is one value to those who use it.
func isOpaque(t types.Type) bool { return hasOwnText(t) || equality(t) != "" }

// pickField finds the field of a name; nil where several could be meant.
func (c *versionCode) pickField(fields []sourceField, name string) *sourceField {
	plain := c.plain(name)
	var found *sourceField
	twice := false
	for i := range fields {
		f := &fields[i]
		switch {
		case c.plain(f.name) != plain:
		case found == nil, f.main && !found.main && found.depth > 0:
			found, twice = f, false
		case f.depth > found.depth, found.main && !f.main:
		default:
			twice = true
		}
	}
	if twice {
		return nil
	}
	return found
}
