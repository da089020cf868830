package control

import (
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// State is what a step depends on, as one look at the ledger saw it.
type State = ledger.State

// Check returns everything that speaks against next taking the place of the
// policy in force, all of it at once, and nil when nothing does. Only those
// tenants count whose stage changes: each tenant that the ledger knows by name
// (by a state, stale keys or an override), and every range of the buckets for
// the tenants that it does not know, and in each every range of the buckets of
// keys. Epoch and id of next do not matter. It is
// a pure function: [Rules] lists the rules.
func Check(state *State, next flags.Policy) []Block {
	l, err := newLook(state, next)
	if err == nil {
		err = l.chain()
	}
	if err != nil {
		return []Block{{Kind: BlockInvalid, Text: err.Error()}}
	}
	moves := l.moves()
	var blocks []Block
	for _, table := range [][]Rule{rules, chainRules, guardRules} {
		for i := range table {
			blocks = append(blocks, l.judge(&table[i], moves)...)
		}
	}
	return blocks
}

// judge returns one block for each step of which the rule refuses a tenant.
func (l *look) judge(r *Rule, moves []move) []Block {
	found := map[Transition]*Block{}
	var order []Transition
	for _, m := range moves {
		if !r.concerns(m) || !r.broken(l, m) {
			continue
		}
		b := found[m.Transition]
		if b == nil {
			b = &Block{Kind: r.Kind, From: m.From, To: m.To, Forcible: r.Forcible}
			found[m.Transition] = b
			order = append(order, m.Transition)
		}
		if m.subject.tenant == "" {
			b.Others = true
		} else {
			b.Tenants = append(b.Tenants, m.subject.tenant)
		}
		if r.Kind == BlockBarrier {
			b.Epochs = append(b.Epochs, l.blamed(m)...)
		}
	}
	blocks := make([]Block, 0, len(order))
	for _, t := range order {
		b := found[t]
		slices.Sort(b.Tenants)
		slices.Sort(b.Epochs)
		b.Epochs = slices.Compact(b.Epochs)
		r.describe(l, b)
		blocks = append(blocks, *b)
	}
	return blocks
}

// look is a state and a next policy, ready for the rules.
type look struct {
	state       *State
	current     *flags.Compiled
	next        *flags.Compiled
	outstanding map[int64]*flags.Compiled
	staleKeys   map[staleKey]ledger.StaleCount
	known       []string                     // see names
	others      map[*State][]*flags.Compiled // see chain
}

type staleKey struct {
	tenant string
	side   flags.Side
}

func newLook(state *State, next flags.Policy) (*look, error) {
	next.Migration, next.Salt = state.Migration.Name, state.Migration.Salt
	l := &look{state: state, outstanding: map[int64]*flags.Compiled{}, staleKeys: map[staleKey]ledger.StaleCount{}}
	var err error
	if l.next, err = next.Compile(); err != nil {
		return nil, err
	}
	if l.current, err = state.Current().Compile(); err != nil {
		return nil, err
	}
	for _, p := range state.Outstanding() {
		if !actedOn(state, p) {
			continue
		}
		if l.outstanding[p.Epoch], err = p.Compile(); err != nil {
			return nil, err
		}
	}
	for _, c := range state.Stale {
		l.staleKeys[staleKey{c.Tenant, c.Side}] = c
	}
	return l, nil
}

// actedOn reports whether somebody may still act on an older policy. A process
// acts on its oldest policy and perhaps on every one since; it may have come
// back after the policy was written down as acknowledged.
func actedOn(state *State, p ledger.PolicyState) bool {
	return p.DrainedAt == nil || p.AcknowledgedAt == nil ||
		slices.ContainsFunc(state.Processes, func(r ledger.Process) bool { return r.Epoch <= p.Epoch })
}

func (l *look) name() string { return l.state.Migration.Name }

// names are the tenants that the ledger knows, found once for each look: they
// may be many.
func (l *look) names() []string {
	if l.known == nil {
		l.known = l.findNames()
	}
	return l.known
}

func (l *look) findNames() []string {
	known := make(map[string]bool, len(l.state.Tenants)+len(l.state.Current().Overrides))
	for t := range l.state.Tenants {
		known[t] = true
	}
	for _, c := range l.state.Stale {
		known[c.Tenant] = true
	}
	for _, p := range l.state.Policies {
		for t := range p.Overrides {
			known[t] = true
		}
	}
	for t := range l.next.Policy().Overrides {
		known[t] = true
	}
	for _, compiled := range l.others { // who stands apart there, is judged apart here
		for _, c := range compiled {
			for t := range c.Overrides().All() {
				known[t] = true
			}
		}
	}
	for t := range l.state.Guard.Mismatches {
		known[t] = true
	}
	delete(known, "") // mismatches that were only counted name no tenant
	return slices.Sorted(maps.Keys(known))
}

func (l *look) policies() []*flags.Compiled {
	all := []*flags.Compiled{l.current, l.next}
	for _, epoch := range slices.Sorted(maps.Keys(l.outstanding)) {
		all = append(all, l.outstanding[epoch])
	}
	return all
}

// tenant returns the state that counts for the subject.
func (l *look) tenant(m move) ledger.TenantState { return l.state.Tenant(m.subject.tenant) }

// stale counts the subject's stale keys. Tenants that the ledger does not know
// by name have none: a stale key makes a tenant known.
func (l *look) stale(m move, side flags.Side) ledger.StaleCount {
	return l.staleOf(m.subject.tenant, side)
}

func (l *look) staleOf(tenant string, side flags.Side) ledger.StaleCount {
	return l.staleKeys[staleKey{tenant, side}]
}

// strangers are the processes that act on a policy that the ledger does not know.
func (l *look) strangers() []ledger.Process {
	return slices.DeleteFunc(slices.Clone(l.state.Processes), func(p ledger.Process) bool { return !p.Unknown })
}
