// Package guard keeps what calls cost from growing unseen. Its tests count allocations exactly, and measure times only
// as ratios to other code of the same run, so that they hold on any machine and under any load:
//
//   - budget_test.go: allocations of each operation, in one table
//   - ratio_test.go: the decision, the routed call and the comparator against plain code that does the same
//
// Round trips and statements are counted beside the statements themselves, in repo/postgres (trips_test.go), and so are
// allocations of calls that reach PostgreSQL (allocs_test.go).
//
// The race detector changes both figures: the tests are left out under it, and make check-cost runs them.
package guard
