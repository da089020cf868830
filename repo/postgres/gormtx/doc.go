// Package gormtx lets GORM and pgx share one transaction.
//
// [Opener.DB] returns a *gorm.DB that runs on a handle of package postgres: a
// transaction, a snapshot, or the pool. A side whose repository is written with
// GORM is built by it:
//
//	opener, err := gormtx.New(nil)
//	...
//	oldSide := func(db postgres.DBTX) customers.Customers { return v1.New(opener.DB(db)) }
//
// [Adopt] goes the other way: it joins a transaction that the application
// opened with GORM, and [AdoptSQL] one of database/sql.
//
// # What is shared
//
// Both run on one physical connection, in one transaction: each sees the
// other's uncommitted rows, one rollback undoes both. GORM's statements are
// pgx's own: they are prepared and cached by its connection, its settings and
// registered types hold, errors of PostgreSQL come back as *pgconn.PgError, and
// values are converted as gorm.io/driver/postgres converts them. There is no
// *sql.Tx, no second pool and no goroutine that outlives a query.
//
// # What is different
//
//   - SkipDefaultTransaction is on inside of a transaction: a savepoint around
//     every write would cost two round trips and protect nothing. On the pool
//     the template's own setting holds.
//   - (*gorm.DB).Transaction is a savepoint, nested ones as well, and so is what
//     Begin opens, until its Commit or Rollback. On the pool they are
//     transactions.
//   - The rows that Rows and Row return must be closed before the next statement
//     of the transaction, on either side: otherwise it fails with [ErrRowsOpen].
//   - When the ctx of a running statement ends, pgx closes the connection, and
//     the transaction is rolled back: later statements fail with a [*LostError].
//   - Plugins that choose a connection by themselves, such as dbresolver, leave
//     transactions alone. On the pool they would leave it: give a template
//     without them.
//
// # What is refused
//
//   - Commit and Rollback of a transaction that somebody else opened, and SQL that
//     says so (BEGIN, COMMIT, ROLLBACK, PREPARE TRANSACTION): a
//     [*postgres.ControlError]. Savepoints pass.
//   - PrepareStmt of a session ([ErrPrepared]); that of the template is without
//     effect. On the pool GORM keeps statements of PrepareStmt sessions beside
//     the pool, out of this package's sight: do not use them there.
//   - (*gorm.DB).DB and Connection ([ErrNoSQLDB]).
//   - A handle whose operation has ended: [postgres.ErrClosed].
//
// # Adopted transactions
//
// The returned *postgres.Tx takes the locks of the *sql.Tx for each of its
// statements, so that nothing is sent once that was committed, rolled back, or
// given up because its ctx ended: [postgres.ErrClosed]. Results are read to the
// end inside, and held in memory. Nothing that runs inside of a statement may
// use the *sql.Tx, above all not the source of a CopyFrom: it would wait for
// itself for ever. (The *postgres.Tx refuses it.)
//
// A tracer of pgx sees, after each statement of the adopted transaction, an
// empty one that says so, at the cost of a round trip; without a tracer there
// is none.
package gormtx
