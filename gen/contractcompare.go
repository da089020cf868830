package gen

import (
	"fmt"
	"go/types"
	"strings"
)

// compare writes the comparison of two answers, "" where there is none to make.
func (o *contractOperation) compare() string {
	m := o.m
	switch {
	case m.stream == seqStream:
		return o.listDiff(types.NewSlice(seqElem(m.results[0].typ)), false)
	case m.stream == eachStream:
		return o.listDiff(types.NewSlice(o.callbackRow()), false)
	case m.verb == verbCreate, len(m.results) > 1:
		return o.structDiff()
	case len(m.results) == 1:
		return o.diff(m.results[0].typ, m.unordered)
	}
	return ""
}

// diff returns a function that compares values of a type: the entity's own
// comparator, or what package compare has for the type.
func (o *contractOperation) diff(t types.Type, unordered bool) string {
	compare := o.imports.std(comparePath)
	switch under := t.Underlying().(type) {
	case *types.Slice:
		return o.listDiff(t, unordered)
	case *types.Pointer:
		return o.wrapped(t, fmt.Sprintf("%s.Pointer(&c, \"\", served, other, %s)", compare, o.diff(under.Elem(), false)))
	case *types.Basic:
		return fmt.Sprintf("%s.Values[%s]", compare, o.show(t))
	}
	if isTime(t) {
		return compare + ".Times"
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() == o.e.pkg.Types && named.TypeArgs().Len() == 0 {
		if name := "Diff" + named.Obj().Name(); o.domain.generated[name] || o.domain.user[name] {
			return o.imports.qualifier(named.Obj().Pkg()) + "." + name
		}
	}
	return fmt.Sprintf("%s.Deep[%s]", compare, o.show(t))
}

func (o *contractOperation) listDiff(t types.Type, unordered bool) string {
	compare := o.imports.std(comparePath)
	elem := t.Underlying().(*types.Slice).Elem()
	if basic, ok := elem.Underlying().(*types.Basic); ok && basic.Kind() == types.Byte {
		return fmt.Sprintf("%s.Deep[%s]", compare, o.show(t))
	}
	function := "Slice"
	if unordered {
		function = "Unordered"
	}
	return o.wrapped(t, fmt.Sprintf("%s.%s(&c, \"\", served, other, %s)", compare, function, o.diff(elem, false)))
}

func (o *contractOperation) wrapped(t types.Type, statement string) string {
	return o.collected(o.show(t), statement)
}

func (o *contractOperation) collected(typ string, statements ...string) string {
	compare := o.imports.std(comparePath)
	return fmt.Sprintf("func(served, other %s) []%s.Diff {\nvar c %s.Collector\n%s\nreturn c.Diffs()\n}",
		typ, compare, compare, strings.Join(statements, "\n"))
}

// structDiff compares several results, one by one.
func (o *contractOperation) structDiff() string {
	compare := o.imports.std(comparePath)
	var statements []string
	add := func(field string, t types.Type, unordered bool) {
		statements = append(statements, fmt.Sprintf("%s.Struct(&c, %q, served.%s, other.%s, %s)", compare, field, field, field, o.diff(t, unordered)))
	}
	for i, r := range o.m.results {
		add(o.results[i], r.typ, i == 0 && o.m.unordered)
	}
	if o.m.verb == verbCreate {
		add(o.stored(), o.e.copier.value, false)
	}
	return o.collected(o.answerName(o.m), statements...)
}
