// Package flags decides, for one migration and one tenant, at which stage of
// the ladder a call runs.
//
// A [Policy] says who stands at which stage: a default, an optional percentage
// step to the adjacent rung, of the tenants or of the keys of each of them, and
// overrides per tenant. It compiles to an
// immutable value behind one atomic pointer in a [Flag], so that a decision
// costs nanoseconds and allocates nothing. The one table of what each stage
// means is [Stage.Plan]; no other place in the module branches on the stage.
//
// A decision is used inside an operation ([Decider.Enter], [Use.Done]) or for a
// whole request ([Pin]); the oldest epoch still in use is what the process
// acknowledges to the control plane ([Set.Oldest]).
//
// OpenFeature goes in and out in two files of this package: a [Provider] that
// serves the granted stages to any OpenFeature client, [Through], which decides
// through such a client so that its hooks run, and [Unguarded], which decides
// from any other provider for tests and for sides that share no database.
//
// The package never talks to a database and never grants a stage: that is the
// control plane's work.
package flags
