package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// codec turns a value into canonical text and back: one part for a scalar, one
// for each field of a struct.
type codec struct {
	typ   types.Type
	parts []keyPart
}

// keyPart is one scalar of a key.
type keyPart struct {
	field string // of the struct; "" where the value itself is the part
	typ   types.Type
	form  keyForm
}

type keyForm int

const (
	formString keyForm = iota + 1
	formInt
	formUint
	formBool
	formUUID // github.com/google/uuid
	formText // String and UnmarshalText
)

// newCodec returns the codec of a key's or tenant's type.
func newCodec(from *types.Package, t types.Type) (codec, error) {
	c := codec{typ: t}
	if form := textForm(t); form != 0 {
		c.parts = []keyPart{{typ: t, form: form}}
		return c, nil
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 || equality(t) != "" || hasOwnText(t) {
		return c, errNoText(t)
	}
	for f := range s.Fields() {
		form := textForm(f.Type())
		if form == 0 || f.Embedded() || !f.Exported() && f.Pkg() != from {
			return c, errNoText(t)
		}
		c.parts = append(c.parts, keyPart{field: f.Name(), typ: f.Type(), form: form})
	}
	return c, nil
}

func errNoText(t types.Type) error {
	why := ""
	if has := equality(t); has != "" {
		why = fmt.Sprintf(" (its method %s says that values with different text can be equal)", has)
	}
	return fmt.Errorf("type %s has no canonical text%s: a key is a string, an integer, a uuid.UUID, "+
		"a type with String() string and UnmarshalText([]byte) error, or a struct of such fields", types.TypeString(t, (*types.Package).Name), why)
}

// textForm says how a scalar becomes text; 0 where it does not.
func textForm(t types.Type) keyForm {
	if b, ok := t.Underlying().(*types.Basic); ok {
		switch info := b.Info(); {
		case info&types.IsString != 0:
			return formString
		case info&types.IsBoolean != 0:
			return formBool
		case info&types.IsUnsigned != 0 && b.Kind() != types.Uintptr:
			return formUint
		case info&types.IsInteger != 0 && b.Kind() != types.Uintptr:
			return formInt
		}
		return 0
	}
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface, *types.Slice, *types.Map, *types.Chan, *types.Signature:
		return 0 // nil has no text
	}
	switch {
	case isNamed(t, "github.com/google/uuid", "UUID"):
		return formUUID
	case equality(t) == "" && hasMethod(t, "String", nil, "string") && hasMethod(types.NewPointer(t), "UnmarshalText", []string{"[]byte"}, "error"):
		return formText
	}
	return 0
}

// equality returns the method of t by which values with different
// representations can be equal: time.Time and decimals have one.
func equality(t types.Type) string {
	for _, name := range []string{"Equal", "Cmp"} {
		sig := methodOf(t, name)
		if sig != nil && sig.Params().Len() == 1 && types.Identical(sig.Params().At(0).Type(), t) {
			return name
		}
	}
	return ""
}

// hasOwnText reports whether a struct is one value to those who use it: it
// writes itself for people, or for a database.
func hasOwnText(t types.Type) bool {
	return methodOf(t, "String") != nil || methodOf(t, "MarshalText") != nil || methodOf(t, "Value") != nil
}

// methodOf returns the signature of a method that t has, by value.
func methodOf(t types.Type, name string) *types.Signature {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
	fn, ok := obj.(*types.Func)
	if !ok {
		return nil
	}
	return fn.Type().(*types.Signature) // functions have signatures
}

// hasMethod compares a method's parameters and, unless it is "", its one result.
func hasMethod(t types.Type, name string, params []string, result string) bool {
	sig := methodOf(t, name)
	if sig == nil || sig.Params().Len() != len(params) {
		return false
	}
	if result != "" && (sig.Results().Len() != 1 || sig.Results().At(0).Type().String() != result) {
		return false
	}
	for i, want := range params {
		if sig.Params().At(i).Type().String() != want {
			return false
		}
	}
	return true
}

