package compare

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"sync"
)

// Redactor turns a value into the text that logs and ledgers may hold. It is called only for values that differ and are
// not marked safe, may be called concurrently, and must not change the value. If it panics, the text is
// "redactor panicked" and Rules.OnPanic is told.
type Redactor func(path string, value any) string

// NewRedactor returns the redactor that is used by default, with a secret of your own: it shows a value's type, its
// length where it has one, and a keyed hash (48 bits of HMAC-SHA-256), such as "string(12)#5d0f31c2a9be". Equal values
// have equal hashes under one secret, and nothing can be computed from them without it. Nil is shown as "nil".
//
// An empty secret means one drawn at random for this process: then hashes can be compared within a process only. Give
// all processes one secret of 32 random bytes to compare hashes over the whole fleet.
func NewRedactor(secret []byte) Redactor {
	if len(secret) == 0 {
		return redactDefault
	}
	secret = append([]byte(nil), secret...)
	return func(_ string, value any) string { return redact(secret, value) }
}

var processSecret = sync.OnceValue(func() []byte {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails: it stops the program instead
	return secret
})

func redactDefault(_ string, value any) string { return redact(processSecret(), value) }

func redact(secret []byte, value any) string {
	v := reflect.ValueOf(value)
	if isNil(v) {
		return "nil"
	}
	text := v.Type().String()
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map:
		text += "(" + strconv.Itoa(v.Len()) + ")"
	}
	return text + "#" + keyedHash(secret, v)
}

func keyedHash(secret []byte, v reflect.Value) string {
	mac := hmac.New(sha256.New, secret)
	switch {
	case v.Kind() == reflect.String:
		writeText(mac, v.String())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		mac.Write(v.Bytes())
	default:
		mac.Write([]byte(render(v, maxHashed)))
	}
	return hex.EncodeToString(mac.Sum(nil)[:6])
}

// writeText hashes a text piece by piece, without a copy of all of it.
func writeText(to io.Writer, text string) {
	var piece [4096]byte
	for text != "" {
		n := copy(piece[:], text)
		_, _ = to.Write(piece[:n]) // a hash never fails
		text = text[n:]
	}
}

// RedactKey returns the keyed hash under which a key stands in logs, such as "#5d0f31c2a9be". Under the same secret
// equal keys have equal texts; an empty secret means this process's own.
func RedactKey(secret []byte, key string) string {
	if len(secret) == 0 {
		secret = processSecret()
	}
	return "#" + keyedHash(secret, reflect.ValueOf(key))
}

// show sets the texts of a difference from its values, if it still has them.
func (d *Diff) show(redactor Redactor) {
	if d.raw == nil {
		return
	}
	d.Served = d.text(redactor, d.raw.served)
	d.Other = d.text(redactor, d.raw.other)
}

func (d *Diff) text(redactor Redactor, value any) string {
	switch value := value.(type) {
	case nil:
		return "nil"
	case absent:
		return "absent"
	case plain:
		return string(value)
	case failure:
		return value.text(d.Safe)
	default:
		if d.Safe {
			return display(value)
		}
		return redactor(d.Path, value)
	}
}

// plain is a text that holds no data and is shown as it is: lengths, types, classes of errors.
type plain string

func typeName(v reflect.Value) plain {
	return plain(fmt.Sprintf("type %s", v.Type()))
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return v.IsNil()
	}
	return false
}
