package compare

import (
	"fmt"
	"reflect"
)

func (d *deep) slices(path string, served, other reflect.Value, depth int) {
	switch {
	case d.nilAgainstEmpty(served, other):
		d.values(path, KindValue, served, other)
	case served.Len() == other.Len() && (served.Pointer() == other.Pointer() || d.entered(served, other)):
	default:
		d.elements(path, served, other, depth)
	}
}

func (d *deep) elements(path string, served, other reflect.Value, depth int) {
	common := min(served.Len(), other.Len())
	if served.Len() != other.Len() {
		d.differ(path, KindLength, plain(fmt.Sprint(served.Len())), plain(fmt.Sprint(other.Len())))
	}
	for i := 0; i < common && !d.c.truncated; i++ {
		d.compare(indexed(path, i), served.Index(i), other.Index(i), depth+1)
	}
	for i := common; i < min(served.Len(), common+MaxDiffsPerField); i++ {
		d.differ(indexed(path, i), KindMissing, open(served.Index(i)), absent{})
	}
	for i := common; i < min(other.Len(), common+MaxDiffsPerField); i++ {
		d.differ(indexed(path, i), KindExtra, absent{}, open(other.Index(i)))
	}
}

func (d *deep) maps(path string, served, other reflect.Value, depth int) {
	switch {
	case d.nilAgainstEmpty(served, other):
		d.values(path, KindValue, served, other)
		return
	case served.Pointer() == other.Pointer() || d.entered(served, other):
		return
	}
	var oddServed, oddOther []reflect.Value // values under keys that are not equal to themselves
	for iter := served.MapRange(); iter.Next() && !d.c.truncated; {
		key := iter.Key()
		if !key.Equal(key) {
			oddServed = append(oddServed, iter.Value())
			continue
		}
		at := path + keyPath(key, d.opt)
		if found := other.MapIndex(key); found.IsValid() {
			d.compare(at, iter.Value(), found, depth+1)
		} else {
			d.lone(at, key, KindMissing, open(iter.Value()), absent{})
		}
	}
	for iter := other.MapRange(); iter.Next() && !d.c.truncated; {
		key := iter.Key()
		if !key.Equal(key) {
			oddOther = append(oddOther, iter.Value())
		} else if !served.MapIndex(key).IsValid() {
			d.lone(path+keyPath(key, d.opt), key, KindExtra, absent{}, open(iter.Value()))
		}
	}
	d.odd(path+"[NaN]", oddServed, oddOther, depth)
}

// lone reports an entry that the other map does not have. Keys that are found by their address, not by their value, say
// nothing when they are not found.
func (d *deep) lone(path string, key reflect.Value, kind Kind, served, other any) {
	if byAddress(key) {
		kind, served, other = KindUncomparable, plain("a key found by address"), plain("a key found by address")
	}
	d.differ(path, kind, served, other)
}

func byAddress(key reflect.Value) bool {
	switch key.Kind() {
	case reflect.Pointer, reflect.Chan, reflect.UnsafePointer:
		return true
	case reflect.Interface:
		return byAddress(key.Elem())
	case reflect.Array:
		return key.Len() > 0 && byAddress(key.Index(0))
	case reflect.Struct:
		for i := range key.NumField() {
			if byAddress(key.Field(i)) {
				return true
			}
		}
	}
	return false
}

// odd matches the values under keys like NaN, which no lookup finds: each value needs an equal one.
func (d *deep) odd(path string, served, other []reflect.Value, depth int) {
	if len(served) != len(other) {
		d.differ(path, KindLength, plain(fmt.Sprint(len(served))), plain(fmt.Sprint(len(other))))
		return
	}
	taken := make([]bool, len(other))
	for _, s := range served {
		matched := false
		for j := 0; j < len(other) && !matched && !d.c.truncated; j++ {
			if !taken[j] && d.equal(s, other[j], depth) {
				taken[j], matched = true, true
			}
		}
		if !matched {
			d.differ(path, KindMissing, open(s), absent{})
		}
	}
}

// equal reports whether two values are equal, without reporting differences.
func (d *deep) equal(served, other reflect.Value, depth int) bool {
	var found Collector
	inner := deep{c: &found, opt: d.opt, seen: map[visit]bool{}, nodes: d.nodes}
	inner.compare("", served, other, depth+1)
	d.nodes = inner.nodes
	if d.nodes > maxNodes {
		d.c.truncate("")
	}
	return found.Diffs() == nil
}

// nilAgainstEmpty reports whether one of two slices or maps is nil, the other empty, and that counts.
func (d *deep) nilAgainstEmpty(served, other reflect.Value) bool {
	return served.IsNil() != other.IsNil() && served.Len()+other.Len() == 0 && !d.opt.nilEmpty()
}
