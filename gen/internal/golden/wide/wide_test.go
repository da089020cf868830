package wide

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/compare"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is a string of its own, as a driver makes it.
func text(s string) string { return strings.Clone(s) }

func anAccount() Account {
	at := time.Date(2024, 5, 17, 8, 30, 0, 123456000, time.UTC)
	return Account{
		ID: uuid.UUID{1, 2, 3}, Tenant: text("tenant-17"), Name: text("Ada Lovelace"), Email: text("ada@example.org"), Phone: text("+44 20 7946"),
		Street: text("12 St James's Square"), City: text("London"), Zip: text("SW1Y 4LB"), Country: text("GB"), Visits: 12, Cents: -250, Score: 0.5,
		Level: 3, Active: true, CreatedAt: at, UpdatedAt: at.Add(time.Hour), Referrer: new(uuid.UUID{9}), Nick: new(text("countess")), Note: text("first"),
	}
}

func anOrder() Order {
	at := time.Date(2024, 5, 17, 8, 30, 0, 0, time.UTC)
	line := func(i int) Line {
		return Line{text("article"), i, decimal.RequireFromString("12.50"), []string{text("red"), text("large")}}
	}
	return Order{
		ID: uuid.UUID{1}, Account: uuid.UUID{2}, Number: text("2024-000017"), State: text("paid"), Currency: text("EUR"),
		Total: decimal.RequireFromString("1234.50"), Tax: decimal.RequireFromString("197.10"), Placed: at, Paid: new(at),
		Ship: Address{text("12 St James's Square"), text("London"), text("SW1Y 4LB"), text("GB")}, Bill: &Address{City: text("Paris")},
		Lines: []Line{line(1), line(2), line(3)}, Tags: []string{text("a"), text("b")}, Coupons: []Coupon{{text("SPRING"), 500}},
		Labels: map[string]string{"a": text("1"), "b": text("2")}, Document: []byte(`{"a": 1}`), Extra: text("x"), Version: 7, Sides: [2]Line{line(4), line(5)},
	}
}

func TestEqualValuesCostNoAllocation(t *testing.T) {
	account, sameAccount := anAccount(), anAccount()
	order, sameOrder := anOrder(), anOrder()
	accounts, sameAccounts := slices.Repeat([]Account{account}, 50), slices.Repeat([]Account{sameAccount}, 50)
	orders, sameOrders := slices.Repeat([]Order{order}, 10), slices.Repeat([]Order{sameOrder}, 10)
	elsewhere := sameAccount
	elsewhere.CreatedAt = elsewhere.CreatedAt.In(time.FixedZone("elsewhere", 3600))
	near := sameAccount
	near.Score, near.UpdatedAt = 0.505, near.UpdatedAt.Add(time.Millisecond)
	tree := func() any {
		var v any
		require.NoError(t, json.Unmarshal([]byte(`{"a": [1, "two", null, {"b": true}], "c": {"d": 1.5}}`), &v))
		return v
	}
	documented, sameDocumented := order, sameOrder
	documented.Extra, sameDocumented.Extra = tree(), tree()
	for name, run := range map[string]func() []compare.Diff{
		"twenty fields":                  func() []compare.Diff { return DiffAccount(account, sameAccount) },
		"fields that hold more":          func() []compare.Diff { return DiffOrder(order, sameOrder) },
		"a list":                         func() []compare.Diff { return diffAccountList(accounts, sameAccounts) },
		"a list without an order":        func() []compare.Diff { return diffAccountsOrders(orders, sameOrders) },
		"times in another zone":          func() []compare.Diff { return DiffAccount(account, elsewhere) },
		"a document behind an interface": func() []compare.Diff { return DiffOrder(documented, sameDocumented) },
		"what surrounds a comparison":    func() []compare.Diff { return compare.Run(DiffOrder, order, sameOrder) },
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, run())
			assert.Zero(t, testing.AllocsPerRun(100, func() { _ = run() }))
		})
	}
	require.Empty(t, DiffAccount(account, near), "tolerances are looked at where there is a difference")
	account.Score, sameAccount.Score = math.NaN(), math.NaN()
	require.Empty(t, DiffAccount(account, sameAccount), "and so is what == says of NaN")
}

// A field that the quick look forgot would never be compared again.
func TestEachFieldIsLookedAt(t *testing.T) {
	for i := range reflect.TypeFor[Account]().NumField() {
		changed := anAccount()
		change(t, reflect.ValueOf(&changed).Elem().Field(i))
		name := reflect.TypeFor[Account]().Field(i).Name
		diffs := DiffAccount(anAccount(), changed)
		require.Len(t, diffs, 1, name)
		assert.Equal(t, name, diffs[0].Path)
		assert.Equal(t, name == "Note", diffs[0].Ignored)
	}
	for i := range reflect.TypeFor[Order]().NumField() {
		changed := anOrder()
		change(t, reflect.ValueOf(&changed).Elem().Field(i))
		name := reflect.TypeFor[Order]().Field(i).Name
		diffs := DiffOrder(anOrder(), changed)
		require.NotEmpty(t, diffs, name)
		for _, d := range diffs {
			assert.Regexp(t, "^"+name+`\b`, d.Path)
		}
		require.NotEmpty(t, diffAccountsOrders([]Order{anOrder(), anOrder()}, []Order{anOrder(), changed}), name)
	}
}

// change makes a value another one.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = value.Add(time.Second)
		return
	case *decimal.Decimal:
		*value = value.Add(decimal.New(1, 0))
		return
	case *[]byte:
		*value = []byte(`{"a": 2}`)
		return
	case *any:
		*value = "another"
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Pointer:
		made := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			made.Elem().Set(v.Elem())
		}
		change(t, made.Elem())
		v.Set(made)
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.Index(v.Len() - 1).SetUint(v.Index(v.Len()-1).Uint() + 1)
			return
		}
		change(t, v.Index(v.Len()-1))
	case reflect.Slice:
		change(t, v.Index(v.Len()-1))
	case reflect.Struct:
		change(t, v.Field(v.NumField()-1))
	case reflect.Map:
		v.SetMapIndex(v.MapKeys()[0], reflect.ValueOf("another"))
	default:
		require.Fail(t, fmt.Sprintf("no idea how to change a %s", v.Type()))
	}
}

func BenchmarkTwentyEqualFields(b *testing.B) {
	served, other := anAccount(), anAccount()
	b.ReportAllocs()
	for b.Loop() {
		if DiffAccount(served, other) != nil {
			b.Fatal("equal values differ")
		}
	}
}

func BenchmarkTwentyFieldsThatHoldMore(b *testing.B) {
	served, other := anOrder(), anOrder()
	b.ReportAllocs()
	for b.Loop() {
		if DiffOrder(served, other) != nil {
			b.Fatal("equal values differ")
		}
	}
}

func BenchmarkListOfAHundred(b *testing.B) {
	served, other := slices.Repeat([]Account{anAccount()}, 100), slices.Repeat([]Account{anAccount()}, 100)
	b.ReportAllocs()
	for b.Loop() {
		if diffAccountList(served, other) != nil {
			b.Fatal("equal values differ")
		}
	}
}
