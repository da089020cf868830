// Package oracle keeps a journal of what the application's processes did, and judges at the end whether the database
// can have been right: whether every acknowledged write is in it, and every read told the truth.
//
// # The journal
//
// Before a process sends a write it records its intent, and after the answer the outcome: done, absent (no such
// customer), refused (an error after which nothing can have been written) or unknown (it may or may not have been
// written). The journal lies in tables of its own in the same server, on connections of its own that commit each
// line at once, so that it survives the kill of any process, of the orchestrator too. Whatever was open when its process
// died is unknown.
//
// Each line takes its intent, and later its end, from one sequence of the database. A sequence never goes back, so
// that what ended before something else began has the smaller number, whichever process it was. A read is recorded
// afterwards, in one line; the number that its process saw last stands for its beginning, which makes it look longer than
// it was and never shorter. So the interval of an operation in the journal always contains the true one.
//
// # The judgement
//
// For each customer the oracle looks for an order of its operations that explains everything: it keeps to the
// intervals (what ended before another began comes first), each operation sees what those before it made, the first
// begins with the customer of the seed, and the last is what is found in the database at the end. Acknowledged
// operations must be in that order, those whose outcome is unknown may be, at any time after their intent, since a
// killed client's statement runs on. If there is no such order, the history is not linearizable (Herlihy and Wing, 1990):
// an update was lost, a row came back, or a read was stale. The search is that of Wing and Gong with the memory of
// Lowe ("Testing for linearizability", 2016).
//
// Each write carries a time of its own into the customer's UpdatedAt and full ones a token into Email, so that values
// are told apart; increments say which balance they saw or left. So the search seldom has to try two orders, and a
// lost update cannot hide behind an equal value.
//
// A transfer is one operation on each of two customers. If its outcome is unknown, both or neither must have it.
//
// The package trusts the journal and the seed, and nothing that Crossfade says. It never reads the application's tables:
// whoever asks for a judgement brings what was found in them.
package oracle
