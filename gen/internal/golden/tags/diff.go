package tags

import "github.com/crossfade-db/crossfade/compare"

// DiffPrice is written by hand: the generated code uses it.
func DiffPrice(served, other Price) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "Value", served.Cents*served.Rate, other.Cents*other.Rate)
	return c.Diffs()
}
