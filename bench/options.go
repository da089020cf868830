package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/crossfade-db/crossfade/bench/report"
)

// options are the program's.
type options struct {
	quick bool
	alone bool
	// network is the only one that is measured; empty means both.
	network string
	only    *regexp.Regexp
	seed    uint64
	root    string
	out     string
	rows    int
	pace    pace
}

// pace is how much is measured.
type pace struct {
	rounds  int
	group   time.Duration // for a group whose share is 1, all rounds
	loop    time.Duration // of one variant under a load
	passes  int
	callers []int         // of the loads through loopback, beside one
	far     []int         // of those through the delay
	allocs  int           // calls in a batch of which allocations are counted
	probes  int           // turns of the check of the delay
	within  time.Duration // when reads and writes are to be over; see below
}

// A full run may take ten minutes. Behind reads and writes come the rows of package micro, for a minute, or for more than
// two where the compiler's cache is empty.
var (
	fullPace  = pace{15, 20 * time.Second, 150 * time.Millisecond, 3, []int{8, 16, 32}, []int{8, 32}, 100, 200, 7 * time.Minute}
	quickPace = pace{3, 200 * time.Millisecond, 20 * time.Millisecond, 1, []int{8}, []int{8}, 5, 20, time.Hour}
)

const (
	fullRows  = 200_000
	quickRows = 2_000
)

const usage = `bench measures what the shim costs: direct calls, routed calls at each stage and other tools, side by side in one run
against a throw-away PostgreSQL, through loopback and behind a delay of half a millisecond each way. A full run takes less
than ten minutes on two cores, and writes bench/results, the tables of docs/performance.md and the chart beside them.
A run that leaves something out, as --quick and --only do, prints its tables and writes nothing, unless --out says where to.

Nothing that it prints is judged: a target that is missed is no error.

`

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	f.BoolVar(&o.quick, "quick", false, "measure next to nothing, to see that everything works: the figures are worth nothing")
	pattern := f.String("only", "", "measure only variants and rows whose `name` this regular expression matches, letters' case aside")
	f.BoolVar(&o.alone, "alone", false, "measure one caller with fsync on, and leave the other loads out")
	f.StringVar(&o.network, "network", "", "measure only this `network`: loopback or 1ms")
	f.Uint64Var(&o.seed, "seed", 1, "the `number` that orders and rows are drawn from")
	f.StringVar(&o.root, "root", "..", "the repository's `folder`, where a full run puts its results")
	f.StringVar(&o.out, "out", "", "a `folder` for latest.json and detail.json, instead of the repository")
	f.IntVar(&o.rows, "rows", 0, fmt.Sprintf("rows in each table (default %d, with --quick %d)", fullRows, quickRows))
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is no option: see --help", f.Arg(0))
	}
	if *pattern != "" {
		var err error
		if o.only, err = regexp.Compile("(?i)" + *pattern); err != nil {
			return nil, fmt.Errorf("read --only: %w", err)
		}
	}
	if n := o.network; n != "" && n != report.Loopback && n != report.OneMilli {
		return nil, fmt.Errorf("--network %s: there are %s and %s", n, report.Loopback, report.OneMilli)
	}
	o.pace = fullPace
	rows := fullRows
	if o.quick {
		o.pace, rows = quickPace, quickRows
	}
	if o.rows == 0 {
		o.rows = rows
	}
	if o.rows < leastRows {
		return nil, fmt.Errorf("--rows %d is too few: %d at least", o.rows, leastRows)
	}
	return o, nil
}

// leastRows leaves enough of them that callers seldom meet at one.
const leastRows = 1000

// full reports whether the run leaves nothing out, so that its figures can be published.
func (o *options) full() bool {
	return !o.quick && !o.alone && o.only == nil && o.network == "" && o.rows == fullRows
}

// wanted reports whether a variant or a row was asked for.
func (o *options) wanted(name string) bool { return o.only == nil || o.only.MatchString(name) }
