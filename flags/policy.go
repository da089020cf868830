package flags

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
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

// PolicyError names what is wrong with a policy, or with a table of overrides,
// which is of no migration yet.
type PolicyError struct {
	Migration string
	Problem   string
}

func (e *PolicyError) Error() string {
	if e.Migration == "" {
		return "policy: " + e.Problem
	}
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
		if problem := checkNamed(tenant, stage); problem != "" {
			return bad("%s", problem)
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
