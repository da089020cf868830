package control_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// visited returns the defaults that a walk came by.
func visited(results []control.Result) []string {
	var all []string
	for _, r := range results {
		text := r.After.Default.String()
		if r.After.Step.Share > 0 {
			text += "+" + r.After.Step.To.String()
		}
		all = append(all, text)
	}
	return all
}

func TestWalkDownToOldGoesByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	w.climb(flags.Live)
	steps := 0
	done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Old, Actor: "ann", Step: func(control.Result) { steps++ }})
	require.NoError(t, err)
	assert.Equal(t, []string{"shadow", "dual", "old"}, visited(done))
	assert.Equal(t, 3, steps)
	d, err := m.Flag(name).Peek(flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	assert.Equal(t, flags.Old, d.Stage)
	done, err = w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Old, Actor: "ann"})
	require.NoError(t, err)
	assert.Empty(t, done, "it is there")
}

func TestWalkUpEndsWhereARuleSpeaksAgainstIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.New, Actor: "ann"})
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []string{"dual"}, visited(done))
	w.backfilled()
	done, err = w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.New, Actor: "ann"})
	require.NoError(t, err)
	assert.Equal(t, []string{"shadow", "live", "rampdown", "new"}, visited(done))
}

func TestWalkFoldsThePercentageStepIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	quarter := control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 2500, Actor: "ann"}
	w.step(quarter)
	done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Dual, Actor: "ann"})
	require.NoError(t, err)
	assert.Equal(t, []string{"shadow", "dual"}, visited(done), "who is in the step comes back first")
	w.climb(flags.Shadow)
	w.step(quarter)
	done, err = w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.RampDown, Actor: "ann"})
	require.NoError(t, err)
	assert.Equal(t, []string{"live", "rampdown"}, visited(done), "the others follow first")
}

func TestTenantsWalkTogetherFromDifferentRungs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Dual)
	pin := func(to flags.Stage, tenants ...string) {
		w.step(control.Change{Migration: name, Kind: control.SetTenants, To: to, Tenants: tenants, Actor: "ann"})
	}
	pin(flags.Shadow, "a", "b")
	pin(flags.Live, "a")
	done, err := w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Live, Tenants: []string{"a", "b", "c"}, Actor: "ann"})
	require.NoError(t, err)
	assert.Len(t, done, 2)
	policy := w.inForce()
	assert.Equal(t, map[string]flags.Stage{"a": flags.Live, "b": flags.Live, "c": flags.Live}, policy.Overrides)
	assert.Equal(t, flags.Dual, policy.Default, "the others stay")

	_, err = w.plane.Walk(t.Context(), control.Walk{Migration: name, To: flags.Shadow, Tenants: []string{"a", "d"}, Actor: "ann"})
	require.NoError(t, err, "from above and from below at once")
	assert.Equal(t, map[string]flags.Stage{"a": flags.Shadow, "b": flags.Live, "c": flags.Live, "d": flags.Shadow}, w.inForce().Overrides)
}

func TestWalkWaitsForAProcessThatCameBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Dual)
	// It still acts on epoch 1, and its lease was out when that was settled.
	w.exec(`insert into crossfade.processes (id, name, host, pid, expires_at) values ('00000000-0000-0000-0000-000000000001', 'sleeper', 'h', 1, now() + interval '1 hour')`)
	w.exec(`insert into crossfade.acknowledgements select '00000000-0000-0000-0000-000000000001', migration_id, epoch, policy_id from crossfade.policies where epoch = 1`)
	_, err := w.plane.Apply(t.Context(), toDefault(flags.Shadow))
	require.ErrorContains(t, err, "sleeper[1]@h acts on epoch 1")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var notes diary
	done := make(chan error, 1)
	go func() {
		_, err := w.plane.Walk(ctx, control.Walk{Migration: name, To: flags.Shadow, Actor: "ann", Report: notes.note})
		done <- err
	}()
	eventually(t, func() bool { return notes.has(control.Waiting, 0) }, "it is waited for")
	w.exec(`update crossfade.processes set expires_at = now()`)
	require.NoError(t, <-done)
}

func TestWalkNamesAnUnknownStage(t *testing.T) {
	t.Parallel()
	_, err := newWorld(t).plane.Walk(t.Context(), control.Walk{Migration: name, Actor: "ann"})
	var unknown *flags.UnknownStageError
	require.ErrorAs(t, err, &unknown)
}
