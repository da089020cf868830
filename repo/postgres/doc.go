// Package postgres runs both sides of a migration in one PostgreSQL database.
//
// Every write runs in one READ COMMITTED transaction: the fence checks that the
// decision is still the ledger's, the keys' advisory locks order everything,
// and both sides are written before one COMMIT. Reads that must look for stale
// keys, and confirmations of differences, read in one snapshot.
//
// # What travels together
//
// A write that needs no answer in between is one round trip: BEGIN, timeouts,
// fence, the side with authority, a savepoint, the other side and COMMIT in one
// batch. Statements of a side wait for it if nobody asks what they returned:
// those that sqlc generated as :exec, which return an error alone, where the side
// was built by [Queued], and those of [ExecLater]. Their arguments are copied; a statement whose arguments cannot be,
// or whose ctx has another deadline, runs at once, and so does everything else,
// GORM's included, with BEGIN and the fence before the first of them.
//
// A side is therefore called before anything is known, and its method may run
// twice: when the fence refuses, and when a statement that waited fails. The
// transaction is then rolled back, and in the second run every statement is sent
// at once, so that each error reaches the side. Arguments are restored before. A
// method must have no effects besides its statements. One exception costs no
// second run: where the side without authority fails at a lenient stage, its
// savepoint is rolled back and the stale keys are recorded with COMMIT. A deferred
// constraint of the side with authority fails COMMIT itself, whose error no side
// is asked to translate.
//
// # Sides
//
// A side is built by a factory, func(DBTX) R, so that the same repository code
// runs on the pool, on a transaction or on a snapshot. [DB.InTx] spans several
// repositories; [DB.Adopt] joins a transaction that the application opened.
//
// What a savepoint cannot undo is not undone: when the connection is lost, when
// ctx is cancelled while a statement runs (pgx then closes the connection), or
// when a side hangs outside of SQL, the whole operation fails or waits, on both
// sides alike. Key locks exclude nobody on a read replica: give this package
// the primary.
package postgres
