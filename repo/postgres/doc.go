// Package postgres runs both sides of a migration in one PostgreSQL database.
//
// Every write runs in one READ COMMITTED transaction: the fence checks that the
// decision is still the ledger's, the keys' advisory locks order everything,
// and both sides are written before one COMMIT. Reads that must look for stale
// keys, and confirmations of differences, read in one snapshot.
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
