package model

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
)

func newJudge() *judge { return &judge{known: map[question]verdict{}, due: map[question]duty{}} }

func TestTheLadderHoldsInEveryState(t *testing.T) { exploreAll(t, small(), limit) }

// The same in worlds in which everything happens that can: make model.
func TestTheLadderHoldsInLargeWorlds(t *testing.T) {
	states, err := strconv.Atoi(os.Getenv("CROSSFADE_MODEL_STATES"))
	if err != nil {
		t.Skip("CROSSFADE_MODEL_STATES, the states to visit in each world, is not set: make model sets it")
	}
	exploreAll(t, large(), states)
}

func exploreAll(t *testing.T, worlds []config, limit int) {
	j := newJudge()
	total, began := 0, time.Now()
	for _, world := range worlds {
		t.Run(world.name, func(t *testing.T) {
			f := explore(&world, j, limit)
			total += f.states
			all := "all"
			if !f.full {
				all = "breadth first; there are more"
			}
			fmt.Printf("%s: %d states (%s)\n", world.name, f.states, all)
			require.Empty(t, f.bad, "%s", f.write(newModel(&world, j)))
			assert.True(t, f.full || limit < everyState, "not all states were visited")
		})
	}
	fmt.Printf("%d states in all, in %s\n", total, time.Since(began).Round(time.Second))
}

const everyState = 1 << 31

// Every rule is there for a reason: without it something goes wrong, and with
// it, in the same world, nothing does.
func TestEachBrokenRuleHasACounterexample(t *testing.T) {
	j := newJudge()
	sounds, total := map[string]found{}, 0
	for _, mu := range mutations() {
		t.Run(mu.breaks, func(t *testing.T) {
			world := mu.world
			key := fmt.Sprintf("%+v", world)
			sound, known := sounds[key]
			if !known {
				sound = explore(&world, j, limit)
				sounds[key] = sound
				total += sound.states
			}
			require.Empty(t, sound.bad, "%s", sound.write(newModel(&world, j)))
			world.rules = mu.rules
			f := explore(&world, j, everyState)
			total += f.states
			t.Logf("%d states with the rule, %d without", sound.states, f.states)
			if assert.NotEmpty(t, f.bad, "no counterexample among %d states", f.states) {
				t.Logf("%s\n%s", mu.breaks, f.write(newModel(&world, j)))
			}
		})
	}
	fmt.Printf("%d rules broken: %d states with and without them\n", len(mutations()), total)
}

// A rule of the control plane or a clause of the fence that is added later needs
// a mutation as well. Rules that may be forced protect no row.
func TestEveryRuleIsBrokenOnce(t *testing.T) {
	broken := map[control.BlockKind]bool{}
	left := map[string]bool{}
	for _, c := range fence {
		left[c.text] = !c.mark // what is marked is taken for granted here
	}
	for _, mu := range mutations() {
		for _, kind := range mu.rules.kinds {
			broken[kind] = true
		}
		if mu.rules.fence == nil || mu.rules.clauseByClause {
			continue
		}
		for _, c := range fence {
			if !slices.ContainsFunc(mu.rules.fence, func(other clause) bool { return other.text == c.text }) {
				left[c.text] = false
			}
		}
	}
	// The model knows one migration. What two of one entity depend on is shown by
	// the tests of package control over all pairs of rungs.
	chained := map[control.BlockKind]bool{control.BlockChainBelow: true, control.BlockChainAbove: true}
	for _, rule := range control.Rules() {
		if !rule.Forcible && !chained[rule.Kind] {
			assert.True(t, broken[rule.Kind], "no mutation drops the rule %s: %s", rule.Kind, rule.Sentence)
		}
	}
	for text, whole := range left {
		assert.False(t, whole, "no mutation drops the fence's clause: %s", text)
	}
}
