package control

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/sketch"
	"github.com/crossfade-db/crossfade/ledger"
)

// Role is what a call was made for.
type Role uint8

// The roles of calls.
const (
	Served   Role = iota // the answer went to the caller
	Compared             // it went into a comparison, or the side only had to follow
)

// Work is what a call did.
type Work uint8

// The kinds of work.
const (
	Reads Work = iota
	Writes
)

// Measurements are what was measured of one migration in some time, by one
// process or by many: merging loses nothing but where it came from.
type Measurements struct {
	// Calls are indexed by side, role and work.
	Calls [2][2][2]Series
	// Comparisons are those of all tenants.
	Comparisons Comparisons
	// Tenants are the busiest ones by name.
	Tenants map[string]*TenantMeasurements
}

// Series are the calls of one kind.
type Series struct {
	Calls, Failed int64
	// Latency holds how long each call took, to within two percent.
	Latency sketch.Sketch
}

// Quantile returns how long a share q of the calls took at most.
func (s *Series) Quantile(q float64) time.Duration { return s.Latency.Quantile(q) }

// Comparisons count what became of comparisons: each is in exactly one.
type Comparisons struct{ Matched, Mismatched, Ignored, Inconclusive, Dropped int64 }

// Judged counts the comparisons that told equal from different.
func (c Comparisons) Judged() int64 { return c.Matched + c.Mismatched }

// All counts the comparisons that were meant to take place.
func (c Comparisons) All() int64 { return c.Judged() + c.Ignored + c.Inconclusive + c.Dropped }

func (c *Comparisons) add(o Comparisons) {
	c.Matched += o.Matched
	c.Mismatched += o.Mismatched
	c.Ignored += o.Ignored
	c.Inconclusive += o.Inconclusive
	c.Dropped += o.Dropped
}

// TenantMeasurements are those of one tenant: counts without latencies.
type TenantMeasurements struct {
	// Calls and Failed are indexed by side, role and work.
	Calls, Failed [2][2][2]int64
	Comparisons   Comparisons
}

func (t *TenantMeasurements) traffic() (n int64) {
	for _, side := range t.Calls {
		for _, role := range side {
			n += role[Reads] + role[Writes]
		}
	}
	return n + t.Comparisons.All()
}

// NewCalls counts the calls of the new side.
func (m *Measurements) NewCalls() (n int64) {
	for _, role := range m.Calls[flags.NewSide] {
		n += role[Reads].Calls + role[Writes].Calls
	}
	return n
}

func (m *Measurements) empty() bool {
	n := m.Comparisons.All()
	for _, role := range slices.Concat(m.Calls[0][:], m.Calls[1][:]) {
		n += role[Reads].Calls + role[Writes].Calls
	}
	return n == 0
}

// eachSeries calls fn for every series in one order.
func eachSeries(fn func(side, role, work int)) {
	for side := range 2 {
		for role := range 2 {
			for work := range 2 {
				fn(side, role, work)
			}
		}
	}
}

// Merge adds what others measured.
func (m *Measurements) Merge(o *Measurements) {
	eachSeries(func(s, r, w int) {
		m.Calls[s][r][w].Calls += o.Calls[s][r][w].Calls
		m.Calls[s][r][w].Failed += o.Calls[s][r][w].Failed
		m.Calls[s][r][w].Latency.Merge(&o.Calls[s][r][w].Latency)
	})
	m.Comparisons.add(o.Comparisons)
	for name, t := range o.Tenants {
		m.tenant(name).merge(t)
	}
}

func (t *TenantMeasurements) merge(o *TenantMeasurements) {
	eachSeries(func(s, r, w int) {
		t.Calls[s][r][w] += o.Calls[s][r][w]
		t.Failed[s][r][w] += o.Failed[s][r][w]
	})
	t.Comparisons.add(o.Comparisons)
}

func (m *Measurements) tenant(name string) *TenantMeasurements {
	if m.Tenants == nil {
		m.Tenants = map[string]*TenantMeasurements{}
	}
	t := m.Tenants[name]
	if t == nil {
		t = &TenantMeasurements{}
		m.Tenants[name] = t
	}
	return t
}

// measurementsVersion is the form of the content below. A program that meets
// another one says so instead of guessing.
const measurementsVersion = 1

