package flags

import (
	"maps"
	"math"

	"github.com/cespare/xxhash/v2"
)

// Compiled is a policy ready for decisions. It never changes, and any number
// of goroutines may use it.
type Compiled struct {
	// What most decisions read.
	plain    bool // every tenant and key stands at the default
	usual    int  // 32 where a share of the tenants stands at to and nobody is named: see place
	base, to Stage
	last     uint64 // the last hash of a tenant that is in the share
	seed     uint64
	named    Overrides

	share     uint64
	keySeed   uint64
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
		seed: hashed(salt), keySeed: hashed(salt + "\x00keys"), policy: p,
	}
	if named != nil {
		c.named = *named
	}
	if c.share < Buckets {
		c.last = border(p.Step.Share) - 1
	}
	nobody := c.named.n == 0 && len(p.Overrides) == 0
	c.plain = c.share == 0 && nobody
	if c.share > 0 && c.ofTenants && nobody {
		c.usual = 32
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
	stage, _, reason := c.place(tenant, "")
	return stage, reason
}

// KeyStage returns the stage of one key of the tenant and why. It differs from
// the tenant's own under a share of keys alone. It allocates nothing.
func (c *Compiled) KeyStage(tenant, key string) (Stage, Reason) {
	if c.plain {
		return c.base, ReasonDefault
	}
	stage, _, reason := c.place(tenant, key)
	return stage, reason
}

// Range returns the lowest and the highest stage at which keys of the tenant
// stand: two adjacent ones under a share of keys, and else one stage twice.
func (c *Compiled) Range(tenant string) (low, high Stage) {
	stage, mixed, _ := c.place(tenant, "")
	return stage, max(stage, mixed)
}

// place is the one place that decides where a subject stands; mixed is the
// upper of two rungs where the subject stands at both.
//
// A share of tenants, by names of usual length, is decided right here: a call
// of [hashed] costs as much as the hash. [Compiled.placeAny] says the same of
// every policy and name.
func (c *Compiled) place(tenant, key string) (stage, mixed Stage, why Reason) {
	n := len(tenant)
	hash := prime5 + uint64(n)
	switch {
	case n >= c.usual:
		return c.placeAny(tenant, key)
	case n < 16:
		if n >= 8 {
			hash = stirred(hash, le64(tenant))
		}
	case n < 24:
		hash = stirred(stirred(hash, le64(tenant)), le64(tenant[8:16]))
	default:
		hash = stirred(stirred(stirred(hash, le64(tenant)), le64(tenant[8:16])), le64(tenant[16:24]))
	}
	if n&7 != 0 {
		i := n &^ 7
		if n&4 != 0 {
			hash = stirred4(hash, le32(tenant[i:i+4]))
			i += 4
		}
		for ; i < n; i++ {
			hash = stirred1(hash, tenant[i])
		}
	}
	if folded(finished(hash)^c.seed) <= c.last { // its bucket is below the share: see border
		return c.to, 0, ReasonPercentage
	}
	return c.base, 0, ReasonDefault
}

func (c *Compiled) placeAny(tenant, key string) (stage, mixed Stage, why Reason) {
	if c.usual > 0 { // a long name
		if folded(xxhash.Sum64String(tenant)^c.seed) <= c.last {
			return c.to, 0, ReasonPercentage
		}
		return c.base, 0, ReasonDefault
	}
	if c.plain {
		return c.base, 0, ReasonDefault
	}
	hash := uint64(0) // of the tenant, for the overrides and for the bucket; some shares of keys need none
	if c.named.n > 0 {
		hash = hashed(tenant)
		if stage := c.named.find(hash, tenant); stage != 0 {
			return stage, 0, ReasonOverride
		}
	} else if len(c.policy.Overrides) > 0 {
		if stage, ok := c.policy.Overrides[tenant]; ok {
			return stage, 0, ReasonOverride
		}
	}
	switch {
	case c.share == 0:
		return c.base, 0, ReasonDefault
	case c.share == Buckets:
		return c.to, 0, ReasonPercentage
	case key == "" && !c.ofTenants:
		return min(c.base, c.to), max(c.base, c.to), ReasonPercentage
	}
	if c.named.n == 0 {
		hash = hashed(tenant)
	}
	switch {
	case c.ofTenants && folded(hash^c.seed) <= c.last,
		!c.ofTenants && keyBucket(c.keySeed, hash, key) < c.share:
		return c.to, 0, ReasonPercentage
	}
	return c.base, 0, ReasonDefault
}

// ofKeys reports whether keys of one tenant stand at two rungs.
func (c *Compiled) ofKeys() bool {
	return c.policy.Step.Of == OfKeys && c.share > 0 && c.share < Buckets
}

// Bucket returns the tenant's bucket, 0 to 9,999: the tenant is in the
// percentage step while its bucket is below the share. It is sticky (a
// function of salt and tenant alone), so raising a share moves nobody out.
func (c *Compiled) Bucket(tenant string) int { return int(scaled(folded(hashed(tenant) ^ c.seed))) }

// KeyBucket returns the bucket of one key of the tenant, 0 to 9,999: the key is
// in a share of keys while its bucket is below the share. It is sticky (a
// function of salt, tenant and key alone) and has nothing to do with the
// tenant's own bucket.
func (c *Compiled) KeyBucket(tenant, key string) int {
	return int(keyBucket(c.keySeed, hashed(tenant), key))
}

// keyBucket folds the tenant's hash in before the key, so that tenant and key
// are two texts and not one.
func keyBucket(seed, tenant uint64, key string) uint64 {
	return scaled(folded(hashed(key) ^ folded(tenant^seed)))
}
