// Package stress tries to refute the promises of the ladder: processes read and
// write a few hot keys through routed repositories while the ladder is climbed
// and descended at random, jobs copy and verify, one side fails, connections are
// cut and calls are cancelled. Every history must be linearizable, no
// acknowledged write may be lost, no failed one may take effect, and both sides
// must agree wherever the ledger records no stale key.
//
// The application and the check are in internal/accounts, everything else is in
// this package's tests. CROSSFADE_SEED chooses the random choices,
// CROSSFADE_LONG=1 makes a run last minutes.
package stress