// encode writes the measurements: a version; for each series the calls, the
// failures and, where there are any, the latencies; the comparisons; the
// tenants.
func (m *Measurements) encode() ([]byte, error) {
	b := []byte{measurementsVersion}
	var err error
	eachSeries(func(s, r, w int) {
		series := &m.Calls[s][r][w]
		b = appendCounts(b, series.Calls)
		if series.Calls > 0 && err == nil {
			b = appendCounts(b, series.Failed)
			b, err = series.Latency.AppendBinary(b)
		}
	})
	b = m.Comparisons.append(b)
	b = appendCounts(b, int64(len(m.Tenants)))
	for _, name := range slices.Sorted(maps.Keys(m.Tenants)) {
		t := m.Tenants[name]
		b = appendCounts(b, int64(len(name)))
		b = append(b, name...)
		eachSeries(func(s, r, w int) { b = appendCounts(b, t.Calls[s][r][w], t.Failed[s][r][w]) })
		b = t.Comparisons.append(b)
	}
	return b, err
}

func (c Comparisons) append(b []byte) []byte {
	return appendCounts(b, c.Matched, c.Mismatched, c.Ignored, c.Inconclusive, c.Dropped)
}

func appendCounts(b []byte, counts ...int64) []byte {
	for _, n := range counts {
		b = binary.AppendUvarint(b, uint64(max(n, 0))) //nolint:gosec // not negative
	}
	return b
}

// decoder reads counts and remembers the first error.
type decoder struct {
	b   []byte
	err error
}

var errCutOff = errors.New("measurements: the content is cut off")

func (d *decoder) count() int64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > 1<<62 {
		d.b, d.err = nil, errors.Join(d.err, errCutOff)
		return 0
	}
	d.b = d.b[size:]
	return int64(n) //nolint:gosec // bounded above
}

func (d *decoder) comparisons() Comparisons {
	return Comparisons{Matched: d.count(), Mismatched: d.count(), Ignored: d.count(), Inconclusive: d.count(), Dropped: d.count()}
}

// decode reads what encode wrote, in the place of what m holds.
func (m *Measurements) decode(b []byte) error {
	if len(b) == 0 {
		return errCutOff
	}
	if b[0] != measurementsVersion {
		return fmt.Errorf("measurements: version %d is not known to this program: upgrade it", b[0])
	}
	*m = Measurements{}
	d := &decoder{b: b[1:]}
	eachSeries(func(s, r, w int) {
		series := &m.Calls[s][r][w]
		if series.Calls = d.count(); series.Calls == 0 || d.err != nil {
			return
		}
		series.Failed = d.count()
		rest, err := series.Latency.Decode(d.b)
		d.b, d.err = rest, errors.Join(d.err, err)
	})
	m.Comparisons = d.comparisons()
	for n := d.count(); n > 0 && d.err == nil; n-- {
		length := d.count()
		if length > int64(len(d.b)) {
			return errCutOff
		}
		name := string(d.b[:length])
		d.b = d.b[length:]
		t := m.tenant(name)
		eachSeries(func(s, r, w int) { t.Calls[s][r][w], t.Failed[s][r][w] = d.count(), d.count() })
		t.Comparisons = d.comparisons()
	}
	return d.err
}

// Measured returns what the members of the fleet measured of a migration and
// handed in after a moment of the server's clock.
func Measured(ctx context.Context, store *ledger.Store, m ledger.Migration, since time.Time) (*Measurements, error) {
	rows, err := store.MeasurementsSince(ctx, m, since)
	if err != nil {
		return nil, err
	}
	var all, one Measurements
	for _, r := range rows {
		if err := one.decode(r.Content); err != nil {
			return nil, err
		}
		all.Merge(&one)
	}
	return &all, nil
}

// mergeContents is for [ledger.Store.MergeMeasurements].
func mergeContents(contents [][]byte) ([]byte, error) {
	var all, one Measurements
	for _, content := range contents {
		if err := one.decode(content); err != nil {
			return nil, err
		}
		all.Merge(&one)
	}
	all.bound(maxTenants)
	return all.encode()
}

// maxTenants is how many tenants are kept by name, the busiest of them; the
// others are summed up under the empty name.
const maxTenants = 200

// bound keeps the busiest tenants by name.
func (m *Measurements) bound(limit int) {
	if len(m.Tenants) < limit {
		return
	}
	names := slices.SortedFunc(maps.Keys(m.Tenants), func(a, b string) int {
		if a == "" || b == "" { // the rest stays the rest
			return len(b) - len(a)
		}
		if x, y := m.Tenants[a].traffic(), m.Tenants[b].traffic(); x != y {
			return int(y - x)
		}
		if a < b {
			return -1
		}
		return 1
	})
	rest := &TenantMeasurements{}
	for _, name := range names[limit-1:] {
		rest.merge(m.Tenants[name])
		delete(m.Tenants, name)
	}
	m.tenant("").merge(rest)
}