// sameText reports whether two codecs write the same text for the same key.
func (c codec) sameText(other codec) bool {
	return slices.EqualFunc(c.parts, other.parts, func(a, b keyPart) bool { return types.Identical(a.typ, b.typ) })
}

func (c codec) show(qualify types.Qualifier) string {
	names := make([]string, len(c.parts))
	for i, p := range c.parts {
		names[i] = types.TypeString(p.typ, qualify)
	}
	return strings.Join(names, ", ")
}

// readKeys finds the keys that a method touches.
func (g *generator) readKeys(m *method, dir *directive) {
	m.all = dir.has("all") || m.verb == verbList || m.verb == verbStream
	for _, a := range dir.args {
		if a.name != "key" && a.name != "keys" {
			continue
		}
		set, err := g.readKeySet(m, a)
		if err != nil {
			g.problem(m, "%s=%s: %v", a.name, a.value, err)
			continue
		}
		m.keys = append(m.keys, set)
	}
	named := dir.has("key") || dir.has("keys")
	switch {
	case named && dir.has("all"):
		g.problem(m, "%s names keys and says all: keep one", dir.verb)
	case !named && !m.all && m.verb == verbCreate:
		g.problem(m, "%s%s needs the key that the database made: key=result.ID, key=c.ID or keys=result[].ID", marker, m.verb)
	case !named && !m.all:
		g.problem(m, "%s%s needs its keys: %s", marker, m.verb, g.needsKeys(m))
	}
}

func (g *generator) needsKeys(m *method) string {
	switch m.verb {
	case verbRead:
		return "key=id or keys=ids; a read by predicate is a " + verbList
	default:
		return "key=id, keys=ids, or all for one by predicate"
	}
}

func (g *generator) readKeySet(m *method, a arg) (keySet, error) {
	set := keySet{many: a.name == "keys"}
	for _, text := range strings.Split(a.value, ",") {
		p, err := m.resolve(text)
		if err != nil {
			return set, err
		}
		if set.many && p.each < 0 {
			if p, err = p.elements(); err != nil {
				return set, err
			}
		}
		if err := m.checkKey(set, p); err != nil {
			return set, err
		}
		c, err := newCodec(m.entity.pkg.Types, p.typ)
		if err != nil {
			return set, err
		}
		for _, part := range c.parts {
			one := p
			one.typ = part.typ
			if part.field != "" {
				one.steps = append(slices.Clone(p.steps), step{name: part.field})
			}
			set.parts = append(set.parts, one)
			set.codec.parts = append(set.codec.parts, part)
		}
	}
	return set, nil
}

// elements is the path with [] at its end.
func (p path) elements() (path, error) {
	slice, ok := p.typ.Underlying().(*types.Slice)
	if !ok {
		return p, fmt.Errorf("it is no slice: use key= for one key")
	}
	p.each, p.elem, p.typ = len(p.steps), slice.Elem(), slice.Elem()
	return p, nil
}

func (m *method) checkKey(set keySet, p path) error {
	switch {
	case p.each >= 0 && !set.many:
		return fmt.Errorf("it names several keys: use keys=")
	case set.many && len(set.parts) > 0 && (set.parts[0].root != p.root || set.parts[0].sliceText() != p.sliceText()):
		return fmt.Errorf("the parts of a key come from different slices")
	case p.root == resultRoot && m.verb != verbCreate:
		return fmt.Errorf("the result is known only after the call: that is a %s%s", marker, verbCreate)
	case m.verb == verbCreate && p.root != resultRoot && !m.madeIn(p):
		return fmt.Errorf("it is passed by value, so that the key which the database makes cannot appear in it: "+
			"use key=result..., pass a pointer, or use %s%s if the caller makes the key", marker, verbWrite)
	}
	return nil
}

// madeIn reports whether a side can write the key into the argument.
func (m *method) madeIn(p path) bool {
	if p.each >= 0 {
		return true
	}
	for _, s := range p.steps {
		if s.ptr {
			return true
		}
	}
	return false
}
