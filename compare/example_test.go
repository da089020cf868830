package compare_test

import (
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/compare"
)

type Address struct{ Street, City string }

type Line struct {
	ID    int64
	Cents int64 `compare:"safe"`
}

type Customer struct {
	ID      int64
	Name    string
	Seen    time.Time `compare:"ignore"`
	Address Address
	Lines   []Line `compare:"unordered,by=ID"`
}

// The three functions below are what the generator writes for these types.

func DiffAddress(served, other Address) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "Street", served.Street, other.Street)
	compare.Equal(&c, "City", served.City, other.City)
	return c.Diffs()
}

func DiffLine(served, other Line) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Cents", served.Cents, other.Cents, compare.Safe())
	return c.Diffs()
}

func DiffCustomer(served, other Customer) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Name", served.Name, other.Name)
	compare.Time(&c, "Seen", served.Seen, other.Seen, compare.Ignore())
	compare.Struct(&c, "Address", served.Address, other.Address, DiffAddress)
	compare.UnorderedBy(&c, "Lines", served.Lines, other.Lines, func(l Line) int64 { return l.ID }, DiffLine)
	return c.Diffs()
}

// Example compares two answers and applies the rules of the program: the city is marked as safe to show, too.
func Example() {
	served := Customer{
		ID: 7, Name: "Ada", Address: Address{City: "London"},
		Lines: []Line{{ID: 1, Cents: 250}, {ID: 2, Cents: 999}},
	}
	other := Customer{
		ID: 7, Name: "Ada", Address: Address{City: "Paris"}, Seen: time.Unix(1, 0),
		Lines: []Line{{ID: 2, Cents: 999}, {ID: 1, Cents: 205}},
	}
	rules := &compare.Rules{Safe: []string{"Address.City"}}
	diffs := rules.Apply(compare.Run(DiffCustomer, served, other))
	for _, d := range diffs {
		fmt.Println(d)
	}
	fmt.Println(compare.Judge(diffs))
	// Output:
	// Seen: value (ignored)
	// Address.City: value: served "London", other "Paris"
	// Lines[0].Cents: value: served 250, other 205
	// mismatched
}
