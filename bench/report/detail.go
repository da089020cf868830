package report

// Operation is what a [Measure] did.
type Operation string

// The operations that are compared.
const (
	Read  Operation = "read"
	Write Operation = "write"
)

// Kind says whose way of calling a [Measure] is.
type Kind string

// Kinds of variants.
const (
	Direct Kind = "direct" // what the application would do without any of this: the 1.00 of the ratios
	Routed Kind = "routed" // through Crossfade
	Peer   Kind = "peer"   // another way to reach the same end
)

// Measure is what one variant cost under one load. A zero figure was not measured.
type Measure struct {
	Operation   Operation `json:"operation"`
	Variant     string    `json:"variant"`         // as the tables name it; the same on every network and under every load
	Short       string    `json:"short,omitempty"` // as the chart names it, 30 letters at most; empty keeps the variant out of the chart
	Kind        Kind      `json:"kind"`
	Network     string    `json:"network"`     // Loopback or OneMilli
	Fsync       bool      `json:"fsync"`       // whether commits waited for the disk
	Connections int       `json:"connections"` // callers at once, each on a connection of its own
	Ratio       float64   `json:"ratio"`       // latency over that of the direct call in the same rounds: of medians, and of means with several callers
	Noise       float64   `json:"noise"`       // spread of the ratio between rounds
	P50         float64   `json:"p50_ns"`      // latency of a call in nanoseconds
	P99         float64   `json:"p99_ns"`
	PerSecond   float64   `json:"per_second"`      // calls per second, of all callers together
	Allocs      float64   `json:"allocs_per_call"` // heap allocations
	Bytes       float64   `json:"bytes_per_call"`  // heap bytes
	DatabaseCPU float64   `json:"database_cpu_ns"` // CPU time of the database's processes per call
}

// Floor is the noise floor: the ratio that two equal direct calls had to each other, which is what no figure of the same
// run can be read more finely than.
type Floor struct {
	Group       string    `json:"group"` // what was measured beside it
	Operation   Operation `json:"operation"`
	Network     string    `json:"network"`
	Fsync       bool      `json:"fsync"`
	Connections int       `json:"connections"`
	Ratio       float64   `json:"ratio"` // median over the rounds; 1 would be perfect
	Noise       float64   `json:"noise"` // spread between rounds
}

// Fact is a figure that is no row of the targets: bytes per override, comparisons shed at saturation, seconds of the run.
type Fact struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"` // any word: "bytes", "%", "s"
	Value float64 `json:"value"`
}

// Machine is where the run took place. Date is the caller's word: nothing here looks at a clock.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	System     string `json:"system"` // operating system and kernel
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
	Date       string `json:"date"`  // as 2026-11-20
	Rows       int    `json:"rows"`  // in the table that was read and written
	Quick      bool   `json:"quick"` // a short run, whose figures are for trying and not for publishing
}

// Report is everything that a run printed, in the order in which it shall be shown.
type Report struct {
	Machine  Machine
	Rows     []Row
	Floors   []Floor
	Measures []Measure
	Facts    []Fact
}
