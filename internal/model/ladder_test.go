package model

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newJudge() *judge { return &judge{known: map[question]verdict{}, due: map[question]duty{}} }

func TestTheLadderHoldsInEveryState(t *testing.T) { exploreAll(t, small(), everyState) }

// The same in worlds in which everything happens that can: make model.
func TestTheLadderHoldsInLargeWorlds(t *testing.T) {
	limit, err := strconv.Atoi(os.Getenv("CROSSFADE_MODEL_STATES"))
	if err != nil {
		t.Skip("CROSSFADE_MODEL_STATES, the states to visit in each world, is not set: make model sets it")
	}
	exploreAll(t, large(), limit)
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
	for _, group := range [][]mutation{stepMutations(), fenceMutations(), processMutations(), workerMutations(), fleetMutations()} {
		for _, mu := range group {
			t.Run(mu.breaks, func(t *testing.T) {
				world := mu.world
				key := fmt.Sprintf("%+v", world)
				sound, known := sounds[key]
				if !known {
					sound = explore(&world, j, everyState)
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
	}
	fmt.Printf("%d states with broken rules and without\n", total)
}
