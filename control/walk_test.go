package control_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
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

// staleKey puts a stale key of a side into the ledger.
func (w *world) staleKey(side flags.Side, lastError string) {
	w.t.Helper()
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, last_error) select id, 'acme', $1, '1', 1, 'test', $2 from crossfade.migrations`,
		side.String(), lastError)
}

// walkDown walks everybody to old in the background.
func (w *world) walkDown(report func(control.Progress)) <-chan outcome {
	done := make(chan outcome, 1)
	ctx := w.t.Context()
	go func() {
		all, err := w.plane.Walk(ctx, control.Walk{Migration: name, To: flags.Old, Everybody: true, Actor: "ann", Reason: "wrong totals", Report: report})
		var last control.Result
		if len(all) > 0 {
			last = all[len(all)-1]
		}
		done <- outcome{last, err}
	}()
	return done
}

func TestWalkDownWaitsForStaleKeysThatAreBeingRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.staleKey(flags.OldSide, "")
	var notes diary
	done := w.walkDown(notes.note)
	eventually(t, func() bool { return notes.has(control.Blocked, 0) }, "it says what it waits for")
	w.exec(`delete from crossfade.stale_keys`)
	got := <-done
	require.NoError(t, got.err)
	assert.Equal(t, flags.Old, w.inForce().Default)
	assert.True(t, got.result.Settled)
	for _, p := range notes.all {
		if p.Kind == control.Blocked {
			assert.Contains(t, p.Text, "1 keys of tenant \"acme\" are stale on the old side")
		}
	}
}

func TestWalkDownFromNewGoesToLiveAndSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.New)
	got := <-w.walkDown(nil)
	require.ErrorContains(t, got.err, "missed writes at new: run `crossfade backfill customers-v2`")
	assert.Equal(t, flags.Live, w.inForce().Default)

	_, err := w.store.RequestJob(t.Context(), ledger.JobRequest{Migration: name, Kind: ledger.JobBackfill, Actor: "ann"})
	require.NoError(t, err)
	var notes diary
	done := w.walkDown(notes.note)
	eventually(t, func() bool { return notes.has(control.Blocked, 0) }, "a reverse backfill is requested: it is waited for")
	w.exec(`update crossfade.tenant_states set old_complete = true`)
	w.exec(`update crossfade.jobs set state = 'done'`)
	require.NoError(t, (<-done).err)
	assert.Equal(t, flags.Old, w.inForce().Default)
}

func TestWalkDownGoesOnOverSomebodyElsesStepUpAndTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	var notes diary
	once := true
	got := <-w.walkDown(func(p control.Progress) {
		notes.note(p)
		if p.Kind == control.Committed && once && w.inForce().Default == flags.Shadow {
			once = false
			up := toDefault(flags.Live)
			up.Actor, up.Reason, up.NoWait = "ben", "looks fine to me", true
			_, err := w.plane.Apply(context.WithoutCancel(t.Context()), up)
			assert.NoError(t, err)
		}
	})
	require.NoError(t, got.err)
	assert.Equal(t, flags.Old, w.inForce().Default)
	var others []string
	for _, p := range notes.all {
		if p.Kind == control.Overtaken {
			others = append(others, p.Other.Actor+": "+p.Other.Change())
		}
	}
	assert.Equal(t, []string{"ben: from shadow to live"}, others)
}

func TestWalkDownTakesPinnedTenantsAlongAndLeavesBehindWhoCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	pin := func(to flags.Stage, tenants ...string) {
		w.step(control.Change{Migration: name, Kind: control.SetTenants, To: to, Tenants: tenants, Actor: "ann"})
	}
	pin(flags.Dual, "low")
	pin(flags.Live, "acme", "zeta")
	pin(flags.RampDown, "zeta")
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	w.exec(`update crossfade.stale_keys set tenant = 'zeta'`)
	got := <-w.walkDown(nil)
	var refused *control.StepError
	require.ErrorAs(t, got.err, &refused)
	require.Len(t, refused.Blocks, 1)
	assert.Equal(t, []string{"zeta"}, refused.Blocks[0].Tenants)
	assert.Equal(t, flags.Old, w.inForce().Default, "the others have arrived nevertheless")
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Old, "low": flags.Old, "zeta": flags.Live}, w.inForce().Overrides)
}

func TestAStepUpUnderWayIsUndoneAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	writer := w.fence(w.inForce(), "a")
	up := toDefault(flags.Live)
	up.NoWait = true
	w.step(up)
	var notes diary
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := w.plane.Walk(ctx, control.Walk{Migration: name, To: flags.Shadow, Actor: "ann", Report: notes.note})
		done <- err
	}()
	eventually(t, func() bool { return notes.has(control.Committed, w.migration.Epoch+4) }, "while the writer of the step before is about")
	assert.Equal(t, flags.Shadow, w.inForce().Default)
	require.NoError(t, writer.Commit(t.Context()))
	require.NoError(t, <-done)
}
