package control_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func everybodyTo(to flags.Stage) flags.Policy { return flags.Policy{Default: to} }

func judged(verdict string, ago time.Duration) ledger.Guardrail {
	at := now.Add(-ago)
	return ledger.Guardrail{ID: 7, Measure: ledger.MeasureErrorRate, Threshold: 0.01, Window: 5 * time.Minute, Verdict: verdict, JudgedAt: &at}
}

func TestStepsUpAreHeld(t *testing.T) {
	t.Parallel()
	later, before := now.Add(time.Hour), now.Add(-time.Hour)
	protect := func(s *control.State, stage flags.Stage) {
		s.Guard.Protections = append(s.Guard.Protections, ledger.Protection{Stage: stage, Actor: "ann"})
	}
	approve := func(s *control.State, a ledger.Approval) { s.Guard.Approvals = append(s.Guard.Approvals, a) }
	for _, c := range []struct {
		promise string
		from    flags.Stage
		state   func(*control.State)
		want    []control.BlockKind
	}{
		{"nothing holds", flags.Shadow, func(*control.State) {}, nil},
		{"a mismatch of any tenant", flags.Shadow, func(s *control.State) { s.Guard.Mismatches = map[string]int64{"acme": 2} }, []control.BlockKind{control.BlockMismatches}},
		{"a mismatch that was only counted", flags.Shadow, func(s *control.State) { s.Guard.Mismatches = map[string]int64{"": 2} }, []control.BlockKind{control.BlockMismatches}},
		{"mismatches count into live only", flags.Dual, func(s *control.State) { s.Guard.Mismatches = map[string]int64{"acme": 2} }, nil},
		{"a violated guardrail", flags.Dual, func(s *control.State) {
			s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictViolated, time.Second)}
		}, []control.BlockKind{control.BlockGuardrail}},
		{"inconclusive means hold", flags.Dual, func(s *control.State) {
			s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictInconclusive, time.Second)}
		}, []control.BlockKind{control.BlockGuardrail}},
		{"a guardrail that is fine", flags.Dual, func(s *control.State) { s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictOK, time.Second)} }, nil},
		{"fine, but long ago", flags.Dual, func(s *control.State) { s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictOK, time.Hour)} }, []control.BlockKind{control.BlockGuardrail}},
		{"never judged", flags.Dual, func(s *control.State) {
			s.Guard.Guardrails = []ledger.Guardrail{{ID: 7, Measure: ledger.MeasureErrorRate}}
		}, []control.BlockKind{control.BlockGuardrail}},
		{"idle by a policy from before", flags.Dual, func(s *control.State) {
			s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictIdle, time.Second)}
		}, []control.BlockKind{control.BlockGuardrail}},
		{"what cannot be measured at old does not hold", flags.Old, func(s *control.State) {
			s.Guard.Guardrails = []ledger.Guardrail{{ID: 7, Measure: ledger.MeasureErrorRate}, judged(ledger.VerdictViolated, time.Second)}
		}, nil},
		{"a freeze", flags.Old, func(s *control.State) {
			s.Guard.Freezes = []ledger.Freeze{{Actor: "ann", Reason: "sale", From: before}}
		}, []control.BlockKind{control.BlockFreeze}},
		{"a freeze that is over, and one to come", flags.Old, func(s *control.State) {
			s.Guard.Freezes = []ledger.Freeze{{From: before, Until: &before}, {From: later}}
		}, nil},
		{"a protected stage", flags.Dual, func(s *control.State) { protect(s, flags.Shadow) }, []control.BlockKind{control.BlockApproval}},
		{"another protected stage", flags.Dual, func(s *control.State) { protect(s, flags.Live) }, nil},
		{"an approval of another person", flags.Dual, func(s *control.State) {
			protect(s, flags.Shadow)
			s.Guard.Asker = "ann"
			approve(s, ledger.Approval{Stage: flags.Shadow, Actor: "ben"})
		}, nil},
		{"the asker's own approval, in other letters", flags.Dual, func(s *control.State) {
			protect(s, flags.Shadow)
			s.Guard.Asker = "ann"
			approve(s, ledger.Approval{Stage: flags.Shadow, Actor: " Ann"})
		}, []control.BlockKind{control.BlockApproval}},
		{"an approval of another stage", flags.Dual, func(s *control.State) {
			protect(s, flags.Shadow)
			approve(s, ledger.Approval{Stage: flags.Live, Actor: "ben"})
		}, []control.BlockKind{control.BlockApproval}},
		{"an approval of a ramp's step, for somebody else", flags.Dual, func(s *control.State) {
			protect(s, flags.Shadow)
			approve(s, ledger.Approval{Stage: flags.Shadow, Actor: "ben", Ramp: 3})
		}, []control.BlockKind{control.BlockApproval}},
		{"all reasons at once", flags.Shadow, func(s *control.State) {
			s.Guard.Mismatches = map[string]int64{"acme": 2}
			s.Guard.Guardrails = []ledger.Guardrail{judged(ledger.VerdictViolated, time.Second)}
			s.Guard.Freezes = []ledger.Freeze{{From: before}}
			protect(s, flags.Live)
			s.Whole.BackfilledAt = nil
		}, []control.BlockKind{
			control.BlockBackfill, control.BlockMismatches, control.BlockGuardrail, control.BlockFreeze, control.BlockApproval,
		}},
	} {
		t.Run(c.promise, func(t *testing.T) {
			t.Parallel()
			s := at(c.from)
			c.state(s)
			blocks := control.Check(s, everybodyTo(c.from+1))
			got := map[control.BlockKind]bool{}
			for _, b := range blocks {
				got[b.Kind] = true
				assert.NotEmpty(t, b.Text)
				assert.Equal(t, b.Kind != control.BlockBackfill, b.Forcible, b.Kind)
			}
			want := map[control.BlockKind]bool{}
			for _, k := range c.want {
				want[k] = true
			}
			assert.Equal(t, want, got)
			if c.from > flags.Old {
				assert.Empty(t, control.Check(s, everybodyTo(c.from-1)), "stepping down always works")
			}
		})
	}
}

