package tags

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/netip"
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

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newThing() *Thing {
	at, nick, rough := noon, "nick", decimal.RequireFromString("1.50")
	return &Thing{
		Base: Base{noon, 1}, ID: uuid.UUID{1}, Ignored: "i", Callback: func() {}, Safe: "s",
		Labels: map[string]string{"k": "v"}, Notes: []string{"n"}, Nick: &nick,
		Amount: decimal.RequireFromString("2.0"), Total: "1.0", Rough: &rough,
		Document: []byte(`{"a": 1, "b": 2}`), Raw: json.RawMessage(`[1]`), Text: `{}`,
		Seen: noon, Exact: noon, Took: time.Second, Rates: []float64{1}, Weights: map[string][2]float32{"w": {1, 2}},
		Stamps: []*time.Time{&at}, Plain: 0.5, Stamp: Stamp(noon), Level: Level{1, 2}, Levels: []Level{{1, 2}},
		Tagged: Tagged{"n", "c"}, Price: Price{10, 2}, Prices: map[string]Price{"p": {1, 1}},
		Lines: []*Line{{&LineKey{1}, 1}, {&LineKey{2}, 2}}, Sizes: []int{1, 2}, Bag: []Line{{nil, 1}, {nil, 2}}, Upper: "up",
		Address: netip.MustParseAddr("::1"), Big: *big.NewInt(5), BigP: big.NewInt(6),
		Null: sql.NullString{String: "x", Valid: true}, Null2: sql.Null[time.Time]{V: noon, Valid: true},
		Any: map[string]any{"x": []int{1}}, Err: errors.New("e"), Buffer: &strings.Builder{}, Grid: [2][2]int{{1}},
		Deep: map[string][]map[string]*Line{"d": {{"e": {nil, 3}}}}, Bytes: []byte("b"), Guarded: &Guarded{Name: "g"},
	}
}

// paths returns the differences that count.
func paths(diffs []compare.Diff) []string {
	var all []string
	for _, d := range diffs {
		if !d.Ignored {
			all = append(all, d.Path)
		}
	}
	return all
}

func TestEqualThingsHaveNoDifference(t *testing.T) {
	assert.Empty(t, diffThingPointer(newThing(), newThing()))
	assert.Empty(t, diffThingPointer(nil, nil))
	assert.Len(t, diffThingPointer(newThing(), nil), 1)
	thing := newThing()
	assert.Empty(t, diffThingPointer(thing, thing))
}

func TestTagsForgiveWhatTheySay(t *testing.T) {
	forgiven := map[string]func(*Thing){
		"ignore":           func(x *Thing) { x.Ignored = "z" },
		"another's":        func(x *Thing) { x.Request = &http.Request{GetBody: func() (io.ReadCloser, error) { return nil, nil }} },
		"function":         func(x *Thing) { x.Callback = nil },
		"ignore, embedded": func(x *Thing) { x.Version = 9 },
		"nil map":          func(x *Thing) { x.Labels = map[string]string{} },
		"nil slice":        func(x *Thing) { x.Notes = []string{} },
		"nil pointer":      func(x *Thing) { x.Nick = new(string) },
		"decimal type":     func(x *Thing) { x.Amount = decimal.RequireFromString("2.000") },
		"decimal text":     func(x *Thing) { x.Total = "1.00" },
		"decimal within":   func(x *Thing) { y := decimal.RequireFromString("1.509"); x.Rough = &y },
		"json":             func(x *Thing) { x.Document = []byte(`{"b":2.0,"a":1}`) },
		"raw json":         func(x *Thing) { x.Raw = json.RawMessage(`[ 1 ]`) },
		"time within":      func(x *Thing) { x.Seen = x.Seen.Add(time.Minute) },
		"time zone":        func(x *Thing) { x.Exact = x.Exact.In(time.FixedZone("x", 60)) },
		"duration within":  func(x *Thing) { x.Took += 4 * time.Millisecond },
		"floats within":    func(x *Thing) { x.Rates[0] += 0.4 },
		"arrays within":    func(x *Thing) { x.Weights["w"] = [2]float32{1.9, 2} },
		"pointers within":  func(x *Thing) { y := noon.Add(time.Millisecond); x.Stamps[0] = &y },
		"type over time":   func(x *Thing) { x.Stamp = Stamp(noon.In(time.FixedZone("x", 60))) },
		"method Equal":     func(x *Thing) { x.Level.noise, x.Levels[0].noise = 8, 8 },
		"tag over method":  func(x *Thing) { x.Tagged.Cache = "z" },
		"by hand":          func(x *Thing) { x.Price = Price{20, 1} },
		"unordered by":     func(x *Thing) { slices.Reverse(x.Lines) },
		"unordered values": func(x *Thing) { slices.Reverse(x.Sizes) },
		"unordered":        func(x *Thing) { slices.Reverse(x.Bag) },
		"function of ours": func(x *Thing) { x.Upper = "UP" },
		"big.Int":          func(x *Thing) { x.Big.Sub(big.NewInt(9), big.NewInt(4)) },
	}
	for name, change := range forgiven {
		t.Run(name, func(t *testing.T) {
			served, other := newThing(), newThing()
			if strings.HasPrefix(name, "nil") {
				served.Labels, served.Notes, served.Nick = nil, nil, nil
				other.Labels, other.Notes, other.Nick = nil, nil, nil
			}
			change(other)
			assert.Empty(t, paths(diffThingPointer(served, other)))
		})
	}
}

