package compare_test

import (
	"math"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/compare"
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
