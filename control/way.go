package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
)

// Way is where a walk would go, as one look at the ledger saw it.
type Way struct {
	Migration string
	// Epoch is the policy in force.
	Epoch int64
	// Legs are the rungs by which those come who would move: everybody whom no
	// override names first, then tenants in the order of their names.
	Legs []Leg
	// Blocks are what speaks against the first step now. The walk waits for
	// those that pass or mend.
	Blocks []Block
	// Left are the tenants that the walk would leave behind for the others, and
	// Stuck says that everybody whom no override names cannot go either.
	Left  []string
	Stuck bool
}

// Leg is the way of one tenant, or with an empty Tenant of everybody whom no
// override names: where it stands, and each rung that it comes by, in words.
type Leg struct {
	Tenant string
	Rungs  []string
}

// wayLimit is more steps than any walk takes whose tenants stand anywhere.
const wayLimit = 1000

// Way returns where a walk would go from here, and changes nothing. What would
// speak against later steps it does not know: that depends on the steps before.
// Actor and Reason of the walk do not matter.
func (p *Plane) Way(ctx context.Context, walk Walk) (Way, error) {
	if !walk.To.Valid() {
		return Way{}, fmt.Errorf("%s: name the stage to walk to: %w", walk.Migration, &flags.UnknownStageError{Name: walk.To.String()})
	}
	state, err := p.store.Load(ctx, walk.Migration)
	if err != nil {
		return Way{}, err
	}
	walk.Report = nil
	w := &walking{Walk: walk, plane: p, migration: state.Migration, stuck: map[string]string{}, noted: map[string]bool{}}
	way, policy := Way{Migration: walk.Migration, Epoch: state.Migration.Epoch}, state.Current().Policy
	w.down = w.descends(policy)
	if way.Blocks, err = w.first(state, policy); err != nil {
		return way, err
	}
	way.Stuck = w.stuck[""] != ""
	if left := slices.Sorted(maps.Keys(w.stuck)); !way.Stuck {
		way.Left = left
	}
	way.Legs, err = w.legs(policy)
	return way, err
}

// first returns what speaks against the first step, and leaves behind who
// cannot take it.
func (w *walking) first(state *State, policy flags.Policy) ([]Block, error) {
	var blocks []Block
	for {
		c, more, err := w.next(policy)
		if err != nil || !more {
			return blocks, err
		}
		c.DryRun = true
		_, err = decide(&c, state, &Result{})
		var refused *StepError
		if !errors.As(err, &refused) {
			return blocks, err
		}
		if refused.Mends() || !w.down {
			return append(blocks, refused.Blocks...), nil
		}
		if w.passBy(&c, refused) != nil {
			w.stuck[""] = refused.Error()
			return append(blocks, refused.Blocks...), nil //nolint:nilerr // what is refused is the answer
		}
		blocks = append(blocks, refused.Blocks...)
	}
}

// legs takes all steps of the walk on paper.
func (w *walking) legs(policy flags.Policy) ([]Leg, error) {
	legs := map[string]*Leg{}
	for range wayLimit {
		c, more, err := w.next(policy)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		c.left = nil
		next, entries, err := c.next(policy)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if w.stuck[e.Tenant] != "" {
				continue
			}
			if legs[e.Tenant] == nil {
				legs[e.Tenant] = &Leg{Tenant: e.Tenant, Rungs: []string{e.From}}
			}
			legs[e.Tenant].Rungs = append(legs[e.Tenant].Rungs, e.To)
		}
		policy = next
	}
	var all []Leg
	for _, tenant := range slices.Sorted(maps.Keys(legs)) {
		all = append(all, *legs[tenant])
	}
	return all, nil
}
