// Package control changes who stands at which stage, and makes each change safe.
//
// A [Plane] applies changes of policy for operators: it loads what the ledger
// knows, asks the interlocks ([Check], pure functions over that state) for
// everything that speaks against the step, writes the new policy under the
// next epoch with its entry in the history, and then waits until no
// transaction and no process acts on an older policy. [Plane.Walk] goes rung by
// rung.
//
// A [Member] makes a program part of the fleet: it keeps the program's
// flags.Set up to date, renews the lease within which the program may act on
// it, and acknowledges new policies.
//
// The package never routes a call and never copies data. It believes nobody
// but the ledger: a wish of a vendor's flag is granted by [Plane.Apply] or not
// at all.
package control
