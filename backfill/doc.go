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
// A backfill copies from the side with authority: from the old one at dual and
// shadow, and back from the new one at live and rampdown. It walks the keys of
// both sides, up to those that were the last when it began: rows that are made
// later are written on both sides by those who make them. It waits until nobody
// acts any more on a policy by which a tenant's writes go to one side alone, and
// begins a tenant anew that stood there in between. When every key is copied it
// marks the tenant; when all tenants are, and nobody can stand at old or new, it
// marks the whole migration, for the tenants that are born later.
//
// A verification compares every key of both sides in one short snapshot per
// page. Stale keys are repaired first; one that stays stale is inconclusive,
// and never a mismatch. A tenant without a difference and without an
// inconclusive key is marked as verified; one with a difference is marked as
// not verified, and the differences are recorded, redacted, under the operation
// "verify", until a later verification finds none.
//
// A repair copies the keys of stale records, in the direction that each record
// says, and deletes exactly the records that it read. What fails is tried again,
// less and less often, and never given up.
//
// The package grants no step of the ladder. It copies nothing at the stages old
// and new, where only one side is written, and never takes a key for done that
// it could not copy: such a key is recorded as stale, with the reason, and
// blocks the step until it is repaired.
package backfill
