// Package report turns what a run of the benchmarks printed into what people read: results/latest.json and
// detail.json for machines, the tables of docs/performance.md, and the chart beside them.
//
// It never measures, and it never holds a figure of its own: everything it writes came in as a [Row], a [Detail] or
// a [Machine]. The same input gives the same bytes.
package report

// Networks between the program and the database.
const (
	Loopback = "loopback" // the database on the same machine
	OneMilli = "1ms"      // a proxy between them that delays each direction by half a millisecond
)

// Units of a [Row]'s value, target and noise.
const (
	Ratio      = "ratio"  // of the direct call measured in the same run
	Nanos      = "ns"     // nanoseconds per call
	Allocs     = "allocs" // heap allocations per call
	RowsPerSec = "rows/s" // rows per second
)

// Row is one figure: a line of the targets table on one network, or a peer on one network.
type Row struct {
	Name    string   `json:"name"`
	Network string   `json:"network"` // Loopback or OneMilli
	Unit    string   `json:"unit"`    // Ratio, Nanos, Allocs or RowsPerSec
	Value   float64  `json:"value"`
	Target  *float64 `json:"target"` // nil where there is none
	Met     *bool    `json:"met"`    // nil where there is no target
	Noise   float64  `json:"noise"`  // spread between rounds, in the row's unit

	least bool // the target is a minimum
}

// Of is a row without a target: a peer, or a figure that is only told. Its figures are rounded to what can be read.
func Of(name, network, unit string, value, noise float64) Row {
	return Row{Name: name, Network: network, Unit: unit, Value: rounded(unit, value), Noise: rounded(unit, noise)}
}

// AtMost is a row whose value must not be above the target: ratios of latency, nanoseconds, allocations. A value
// equal to the target meets it; noise changes nothing about that. What is judged is the rounded value, so that a reader
// of the row comes to the same verdict.
func AtMost(name, network, unit string, value, noise, target float64) Row {
	r := Of(name, network, unit, value, noise)
	return r.against(target, r.Value <= target)
}

// AtLeast is a row whose value must not be below the target: rates, and ratios of rates. See [AtMost].
func AtLeast(name, network, unit string, value, noise, target float64) Row {
	r := Of(name, network, unit, value, noise)
	r.least = true
	return r.against(target, r.Value >= target)
}

func (r Row) against(target float64, met bool) Row {
	r.Target, r.Met = &target, &met
	return r
}

// minimum says whether the target is one, also of a row that was read from a file: a target that is met from above, or
// missed from below, is a minimum.
func (r Row) minimum() bool {
	return r.least || r.Target != nil && r.Met != nil && r.Value != *r.Target && *r.Met == (r.Value > *r.Target)
}