func TestRulesThatKeepRowsAreNeverForced(t *testing.T) {
	t.Parallel()
	forcible := map[control.BlockKind]bool{}
	for _, r := range control.Rules() {
		forcible[r.Kind] = r.Forcible
	}
	for _, kind := range []control.BlockKind{
		control.BlockJump, control.BlockUnknownPolicy, control.BlockBarrier, control.BlockBackfill, control.BlockVerify, control.BlockFailing,
		control.BlockStaleNew, control.BlockOldIncomplete, control.BlockStaleOld, control.BlockChainBelow, control.BlockChainAbove,
	} {
		assert.False(t, forcible[kind], kind)
	}
}

func TestForceSetsAsideOnlyWhatIsForcible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.AddFreeze(t.Context(), ledger.Freeze{Migration: name, Actor: "ann", Reason: "sale"})
	require.NoError(t, err)
	c := toDefault(flags.Dual)
	_, err = w.plane.Apply(t.Context(), c)
	require.ErrorContains(t, err, "frozen by ann: sale")

	c.Force, c.Reason = true, " "
	_, err = w.plane.Apply(t.Context(), c)
	require.ErrorContains(t, err, "say why rules are to be set aside")
	c.Reason = "the sale is off"
	w.step(c)
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, "the sale is off (forced past: frozen by ann: sale)", history[0].Reason)

	c = toDefault(flags.Shadow)
	c.Force, c.Reason = true, "hurry"
	_, err = w.plane.Apply(t.Context(), c)
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockBackfill, control.BlockVerify}, kinds(refused.Blocks))

	ended, err := w.store.EndFreezes(t.Context(), name, "ann", "")
	require.NoError(t, err)
	assert.EqualValues(t, 1, ended)
	w.backfilled()
	w.step(toDefault(flags.Shadow))
}
