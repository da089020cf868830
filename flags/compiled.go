package flags

import (
	"maps"
	"math"
)

// Compiled is a policy ready for decisions. It never changes, and any number
// of goroutines may use it.
type Compiled struct {
	// What most decisions read.
	plain     bool // every tenant and key stands at the default
	base, to  Stage
	usualKeys uint                                             // usualLengths where a share of keys stands at to and nobody is named: see ofKey
	last      uint64                                           // the last hash that is in the share
	seed      uint64                                           // of tenants' hashes
	keySeed   uint64                                           // of keys' hashes
	ofTenant  func(c *Compiled, tenant string) (Stage, Reason) // ofShare where a share of tenants stands at to and nobody is named, or ofAny
	named     Overrides

	share     uint64
	ofTenants bool
	policy    Policy // its overrides are as Compile was given them, or nil: one of policy and named has them
	refs      refs
}

// Compile validates the policy and makes it ready for decisions. The policy's
// overrides are taken as they are and must not change afterwards.
func (p Policy) Compile() (*Compiled, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p.compile(nil), nil
}

// table returns the policy's overrides as a table.
func (p Policy) table() (*Overrides, error) {
	var b OverridesBuilder
	b.grow(len(p.Overrides))
	for tenant, stage := range p.Overrides {
		b.put(tenant, stage)
	}
	return b.Done()
}

// CompileWith is [Policy.Compile] for a policy whose overrides are in a table:
// what it costs does not depend on how many there are. The policy's own
// Overrides must be empty.
func (p Policy) CompileWith(named *Overrides) (*Compiled, error) {
	if len(p.Overrides) > 0 {
		return nil, &PolicyError{Migration: p.Migration, Problem: "its overrides are named twice, by the policy and by a table: leave those of the policy empty"}
	}
	p.Overrides = nil
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p.compile(named), nil
}

func (p Policy) compile(named *Overrides) *Compiled {
	salt := p.Salt
	if salt == "" {
		salt = p.Migration
	}
	c := &Compiled{
		base: p.Default, to: p.Step.To, ofTenants: p.Step.Of == OfTenants, share: uint64(p.Step.Share), last: math.MaxUint64,
		seed: ready(hashed(unseeded, salt)), keySeed: ready(hashed(unseeded, salt+"\x00keys")), policy: p,
	}
	if named != nil {
		c.named = *named
	}
	if c.share < Buckets {
		c.last = border(p.Step.Share) - 1
	}
	nobody := c.named.n == 0 && len(p.Overrides) == 0
	c.plain = c.share == 0 && nobody
	c.ofTenant = ofAny
	switch {
	case !nobody || c.share == 0:
	case c.ofTenants:
		c.ofTenant = ofShare
	case c.ofKeys():
		c.usualKeys = usualLengths
	}
	c.refs.policy = c
	return c
}

// Policy returns the policy that was compiled. Its overrides must not be
// changed. Where they came as a table they are made anew at each call: use
// [Compiled.Terms] and [Compiled.Overrides] for a policy with many.
func (c *Compiled) Policy() Policy {
	p := c.policy
	if p.Overrides == nil && c.named.n > 0 {
		p.Overrides = make(map[string]Stage, c.named.n)
		maps.Insert(p.Overrides, c.named.All())
	}
	return p
}

// Terms returns the policy without its overrides.
func (c *Compiled) Terms() Policy {
	p := c.policy
	p.Overrides = nil
	return p
}

// Is reports whether the policy has the epoch and the id.
func (c *Compiled) Is(epoch int64, id PolicyID) bool {
	return c.policy.Epoch == epoch && c.policy.ID == id
}

// Overrides returns the stages of the tenants that are named one by one. Where
// the policy was compiled from a map, the table is made at each call.
func (c *Compiled) Overrides() *Overrides {
	if len(c.policy.Overrides) > 0 {
		table, _ := c.policy.table() // the overrides are valid
		return table
	}
	return &c.named
}

// Stage returns the tenant's stage and why: under a share of keys that of the
// lower rung, which is valid for every key. It allocates nothing.
func (c *Compiled) Stage(tenant string) (Stage, Reason) {
	if c.plain {
		return c.base, ReasonDefault
	}
	return c.ofTenant(c, tenant)
}

// KeyStage returns the stage of one key of the tenant and why. It differs from
// the tenant's own under a share of keys alone. It allocates nothing.
func (c *Compiled) KeyStage(tenant, key string) (Stage, Reason) {
	if c.plain {
		return c.base, ReasonDefault
	}
	return c.ofKey(tenant, key)
}

// Range returns the lowest and the highest stage at which keys of the tenant
// stand: two adjacent ones under a share of keys, and else one stage twice.
func (c *Compiled) Range(tenant string) (low, high Stage) {
	stage, mixed, _ := c.place(tenant, "")
	return stage, max(stage, mixed)
}

// place decides where a subject stands; mixed is the upper of two rungs where
// the subject stands at both.
func (c *Compiled) place(tenant, key string) (stage, mixed Stage, why Reason) {
	switch {
	case c.plain:
		return c.base, 0, ReasonDefault
	case c.ofTenants && c.named.n == 0 && len(c.policy.Overrides) == 0:
		stage, why = ofShare(c, tenant)
		return stage, 0, why
	case c.usualKeys > 0 && key != "":
		stage, why = c.ofKey(tenant, key)
		return stage, 0, why
	}
	return c.placeAny(tenant, key)
}

// placeAny is place for every policy and subject. What [ofShare] and
// [Compiled.ofKey] decide by themselves, they decide the same.
func (c *Compiled) placeAny(tenant, key string) (stage, mixed Stage, why Reason) {
	if c.named.n > 0 {
		if stage := c.named.find(hashed(unseeded, tenant), tenant); stage != 0 {
			return stage, 0, ReasonOverride
		}
	} else if len(c.policy.Overrides) > 0 {
		if stage, ok := c.policy.Overrides[tenant]; ok {
			return stage, 0, ReasonOverride
		}
	}
	hash := uint64(0) // smaller than any border: in the share
	switch {
	case c.share == 0:
		return c.base, 0, ReasonDefault
	case c.share == Buckets:
	case c.ofTenants:
		hash = hashed(c.seed, tenant)
	case key == "":
		return min(c.base, c.to), max(c.base, c.to), ReasonPercentage
	default:
		hash = keyHashed(c.keySeed, tenant, key)
	}
	stage, why = c.at(hash)
	return stage, 0, why
}

// ofKeys reports whether keys of one tenant stand at two rungs.
func (c *Compiled) ofKeys() bool {
	return c.policy.Step.Of == OfKeys && c.share > 0 && c.share < Buckets
}

// Bucket returns the tenant's bucket, 0 to 9,999: the tenant is in the
// percentage step while its bucket is below the share. It is sticky (a
// function of salt and tenant alone), so raising a share moves nobody out.
func (c *Compiled) Bucket(tenant string) int { return int(scaled(hashed(c.seed, tenant))) }

// KeyBucket returns the bucket of one key of the tenant, 0 to 9,999: the key is
// in a share of keys while its bucket is below the share. It is sticky (a
// function of salt, tenant and key alone) and has nothing to do with the
// tenant's own bucket.
func (c *Compiled) KeyBucket(tenant, key string) int {
	return int(scaled(keyHashed(c.keySeed, tenant, key)))
}
