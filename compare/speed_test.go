package compare_test

import (
	"math"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wide has twenty fields of the types that rows are made of.
type wide struct {
	ID                                 [16]byte
	Tenant, Name, Email, Phone, Street string
	City, Zip, Country, Note           string
	Age, Visits, Cents, Points         int64
	Score                              float64
	Active, Verified                   bool
	Created, Updated                   time.Time
	Level                              int32
}

func diffWide(served, other wide) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Tenant", served.Tenant, other.Tenant)
	compare.Equal(&c, "Name", served.Name, other.Name)
	compare.Equal(&c, "Email", served.Email, other.Email, compare.Safe())
	compare.Equal(&c, "Phone", served.Phone, other.Phone)
	compare.Equal(&c, "Street", served.Street, other.Street)
	compare.Equal(&c, "City", served.City, other.City)
	compare.Equal(&c, "Zip", served.Zip, other.Zip)
	compare.Equal(&c, "Country", served.Country, other.Country)
	compare.Equal(&c, "Note", served.Note, other.Note, compare.Ignore())
	compare.Equal(&c, "Age", served.Age, other.Age)
	compare.Equal(&c, "Visits", served.Visits, other.Visits)
	compare.Equal(&c, "Cents", served.Cents, other.Cents)
	compare.Equal(&c, "Points", served.Points, other.Points)
	compare.Number(&c, "Score", served.Score, other.Score, compare.Tolerance(0.01))
	compare.Equal(&c, "Active", served.Active, other.Active)
	compare.Equal(&c, "Verified", served.Verified, other.Verified)
	compare.Time(&c, "Created", served.Created, other.Created)
	compare.Time(&c, "Updated", served.Updated, other.Updated, compare.Within(time.Millisecond))
	compare.Equal(&c, "Level", served.Level, other.Level)
	return c.Diffs()
}

func twoWide() (wide, wide) {
	at := time.Date(2024, 5, 17, 8, 30, 0, 123456000, time.UTC)
	make1 := func() wide {
		text := func(s string) string { return string([]byte(s)) } // a string of its own, as a driver makes it
		return wide{
			Tenant: text("tenant-17"), Name: text("Ada Lovelace"), Email: text("ada@example.org"), Phone: text("+44 20"),
			Street: text("12 St James's Square"), City: text("London"), Zip: text("SW1Y"), Country: text("GB"), Note: text("first"),
			Age: 36, Visits: 12, Cents: -250, Points: 1 << 40, Score: 0.5, Active: true, Created: at, Updated: at, Level: 3,
		}
	}
	return make1(), make1()
}

func BenchmarkEqualStructsOfTwentyFields(b *testing.B) {
	served, other := twoWide()
	b.ReportAllocs()
	for b.Loop() {
		if diffWide(served, other) != nil {
			b.Fatal("equal structs differ")
		}
	}
}

func TestEqualStructsCostNoAllocation(t *testing.T) {
	served, other := twoWide()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if diffWide(served, other) != nil {
			panic("equal structs differ")
		}
	}))
	served.Score, other.Score = math.NaN(), math.NaN()
	require.Empty(t, diffWide(served, other))
}

// BenchmarkEqualByTheOperator is the floor: the same structs by ==.
func BenchmarkEqualByTheOperator(b *testing.B) {
	served, other := twoWide()
	b.ReportAllocs()
	for b.Loop() {
		if served != other {
			b.Fatal("equal structs differ")
		}
	}
}

func BenchmarkSampler(b *testing.B) {
	sampler, err := compare.NewSampler(&compare.SamplerConfig{Operations: map[string]float64{"Get": 0.05}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		sampler.Take("Get")
	}
}

func TestNothingIsAllocatedWhereEverythingIsEqual(t *testing.T) {
	text := func(s string) *string { return new(string([]byte(s))) }
	served := rich{
		Name: "a", Nick: text("n"), Lines: []Line{{1, 2}, {3, 4}}, Tags: []string{"a", "b"},
		Labels: map[string]int{"a": 1, "b": 2}, Raw: []byte("raw"), At: time.Unix(1, 0),
	}
	other := copied(served)
	var counters compare.Counters
	sampler, err := compare.NewSampler(&compare.SamplerConfig{Rest: new(0.5)})
	require.NoError(t, err)
	ctx := compare.WithRequestID(t.Context(), "r")
	for promise, run := range map[string]func() []compare.Diff{
		"all sorts of fields": func() []compare.Diff { return diffRich(served, other) },
		"an entity":           func() []compare.Diff { return DiffCustomer(Customer{Name: "a"}, Customer{Name: "a"}) },
		"a whole comparison":  func() []compare.Diff { return compare.Run(diffRich, served, other) },
		"times in another form": func() []compare.Diff {
			var c compare.Collector
			compare.Time(&c, "At", served.At, served.At.UTC(), compare.Within(time.Second))
			return c.Diffs()
		},
		"lists without order, in place": func() []compare.Diff {
			var c compare.Collector
			compare.Unordered(&c, "Lines", served.Lines, other.Lines, DiffLine)
			compare.UnorderedBy(&c, "Lines", served.Lines, other.Lines, lineID, DiffLine)
			compare.UnorderedValues(&c, "Tags", served.Tags, other.Tags)
			return c.Diffs()
		},
		"decimals and documents": func() []compare.Diff {
			var c compare.Collector
			compare.Decimal(&c, "D", "1.00", "1.00")
			compare.JSON(&c, "J", served.Raw, other.Raw)
			return c.Diffs()
		},
		"own functions": func() []compare.Diff {
			var c compare.Collector
			compare.Custom(&c, "N", served.Name, other.Name, func(a, b string) bool { return a == b })
			compare.Method(&c, "At", served.At, other.At)
			return c.Diffs()
		},
		"what surrounds a comparison": func() []compare.Diff {
			sampler.Take("Get")
			counters.Of("m", "Get").Judged(compare.Judge(nil))
			_ = compare.RequestID(ctx)
			return (*compare.Rules)(nil).Apply(nil)
		},
	} {
		t.Run(promise, func(t *testing.T) {
			require.Empty(t, run())
			assert.Zero(t, testing.AllocsPerRun(200, func() { _ = run() }))
		})
	}
}
