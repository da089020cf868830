package repo

import (
	"context"
	"reflect"

	"github.com/crossfade-db/crossfade/flags"
)

// mixes reports whether an answer takes each row's side: a list of the entity's
// values, under a share of keys between stages whose authority differs. Every
// other answer of several keys is the lower stage's.
func (q *query[R, A, V]) mixes(use *flags.Use) bool {
	if !use.Mixed.Valid() || use.Stage.Plan().Authority == use.Mixed.Plan().Authority {
		return false
	}
	var none V
	_, ok := q.route.copier.Mix(none, none, nil)
	return ok
}

// mixTries is how often a list is read from both sides in a transaction of the
// application while others commit, before the lower stage's authority alone
// answers, who knows every write.
const mixTries = 3

// serveMixed returns the list of the lower stage's authority, in which the rows
// whose keys are at the upper stage come from that one's, out of one snapshot;
// rows stay that are stale there or that its list lacks. base is the former
// list as it was: it is the answer where the other side errs, or where no
// moment is found at which both were read.
func (q query[R, A, V]) serveMixed(ctx context.Context, use flags.Use) (answer, base V, err error) {
	scope := q.route.scope(q.op, use.Decision, q.tenant, q.keys)
	lower, upper := use.Stage.Plan().Authority, use.Mixed.Plan().Authority
	known, fellBack := false, false
	err = q.route.backend.Read(ctx, scope, true, func(ctx context.Context, s Session[R]) error {
		for range mixTries {
			var other V
			ran := false
			known, fellBack = false, false
			one, err := s.Together(ctx, func(ctx context.Context) (err error) {
				ran = true
				args := q.args
				if q.op.CloneArgs {
					args = Clone(args)
				}
				if base, err = q.side(ctx, s.Side(lower), use.Stage, lower, q.args); err != nil {
					return err
				}
				answer, known = base, true
				oerr := s.Protect(ctx, func(ctx context.Context) error {
					return guard(func() (err error) {
						other, err = q.side(ctx, s.Side(upper), use.Stage, upper, args)
						return err
					})
				})
				fellBack = oerr != nil
				return nil
			})
			switch {
			case err != nil || fellBack:
				return err
			case one:
				answer, fellBack = q.mix(base, other, use, s.Stale())
				return nil
			case !ran:
				base, err = q.side(ctx, s.Side(lower), use.Stage, lower, q.args)
				answer = base
				return err
			}
		}
		answer, fellBack = base, true
		return nil
	})
	if err != nil && known && !q.route.backend.Transactional() && !refusedOrGone(ctx, err) {
		answer, fellBack, err = base, true, nil // the other side took the connection with it
	}
	if err == nil && fellBack {
		q.route.stats.fallbacks.Add(1)
	}
	return answer, base, err
}

// mix puts a list together; fellBack says that it is the lower stage's alone,
// as the values do not let their keys be read.
func (q query[R, A, V]) mix(base, other V, use flags.Use, stale []StaleKey) (answer V, fellBack bool) {
	upper := use.Mixed.Plan().Authority
	missed := map[string]bool{}
	for _, k := range stale {
		if k.Side == upper {
			missed[k.Key] = true
		}
	}
	if missed[StaleAll] {
		return base, false
	}
	err := guard(func() error {
		mixed, ok := q.route.copier.Mix(base, other, func(key string) bool {
			return !missed[key] && use.KeyStage(q.tenant, key) == use.Mixed
		})
		if answer, fellBack = base, true; ok {
			answer, fellBack = mixed.(V), false //nolint:forcetypeassert // Mix returns what it was given
		}
		return nil
	})
	if err != nil {
		return base, true
	}
	return answer, fellBack
}

// Mix implements [Copier] for slices of T, and of *T or of what T points to.
func (c CopyBy[R, K, T]) Mix(oldList, newList any, fromNew func(key string) bool) (any, bool) {
	if c.KeyOf == nil {
		return nil, false
	}
	if older, ok := oldList.([]T); ok {
		newer, ok := newList.([]T)
		return mixed(older, newer, func(v *T) string { return c.KeyText(c.KeyOf(*v)) }, fromNew), ok
	}
	return c.mixOther(oldList, newList, fromNew)
}

// mixOther mixes lists of types that are not exactly []T.
func (c CopyBy[R, K, T]) mixOther(oldList, newList any, fromNew func(key string) bool) (any, bool) {
	list, value := reflect.TypeOf(oldList), reflect.TypeFor[T]()
	if list == nil || list.Kind() != reflect.Slice || list != reflect.TypeOf(newList) {
		return nil, false
	}
	var valueOf func(reflect.Value) reflect.Value // of an element, which is addressable
	switch elem := list.Elem(); {
	case elem == value:
		valueOf = func(v reflect.Value) reflect.Value { return v }
	case elem == reflect.PointerTo(value):
		valueOf = reflect.Value.Elem
	case value == reflect.PointerTo(elem):
		valueOf = reflect.Value.Addr
	default:
		return nil, false
	}
	keyOf := func(v *reflect.Value) string { return c.KeyText(c.KeyOf(valueOf(*v).Interface().(T))) } //nolint:forcetypeassert // as the cases say
	elements := func(list any) []reflect.Value {
		all := make([]reflect.Value, reflect.ValueOf(list).Len())
		for i := range all {
			all[i] = reflect.ValueOf(list).Index(i)
		}
		return all
	}
	if reflect.ValueOf(oldList).IsNil() {
		return oldList, true
	}
	out := reflect.MakeSlice(list, 0, reflect.ValueOf(oldList).Len())
	out = reflect.Append(out, mixed(elements(oldList), elements(newList), keyOf, fromNew)...)
	return out.Interface(), true
}

// mixed returns the old list with the elements replaced for which fromNew says
// so, as far as the new list has them. Equal keys, which a join may make, are
// replaced in their order.
func mixed[E any](older, newer []E, keyOf func(*E) string, fromNew func(key string) bool) []E {
	if older == nil {
		return nil
	}
	found := make(map[string][]int, len(newer))
	for i := range newer {
		key := keyOf(&newer[i])
		found[key] = append(found[key], i)
	}
	list := make([]E, len(older))
	for i := range older {
		list[i] = older[i]
		key := keyOf(&older[i])
		if at := found[key]; len(at) > 0 && fromNew(key) {
			list[i], found[key] = newer[at[0]], at[1:]
		}
	}
	return list
}
