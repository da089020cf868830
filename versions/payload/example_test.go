package payload_test

import (
	"fmt"
	"strings"

	"github.com/crossfade-db/crossfade/versions/payload"
)

// PlacedV1 and PlacedV2 are two versions of one event.
type (
	PlacedV1 struct {
		Customer string `json:"customer"`
		Cents    int64  `json:"cents"`
	}
	PlacedV2 struct {
		First string `json:"first"`
		Last  string `json:"last"`
		Cents int64  `json:"cents"`
	}
)

var placedV1 = payload.First[PlacedV1]("order-placed", nil)

var placed = payload.Next(placedV1,
	func(p PlacedV1) (PlacedV2, error) {
		first, last, _ := strings.Cut(p.Customer, " ")
		return PlacedV2{First: first, Last: last, Cents: p.Cents}, nil
	},
	func(p PlacedV2) (PlacedV1, error) {
		return PlacedV1{Customer: p.First + " " + p.Last, Cents: p.Cents}, nil
	})

// A reader of version 2 reads what version 1 wrote. What it does not know is kept.
func Example() {
	p, err := placed.Decode([]byte(`{"v":1,"trace":"00-4bf9","customer":"Ada Lovelace","cents":1850}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Value.Last, p.Value.Cents)
	p.Value.Cents += 100
	held, _ := placed.Encode(p, 1) // some programs do not know version 2 yet
	fmt.Println(string(held))
	newest, _ := placed.Encode(p, 0)
	fmt.Println(string(newest))
	// Output:
	// Lovelace 1850
	// {"v":1,"trace":"00-4bf9","customer":"Ada Lovelace","cents":1950}
	// {"v":2,"trace":"00-4bf9","cents":1950,"first":"Ada","last":"Lovelace"}
}

// A program that knows version 1 only changes a payload of version 2: what it does
// not know stays, and so does the version.
func ExampleSchema_Encode() {
	p, err := placedV1.Decode([]byte(`{"v":2,"first":"Ada","last":"Lovelace","cents":1850}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Value.Cents = 2000
	text, err := placedV1.Encode(p, 0)
	fmt.Println(string(text), err)
	// Output: {"v":2,"first":"Ada","last":"Lovelace","cents":2000} <nil>
}
