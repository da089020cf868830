package control_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// of returns the newest entry of the history about a tenant.
func (w *world) entryOf(tenant string) ledger.Entry {
	w.t.Helper()
	entries, err := w.store.History(w.t.Context(), name, ledger.HistoryFilter{Limit: 100})
	require.NoError(w.t, err)
	for _, e := range entries {
		if e.Tenant == tenant {
			return e
		}
	}
	require.Fail(w.t, "the history says nothing of "+tenant)
	return ledger.Entry{}
}

func TestWalkDownLeavesATenantBehindByNameAndTakesEverybodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	var notes diary
	got := <-w.walkDown(notes.note)
	var refused *control.StepError
	require.ErrorAs(t, got.err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockStaleOld}, kinds(refused.Blocks))
	assert.ErrorContains(t, got.err, "1 of them could not be copied")
	assert.Equal(t, []string{"acme"}, refused.Left)
	p := w.inForce()
	assert.Equal(t, flags.Old, p.Default, "the others have arrived")
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Live}, p.Overrides)
	assert.True(t, got.result.Settled)
	assert.True(t, notes.has(control.LeftBehind, 0))
	e := w.entryOf("acme")
	assert.Equal(t, `tenant "acme" from live to live (pinned)`, e.Change())
	assert.Contains(t, e.Reason, "left behind: 1 keys of tenant \"acme\" are stale on the old side")
	assert.Contains(t, e.Reason, "wrong totals")

	w.exec(`delete from crossfade.stale_keys`)
	require.NoError(t, (<-w.walkDown(nil)).err, "the next walk takes it along")
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Old}, w.inForce().Overrides)
}

func TestWalkDownOutOfAShareLeavesBehindWhoIsInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: flags.Buckets, Actor: "ann"})
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	got := <-w.walkDown(nil)
	require.Error(t, got.err)
	p := w.inForce()
	assert.Equal(t, flags.Old, p.Default)
	assert.Zero(t, p.Step.Share)
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Live}, p.Overrides)
}

// By a share of the keys a tenant stands at two rungs: no override says that,
// and nobody goes up on the way down.
func TestWalkDownTakesNobodyUpWhoStandsAtTwoRungs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.step(control.Change{Migration: name, Kind: control.SetPercentage, To: flags.Live, Share: 500, Of: flags.OfKeys, Actor: "ann"})
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	got := <-w.walkDown(nil)
	var refused *control.StepError
	require.ErrorAs(t, got.err, &refused)
	assert.Empty(t, refused.Left)
	assert.Equal(t, flags.Shadow, w.inForce().Default)
	assert.Empty(t, w.inForce().Overrides)
}

func TestWalkDownNotesInTheHistoryWhichPinnedTenantItLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.Live, Tenants: []string{"acme", "good"}, Actor: "ann"})
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	got := <-w.walkDown(nil)
	var refused *control.StepError
	require.ErrorAs(t, got.err, &refused)
	assert.Equal(t, []string{"acme"}, refused.Left)
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Live, "good": flags.Old}, w.inForce().Overrides)
	e := w.entryOf("acme")
	assert.Equal(t, `tenant "acme" from live (pinned) to live (pinned), left behind`, e.Change())
	assert.Contains(t, e.Reason, "are stale on the old side")
}

func TestGuardrailStepsEverybodyDownButWhoCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.Live, Tenants: []string{"pinned", "stuck"}, Actor: "ann"})
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'stuck', 'old', '1', 1, 'test' from crossfade.migrations`)
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionEverybodyDown})
	w.traffic(m, "bad", 100, 20)
	w.tick(c)
	p := w.inForce()
	assert.Equal(t, flags.Shadow, p.Default)
	assert.Equal(t, map[string]flags.Stage{"pinned": flags.Shadow, "stuck": flags.Live, "acme": flags.Live}, p.Overrides)
	for _, tenant := range []string{"acme", "stuck"} {
		e := w.entryOf(tenant)
		assert.Equal(t, ledger.KindGuardrail, e.Kind)
		assert.Contains(t, e.Reason, "left behind")
		assert.Contains(t, e.Reason, "are stale on the old side")
		assert.Contains(t, e.Reason, "20 of 100 failed on the new side")
	}
}

func TestGuardrailStepsBadTenantsDownButWhoCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.staleKey(flags.OldSide, "SQLSTATE 23505")
	m, c := w.join(control.MemberConfig{}), w.controller(control.ControllerConfig{})
	w.guardrail(ledger.Guardrail{Measure: ledger.MeasureErrorRate, Threshold: 0.05, Action: ledger.ActionTenantDown})
	w.traffic(m, "acme", 60, 60)
	w.traffic(m, "bad", 60, 60)
	w.tick(c)
	assert.Equal(t, map[string]flags.Stage{"bad": flags.Shadow}, w.inForce().Overrides)
	e := w.entryOf("acme")
	assert.Equal(t, `tenant "acme" from live to live, left behind`, e.Change())
	assert.Contains(t, e.Reason, "left behind: 1 keys")
}
