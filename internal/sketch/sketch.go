// Package sketch counts durations in buckets whose borders grow by a constant
// factor, so that quantiles of many processes can be merged and stay within a
// known relative error. It is the DDSketch of C. Masson, J. E. Rim and H. K.
// Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
// Relative-Error Guarantees", PVLDB 12 (2019), with a fixed range of buckets.
//
// It never keeps a single value, and never loses one: what is out of range is
// counted in the first or the last bucket.
package sketch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// RelativeError bounds how far a quantile is from the exact one, for durations
// between one microsecond and one hour.
const RelativeError = 0.02

const (
	unit    = time.Microsecond
	gamma   = (1 + RelativeError) / (1 - RelativeError)
	buckets = 552 // the first is for what is below the unit; gamma^551 microseconds are more than an hour
	version = 1
)

var logGamma = math.Log(gamma)

// index returns the bucket of a duration: i > 0 holds those above
// gamma^(i-1) and up to gamma^i units.
func index(d time.Duration) int {
	if d < unit {
		return 0
	}
	i := 1 + int(math.Floor(math.Log(float64(d)/float64(unit))/logGamma))
	return min(i, buckets-1)
}

// value returns the duration that stands for a bucket: of all durations in it,
// none is further away than RelativeError.
func value(i int) time.Duration {
	if i == 0 {
		return unit / 2
	}
	return time.Duration(2 * math.Pow(gamma, float64(i)) / (gamma + 1) * float64(unit))
}

// Sketch is a set of durations. The zero value is empty. It is for one
// goroutine at a time.
type Sketch struct {
	counts [buckets]uint64
	total  uint64
}

// Add counts one duration.
func (s *Sketch) Add(d time.Duration) {
	s.counts[index(d)]++
	s.total++
}

// Count returns how many durations were counted.
func (s *Sketch) Count() uint64 { return s.total }

// Merge adds all durations of another sketch.
func (s *Sketch) Merge(other *Sketch) {
	for i, n := range other.counts {
		s.counts[i] += n
	}
	s.total += other.total
}

// Quantile returns the duration at rank floor(q*(count-1)) of all in order, q
// from 0 to 1, within RelativeError. Of an empty sketch it is zero.
func (s *Sketch) Quantile(q float64) time.Duration {
	if s.total == 0 {
		return 0
	}
	rank := uint64(min(max(q, 0), 1) * float64(s.total-1))
	var seen uint64
	for i, n := range s.counts {
		if seen += n; seen > rank {
			return value(i)
		}
	}
	return value(buckets - 1)
}

// AppendBinary appends the sketch: the version, then for each bucket that is
// not empty how many empty ones stand before it and its count, then zero, zero.
func (s *Sketch) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, version)
	gap := uint64(0)
	for _, n := range s.counts {
		if n == 0 {
			gap++
			continue
		}
		b = binary.AppendUvarint(b, gap)
		b = binary.AppendUvarint(b, n)
		gap = 0
	}
	return append(b, 0, 0), nil
}

// Decode reads what AppendBinary wrote and returns the rest of b.
func (s *Sketch) Decode(b []byte) (rest []byte, err error) {
	*s = Sketch{}
	if len(b) == 0 {
		return nil, errShort
	}
	if b[0] != version {
		return nil, fmt.Errorf("sketch: version %d is not known to this program", b[0])
	}
	b = b[1:]
	for i := uint64(0); ; i++ {
		gap, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errShort
		}
		count, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, errShort
		}
		b = b[n+m:]
		if count == 0 {
			return b, nil
		}
		if gap >= buckets || i+gap >= buckets {
			return nil, errors.New("sketch: a bucket is out of range")
		}
		i += gap
		s.counts[i] = count
		s.total += count
	}
}

var errShort = errors.New("sketch: the content is cut off")

// Recorder collects durations from any number of goroutines. The zero value is
// ready. It neither blocks nor allocates.
type Recorder struct{ counts [buckets]atomic.Uint64 }

// Add counts one duration.
func (r *Recorder) Add(d time.Duration) { r.counts[index(d)].Add(1) }

// Take moves what was collected into a sketch. What is added meanwhile is in
// this sketch or stays for the next.
func (r *Recorder) Take(into *Sketch) {
	for i := range r.counts {
		if n := r.counts[i].Load(); n > 0 {
			n = r.counts[i].Swap(0)
			into.counts[i] += n
			into.total += n
		}
	}
}
