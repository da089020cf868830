package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// ChangeKind is what a change does to a policy.
type ChangeKind string

// The changes of a policy.
const (
	// SetDefault moves everybody whom no override names to the stage To, and
	// takes the percentage step away.
	SetDefault ChangeKind = ledger.KindDefault
	// SetPercentage moves the Share of the tenants whom no override names, or
	// of the keys of each of them, to the stage To, which is adjacent to the
	// default. A share of zero takes the percentage step away.
	SetPercentage ChangeKind = ledger.KindPercentage
	// SetTenants moves the Tenants to the stage To, whatever default and
	// percentage say.
	SetTenants ChangeKind = ledger.KindOverride
	// Unpin takes the overrides of the Tenants away.
	Unpin ChangeKind = ledger.KindUnpin
)

// Change is a change of one migration's policy that somebody asks for.
type Change struct {
	Migration string
	Kind      ChangeKind
	To        flags.Stage
	Share     flags.Share
	// Of says what Share is a share of: tenants, unless said otherwise.
	Of      flags.ShareOf
	Tenants []string
	// Targets are the stages of a change of kind SetEach, by tenant.
	Targets map[string]flags.Stage
	// Actor is who asks and Reason why: both go into the history.
	Actor  string
	Reason string
	// ExpectEpoch is the epoch that the change was made for: where another one
	// is in force, the change is refused with a [*ConflictError]. Zero means
	// the one in force when Apply begins.
	ExpectEpoch int64
	// Force sets aside what is [Rule.Forcible]. It needs a Reason, and the
	// history says what was set aside.
	Force bool
	// DryRun answers as the change would, and changes nothing.
	DryRun bool
	// NoWait returns when the new policy is in force, without waiting until
	// nobody acts on older ones. [Plane.Settle] waits for that later.
	NoWait bool
	// Report is told how the change goes on, if not nil. It must not block.
	Report func(Progress)

	// behalf is on whose behalf the controller makes the change.
	behalf
}

// behalf is what a change by the controller carries.
type behalf struct {
	kind    string            // of the history's entries; empty: the change's
	reasons map[string]string // by tenant; empty: the change's
	left    map[string]string // whom the step leaves behind, and why; "" is everybody without an override
	author  string            // of the ramp; empty: the actor
	ramp    int64             // the ramp that takes the step
	duty    *ledger.Duty      // must still be held
	acted   []int64           // guardrails that begin anew
	place   *ledger.RampMove
}

func (c *Change) entryKind() string {
	if c.kind != "" {
		return c.kind
	}
	return string(c.Kind)
}

func (c *Change) because(tenant string) string {
	if c.left[tenant] != "" {
		return c.leftBehind(tenant)
	}
	if reason := c.reasons[tenant]; reason != "" {
		return reason
	}
	return c.Reason
}

// asker returns whose approvals do not count.
func (c *Change) asker() string {
	if c.author != "" {
		return c.author
	}
	return c.Actor
}

// ChangeError says that a change makes no sense. Nothing was changed.
type ChangeError struct {
	Migration string
	Problem   string
}

func (e *ChangeError) Error() string { return e.Migration + ": " + e.Problem }

// validate returns a [*ChangeError] for what is wrong whatever the policy in
// force is.
func (c *Change) validate() error {
	bad := func(format string, args ...any) error {
		return &ChangeError{Migration: c.Migration, Problem: fmt.Sprintf(format, args...)}
	}
	needsStage, needsTenants := false, false
	switch c.Kind {
	case SetDefault:
		needsStage = true
	case SetPercentage:
		needsStage = c.Share != 0
	case SetTenants:
		needsStage, needsTenants = true, true
	case Unpin:
		needsTenants = true
	case SetEach:
		if problem := c.validateEach(); problem != "" {
			return bad("%s", problem)
		}
	default:
		return bad("change %q is none of %s, %s, %s, %s, %s", c.Kind, SetDefault, SetPercentage, SetTenants, Unpin, SetEach)
	}
	switch {
	case c.Actor == "":
		return bad("say who asks for the change: the history names an actor")
	case c.Force && strings.TrimSpace(c.Reason) == "":
		return bad("say why rules are to be set aside: the history names a reason")
	case needsStage && !c.To.Valid():
		return fmt.Errorf("%s: name the stage to go to: %w", c.Migration, &flags.UnknownStageError{Name: c.To.String()})
	case c.Share < 0 || c.Share > flags.Buckets:
		return bad("share %d is outside 0 to %d (1/10,000 of the tenants or keys)", int(c.Share), flags.Buckets)
	case c.Kind != SetPercentage && (c.Share != 0 || c.Of != flags.OfTenants):
		return bad("a share goes with a percentage step only")
	case c.Of > flags.OfKeys:
		return bad("a share is one of tenants or of keys")
	case c.Kind != SetEach && len(c.Targets) > 0:
		return bad("targets go with a change of kind %s only", SetEach)
	case needsTenants && len(c.Tenants) == 0:
		return bad("name at least one tenant")
	case !needsTenants && len(c.Tenants) > 0:
		return bad("a change of the %s names no tenants", c.Kind)
	case slices.Contains(c.Tenants, ""):
		return bad("a tenant's name is empty")
	}
	return nil
}

