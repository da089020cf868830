package model

import (
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// verdict is what the control plane says about a next policy.
type verdict struct {
	blocks        uint64 // by bit, the rules that speak against it
	notCopied     bool
	oldIncomplete bool
	standing      policy // what the next policy says to hold
}

// duty is what the keeper would do.
type duty struct {
	standing policy
	switches [2]bool
}

// judge asks the real rules. What they depend on is little, so that each
// question is asked once.
type judge struct {
	known map[question]verdict
	due   map[question]duty   // next is none
	kinds []control.BlockKind // by bit
}

// question is what the rules depend on.
type question struct {
	now, next policy
	older     [maxOlder]grant
	facts     uint8
	stale     [2]uint8 // per side: 0 none, 1 some, 2 some that cannot be copied
	epochs    [maxAgents]uint8
	capture   [2]capture
}

const nobodyActs = 0xff

func (j *judge) bit(kind control.BlockKind) uint64 {
	for i, k := range j.kinds {
		if k == kind {
			return 1 << i
		}
	}
	j.kinds = append(j.kinds, kind)
	return 1 << (len(j.kinds) - 1)
}

// ask returns what speaks against next in a state, and what it would do.
func (m *model) ask(s *state, next policy) verdict {
	q := m.question(s, next)
	v, known := m.judge.known[q]
	if !known {
		v = m.judge.answer(q)
		m.judge.known[q] = v
	}
	return v
}

// duty asks what the keeper would do.
func (m *model) duty(s *state) duty {
	q := m.question(s, 0)
	d, known := m.judge.due[q]
	if !known {
		standing, sides, err := control.Due(q.state())
		if err != nil {
			panic(err)
		}
		d.standing = pack(standing)
		for _, side := range sides {
			d.switches[side] = true
		}
		m.judge.due[q] = d
	}
	return d
}

func (m *model) question(s *state, next policy) question {
	q := question{now: s.now, next: next, older: s.older, facts: s.facts & (backfilled | verified | oldComplete | ranUnfencedOld | ranUnfencedNew), capture: s.capture}
	for _, r := range s.records {
		if r.side != 0 && r.adder == 0 {
			q.stale[r.side-1] = max(q.stale[r.side-1], 1+r.failing)
		}
	}
	for i := range s.agents {
		q.epochs[i] = m.reported(s, i)
	}
	return q
}

// reported is the oldest epoch that an agent says it acts on: of the policy in
// its memory and of what it is about.
func (m *model) reported(s *state, i int) uint8 {
	a := &s.agents[i]
	if a.flags&member == 0 || m.rules.noAcknowledgement {
		return nobodyActs
	}
	if acts := a.task <= grabbing && a.at != resting || a.inside(); acts && !m.rules.newestAcknowledged && a.loaded < lost && a.epoch > a.loaded {
		return a.epoch
	}
	return a.loaded
}

const (
	tenant    = "acme"
	migration = "customers-v2"
	topEpoch  = 100
)

// number is the number of the epoch that was in force so many steps ago.
func number(ago uint8) int64 {
	if ago >= lost {
		return topEpoch + 1 - int64(ago-lost)
	}
	return topEpoch - int64(ago)
}

var (
	epoch0 = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	epoch1 = epoch0.Add(time.Hour)
)

func (p policy) real(epoch int64) flags.Policy {
	return flags.Policy{
		Migration: migration, Salt: migration, Epoch: epoch, Default: p.stage(),
		Standing: flags.Standing{
			Clean: p&clean != 0, StrictShadow: p&strict != 0, UnfencedOld: p&unfencedOld != 0, UnfencedNew: p&unfencedNew != 0,
		},
	}
}

// pack is the other way round.
func pack(s flags.Standing) (p policy) {
	for bit, holds := range map[policy]bool{clean: s.Clean, strict: s.StrictShadow, unfencedOld: s.UnfencedOld, unfencedNew: s.UnfencedNew} {
		if holds {
			p |= bit
		}
	}
	return p
}

// state makes the ledger's state of a question.
func (q *question) state() *control.State {
	facts := ledger.TenantState{OldComplete: q.facts&oldComplete != 0}
	if q.facts&backfilled != 0 {
		facts.BackfilledAt = &epoch0
	}
	if q.facts&verified != 0 {
		facts.VerifiedAt = &epoch1
	}
	own := facts
	own.Tenant = tenant
	s := &control.State{
		Migration:   ledger.Migration{Migration: versions.Migration{Name: migration}, ID: 1, Salt: migration, Epoch: topEpoch},
		RanUnfenced: [2]bool{q.facts&ranUnfencedOld != 0, q.facts&ranUnfencedNew != 0},
		Tenants:     map[string]ledger.TenantState{tenant: own}, Whole: facts, At: epoch1.Add(time.Hour),
	}
	for i, ago := range q.epochs {
		if ago != nobodyActs {
			s.Processes = append(s.Processes, ledger.Process{ID: [16]byte{byte(i)}, Name: "p", Epoch: number(ago), Unknown: ago >= lost})
		}
	}
	for i := maxOlder - 1; i >= 0; i-- {
		g := q.older[i]
		if g.policy == 0 {
			continue
		}
		p := ledger.PolicyState{Policy: g.policy.real(number(uint8(i + 1))), CreatedAt: epoch0}
		if g.marks&acknowledged != 0 {
			p.AcknowledgedAt = &epoch1
		}
		if g.marks&drained != 0 {
			p.DrainedAt = &epoch1
		}
		s.Policies = append(s.Policies, p)
	}
	s.Policies = append(s.Policies, ledger.PolicyState{Policy: q.now.real(topEpoch), CreatedAt: epoch0})
	for i, c := range q.capture {
		if c.mode == absent {
			continue
		}
		s.Capture[i] = ledger.CaptureState{Installed: true, Complete: true, Leaving: c.leaving != 0, Mode: int64(c.mode), Drained: c.undrained == 0}
		if c.broken != 0 {
			s.Capture[i].Broken = []string{"customers_2025"}
		}
	}
	for i, n := range q.stale {
		if n > 0 {
			s.Stale = append(s.Stale, ledger.StaleCount{Tenant: tenant, Side: flags.Side(i), Keys: 1, Failing: int64(n - 1), Oldest: epoch0})
		}
	}
	return s
}

func (j *judge) answer(q question) (v verdict) {
	s := q.state()
	next := q.next.real(0)
	for _, b := range control.Check(s, next) {
		v.blocks |= j.bit(b.Kind)
	}
	standing, err := control.Standing(s, next)
	if err != nil {
		panic(err)
	}
	v.standing = pack(standing)
	e := control.Effects(s, next)
	v.notCopied, v.oldIncomplete = len(e.NotCopied) > 0, len(e.OldIncomplete) > 0
	return v
}
