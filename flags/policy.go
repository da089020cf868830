package flags

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Buckets is the number of buckets that tenants fall into: a share is a whole
// number of 1/10,000.
const Buckets = 10_000

// Share is a part of all tenants in 1/10,000.
type Share int

// ShareError says why a percentage cannot be used.
type ShareError struct{ Text string }

func (e *ShareError) Error() string {
	return fmt.Sprintf("percentage %q: use 0 to 100 with at most two decimals, such as 12.5 or 0.01", e.Text)
}

// ParseShare reads a percentage such as "5", "12.5" or "0.01%". Anything
// outside 0 to 100 or finer than 0.01 is a [*ShareError].
func ParseShare(text string) (Share, error) {
	number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	percent, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(percent) || percent < 0 || percent > 100 {
		return 0, &ShareError{Text: text}
	}
	if _, decimals, found := strings.Cut(number, "."); found && len(strings.TrimRight(decimals, "0")) > 2 || strings.ContainsAny(number, "eExXpP_") {
		return 0, &ShareError{Text: text}
	}
	return Share(math.Round(percent * 100)), nil
}

// String returns the share as a percentage, such as "12.5%".
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)/100, 'f', -1, 64) + "%"
}

// PolicyID is the random number beside a policy's epoch. It tells apart two
// policies that a failover gave the same epoch.
type PolicyID [16]byte

// NewPolicyID returns a random policy id.
func NewPolicyID() PolicyID {
	var id PolicyID
	_, _ = rand.Read(id[:]) // crypto/rand.Read never returns an error
	return id
}

// String returns the id in the form that PostgreSQL prints a uuid.
func (id PolicyID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// IsZero reports whether the id was never set.
func (id PolicyID) IsZero() bool { return id == PolicyID{} }

// Step moves a share of the tenants from the default stage to the adjacent
// rung To. The zero Step moves nobody.
type Step struct {
	To    Stage
	Share Share
}

// Policy says who stands at which stage of one migration. It is a value:
// treat it as immutable once it is compiled.
type Policy struct {
	Migration string
	Epoch     int64
	ID        PolicyID
	// Default is the stage of every tenant that nothing else names.
	Default Stage
	// Step is the percentage step, joining Default to an adjacent rung.
	Step Step
	// Overrides name the stage of single tenants; they win over the step.
	Overrides map[string]Stage
	// Salt spreads the tenants over the buckets. Two migrations with the same
	// salt move the same cohort. Empty means the migration's name.
	Salt string
}

// PolicyError names what is wrong with a policy.
type PolicyError struct {
	Migration string
	Problem   string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("policy of %s: %s", e.Migration, e.Problem)
}

// Validate returns a [*PolicyError] when the policy cannot be compiled: an
// unknown stage, a share outside 0 to 100 %, or a percentage step between
// rungs that are not adjacent.
func (p Policy) Validate() error {
	bad := func(format string, args ...any) error {
		return &PolicyError{Migration: p.Migration, Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.Migration == "":
		return bad("the migration has no name")
	case !p.Default.Valid():
		return bad("the default is no stage: use one of %s", strings.Join(stageNames[1:], ", "))
	case p.Step.Share < 0 || p.Step.Share > Buckets:
		return bad("share %d is outside 0 to %d (1/10,000 of the tenants)", int(p.Step.Share), Buckets)
	case p.Step == Step{}:
	case !p.Step.To.Valid():
		return bad("the percentage step leads to no stage")
	case p.Step.To == p.Default || !p.Step.To.Adjacent(p.Default):
		return bad("a percentage step joins a rung to the next one only: %s to %s is refused", p.Default, p.Step.To)
	}
	for tenant, stage := range p.Overrides {
		if tenant == "" {
			return bad("an override names no tenant")
		}
		if !stage.Valid() {
			return bad("the override of tenant %q is no stage", tenant)
		}
	}
	return nil
}

// Reason says why a tenant stands at its stage.
type Reason string

// The reasons of a decision.
const (
	ReasonDefault    Reason = "default"
	ReasonPercentage Reason = "percentage"
	ReasonOverride   Reason = "override"
	ReasonUnguarded  Reason = "unguarded"
)

// Compiled is a policy ready for decisions. It never changes, and any number
// of goroutines may use it.
type Compiled struct {
	policy Policy
	seed   uint64
	share  uint64
	refs   refs
}

// Compile validates the policy and makes it ready for decisions. The policy's
// overrides are taken as they are and must not change afterwards.
func (p Policy) Compile() (*Compiled, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	salt := p.Salt
	if salt == "" {
		salt = p.Migration
	}
	return &Compiled{policy: p, seed: xxhash.Sum64String(salt), share: uint64(p.Step.Share)}, nil
}

// Policy returns the policy that was compiled. Its overrides must not be changed.
func (c *Compiled) Policy() Policy { return c.policy }

// Stage returns the tenant's stage and why. It allocates nothing.
func (c *Compiled) Stage(tenant string) (Stage, Reason) {
	if len(c.policy.Overrides) > 0 {
		if stage, ok := c.policy.Overrides[tenant]; ok {
			return stage, ReasonOverride
		}
	}
	if c.share > 0 && bucket(c.seed, tenant) < c.share {
		return c.policy.Step.To, ReasonPercentage
	}
	return c.policy.Default, ReasonDefault
}

// Bucket returns the tenant's bucket, 0 to 9,999: the tenant is in the
// percentage step while its bucket is below the share. It is sticky (a
// function of salt and tenant alone), so raising a share moves nobody out.
func (c *Compiled) Bucket(tenant string) int { return int(bucket(c.seed, tenant)) }

// bucket mixes both hashes by the finalizer of SplitMix64 (Steele, Lea, Flood:
// "Fast splittable pseudorandom number generators", 2014), so that two salts
// give independent cohorts.
func bucket(seed uint64, tenant string) uint64 {
	x := xxhash.Sum64String(tenant) ^ seed
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) % Buckets
}

// Span returns the lowest and the highest stage that any one subject can be
// given by the policies taken together, as the pair with the widest gap over
// all tenants. The control plane refuses a change when that gap is wider than
// two adjacent rungs.
func Span(policies ...Policy) (low, high Stage, tenant string, err error) {
	compiled := make([]*Compiled, len(policies))
	tenants := map[string]bool{}
	cuts := map[int]bool{0: true}
	for i, p := range policies {
		if compiled[i], err = p.Compile(); err != nil {
			return 0, 0, "", err
		}
		cuts[int(p.Step.Share)] = true
		for t := range p.Overrides {
			tenants[t] = true
		}
	}
	widen := func(stages func(*Compiled) Stage, who string) {
		lo, hi := New, Old
		for _, c := range compiled {
			s := stages(c)
			lo, hi = min(lo, s), max(hi, s)
		}
		if low == 0 || hi-lo > high-low {
			low, high, tenant = lo, hi, who
		}
	}
	for cut := range cuts {
		if cut < Buckets {
			widen(func(c *Compiled) Stage { return c.atBucket(uint64(cut)) }, "")
		}
	}
	names := make([]string, 0, len(tenants))
	for t := range tenants {
		names = append(names, t)
	}
	sort.Strings(names)
	for _, t := range names {
		widen(func(c *Compiled) Stage { s, _ := c.Stage(t); return s }, t)
	}
	return low, high, tenant, nil
}

func (c *Compiled) atBucket(b uint64) Stage {
	if b < c.share {
		return c.policy.Step.To
	}
	return c.policy.Default
}
