package compare_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
)

const secretText = "ada@example.org"

func TestValuesAreNeverShownUnlessMarkedSafe(t *testing.T) {
	type holder struct {
		Email  *string
		Emails []string
		ByMail map[string]string
		Any    any
		hidden string
	}
	served := holder{new(secretText), []string{secretText}, map[string]string{secretText: secretText}, Address{City: secretText}, secretText}
	var log bytes.Buffer
	var c compare.Collector
	compare.Any(&c, "All", served, holder{})
	compare.Equal(&c, "Email", secretText, "")
	compare.Custom(&c, "Own", secretText, "", func(string, string) bool { panic(secretText) })
	compare.Map(&c, "Map", served.ByMail, nil, compare.Values[string])
	compare.JSON(&c, "JSON", `{"`+secretText+`":"`+secretText+`"}`, `{}`)
	compare.Decimal(&c, "Decimal", secretText, "1")
	compare.Slice(&c, "Slice", served.Emails, nil, compare.Values[string])
	diffs := append(c.Diffs(), compare.Errors(fmt.Errorf("no %s", secretText), nil)...)
	for _, printed := range [][]compare.Diff{diffs, (*compare.Rules)(nil).Apply(diffs)} {
		logger := slog.New(slog.NewJSONHandler(&log, nil))
		logger.Warn("diffs", "diffs", printed)
		slog.New(slog.NewTextHandler(&log, nil)).Warn("diffs", "diffs", printed)
		encoded, err := json.Marshal(printed)
		assert.NoError(t, err)
		log.Write(encoded)
		fmt.Fprintf(&log, "%v %+v %#v %s\n", printed, printed, printed, printed)
	}
	assert.NotContains(t, log.String(), secretText)
	assert.GreaterOrEqual(t, len(diffs), 10, "each field was reported")
}

func TestRedactedTextHasTypeLengthAndKeyedHash(t *testing.T) {
	redact := compare.NewRedactor([]byte("secret"))
	for _, test := range []struct {
		value any
		want  string
	}{
		{"Ada", "string(3)#"},
		{[]byte("Ada"), "[]uint8(3)#"},
		{[]int{1, 2}, "[]int(2)#"},
		{map[string]int{"a": 1}, "map[string]int(1)#"},
		{42, "int#"},
		{Customer{Name: "Ada"}, "compare_test.Customer#"},
		{new("Ada"), "*string#"},
	} {
		text := redact("", test.value)
		assert.Regexp(t, "^"+strings.NewReplacer("(", `\(`, ")", `\)`, "[", `\[`, "]", `\]`, "*", `\*`).Replace(test.want)+"[0-9a-f]{12}$", text)
	}
	for _, none := range []any{nil, (*string)(nil), []int(nil), map[string]int(nil)} {
		assert.Equal(t, "nil", redact("", none), "NULL is shown as what it is")
	}
}

func TestHashesRecogniseEqualValuesUnderOneSecretOnly(t *testing.T) {
	mine, same, yours := compare.NewRedactor([]byte("a")), compare.NewRedactor([]byte("a")), compare.NewRedactor([]byte("b"))
	assert.Equal(t, mine("A", "x"), same("B", "x"))
	assert.NotEqual(t, mine("", "x"), mine("", "y"))
	assert.NotEqual(t, mine("", "x"), yours("", "x"))
	assert.Equal(t, compare.NewRedactor(nil)("", "x"), compare.NewRedactor(nil)("", "x"))
	assert.NotEqual(t, compare.NewRedactor(nil)("", "x"), mine("", "x"))
	assert.Equal(t, compare.RedactKey([]byte("a"), "k"), compare.RedactKey([]byte("a"), "k"))
	assert.NotEqual(t, compare.RedactKey([]byte("a"), "k"), compare.RedactKey(nil, "k"))
}

func TestTrap5TextsOfDifferentValuesDiffer(t *testing.T) {
	type two struct{ A, B any }
	type words struct{ A, B string }
	redact := compare.NewRedactor([]byte("s"))
	hashOf := func(v any) string { text := redact("", v); return text[strings.LastIndex(text, "#"):] }
	for _, test := range []struct {
		promise string
		a, b    any
	}{
		{"fields are separated", words{"ab", "c"}, words{"a", "bc"}},
		{"elements are separated", []string{"ab", "c"}, []string{"a", "bc"}},
		{"a quote ends nothing", []string{`a" "b`}, []string{"a", "b"}},
		{"NULL is not the text NULL", two{A: nil}, two{A: "nil"}},
		{"nor a type that prints as it", two{A: nil}, two{A: stringer("nil")}},
		{"a number is not its text", two{A: 1}, two{A: "1"}},
		{"an instant is not another", two{A: time.Unix(1, 0)}, two{A: time.Unix(1, 1)}},
		{"what a pointer points to counts", two{A: new("a")}, two{A: new("b")}},
		{"paired duplicates do not cancel", []string{"a", "a"}, []string{"b", "b"}},
	} {
		t.Run(test.promise, func(t *testing.T) { assert.NotEqual(t, hashOf(test.a), hashOf(test.b)) })
	}
	assert.Equal(t, hashOf(two{A: new("a")}), hashOf(two{A: new("a")}), "addresses do not count")
	assert.Equal(t, hashOf(time.Unix(1, 0)), hashOf(time.Unix(1, 0).UTC()), "trap 6: nor do time zones")
	assert.Equal(t, hashOf(map[string]int{"a": 1, "b": 2, "c": 3}), hashOf(map[string]int{"c": 3, "b": 2, "a": 1}))
}

