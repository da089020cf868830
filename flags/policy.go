package flags

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strings"

	"github.com/cespare/xxhash/v2"
)

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

// ShareOf says what a percentage step takes a share of.
type ShareOf uint8

const (
	// OfTenants moves whole tenants; the default.
	OfTenants ShareOf = iota
	// OfKeys moves keys inside of every tenant, for applications with one
	// tenant or few; between adjacent dual rungs only.
	OfKeys
)

// String returns "tenants" or "keys".
func (o ShareOf) String() string {
	if o == OfKeys {
		return "keys"
	}
	return "tenants"
}

// ParseShareOf returns what "tenants" or "keys" names.
func ParseShareOf(name string) (ShareOf, error) {
	switch name {
	case "tenants":
		return OfTenants, nil
	case "keys":
		return OfKeys, nil
	}
	return 0, fmt.Errorf("a share of %q: use tenants or keys", name)
}

// Step moves a share of the tenants, or of the keys of every tenant, from the
// default stage to the adjacent rung To. The zero Step moves nobody.
type Step struct {
	To    Stage
	Share Share
	Of    ShareOf
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
	// Standing is what the control plane found to hold when it published the
	// policy.
	Standing
}

// Standing is what holds while a policy is in force. The control plane derives
// it; nobody asks for it.
type Standing struct {
	// Clean says that no key of a tenant at live is or can become stale on the
	// new side: reads there need not look.
	Clean bool
	// StrictShadow says that a write at shadow fails when its new side fails,
	// as readers of a clean policy may still be about.
	StrictShadow bool
	// UnfencedOld and UnfencedNew say that everybody stands at old, or at new,
	// and that capture records what comes too late: writes need no fence.
	UnfencedOld, UnfencedNew bool
}

// Uniform returns the stage at which every tenant and key stands, or false
// when they may differ.
func (p Policy) Uniform() (Stage, bool) {
	stage := p.Default
	if p.Step.Share == Buckets {
		stage = p.Step.To
	}
	if p.Step.Share > 0 && p.Step.Share < Buckets {
		return 0, false
	}
	for _, s := range p.Overrides {
		if s != stage {
			return 0, false
		}
	}
	return stage, stage.Valid()
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
	case p.Step.Of > OfKeys:
		return bad("the percentage step takes a share of neither tenants nor keys")
	case p.Step.Of == OfKeys && !(p.Default.Plan().WritesBoth && p.Step.To.Plan().WritesBoth):
		return bad("a percentage of keys joins stages that write both sides: %s to %s is refused, take a percentage of tenants", p.Default, p.Step.To)
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
	policy  Policy
	seed    uint64
	keySeed uint64
	share   uint64
	refs    refs
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
	c := &Compiled{policy: p, seed: xxhash.Sum64String(salt), share: uint64(p.Step.Share)}
	c.keySeed = xxhash.Sum64String(salt + "\x00keys")
	c.refs.policy = c
	return c, nil
}

// Policy returns the policy that was compiled. Its overrides must not be changed.
func (c *Compiled) Policy() Policy { return c.policy }

// Stage returns the tenant's stage and why: under a share of keys that of the
// lower rung, which is valid for every key. It allocates nothing.
func (c *Compiled) Stage(tenant string) (Stage, Reason) {
	stage, _, reason := c.place(Subject{Tenant: tenant})
	return stage, reason
}

// KeyStage returns the stage of one key of the tenant and why. It differs from
// the tenant's own under a share of keys alone. It allocates nothing.
func (c *Compiled) KeyStage(tenant, key string) (Stage, Reason) {
	stage, _, reason := c.place(Subject{Tenant: tenant, Key: key})
	return stage, reason
}

// Range returns the lowest and the highest stage at which keys of the tenant
// stand: two adjacent ones under a share of keys, and else one stage twice.
func (c *Compiled) Range(tenant string) (low, high Stage) {
	stage, mixed, _ := c.place(Subject{Tenant: tenant})
	return stage, max(stage, mixed)
}

// place is the one place that decides where a subject stands; mixed is the
// upper of two rungs where the subject stands at both.
func (c *Compiled) place(s Subject) (stage, mixed Stage, why Reason) {
	if len(c.policy.Overrides) > 0 {
		if stage, ok := c.policy.Overrides[s.Tenant]; ok {
			return stage, 0, ReasonOverride
		}
	}
	step := &c.policy.Step
	switch {
	case c.share == 0:
		return c.policy.Default, 0, ReasonDefault
	case step.Of == OfTenants:
		if bucket(c.seed, s.Tenant) < c.share {
			return step.To, 0, ReasonPercentage
		}
	case c.share == Buckets:
		return step.To, 0, ReasonPercentage
	case s.Key == "":
		return min(c.policy.Default, step.To), max(c.policy.Default, step.To), ReasonPercentage
	case keyBucket(c.keySeed, s.Tenant, s.Key) < c.share:
		return step.To, 0, ReasonPercentage
	}
	return c.policy.Default, 0, ReasonDefault
}

// ofKeys reports whether keys of one tenant stand at two rungs.
func (c *Compiled) ofKeys() bool {
	return c.policy.Step.Of == OfKeys && c.share > 0 && c.share < Buckets
}

// Bucket returns the tenant's bucket, 0 to 9,999: the tenant is in the
// percentage step while its bucket is below the share. It is sticky (a
// function of salt and tenant alone), so raising a share moves nobody out.
func (c *Compiled) Bucket(tenant string) int { return int(bucket(c.seed, tenant)) }

// KeyBucket returns the bucket of one key of the tenant, 0 to 9,999: the key is
// in a share of keys while its bucket is below the share. It is sticky (a
// function of salt, tenant and key alone) and has nothing to do with the
// tenant's own bucket.
func (c *Compiled) KeyBucket(tenant, key string) int { return int(keyBucket(c.keySeed, tenant, key)) }

func bucket(seed uint64, tenant string) uint64 {
	return scaled(folded(xxhash.Sum64String(tenant) ^ seed))
}

// keyBucket folds the tenant in before the key, so that tenant and key are two
// texts and not one.
func keyBucket(seed uint64, tenant, key string) uint64 {
	return scaled(folded(xxhash.Sum64String(key) ^ folded(xxhash.Sum64String(tenant)^seed)))
}

// folded mixes a hash by one wide multiplication, both halves of it folded (as
// wyhash does: github.com/wangyi-fudan/wyhash), so that two salts give
// independent cohorts.
func folded(hash uint64) uint64 {
	high, low := bits.Mul64(hash, 0x9e3779b97f4a7c15)
	return high ^ low
}

// scaled brings a hash down to the buckets.
func scaled(hash uint64) uint64 {
	bucket, _ := bits.Mul64(hash, Buckets)
	return bucket
}