func TestEveryFieldIsCompared(t *testing.T) {
	changes := map[string]func(*Thing){
		"Base.Created":   func(x *Thing) { x.Created = noon.Add(time.Second) },
		"ID":             func(x *Thing) { x.ID[3] = 1 },
		"Safe":           func(x *Thing) { x.Safe = "z" },
		"Notes[0]":       func(x *Thing) { x.Notes[0] = "z" },
		"Nick":           func(x *Thing) { y := "z"; x.Nick = &y },
		"Amount":         func(x *Thing) { x.Amount = decimal.RequireFromString("2.001") },
		"Total":          func(x *Thing) { x.Total = "1.01" },
		"Rough":          func(x *Thing) { y := decimal.RequireFromString("1.52"); x.Rough = &y },
		"Raw[0]":         func(x *Thing) { x.Raw = json.RawMessage(`[2]`) },
		"Seen":           func(x *Thing) { x.Seen = x.Seen.Add(time.Hour) },
		"Exact":          func(x *Thing) { x.Exact = x.Exact.Add(1) },
		"Took":           func(x *Thing) { x.Took += time.Second },
		"Rates[0]":       func(x *Thing) { x.Rates[0] = 9 },
		"Plain":          func(x *Thing) { x.Plain += 1e-12 },
		"Flag":           func(x *Thing) { x.Flag = true },
		"Stamp":          func(x *Thing) { x.Stamp = Stamp(noon.Add(time.Second)) },
		"Level":          func(x *Thing) { x.Level.n = 9 },
		"Levels[0]":      func(x *Thing) { x.Levels[0].n = 9 },
		"Tagged.Name":    func(x *Thing) { x.Tagged.Name = "z" },
		"Price.Value":    func(x *Thing) { x.Price.Rate = 3 },
		"Lines[1].Cost":  func(x *Thing) { x.Lines[1].Cost = 9 },
		"Upper":          func(x *Thing) { x.Upper = "down" },
		"Address":        func(x *Thing) { x.Address = netip.MustParseAddr("::2") },
		"Big":            func(x *Thing) { x.Big = *big.NewInt(9) },
		"BigP":           func(x *Thing) { x.BigP = big.NewInt(9) },
		"Null.String":    func(x *Thing) { x.Null.String = "z" },
		"Null2.V":        func(x *Thing) { x.Null2.V = noon.Add(time.Second) },
		"Grid":           func(x *Thing) { x.Grid[1][1] = 1 },
		"Groups[1].Cost": func(x *Thing) { x.Groups[1].Cost = 1 },
		"Bytes":          func(x *Thing) { x.Bytes = bytes.ToUpper(x.Bytes) },
		"Hash":           func(x *Thing) { x.Hash[0] = 1 },
		"Inline.B":       func(x *Thing) { x.Inline.B = 1 },
		"Guarded.Name":   func(x *Thing) { x.Guarded = &Guarded{Name: "z"} },
		"internal":       func(x *Thing) { x.internal = 1 },
		"Inner.Name":     func(x *Thing) { x.Inner.Name = "z" },
		"Guarded":        func(x *Thing) { x.Guarded = nil },
	}
	for path, change := range changes {
		t.Run(path, func(t *testing.T) {
			served, other := newThing(), newThing()
			change(other)
			assert.Equal(t, []string{path}, paths(diffThingPointer(served, other)))
			assert.Equal(t, []string{path}, paths(diffThingPointer(other, served)))
		})
	}
	for name, change := range map[string]func(*Thing){
		"document":  func(x *Thing) { x.Document = []byte(`{"a": 2, "b": 2}`) },
		"map":       func(x *Thing) { x.Labels["k"] = "z" },
		"maps":      func(x *Thing) { x.Deep["d"][0]["e"].Cost = 9 },
		"interface": func(x *Thing) { x.Any = map[string]any{"x": []int{2}} },
		"error":     func(x *Thing) { x.Err = nil },
		"multiset":  func(x *Thing) { x.Sizes = []int{1, 1} },
		"weights":   func(x *Thing) { x.Weights["w"] = [2]float32{9, 2} },
		"prices":    func(x *Thing) { x.Prices["p"] = Price{1, 2} },
	} {
		t.Run(name, func(t *testing.T) {
			served, other := newThing(), newThing()
			change(other)
			assert.NotEmpty(t, paths(diffThingPointer(served, other)))
		})
	}
}

func TestSafeValuesAreShownAndOthersAreNot(t *testing.T) {
	served, other := newThing(), newThing()
	other.Safe, other.Upper = "visible", "hidden"
	diffs := diffThingPointer(served, other)
	require.Len(t, diffs, 2)
	assert.Contains(t, diffs[0].Other, "visible")
	assert.NotContains(t, diffs[1].Other, "hidden")
}

func TestSeveralResultsAndTheOrderOfTheFirst(t *testing.T) {
	served := thingsLinesResult{Lines: []Line{{&LineKey{1}, 1}, {&LineKey{2}, 2}}, Total: decimal.NewFromInt(3)}
	other := served
	other.Lines = []Line{served.Lines[1], served.Lines[0]}
	other.Total = decimal.RequireFromString("3.0")
	assert.Empty(t, diffThingsLines(served, other))
	other.Total = decimal.NewFromInt(4)
	assert.Equal(t, []string{"Total"}, paths(diffThingsLines(served, other)))
	assert.Empty(t, diffThingsNames([]string{"a", "b"}, []string{"b", "a"}))
	assert.NotEmpty(t, diffThingsNames([]string{"a", "b"}, []string{"b", "b"}))
}
