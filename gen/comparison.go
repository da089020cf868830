package gen

import (
	"fmt"
	"go/types"
)

// comparison decides how one value is compared; ok is false where it is left
// out, or where a problem was reported.
func (cs *comparers) comparison(at fieldAt, t, owner types.Type, tg tag) (comparison, bool) {
	c := comparison{name: at.name, sel: at.sel, typ: t, tag: tg}
	bad := func(format string, args ...any) (comparison, bool) {
		cs.problem(at, format, args...)
		return c, false
	}
	if why := uncomparable(t); why != "" && tg.fn == "" {
		if tg.ignore {
			return c, false
		}
		return bad("%s cannot be compared: tag the field `compare:\"ignore\"`, or give a function by `compare:\"func=Name\"`", why)
	}
	if why := tg.misfit(t); why != "" {
		return bad("compare tag: %s", why)
	}
	if tg.fn != "" {
		return cs.custom(c, at, t)
	}
	switch {
	case tg.decimal:
		c.op = "Decimal"
		return c, true
	case tg.json || isNamed(t, "encoding/json", "RawMessage"):
		c.op = "JSON"
		return c, true
	case holdsLock(t):
		return cs.locked(c, at, t, owner)
	case cs.cut(t, owner) && !tg.unordered || !cs.nameable(t) || isInterface(t), tg.ignore && !cs.scalar(t):
		c.op = "Any" // which ends on circles, and says nothing of what is ignored and uncomparable
		return c, true
	case pointsToLock(t) && (at.name == "" || tg.nilEmpty || cs.whole(elemOf(t))):
		c.op = "Any"
		return c, true
	case pointsToLock(t):
		c.op, c.elem = "Struct", cs.of(t, owner, tag{})
		return c, true
	case isTime(t):
		c.op = "Time"
		return c, true
	case isTimeLike(t):
		c.op, c.conv = "Time", timeType(t)
		return c, true
	}
	if c.op, c.method = byMethod(t); c.op != "" {
		return c, true
	}
	return cs.byKind(c, at, t, owner)
}

// locked compares a struct that must not be copied by way of its address.
func (cs *comparers) locked(c comparison, at fieldAt, t, owner types.Type) (comparison, bool) {
	if c.tag.ignore {
		return c, false
	}
	if at.name == "" || cs.whole(t) || !cs.nameable(t) {
		c.op = "Any"
		return c, true
	}
	c.op, c.address, c.elem = "Struct", true, cs.of(types.NewPointer(t), owner, tag{})
	return c, true
}

func (cs *comparers) byKind(c comparison, at fieldAt, t, owner types.Type) (comparison, bool) {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		c.op = "Equal"
		if c.tag.within != "" {
			c.op = "Number"
		}
	case *types.Pointer:
		c.op, c.elem = "Pointer", cs.of(u.Elem(), owner, c.tag)
	case *types.Map:
		c.op, c.elem = "Map", cs.of(u.Elem(), owner, c.tag)
	case *types.Slice:
		return cs.slice(c, at, u.Elem(), owner)
	case *types.Array:
		if cs.plain(t) && c.tag.within == "" {
			c.op = "Equal"
		} else {
			c.op, c.elem = "Slice", cs.of(u.Elem(), owner, c.tag)
			c.sel += "[:]"
		}
	case *types.Struct:
		switch {
		case cs.plain(t):
			c.op = "Equal"
		case cs.opaque(t):
			c.op = "Any"
		default:
			c.op, c.elem = "Struct", cs.of(t, owner, tag{})
		}
	default:
		c.op = "Any"
	}
	return c, true
}

func (cs *comparers) slice(c comparison, at fieldAt, elem, owner types.Type) (comparison, bool) {
	if b, ok := types.Unalias(elem).(*types.Basic); ok && b.Kind() == types.Byte && !c.tag.unordered {
		c.op = "Bytes"
		return c, true
	}
	c.elem = cs.of(elem, owner, c.tag)
	switch {
	case c.tag.by != "":
		p, err := resolveIn(cs.self, elem, c.tag.by)
		if err == nil && !types.Comparable(p.typ) {
			err = fmt.Errorf("type %s cannot be compared with ==", types.TypeString(p.typ, types.RelativeTo(cs.self)))
		}
		if err != nil {
			cs.problem(at, "by=%s: %v", c.tag.by, err)
			return c, false
		}
		c.op, c.by = "UnorderedBy", &p
	case c.tag.unordered && c.elem.std == "Values":
		c.op, c.elem = "UnorderedValues", nil
	case c.tag.unordered:
		c.op = "Unordered"
	default:
		c.op = "Slice"
	}
	return c, true
}

func (cs *comparers) custom(c comparison, at fieldAt, t types.Type) (comparison, bool) {
	from := at.pkg
	fn, _ := from.Scope().Lookup(c.tag.fn).(*types.Func)
	switch {
	case fn == nil:
		cs.problem(at, "compare tag: func=%s: package %s has no function %s", c.tag.fn, from.Name(), c.tag.fn)
		return c, false
	case from != cs.self && !fn.Exported():
		cs.problem(at, "compare tag: func=%s: package %s does not export it", c.tag.fn, from.Name())
		return c, false
	case !isEqualFunc(fn.Signature(), t):
		cs.problem(at, "compare tag: func=%s: it is no func(served, other %s) bool", c.tag.fn, types.TypeString(t, types.RelativeTo(cs.self)))
		return c, false
	}
	c.op, c.custom = "Custom", fn
	return c, true
}

func isEqualFunc(sig *types.Signature, t types.Type) bool {
	return sig.TypeParams() == nil && !sig.Variadic() && sig.Params().Len() == 2 && sig.Results().Len() == 1 &&
		types.Identical(sig.Params().At(0).Type(), t) && types.Identical(sig.Params().At(1).Type(), t) &&
		types.Identical(sig.Results().At(0).Type(), types.Typ[types.Bool])
}
