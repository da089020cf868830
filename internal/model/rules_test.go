package model

import "github.com/crossfade-db/crossfade/control"

// rules are those of the ladder, each of which can be broken. The zero value
// is the ladder; the mutations say in words what each of them does.
type rules struct {
	kinds []control.BlockKind // preconditions of steps that are not asked
	fence []clause            // another fence

	// Of the fence.
	clauseByClause, policyUnasked bool
	// Of reads.
	noStaleRead, twoStatements, fallbackUnasked, fallbackStale, readPastLease bool
	// Of writes.
	noRepair, rowFirst, oldFirst, writeClears, lenient, noRecord bool
	// Of copies.
	beforeBarrier, doNothing, sourceKeysOnly, workerUnfenced, copyUnlocked bool
	oneStatement, ownDirection, clearLate, markUnasked, keepCheckpoint     bool
	patientCopies, sourceLocked                                            bool
	// Of the control plane.
	keepBackfilled, keepOldComplete, noDrain, noAcknowledgement, newestAcknowledged bool
	neverStrict, strictShort, cleanEarly, cleanStale, unfencedAnyway                bool
	// Of capture.
	refusedByRow, triggerLocksKey, epochNotJoined, unrecorded, modeUndrained, installsAtOnce bool
}

// lockRules reports whether everybody takes the key's lock.
func (r *rules) lockRules() bool {
	return r.fence == nil && !r.rowFirst && !r.oldFirst && !r.copyUnlocked && !r.workerUnfenced && !r.oneStatement && !r.sourceLocked
}
