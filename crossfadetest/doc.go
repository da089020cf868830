// Package crossfadetest is what the tests of an application import to try its
// versions of an entity against real PostgreSQL.
//
//   - [Postgres] makes a database of the test's own in milliseconds, with the
//     ledger in it.
//   - [Contract] runs random sequences of an entity's operations on two
//     versions and demands the same answers.
//   - [EachStage] runs a test at every stage of the ladder, unchanged.
//   - [MixedFleet] spreads a test's calls over several instances of the
//     application at adjacent rungs, with steps up and down in between.
//   - [FailOnMismatch] fails a test when sides were found to differ.
//
// What these need to know of an entity is an [Entity], which crossfade gen
// writes beside the entity's package: package customerstest beside customers.
//
// The package is for tests alone: it brings a test library and a way to start
// servers along. Programs must not import it, and no other package of this
// module does. It starts nothing but a throw-away server, and on the server
// that CROSSFADE_DATABASE_URL names it touches no database but those that it
// made.
package crossfadetest
