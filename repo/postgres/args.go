package postgres

import (
	"database/sql/driver"
	"math/big"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// keepArgs returns arguments that stay as they are until they are sent, or
// false where that cannot be told: a reused []byte would be written as it is
// later. What holds no reference is copied by being an interface value.
func keepArgs(args []any) ([]any, bool) {
	kept := make([]any, len(args))
	for i, arg := range args {
		value, ok := keepArg(arg)
		if !ok {
			return nil, false
		}
		kept[i] = value
	}
	return kept, true
}

func keepArg(arg any) (any, bool) {
	switch v := arg.(type) {
	case nil, string, bool, int, int16, int32, int64, float32, float64, time.Time:
		return v, true
	case []byte:
		return slices.Clone(v), true
	case []string:
		return slices.Clone(v), true
	case pgtype.Numeric:
		if v.Int != nil {
			v.Int = new(big.Int).Set(v.Int)
		}
		return v, true
	}
	t := reflect.TypeOf(arg)
	switch t.Kind() {
	case reflect.Pointer:
		return keepPointer(arg, t)
	case reflect.Slice:
		return keepSlice(arg, t)
	}
	if plain(t) {
		return arg, true
	}
	if valuer, ok := arg.(driver.Valuer); ok && t.Kind() == reflect.Struct { // a decimal, say
		value, err := valuer.Value()
		if err != nil {
			return nil, false
		}
		return keepArg(value)
	}
	return nil, false
}

func keepPointer(arg any, t reflect.Type) (any, bool) {
	v := reflect.ValueOf(arg)
	if v.IsNil() || !plain(t.Elem()) {
		return arg, v.IsNil()
	}
	kept := reflect.New(t.Elem())
	kept.Elem().Set(v.Elem())
	return kept.Convert(t).Interface(), true
}

func keepSlice(arg any, t reflect.Type) (any, bool) {
	v := reflect.ValueOf(arg)
	if v.IsNil() || !plain(t.Elem()) {
		return arg, v.IsNil()
	}
	kept := reflect.MakeSlice(t, v.Len(), v.Len())
	reflect.Copy(kept, v)
	return kept.Interface(), true
}

var plains sync.Map // of bool by reflect.Type

// plain reports whether a copy of a value shares nothing with it that changes.
func plain(t reflect.Type) bool {
	if known, ok := plains.Load(t); ok {
		return known.(bool) //nolint:forcetypeassert // stored below
	}
	is := isPlain(t)
	plains.Store(t, is)
	return is
}

func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return false
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		for i := range t.NumField() {
			if !plain(t.Field(i).Type) {
				return false
			}
		}
	}
	return true
}
