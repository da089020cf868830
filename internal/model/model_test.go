package model

import (
	"fmt"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
)

// config is one world to be explored.
type config struct {
	name      string
	processes int
	workers   []task // of the agents after the processes
	ops       []task
	low, high flags.Stage
	starts    []state
	values    uint8 // how many values may be in use at once
	older     int   // how many older policies may be unsettled

	// What can happen.
	fails    bool // the side without authority fails at times
	leases   bool // a process is paused and its lease runs out
	crashes  bool // of processes and workers, in a transaction
	failover bool // to a standby that has missed the last policy
	standing bool // the keeper publishes what stands
	anyTime  bool // backfills begin also where none is needed

	// Writers that bypass the application, and capture.
	captures    bool
	bypass      flags.Side // where they write, and whose capture is installed
	captureBoth bool       // of both sides
	bypassOps   []task
	breaks      bool // at old, a table comes to lack its triggers
	removes     bool // at old, capture is removed

	// What the new side's code does wrong.
	uncopyable bool // it refuses the key
	badMapping bool // what is copied to it at dual may be something else

	// How fine the steps are.
	split          bool // a step of the ladder is checked and written at two moments
	joint          bool // an epoch is drained and acknowledged at one moment
	everyStatement bool // statements that nobody else can see are steps too

	rules rules
}

// event is what happened.
type event struct {
	agent  int
	text   string
	policy policy
}

const planeAgent = -1

// successor is a state that can come next.
type successor struct {
	to  state
	by  event
	bad string // what is violated, if anything
}

// model makes the successors of states of one configuration.
type model struct {
	cfg        *config
	rules      *rules
	judge      *judge
	fenceTable []clause
	dropped    uint64
	kind       [maxAgents]task // idle: a process
	agents     int
	reduces    bool

	out     []successor
	blocked [maxAgents]int8
}

func newModel(cfg *config, j *judge) *model {
	m := &model{cfg: cfg, rules: &cfg.rules, judge: j, fenceTable: fence}
	if cfg.rules.fence != nil {
		m.fenceTable = cfg.rules.fence
	}
	for _, kind := range cfg.rules.kinds {
		m.dropped |= j.bit(kind)
	}
	m.reduces = !cfg.everyStatement && !cfg.captures && !slices.Contains(cfg.ops, grabbing) && cfg.rules.lockRules()
	m.agents = cfg.processes + len(cfg.workers)
	for i, w := range cfg.workers {
		m.kind[cfg.processes+i] = w
	}
	return m
}

// successors returns what can come next; it is valid until the next call.
func (m *model) successors(s *state) []successor {
	m.out = m.out[:0]
	m.blocked = [maxAgents]int8{-1, -1, -1, -1, -1}
	if i := m.alone(s); i >= 0 {
		m.agent(s, i)
		return m.out
	}
	for i := range m.agents {
		m.agent(s, i)
	}
	m.plane(s)
	return m.out
}

// agent adds what an agent can do next.
func (m *model) agent(s *state, i int) {
	switch m.kind[i] {
	case idle:
		m.process(s, i)
	case bypassing:
		m.bypass(s, i)
	default:
		m.work(s, i)
	}
}

// alone returns an agent whose next statement nobody else can see, hinder or be
// hindered by, or -1: it holds the key's lock, its rows and records show at its
// commit, and everybody who writes them takes that lock first. It makes no
// difference when such a statement runs, so that it runs at once; a world in
// which somebody writes without the lock has none.
func (m *model) alone(s *state) int {
	if !m.reduces {
		return -1
	}
	for i := range m.agents {
		a := &s.agents[i]
		switch a.at {
		case taking, taken, writing, copying, settling, reading, putting:
			if a.locks&keyLock != 0 {
				return i
			}
		}
	}
	return -1
}

func (m *model) wait(i, blocker int) { m.blocked[i] = int8(blocker) }

func (m *model) emit(t *state, e event) { m.violate(t, e, "") }

// violate adds a successor, with what it violates.
func (m *model) violate(t *state, e event, bad string) {
	m.tidy(t)
	if bad == "" {
		bad = m.broken(t)
	}
	m.out = append(m.out, successor{to: *t, by: e, bad: bad})
}

// initial is a world at rest under one policy.
func (c *config) initial(stage flags.Stage, facts uint8, old, new value) state {
	s := state{now: policy(stage), facts: facts, spec: old}
	s.rows[0].committed, s.rows[1].committed = old, new
	if policy(stage).plan().Authority == flags.NewSide {
		s.spec = new
	}
	for i := range c.processes {
		s.agents[i].flags, s.agents[i].memory = member, s.now
	}
	for i, w := range c.workers {
		if w != bypassing {
			s.agents[c.processes+i].flags = member
		}
	}
	return s
}

func (e event) String() string {
	who := "control plane"
	if e.agent >= 0 {
		who = fmt.Sprintf("P%d", e.agent+1)
	}
	if e.policy == 0 {
		return who + " " + e.text
	}
	return fmt.Sprintf("%s %s (%s)", who, e.text, e.policy)
}

func (p policy) String() string {
	text := p.stage().String()
	for i, name := range []string{"clean", "strict", "unfenced", "unfenced"} {
		if p&(clean<<i) != 0 {
			text += " " + name
		}
	}
	return text
}
