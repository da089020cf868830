package model

import (
	"slices"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// mutation breaks one rule in a world that is small enough to show why the rule
// is there.
type mutation struct {
	breaks string // what is done instead of the rule
	world  config
	rules  rules
}

// mutations are all of them.
func mutations() []mutation {
	return slices.Concat(stepMutations(), fenceMutations(), processMutations(), workerMutations(), fleetMutations(), captureMutations())
}

// without returns the fence without the clauses that a test picks.
func without(drop func(clause) bool) []clause {
	return slices.DeleteFunc(slices.Clone(fence), drop)
}

func noKeyLock(c clause) bool { return c.lock && c.take == keyOf }

// readFirst is a fence that reads the ledger in the snapshot of the statement
// that calls it, before it has any lock, as a function that is not VOLATILE would.
func readFirst() []clause {
	read := slices.IndexFunc(fence, func(c clause) bool { return c.inForce })
	return slices.Concat(fence[read:read+1], without(func(c clause) bool { return c.inForce }))
}

// narrow is a small world between two rungs, where nobody pauses or crashes.
func narrow(low, high flags.Stage, ops ...task) config {
	c := ladder(low.String()+" to "+high.String(), low, high, ops...)
	steady(&c)
	return c
}

func dropping(kind control.BlockKind) rules { return rules{kinds: []control.BlockKind{kind}} }

const (
	atOld      = flags.Old
	atDual     = flags.Dual
	atShadow   = flags.Shadow
	atLive     = flags.Live
	atRampDown = flags.RampDown
	atNew      = flags.New
)

// stepMutations break the rules of control, one kind of block at a time.
func stepMutations() []mutation {
	return []mutation{
		{"a step may leave out rungs", narrow(atOld, atLive, save, read), dropping(control.BlockJump)},
		{"a step does not wait for the fleet", narrow(atOld, atLive, save, read).with(func(c *config) { c.older, c.workers = 3, nil }).from(atLive), dropping(control.BlockBarrier)},
		{
			"steps go on while somebody acts on a policy that a failover lost",
			narrow(atShadow, atRampDown, save, read).with(func(c *config) { c.failover, c.workers = true, nil }).from(atLive), dropping(control.BlockUnknownPolicy),
		},
		{"into shadow and live without a complete backfill", narrow(atOld, atLive, read), rules{kinds: []control.BlockKind{control.BlockBackfill, control.BlockVerify}}},
		{
			"into shadow without a verification",
			narrow(atOld, atLive, read).with(func(c *config) { c.badMapping = true }), dropping(control.BlockVerify),
		},
		{
			"into live while a key cannot be copied",
			narrow(atShadow, atLive, patch).with(func(c *config) { c.uncopyable, c.processes = true, 1 }), dropping(control.BlockFailing),
		},
		{"into rampdown with keys stale on the new side", narrow(atShadow, atRampDown, save, read), dropping(control.BlockStaleNew)},
		{"from live down while the old side misses writes", narrow(atShadow, atNew, save, read).with(alone), dropping(control.BlockOldIncomplete)},
		{"from live down with keys stale on the old side", narrow(atShadow, atRampDown, save, read), dropping(control.BlockStaleOld)},
	}
}

// fenceMutations break the fence, clause by clause.
func fenceMutations() []mutation {
	paused := func(c *config) { c.leases, c.processes, c.fails = true, 1, false }
	return []mutation{
		{
			"the fence lets REPEATABLE READ pass", narrow(atOld, atDual, read, frozen).with(paused),
			rules{fence: without(func(c clause) bool { return c.isolation })},
		},
		{
			"the fence takes no lock of the epoch", narrow(atOld, atDual, save).with(paused),
			rules{fence: without(func(c clause) bool { return c.lock && c.take == epochOf })},
		},
		{
			"the fence takes no lock of the tenant", narrow(atDual, atShadow, modify, sweep),
			rules{fence: without(func(c clause) bool { return c.lock && c.take == tenantOf })},
		},
		{"the fence takes no lock of the key", narrow(atDual, atShadow, save), rules{fence: without(noKeyLock)}},
		{"writers take no lock of the key: the switch deadlocks", narrow(atShadow, atLive, save), rules{fence: without(noKeyLock)}},
		{
			"the fence does not look whether its policy is in force", narrow(atOld, atDual, save).with(paused),
			rules{fence: without(func(c clause) bool { return c.inForce })},
		},
		{
			"the fence looks before it takes locks", narrow(atOld, atDual, save).with(paused),
			rules{fence: readFirst(), clauseByClause: true},
		},
		{
			"the fence looks at the epoch's number alone", narrow(atOld, atShadow, save).with(func(c *config) { c.failover, c.leases, c.workers = true, true, nil }).with(alone).from(atShadow),
			rules{policyUnasked: true},
		},
	}
}

// processMutations break what operations do.
func processMutations() []mutation {
	return []mutation{
		{"a read at live does not look for stale keys", narrow(atShadow, atLive, save, read), rules{noStaleRead: true}},
		{"a read at live looks for stale keys in a statement of its own", narrow(atShadow, atLive, save, read), rules{twoStatements: true}},
		{"a read falls back to an old side that misses writes", narrow(atLive, atNew, save, read).with(alone), rules{fallbackUnasked: true}},
		{"a read falls back to a key that is stale there", narrow(atLive, atRampDown, save, read), rules{fallbackStale: true}},
		{
			"a process past its lease trusts what it read", narrow(atOld, atLive, save, read).with(unaided).with(func(c *config) { c.leases = true }).from(atLive),
			rules{readPastLease: true},
		},
		{"processes acknowledge the newest policy they know", narrow(atOld, atLive, save, read).with(unaided).from(atLive), rules{newestAcknowledged: true}},
		{"a write at live does not first take a stale key from the old side", narrow(atShadow, atLive, save, patch), rules{noRepair: true}},
		{"a partial write clears the stale record", narrow(atShadow, atLive, save, patch), rules{writeClears: true}},
		{"a failure of the other side leaves no record", narrow(atShadow, atLive, save), rules{noRecord: true}},
		{"live is lenient", narrow(atShadow, atLive, save, read), rules{lenient: true}},
		{"the authority's row is locked before the key", narrow(atShadow, atLive, save), rules{fence: without(noKeyLock), rowFirst: true}},
		{"the old side's row is the lock", narrow(atDual, atDual, save), rules{fence: without(noKeyLock), oldFirst: true, sourceLocked: true}},
		{"a locking read locks the authority's row alone", narrow(atShadow, atLive, modify), rules{fence: without(noKeyLock)}},
	}
}

// workerMutations break what copies do.
func workerMutations() []mutation {
	return []mutation{
		{"a backfill begins before everybody writes both sides", narrow(atOld, atDual, save), rules{beforeBarrier: true}},
		{"a backfill leaves rows that are there", narrow(atOld, atDual, save), rules{doNothing: true}},
		{"a backfill walks the keys of the source alone", narrow(atOld, atDual, erase), rules{sourceKeysOnly: true}},
		{"a worker is no member of the fleet", narrow(atShadow, atNew, save).with(alone).with(func(c *config) { c.anyTime = true }), rules{workerUnfenced: true}},
		{"a copy takes no lock of the key", narrow(atDual, atShadow, save, erase), rules{copyUnlocked: true, workerUnfenced: true}},
		{"a copy locks and reads in one statement", narrow(atDual, atDual, save), rules{oneStatement: true}},
		{"a repair takes its direction from its own stage", narrow(atShadow, atLive, save, read), rules{ownDirection: true}},
		{"a backfill is marked under an older policy", narrow(atOld, atDual, save), rules{markUnasked: true}},
		{"a checkpoint outlives the stage old", narrow(atOld, atDual, save), rules{keepCheckpoint: true}},
		{"backfill-complete outlives the stage old", narrow(atOld, atDual, save), rules{keepBackfilled: true}},
		{"old-complete outlives the stage new", narrow(atShadow, atNew, save).with(alone), rules{keepOldComplete: true}},
		{
			"a copy locks its source's row, and waits for it", narrow(atDual, atDual, grabbing).with(func(c *config) { c.processes = 1 }),
			rules{sourceLocked: true, patientCopies: true},
		},
	}
}

// fleetMutations break what the control plane waits for, and what it publishes.
func fleetMutations() []mutation {
	published := func(c *config) { c.standing = true }
	return []mutation{
		{"the control plane does not drain", narrow(atOld, atDual, save).with(func(c *config) { c.leases, c.processes, c.fails = true, 1, false }), rules{noDrain: true}},
		{"the control plane does not wait for acknowledgements", narrow(atOld, atLive, save, read).with(unaided).from(atLive), rules{noAcknowledgement: true}},
		{"clean is published before the barrier", narrow(atShadow, atLive, save, read).with(published), rules{cleanEarly: true}},
		{"clean is published with stale keys", narrow(atShadow, atLive, save, read).with(published), rules{cleanStale: true}},
		{"clean is withdrawn with the step, and shadow is lenient", narrow(atShadow, atLive, save, read).with(published), rules{neverStrict: true}},
		{"shadow is lenient again while a clean policy is acted on", narrow(atShadow, atLive, save, read).with(published), rules{strictShort: true}},
	}
}
