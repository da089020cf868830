// Package backfill does the work on the data that the ladder needs: it copies
// every key from one side of a migration to the other, repairs stale keys, and
// compares both sides over whole key ranges.
//
// A [Worker] is embedded in the user's program. It takes the jobs that are
// requested through the ledger, does them with the program's own repositories
// ([ByRoute]) or SQL ([BySQL]), and writes its progress down where everybody
// can see it. A job whose worker died is taken over and goes on from its
// checkpoints.
//
// A worker is a member of the fleet like any other writer: each chunk is one
// transaction behind the fence, under the locks of its keys, with its
// checkpoint in it. What a chunk copies, and in which direction, follows from
// the stage in force and from the stale records that were read under the locks,
// never from what the worker believed before.
//
// The package grants no step of the ladder. It copies nothing at the stages old
// and new, where only one side is written, and never takes a key for done that
// it could not copy: such a key is recorded as stale, with the reason, and
// blocks the step until it is repaired.
package backfill
