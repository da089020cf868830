package compare

import (
	"encoding/json"
	"math"
	"reflect"
	"time"
)

const (
	maxNodes = 1 << 20 // values that one Any visits
	deepest  = 512     // levels that it descends
)

// Any compares two values of a type for which nothing better is known, by reflection: structs field by field, lists in
// order, maps by key, times as Time does, json.Number as Decimal does, types with a method Equal(T) bool by that, and
// everything else as its kind is compared elsewhere. It never panics: functions, and what lies beyond its limits
// (a million values, 512 levels), are uncomparable; values that contain themselves are followed once.
func Any[T any](c *Collector, name string, served, other T, options ...Option) {
	if simplyEqual(any(served), any(other)) {
		return
	}
	anyDiffers(c, name, served, other, options)
}

// anyDiffers is apart from Any so that values which are simply equal stay off the heap.
//
//go:noinline
func anyDiffers[T any](c *Collector, name string, served, other T, options []Option) {
	opt := merge(options)
	defer func() {
		if recovered := recover(); recovered != nil && !opt.ignored() {
			c.Add(panicked(name, recovered))
		}
	}()
	var found Collector
	d := deep{c: &found, opt: opt, seen: map[visit]bool{}}
	// Pointers keep interfaces visible: the static type T is compared, and what it holds.
	d.compare("", reflect.ValueOf(&served).Elem(), reflect.ValueOf(&other).Elem(), 0)
	c.absorb(name, found.Diffs(), opt)
}

// Deep is the Func of any type, by way of Any.
func Deep[T any](served, other T) []Diff {
	var c Collector
	Any(&c, "", served, other)
	return c.Diffs()
}

// deep is one comparison by reflection in progress.
type deep struct {
	c     *Collector
	opt   Option
	seen  map[visit]bool
	nodes int

	differing int // values that were found to differ
}

type visit struct {
	served, other uintptr
	length        int
	typ           reflect.Type
}

func (d *deep) differ(path string, kind Kind, served, other any) {
	if kind.judged() {
		if d.differing++; d.differing > maxDiffering {
			d.c.truncate("")
			return
		}
	}
	d.c.report(path, kind, served, other, Option{flags: d.opt.flags &^ flagIgnore})
}

func (d *deep) values(path string, kind Kind, served, other reflect.Value) {
	d.differ(path, kind, open(served), open(other))
}

// open returns the value, or, for an unexported field that reflection will not hand out, its text.
func open(v reflect.Value) any {
	if v.CanInterface() {
		return v.Interface()
	}
	return render(v, maxHashed)
}

// tolerance is what numbers may lie apart; for durations that is Within.
func (d *deep) tolerance(v reflect.Value) float64 {
	if v.Type() == reflect.TypeFor[time.Duration]() && d.opt.hasWithin() {
		return float64(d.opt.within)
	}
	return d.opt.tolerance
}

func (d *deep) compare(path string, served, other reflect.Value, depth int) {
	if d.nodes++; d.nodes > maxNodes || depth > deepest {
		d.differ(path, KindUncomparable, plain("too large or too deep"), plain("too large or too deep"))
		d.c.truncate("")
		return
	}
	if d.bySpecial(path, served, other) {
		return
	}
	switch served.Kind() {
	case reflect.Pointer:
		d.pointers(path, served, other, depth)
	case reflect.Interface:
		d.interfaces(path, served, other, depth)
	case reflect.Struct:
		for i := 0; i < served.NumField() && !d.c.truncated; i++ {
			d.compare(join(path, served.Type().Field(i).Name), served.Field(i), other.Field(i), depth+1)
		}
	case reflect.Slice:
		d.slices(path, served, other, depth)
	case reflect.Array:
		d.elements(path, served, other, depth)
	case reflect.Map:
		d.maps(path, served, other, depth)
	case reflect.Func:
		if !served.IsNil() || !other.IsNil() {
			d.differ(path, KindUncomparable, typeName(served), typeName(other))
		}
	case reflect.Chan, reflect.UnsafePointer:
		if served.Pointer() != other.Pointer() {
			d.differ(path, KindUncomparable, typeName(served), typeName(other))
		}
	default:
		if !d.sameScalar(served, other) {
			d.values(path, KindValue, served, other)
		}
	}
}

