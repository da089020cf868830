// Package mutants breaks the safety rules of this module one at a time and
// demands that the test that protects each rule fails.
//
// A mutant replaces one piece of text in one file through the go command's
// build overlay: the working tree is never touched. Run it with
// `make test-mutants`; it takes minutes, so that `make test` leaves it out.
package mutants

// Mutant is one broken rule.
type Mutant struct {
	Rule    string // the rule, in a sentence
	File    string // relative to the module's root
	Old     string // occurs exactly once in the file
	New     string
	Package string // whose tests must fail
	Run     string // the tests, as for go test -run
}
