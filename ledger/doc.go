// Package ledger keeps Crossfade's control tables in PostgreSQL, in the schema
// crossfade: migrations, policies with their epochs, history, the state of each
// tenant, stale keys, mismatches, and the processes of the fleet.
//
// [Migrate] creates and upgrades the tables, [Check] says whether a program and
// a ledger fit each other, and a [Store] reads and writes. The lock numbers and
// the fence are SQL functions of the ledger: their only definition.
//
// The package grants nothing: what may follow what is decided by package
// control, whose changes [Store.Change] writes down. It never touches the
// application's own tables, and never keeps values of the application except
// those that a comparator marked safe.
package ledger
