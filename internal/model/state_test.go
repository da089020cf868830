package model

import (
	"fmt"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/crossfade-db/crossfade/flags"
)

// Bounds of the world. They only say how much room a state has: a configuration
// uses less.
const (
	maxAgents  = 5
	maxRecords = 3
	maxOlder   = 3
)

// value is what a key holds on a side: none, or two fields, each of which holds
// the number of the write that set it. A write of the whole sets both.
type value uint8

const none value = 0

func whole(number uint8) value { return value(number<<4 | number) }

func (v value) with(number uint8) value { return v&0xf0 | value(number) }

// row is the key's row on one side, as READ COMMITTED shows it.
type row struct {
	committed value
	pending   value // what the writer left, where there is one
	writer    uint8 // the agent that holds the row's lock, counted from 1
}

// record is a stale record.
type record struct {
	side    uint8 // 0: no record; 1: the old side missed a write; 2: the new one did
	adder   uint8 // the agent whose transaction adds it, counted from 1; 0: committed
	deleter uint8 // the agent whose transaction deletes it
	failing uint8 // 1: a worker tried to copy the key and could not
}

// policy is a stage with what stands, packed: it is what a decision carries.
type policy uint8

const (
	stageBits   policy = 7
	clean       policy = 1 << 3
	strict      policy = 1 << 4
	unfencedOld policy = 1 << 5
	unfencedNew policy = 1 << 6
)

func (p policy) stage() flags.Stage { return flags.Stage(p & stageBits) }

// grant is a policy that somebody may still act on.
type grant struct {
	policy policy // 0: none
	marks  uint8
}

const (
	acknowledged uint8 = 1 << iota
	drained
	settled = acknowledged | drained
)

// Facts are what the ledger knows of the tenant's data.
const (
	backfilled uint8 = 1 << iota
	verified
	oldComplete
	knownBad // live was entered while a key was known not to be copyable
	ranUnfencedOld
	ranUnfencedNew
	fresh // nothing was committed since the last step: a failover may lose it
)

// capture is the state of one side's triggers.
type capture struct {
	mode      mode
	undrained uint8 // 1: writers that the mode before let through may still run
	broken    uint8 // 1: a table lacks a trigger
	leaving   uint8 // 1: somebody wants to remove it
}

type mode uint8

const (
	absent mode = iota // no triggers
	recording
	refusing
)

// agent is a process, a worker or a bypassing writer, and what it is about.
type agent struct {
	task   task
	at     place  // where in the task
	memory policy // the policy that a process has loaded
	loaded uint8  // how many steps ago that one was in force
	acting policy // the policy of the decision that is acted on
	epoch  uint8  // how many steps ago that one was in force
	flags  uint8
	locks  uint8
	number uint8    // of the write; of a worker, how far its job has come
	seen   value    // what a locking read returned
	found  uint8    // the stale records that were read, by slot
	snap   [2]value // what was read before: the source of a copy first
}

const (
	member    uint8 = 1 << iota // the lease is valid
	lapsed                      // the lease ran out since the decision
	forgotten                   // a worker's checkpoint counts no more
)

const (
	epochLock  uint8 = 1 << iota // of its epoch, shared
	tenantLock                   // shared; a sweep's is exclusive
	keyLock                      // exclusive
	modeLock                     // of the capture mode that let it through, shared
	oldMode                      // that mode is no longer the one in force
	uncaptured                   // none: wrote before there were triggers
)

// Epochs are counted back from the one in force. Those too old to tell apart
// are ancient. A policy that a failover lost is counted on from lost: as many
// steps ago it had the number of the policy in force, plus one.
const (
	ancient uint8 = 7
	lost    uint8 = 8
)

// state is the whole world. All its fields are bytes, so that it has no holes and can be
// hashed as it lies in memory.
type state struct {
	rows     [2]row
	records  [maxRecords]record
	now      policy
	older    [maxOlder]grant // from the newest back
	facts    uint8
	before   uint8 // facts before the last step, for a failover
	checked  uint8 // the policy that the control plane has checked and not yet written
	checkedE uint8 // the effects of it
	spec     value // what the last committed write left
	capture  [2]capture
	agents   [maxAgents]agent
}

func (v value) String() string {
	if v == none {
		return "nothing"
	}
	return fmt.Sprintf("%d/%d", uint8(v>>4), uint8(v&0xf))
}

func (s *state) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s)), unsafe.Sizeof(*s))
}

func (s *state) hash() uint64 { return xxhash.Sum64(s.bytes()) }

// values are the places of a state that hold values.
func (s *state) values(visit func(*value)) {
	for i := range s.rows {
		visit(&s.rows[i].committed)
		visit(&s.rows[i].pending)
	}
	visit(&s.spec)
	for i := range s.agents {
		a := &s.agents[i]
		visit(&a.seen)
		visit(&a.snap[0])
		visit(&a.snap[1])
	}
}
