package model

import "github.com/crossfade-db/crossfade/flags"

// atFence is the fence as an agent of the model calls it.
type atFence struct {
	m       *model
	s       *state
	i       int
	blocker int
}

func (f *atFence) readCommitted() bool { return f.s.agents[f.i].task != frozen }

// inForce reads the ledger: a frozen snapshot shows the policy that was in
// force when it was taken.
func (f *atFence) inForce() bool {
	a := &f.s.agents[f.i]
	return a.epoch == 0 || a.task == frozen || a.epoch == lost+1 && f.m.rules.policyUnasked
}

// conflict looks for another agent that holds a lock. Drains wait for the end
// of a transaction and are then done at once, so that nobody meets one here.
func (f *atFence) conflict(l lockName, exclusive bool) bool {
	for j := range f.s.agents {
		other := &f.s.agents[j]
		if j == f.i {
			continue
		}
		held := l == keyOf && other.locks&keyLock != 0 ||
			l == tenantOf && other.locks&tenantLock != 0 && (exclusive || other.task == sweep)
		if held {
			f.blocker = j
			return true
		}
	}
	return false
}

func (f *atFence) hold(l lockName, _ bool) { f.s.agents[f.i].locks |= 1 << l }

// mark does nothing: in the model, what a fenced operation writes is marked.
func (f *atFence) mark() {}

// fence runs the fence from a clause on. Clauses that need not wait run at
// once: nothing that happens between two of them could be told apart, unless
// the rules say that it is to be tried.
func (m *model) fence(s *state, i, from int, again bool) {
	t := *s
	call := fenceCall{keys: oneKey, allKeys: s.agents[i].task == sweep}
	f := &atFence{m: m, s: &t, i: i}
	clauses, upTo := m.fenceTable, len(m.fenceTable)
	if m.rules.clauseByClause && from+1 < upTo {
		upTo = from + 1
	}
	what, at := callFence(clauses[:upTo], from, call, f)
	first := from == 0 && s.agents[i].at < fencing0 || again
	switch {
	case what == granted && upTo < len(clauses):
		m.move(t, i, fencing0+place(upTo), "passes: "+clauses[upTo-1].text)
	case what == granted && t.agents[i].task >= backfilling:
		m.workerFenced(t, i)
	case what == granted:
		m.fenced(t, i, again)
	case what == waiting && (first || at != from):
		m.move(t, i, fencing0+place(at), "waits in the fence for "+clauses[at].text)
		fallthrough
	case what == waiting:
		m.wait(i, f.blocker)
	case what == notInForce && t.agents[i].task >= backfilling:
		m.workerRefused(t, i)
	case what == notInForce:
		m.refuse(s, i, "is refused by the fence: its policy is not in force")
	default:
		m.refuse(s, i, "is refused by the fence: not READ COMMITTED")
	}
}

// plans are the real plans of all policies.
var plans = func() (all [128]*flags.Plan) {
	for p := range all {
		if policy(p).stage().Valid() {
			compiled, err := policy(p).real(1).Compile()
			if err != nil {
				continue
			}
			all[p] = plan(compiled)
		}
	}
	return all
}()

func plan(c *flags.Compiled) *flags.Plan {
	p := c.Policy()
	return flags.Decision{
		Stage: p.Default, Clean: p.Clean, StrictShadow: p.StrictShadow,
		Unfenced: p.Default == flags.Old && p.UnfencedOld || p.Default == flags.New && p.UnfencedNew,
	}.Plan()
}

func (p policy) plan() *flags.Plan { return plans[p] }
