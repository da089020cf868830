// Package report is what a run of the demonstration says at its end: as JSON for programs and as text for people. It
// judges the numbers and gathers none.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Report is the outcome of a run. All counts go back to the beginning of the walk, whatever was killed in between.
type Report struct {
	// Passed says that every number that must be zero is, and that the walk came as far as it was asked to.
	Passed bool `json:"passed"`
	// Failures says in words what did not pass.
	Failures []string `json:"failures"`

	Stage      string `json:"stage"` // where the walk stands
	Customers  int    `json:"customers"`
	Tenants    int    `json:"tenants"`
	Seed       uint64 `json:"seed"`
	PlantedBug bool   `json:"planted_bug"`

	// Operations is how many the application sent, and UnknownOperations of how many a kill hid the outcome.
	Operations        int64 `json:"operations"`
	UnknownOperations int64 `json:"unknown_operations"`
	// CallerErrors is how many answers were an error: a customer that is not there is none.
	CallerErrors int64 `json:"caller_errors"`
	// ToldErrors are some of them, each once.
	ToldErrors []string `json:"told_errors,omitempty"`
	// LostUpdates is how many acknowledged writes or halves of transfers are missing, StaleReads how many customers were
	// read as they were not, and UndecidedKeys of how many the oracle could not say.
	LostUpdates   int64 `json:"lost_updates"`
	StaleReads    int64 `json:"stale_reads"`
	UndecidedKeys int64 `json:"undecided_keys"`
	// KeysRead is how many keys were read back at the end, and DifferingKeys of how many the repository, plain SQL on
	// the old side and plain SQL on the new side did not say the same.
	KeysRead      int64 `json:"keys_read"`
	DifferingKeys int64 `json:"differing_keys"`
	// ConfirmedMismatches is how many fields of answers differed and still did at a second look, and RepairedKeys how
	// many keys were made equal again.
	ConfirmedMismatches int64 `json:"confirmed_mismatches"`
	RepairedKeys        int64 `json:"repaired_keys"`
	// Comparisons is what became of the reads at shadow and live, whose other side was read as well.
	Comparisons Comparisons `json:"comparisons"`

	Rungs   []Rung    `json:"rungs"`
	Latency []Latency `json:"latency"`
	Phases  []Phase   `json:"phases"`
	// Restarts is how many worker processes had to be started again, in this run of the program.
	Restarts int `json:"restarts"`
	// Problems are the first findings, in words.
	Problems []string `json:"problems"`
}

// Comparisons are five numbers: what was ignored was not found equal, and what was dropped was not compared.
type Comparisons struct {
	Compared     int64 `json:"compared"`
	Ignored      int64 `json:"ignored"`
	Dropped      int64 `json:"dropped"`
	Inconclusive int64 `json:"inconclusive"`
	Mismatched   int64 `json:"mismatched"`
}

// Rung is the traffic at one stage. The walk stays at a stage until the minimum is reached.
type Rung struct {
	Stage            string `json:"stage"`
	Operations       int64  `json:"operations"`
	Minimum          int64  `json:"operations_minimum"`
	Contended        int64  `json:"contended"`
	ContendedMinimum int64  `json:"contended_minimum"`
	Visited          bool   `json:"visited"`
}

// Latency is how long callers waited on one path.
type Latency struct {
	Path      string  `json:"path"`
	Operation string  `json:"operation"` // reads or writes
	Count     int64   `json:"count"`
	P50Millis float64 `json:"p50_ms"`
	P99Millis float64 `json:"p99_ms"`
	MaxMillis float64 `json:"max_ms"`
}

// Phase is how long a part of the walk took.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Judge fills in Passed and Failures. The error is why the walk came to no end, or nil.
func (r *Report) Judge(walk error) {
	r.Failures = []string{}
	if walk != nil {
		r.Failures = append(r.Failures, walk.Error())
	}
	for _, zero := range []struct {
		count int64
		what  string
	}{
		{r.CallerErrors, "errors reached callers"},
		{r.LostUpdates, "acknowledged updates are lost"},
		{r.StaleReads, "customers were read as they were not"},
		{r.UndecidedKeys, "customers could not be judged"},
		{r.DifferingKeys, "keys differ between the sides"},
	} {
		if zero.count != 0 {
			r.Failures = append(r.Failures, fmt.Sprintf("%d %s", zero.count, zero.what))
		}
	}
	for _, told := range r.ToldErrors {
		r.Failures = append(r.Failures, "one of the errors: "+told)
	}
	switch {
	case r.ConfirmedMismatches > 0 && !r.PlantedBug:
		r.Failures = append(r.Failures, fmt.Sprintf("%d mismatches, and no fault was planted", r.ConfirmedMismatches))
	case r.KeysRead == 0:
		r.Failures = append(r.Failures, "no key was read back")
	}
	for _, rung := range r.Rungs {
		if rung.Visited && (rung.Operations < rung.Minimum || rung.Contended < rung.ContendedMinimum) {
			r.Failures = append(r.Failures, fmt.Sprintf("%s had %d operations, %d of them contended: the minimum is %d and %d",
				rung.Stage, rung.Operations, rung.Contended, rung.Minimum, rung.ContendedMinimum))
		}
	}
	r.Passed = len(r.Failures) == 0
}

// Write writes the report as JSON to a file, whole or not at all.
func (r *Report) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // it was renamed, but for an error
	_, err = temporary.Write(append(text, '\n'))
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if cerr := temporary.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	line("")
	line("The walk stands at %s. %d customers of %d tenants, seed %d.", r.Stage, r.Customers, r.Tenants, r.Seed)
	line("")
	for _, row := range []struct {
		count any
		what  string
	}{
		{r.Operations, "operations"},
		{r.CallerErrors, "errors seen by callers"},
		{r.LostUpdates, "lost updates"},
		{r.DifferingKeys, fmt.Sprintf("differing keys, of %d read back through the repository and by SQL on both sides", r.KeysRead)},
		{r.StaleReads, "customers read as they were not"},
		{r.UndecidedKeys, "customers that could not be judged"},
		{r.Comparisons.Compared, fmt.Sprintf("reads compared with the other side; %d dropped, %d inconclusive", r.Comparisons.Dropped, r.Comparisons.Inconclusive)},
		{r.ConfirmedMismatches, "confirmed mismatches, of reads and of verification"},
		{r.RepairedKeys, "repaired keys"},
		{r.UnknownOperations, "operations of which a kill hid the outcome"},
		{r.Restarts, "processes started again"},
	} {
		line("%10d  %s", row.count, row.what)
	}
	line("")
	line("%-10s %12s %10s %12s %10s", "stage", "operations", "minimum", "contended", "minimum")
	for _, g := range r.Rungs {
		line("%-10s %12d %10d %12d %10d", g.Stage, g.Operations, g.Minimum, g.Contended, g.ContendedMinimum)
	}
	line("")
	line("%-10s %-8s %10s %10s %10s %10s", "path", "", "count", "p50 ms", "p99 ms", "worst ms")
	for _, l := range r.Latency {
		line("%-10s %-8s %10d %10.2f %10.2f %10.2f", l.Path, l.Operation, l.Count, l.P50Millis, l.P99Millis, l.MaxMillis)
	}
	line("")
	for _, p := range r.Phases {
		line("%8.1f s  %s", p.Seconds, p.Name)
	}
	line("")
	for _, problem := range slices.Concat(r.Failures, r.Problems) {
		line("  %s", problem)
	}
	if r.Passed {
		line("PASSED: nothing was lost, nothing differs, nobody saw an error.")
	} else {
		line("FAILED")
	}
}
