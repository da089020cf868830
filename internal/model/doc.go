// Package model proves the ladder's rules by looking at every state that a small
// world can come to. Everything is in its tests; the package exports nothing.
//
// # What is modelled
//
// One tenant with one key, whose value has two fields, on two sides; processes
// that create, save, update in part, delete, read, and lock, read and save it in
// one transaction, and that may be paused or crash anywhere; a worker that
// backfills and repairs; a writer that bypasses the application; and the control
// plane, which goes up and down the ladder, drains, writes acknowledgements down,
// publishes what stands, and installs, switches, drains and removes capture. A
// step of the world is as fine as PostgreSQL's at READ COMMITTED: a lock that is
// waited for, one statement, a commit. Whatever can happen may happen between two
// of them: another's statement, a step of the ladder, the end of a lease, a
// failure of the side without authority, a failover that loses the last policy.
//
// What is real: the plan of each decision ([flags.Decision.Plan]), and the rules
// of the control plane: [control.Check], [control.Effects], [control.Standing]
// and [control.Due], which are asked in each state. What is written down here:
// the fence, as a table of clauses that a test compares with the SQL function
// case by case; and what operations, copies and the triggers of capture do,
// which follows packages repo and backfill statement by statement.
//
// Every rule of the control plane that cannot be forced, every clause of the
// fence, and every other rule of the ladder is broken once, and the test demands
// the shortest way to where that goes wrong.
//
// # What must hold
//
// Every operation takes effect at its commit: what a read returns, and what a
// write found, is what the last committed write left. A read at the policy in
// force returns the last committed value in every state. Where the ledger says
// that copies are complete and records no stale key, both sides are equal. No
// operation of the application is part of a deadlock.
//
// # What is abstracted
//
// Epochs are counted back from the one in force, values are renamed when they
// are used nowhere any more, and both processes are alike: so the number of
// operations, steps, failures and crashes is not bounded, only how many values
// are in use at once and how many older policies are unsettled. A backfill walks
// one key. A state is remembered by 64 bits of hash.
//
// # What is not covered
//
// More than one key at a time: sorted key locks, lists that mix rows of both
// sides, a share of the keys; tenants at different stages. Writes by predicate
// only as those that do not name the one key. Keys made by the database.
// Transactions of the application around several operations, except the locking
// read that is followed by a save; reads inside of them. Cascades, users'
// triggers and TRUNCATE under capture; whether the mark covers what it should.
// Clocks that stop. Two databases.
package model
