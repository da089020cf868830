package versions

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Bound is a registry with what makes each version: for repo/postgres a
// postgres.Factory of the entity's repository. Make one with [Bind].
type Bound[F any] struct {
	*Registry
	made map[string]F
}

// Move is a migration with what makes its two sides.
type Move[F any] struct {
	Migration
	Old, New F
}

// Bind gives each version of the registry what makes it. A version without one, or
// with nil, is an [*Error] that names the ends of the migration that lacks a side;
// so is one that the registry does not know.
func Bind[F any](r *Registry, made map[string]F) (*Bound[F], error) {
	var texts []string
	wrong := &Error{Entity: r.entity}
	bad := func(kind Kind, from, to, format string, args ...any) {
		if len(texts) == 0 {
			wrong.Kind, wrong.From, wrong.To = kind, from, to
		}
		texts = append(texts, fmt.Sprintf(format, args...))
	}
	for i, v := range r.versions {
		if f, ok := made[v]; ok && !isNil(f) {
			continue
		}
		switch {
		case len(r.versions) == 1:
			bad(KindMissing, v, v, "nothing makes version %s", v)
		case i == 0:
			bad(KindMissing, v, r.versions[1], "nothing makes version %s, the old side of the migration to %s", v, r.versions[1])
		default:
			bad(KindMissing, r.versions[i-1], v, "nothing makes version %s, the new side of the migration from %s", v, r.versions[i-1])
		}
	}
	for _, v := range slices.Sorted(maps.Keys(made)) {
		if !slices.Contains(r.versions, v) {
			bad(KindUnknown, v, v, "version %q is not registered: known are %s", v, strings.Join(r.versions, ", "))
		}
	}
	if len(texts) > 0 {
		wrong.Problem = strings.Join(texts, "; ")
		return nil, wrong
	}
	return &Bound[F]{Registry: r, made: maps.Clone(made)}, nil
}

// Moves returns the migrations with their sides, newest first: the order in which
// routed repositories are made, since each one's new side may go on to the one made
// before it.
func (b *Bound[F]) Moves() []Move[F] {
	var all []Move[F]
	for _, m := range slices.Backward(b.Migrations()) {
		all = append(all, Move[F]{Migration: m, Old: b.made[m.From], New: b.made[m.To]})
	}
	return all
}

// isNil reports whether a value of any type is nil.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Interface, reflect.Slice, reflect.Chan:
		return r.IsNil()
	}
	return false
}
