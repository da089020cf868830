package compare

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

const shares = 10_000

// Sampler says which reads are compared: a share of each operation. A nil Sampler takes every read. It does not change
// once made and is safe for concurrent use.
type Sampler struct {
	rest       *sample
	operations map[string]*sample
}

// SamplerConfig configures a Sampler. Shares lie between 0 (never) and 1 (every read), in steps of 0.0001.
type SamplerConfig struct {
	// Rest is the share of operations that Operations does not name. Nil means 1.
	Rest *float64
	// Operations holds shares by the operation's name, such as "Customers.Get".
	Operations map[string]float64
	// Exact takes the share by counting instead of by chance: of 0.25 every fourth read of an operation. For tests, and
	// for traffic without a period of its own.
	Exact bool
}

type sample struct {
	of    uint64 // of 10,000
	exact bool
	seen  atomic.Uint64
}

// NewSampler returns a sampler, or an error that names the operation whose share lies outside 0 to 1 or is finer than
// 0.0001. A nil config takes every read.
func NewSampler(cfg *SamplerConfig) (*Sampler, error) {
	if cfg == nil {
		cfg = &SamplerConfig{}
	}
	s := &Sampler{rest: &sample{of: shares, exact: cfg.Exact}, operations: map[string]*sample{}}
	if cfg.Rest != nil {
		of, err := parts("all other operations", *cfg.Rest)
		if err != nil {
			return nil, err
		}
		s.rest.of = of
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Operations)) {
		of, err := parts(name, cfg.Operations[name])
		if err != nil {
			return nil, err
		}
		s.operations[name] = &sample{of: of, exact: cfg.Exact}
	}
	return s, nil
}

func parts(operation string, share float64) (uint64, error) {
	scaled := share * shares
	if !(share >= 0 && share <= 1) {
		return 0, fmt.Errorf("compare: share %v of %s: give a number from 0 to 1", share, operation)
	}
	if math.Abs(scaled-math.Round(scaled)) > 1e-6 {
		return 0, fmt.Errorf("compare: share %v of %s: steps finer than 0.0001 are not supported", share, operation)
	}
	return uint64(math.Round(scaled)), nil
}

// Take reports whether this read of the operation is compared. It allocates nothing.
func (s *Sampler) Take(operation string) bool {
	if s == nil {
		return true
	}
	sample, ok := s.operations[operation]
	if !ok {
		sample = s.rest
	}
	return sample.take()
}

func (s *sample) take() bool {
	switch {
	case s.of == shares:
		return true
	case s.of == 0:
		return false
	case s.exact:
		n := (s.seen.Add(1) - 1) % shares
		return (n+1)*s.of/shares != n*s.of/shares
	}
	return rand.Uint64N(shares) < s.of
}
