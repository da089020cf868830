// Package fleet holds tests of processes that are not there when they should
// be: stopped past their lease, with bytes held up on the way, behind a pooler,
// cut off from the ledger, or on a standby that lost the last policy. The
// processes and the servers are real ones.
//
// It has no code besides.
package fleet
