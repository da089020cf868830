// Package control changes who stands at which stage, and makes each change safe.
//
// A [Plane] applies changes of policy for operators: it loads what the ledger
// knows, asks the interlocks ([Check], pure functions over that state) for
// everything that speaks against the step, writes the new policy under the
// next epoch with its entry in the history, and then waits until no
// transaction and no process acts on an older policy. [Plane.Walk] goes rung by
// rung, down as fast as each allows.
//
// What follows from where everybody stands, and what nobody asks for, the keeper
// does ([Plane.Keep], and every step when it is settled): it publishes policies
// with the same stages by which reads at live need not look for stale keys, or
// writes at old and new need no fence; it takes such things away in time; and it
// has capture record or refuse in the order that the ladder wants. It works
// without any controller; a controller only makes it quicker.
//
// A [Member] makes a program part of the fleet: it keeps the program's
// flags.Set up to date, renews the lease within which the program may act on
// it, and acknowledges new policies.
//
// The package never routes a call and never copies data. It believes nobody
// but the ledger: a wish of a vendor's flag is granted by [Plane.Apply] or not
// at all.
package control