// next returns the policy that the change makes of the one in force, and what
// the history says about it: nothing when the change changes nothing.
func (c *Change) next(current flags.Policy) (flags.Policy, []ledger.Entry, error) {
	next := current
	next.Overrides = maps.Clone(current.Overrides)
	if next.Overrides == nil {
		next.Overrides = map[string]flags.Stage{}
	}
	var entries []ledger.Entry
	entry := func(tenant, from, to string) {
		if from != to {
			entries = append(entries, ledger.Entry{
				Actor: c.Actor, Reason: c.because(tenant), Kind: c.entryKind(), Tenant: tenant, From: from, To: to,
			})
		}
	}
	switch c.Kind {
	case SetDefault:
		next.Default, next.Step = c.To, flags.Step{}
		entry("", describe(current), describe(next))
	case SetPercentage:
		next.Step = flags.Step{To: c.To, Share: c.Share, Of: c.Of}
		if c.Share == 0 {
			next.Step = flags.Step{}
		} else if s := current.Step; s.Share > 0 && s.Of != c.Of {
			return next, nil, &ChangeError{Migration: c.Migration, Problem: fmt.Sprintf(
				"a share of the %s stands (%s at %s), and one of the %s would move others: change that share, take it back (0) or complete it (everybody at %s) first",
				s.Of, s.Share, s.To, c.Of, s.To)}
		}
		entry("", describe(current), describe(next))
	case SetTenants, Unpin:
		if err := c.nextTenants(current, next, entry); err != nil {
			return next, nil, err
		}
	case SetEach:
		if err := c.nextEach(current, &next, entry); err != nil {
			return next, nil, err
		}
	}
	if err := next.Validate(); err != nil || len(entries) == 0 {
		return next, nil, err
	}
	entered := func(tenant string) bool {
		return slices.ContainsFunc(entries, func(e ledger.Entry) bool { return e.Tenant == tenant })
	}
	return next, entries, c.enterLeft(current, entered, entry)
}

func (c *Change) nextTenants(current, next flags.Policy, entry func(tenant, from, to string)) error {
	before, err := current.Compile()
	if err != nil {
		return err
	}
	tenants := slices.Compact(slices.Sorted(slices.Values(c.Tenants)))
	var without []string
	for _, tenant := range tenants {
		if _, ok := current.Overrides[tenant]; !ok {
			without = append(without, tenant)
		}
		if c.Kind == SetTenants {
			next.Overrides[tenant] = c.To
		} else {
			delete(next.Overrides, tenant)
		}
	}
	if c.Kind == Unpin && len(without) > 0 {
		return &ChangeError{Migration: c.Migration, Problem: fmt.Sprintf("nothing to unpin: no override names tenant %q", without[0])}
	}
	after, err := next.Compile()
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		entry(tenant, placed(before, tenant), placed(after, tenant))
	}
	return nil
}

// describe says in words where a policy puts tenants whom nothing names.
func describe(p flags.Policy) string {
	if p.Step.Share == 0 {
		return p.Default.String()
	}
	if p.Step.Of == flags.OfKeys {
		return fmt.Sprintf("%s with %s of the keys at %s", p.Default, p.Step.Share, p.Step.To)
	}
	return fmt.Sprintf("%s with %s at %s", p.Default, p.Step.Share, p.Step.To)
}

// placed says where a policy puts a tenant, and whether an override does.
func placed(c *flags.Compiled, tenant string) string {
	stage, reason := c.Stage(tenant)
	if reason == flags.ReasonOverride {
		return stage.String() + " (pinned)"
	}
	if low, high := c.Range(tenant); low != high {
		return describe(c.Policy())
	}
	return stage.String()
}