func (d *deep) sameScalar(served, other reflect.Value) bool {
	switch {
	case served.Kind() == reflect.Bool:
		return served.Bool() == other.Bool()
	case served.Kind() == reflect.String:
		return served.String() == other.String()
	case served.CanInt():
		return served.Int() == other.Int() || near(served.Int(), other.Int(), d.tolerance(served))
	case served.CanUint():
		return served.Uint() == other.Uint() || near(served.Uint(), other.Uint(), d.opt.tolerance)
	case served.CanFloat():
		return sameFloat(served.Float(), other.Float()) || near(served.Float(), other.Float(), d.opt.tolerance)
	case served.CanComplex():
		a, b := served.Complex(), other.Complex()
		return sameFloat(real(a), real(b)) && sameFloat(imag(a), imag(b))
	}
	return false
}

func sameFloat(served, other float64) bool {
	return served == other || math.IsNaN(served) && math.IsNaN(other)
}

func (d *deep) check(path string, served, other reflect.Value, equal bool) {
	if !equal {
		d.values(path, KindValue, served, other)
	}
}

// bySpecial compares types that know better than their fields: times, decimals of JSON, types with a method Equal.
func (d *deep) bySpecial(path string, served, other reflect.Value) bool {
	switch served.Type() {
	case reflect.TypeFor[time.Time]():
		if !served.CanInterface() {
			if render(served, MaxText) != render(other, MaxText) {
				d.differ(path, KindUncomparable, plain("unexported time"), plain("unexported time"))
			}
			return true
		}
		d.check(path, served, other, sameInstant(served.Interface().(time.Time), other.Interface().(time.Time), d.opt))
		return true
	case reflect.TypeFor[json.Number]():
		a, okA := parseDecimal(served.String())
		b, okB := parseDecimal(other.String())
		d.check(path, served, other, served.String() == other.String() ||
			okA && okB && (a == b || d.opt.hasTolerance() && a.near(b, d.opt.tolerance)))
		return true
	}
	if isNil(served) || isNil(other) || !served.CanInterface() || served.Kind() == reflect.Interface {
		return false
	}
	method, ok := served.Type().MethodByName("Equal")
	if !ok || method.Type.NumIn() != 2 || method.Type.In(1) != served.Type() || method.Type.NumOut() != 1 ||
		method.Type.Out(0) != reflect.TypeFor[bool]() {
		return false
	}
	equal, recovered := callEqual(served, other, method.Index)
	if recovered != nil {
		d.c.Add(panicked(path, recovered))
	} else {
		d.check(path, served, other, equal)
	}
	return true
}

func callEqual(served, other reflect.Value, method int) (equal bool, recovered any) {
	defer func() { recovered = recover() }()
	return served.Method(method).Call([]reflect.Value{other})[0].Bool(), nil
}

// entered reports whether this pair of references is being compared already or has been.
func (d *deep) entered(served, other reflect.Value) bool {
	length := 0
	if served.Kind() == reflect.Slice {
		length = served.Len()
	}
	v := visit{served.Pointer(), other.Pointer(), length, served.Type()}
	if d.seen[v] {
		return true
	}
	d.seen[v] = true
	return false
}

func (d *deep) pointers(path string, served, other reflect.Value, depth int) {
	switch {
	case served.Pointer() == other.Pointer():
	case served.IsNil() || other.IsNil():
		d.oneNil(path, served, other)
	case !d.entered(served, other):
		d.compare(path, served.Elem(), other.Elem(), depth+1)
	}
}

func (d *deep) oneNil(path string, served, other reflect.Value) {
	present, kind := served, KindMissing
	if served.IsNil() {
		present, kind = other, KindExtra
	}
	if d.opt.nilEmpty() && present.Kind() == reflect.Pointer && present.Elem().IsZero() {
		return
	}
	d.values(path, kind, served, other)
}

func (d *deep) interfaces(path string, served, other reflect.Value, depth int) {
	switch {
	case served.IsNil() && other.IsNil():
	case served.IsNil() || other.IsNil():
		d.oneNil(path, served, other)
	case served.Elem().Type() != other.Elem().Type():
		d.differ(path, KindType, typeName(served.Elem()), typeName(other.Elem()))
	default:
		d.compare(path, served.Elem(), other.Elem(), depth+1)
	}
}