type stringer string

func (s stringer) String() string { return string(s) }

func TestSafeValuesAreShownShortAndOnOneLine(t *testing.T) {
	show := func(value any) string {
		var c compare.Collector
		compare.Equal(&c, "", value, any("other"), compare.Safe())
		return c.Diffs()[0].Served
	}
	assert.Equal(t, `"Ada"`, show("Ada"))
	assert.Equal(t, `"a\nb"`, show("a\nb"))
	assert.Equal(t, `"a\nlevel=ERROR"`, show(stringer("a\nlevel=ERROR")))
	assert.Equal(t, `"nil"`, show("nil"))
	assert.Equal(t, "nil", show(nil))
	assert.Equal(t, `"absent"`, show(stringer("absent")))
	assert.Equal(t, "-42", show(-42))
	assert.Equal(t, "42", show(uint(42)))
	assert.Equal(t, "0.5", show(0.5))
	assert.Equal(t, "true", show(true))
	assert.Equal(t, "(1+2i)", show(1+2i))
	assert.Equal(t, "2024-05-17T08:30:00.000001Z", show(time.Date(2024, 5, 17, 8, 30, 0, 1000, time.UTC)))
	assert.Equal(t, `{Street:"a" City:"b"}`, show(Address{"a", "b"}))
	assert.Equal(t, `{Street:"a" City:"b"}`, show(&Address{"a", "b"}), "pointers are followed")
	assert.Equal(t, "[1 2]", show([2]int{1, 2}))
	assert.Equal(t, "0x0102", show([2]byte{1, 2}))
	assert.Equal(t, "{Err:boom}", show(struct{ Err error }{fmt.Errorf("boom")}))
	assert.Equal(t, "chan int", show(make(chan int)))
	assert.Equal(t, `{int:1}`, show(panickyDecimal{1}), "a method String that panics is left out")
	long := show(strings.Repeat("é", 500))
	assert.Equal(t, `"`+strings.Repeat("é", 100)+`"... (1000 bytes)`, long)
	assert.LessOrEqual(t, len(show(&node{Name: strings.Repeat("a", 1000)})), compare.MaxText+3)
	assert.NotEmpty(t, show(ring("a", "b")), "values that contain themselves end")
}

func TestSafeFieldsOfRulesAreShown(t *testing.T) {
	served, other := Customer{Name: "Ada", Address: Address{City: "London"}}, Customer{Name: "Eve", Address: Address{City: "Paris"}}
	rules := &compare.Rules{Safe: []string{"Address"}}
	diffs := rules.Apply(DiffCustomer(served, other))
	assert.Equal(t, `Address.City: value: served "London", other "Paris"`, diffs[1].String())
	assert.NotContains(t, diffs[0].String(), "Ada")
	again := (&compare.Rules{Safe: []string{"*"}}).Apply(diffs)
	assert.NotContains(t, again[0].String(), "Ada", "once applied, the values are gone")
}

func TestOwnRedactor(t *testing.T) {
	rules := &compare.Rules{Safe: []string{"ID"}, Redactor: func(path string, value any) string {
		return fmt.Sprintf("%s:%d", path, len(fmt.Sprint(value)))
	}}
	diffs := rules.Apply(DiffCustomer(Customer{ID: 1, Name: "Ada"}, Customer{ID: 2}))
	assert.Equal(t, "Name: value: served Name:3, other Name:0", diffs[1].String())
	assert.Equal(t, "ID: value: served 1, other 2", diffs[0].String(), "safe values do not need it")
}

func TestPanickingRedactorIsRecoveredAndCounted(t *testing.T) {
	panics := 0
	rules := &compare.Rules{
		Redactor: func(string, any) string { panic(secretText) },
		OnPanic:  func(any) { panics++; panic("and this one too") },
	}
	diffs := rules.Apply(DiffCustomer(Customer{Name: "Ada"}, Customer{}))
	assert.Equal(t, "Name: value: served redactor panicked, other redactor panicked", diffs[0].String())
	assert.Equal(t, 2, panics)
	rules.OnPanic = nil
	assert.Len(t, rules.Apply(DiffCustomer(Customer{Name: "Ada"}, Customer{})), 1)
}
