package oracle

import (
	"fmt"
	"math"
	"slices"
)

// Verdict is what the oracle found out about the whole history.
type Verdict struct {
	// Customers is how many were judged.
	Customers int
	// LostUpdates counts the customers of which the acknowledged writes and the end cannot be explained, and the
	// transfers of which one half was done.
	LostUpdates int
	// StaleReads counts the customers whose writes can be explained, but not together with what was read.
	StaleReads int
	// Undecided counts the customers of which the oracle could not say.
	Undecided int
	// Problems describes the first few of each.
	Problems []string
}

// maxProblems bounds the descriptions.
const maxProblems = 20

// Judge looks at every customer that was there at the start, at the end or in between. The end is what the database
// holds when nothing is under way any more; a customer that is not in start or end was not there.
func Judge(start map[Key]State, h History, end map[Key]State) Verdict {
	j := judgement{start: start, end: end, history: h}
	keys := map[Key]bool{}
	for key := range start {
		keys[key] = true
	}
	for key := range end {
		keys[key] = true
	}
	for key := range h {
		keys[key] = true
	}
	for key := range keys {
		j.customer(key)
	}
	j.transfers()
	j.verdict.Customers = len(keys)
	slices.Sort(j.verdict.Problems)
	return j.verdict
}

type judgement struct {
	start, end map[Key]State
	history    History
	verdict    Verdict
}

func (j *judgement) problem(format string, args ...any) {
	if len(j.verdict.Problems) < maxProblems {
		j.verdict.Problems = append(j.verdict.Problems, fmt.Sprintf(format, args...))
	}
}

func (j *judgement) customer(key Key) {
	events := withEnd(j.history[key], j.end[key])
	all := explain(j.start[key], events)
	if all.found {
		return
	}
	alone := explain(j.start[key], withoutReads(events))
	switch {
	case alone.undecided || alone.found && all.undecided:
		j.verdict.Undecided++
		j.problem("%s: the oracle could not decide: too many orders of what happened are possible", key)
	case alone.found:
		j.verdict.StaleReads++
		j.problem("%s: a read returned what was no longer, or never, true: %s", key, all.stuck)
	default:
		j.verdict.LostUpdates++
		j.problem("%s: an acknowledged write is lost: no order explains %s", key, alone.stuck)
	}
}

// transfers looks at those whose outcome is unknown: both halves were done, or neither.
func (j *judgement) transfers() {
	halves := map[int64][]Event{}
	for _, events := range j.history {
		for _, e := range events {
			if e.Kind == Add && (e.Outcome == Unknown || e.Outcome == Open) {
				halves[e.Operation] = append(halves[e.Operation], e)
			}
		}
	}
	for _, of := range halves {
		if len(of) == 2 && !j.both(of, true) && !j.both(of, false) {
			j.verdict.LostUpdates++
			j.problem("transfer between %s and %s: one half was done (%s, %s)", of[0].Key, of[1].Key, of[0], of[1])
		}
	}
}

// both reports whether both halves can be explained as done, or as not done.
func (j *judgement) both(halves []Event, done bool) bool {
	for _, half := range halves {
		if !explain(j.start[half.Key], decided(withEnd(j.history[half.Key], j.end[half.Key]), half, done)).found {
			return false
		}
	}
	return true
}

// decided returns the events with the outcome of one made known: it was done some time before the end, or never.
func decided(events []Event, which Event, done bool) []Event {
	var known []Event
	for _, e := range events {
		if e.Line == which.Line {
			if !done {
				continue
			}
			e.Outcome, e.Done = Done, math.MaxInt64-2
		}
		known = append(known, e)
	}
	return known
}
