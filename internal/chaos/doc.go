// Package chaos tries to refute the promises of the ladder from outside:
// operating-system processes of an application read and write a few hot keys
// while other processes walk the ladder up and down, and the test kills all of
// them, stops and continues them, cuts, delays and holds up their connections,
// terminates sessions, crashes the server and has one side fail.
//
// What was asked and answered is recorded outside those processes. An operation
// that was not answered is of unknown outcome until the journal, to which each
// write adds in its transaction, says whether it was committed. Every history
// must be linearizable, no acknowledged write may be lost, no failed one may
// take effect, and both sides must agree wherever the ledger says so.
//
// Everything is in its tests. CROSSFADE_SEED chooses the random choices and
// CROSSFADE_CHAOS the duration of the run; make chaos sets it.
package chaos
