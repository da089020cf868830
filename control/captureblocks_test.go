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

// What capture does to each step of everybody, for each state that it may be in.
func TestLadderWithCapture(t *testing.T) {
	t.Parallel()
	change := func(side flags.Side, mutate func(*ledger.CaptureState)) func(*control.State) {
		return func(s *control.State) { mutate(&s.Capture[side]) }
	}
	type harm struct {
		name   string
		mutate func(side flags.Side) func(*control.State)
	}
	harms := []harm{
		{"records", func(side flags.Side) func(*control.State) { return captured(side, records) }},
		{"refuses", func(side flags.Side) func(*control.State) { return captured(side, refuses) }},
		{"refuses, not drained", func(side flags.Side) func(*control.State) {
			return func(s *control.State) {
				captured(side, refuses)(s)
				change(side, func(c *ledger.CaptureState) { c.Drained = false })(s)
			}
		}},
		{"broken", func(side flags.Side) func(*control.State) {
			return change(side, func(c *ledger.CaptureState) { c.Broken = []string{"public.orders_2027"} })
		}},
		{"leaving", func(side flags.Side) func(*control.State) {
			return change(side, func(c *ledger.CaptureState) { c.Leaving = true })
		}},
		{"absent after unfenced writes", func(side flags.Side) func(*control.State) {
			return func(s *control.State) { s.Capture[side], s.RanUnfenced[side] = ledger.CaptureState{}, true }
		}},
		{"standing after unfenced writes", func(side flags.Side) func(*control.State) {
			return func(s *control.State) { s.RanUnfenced[side] = true }
		}},
		{"bypassed", func(side flags.Side) func(*control.State) {
			return change(side, func(c *ledger.CaptureState) { c.Bypassed = 2 })
		}},
	}
	type at2 struct {
		side flags.Side
		harm string
	}
	o, n := flags.OldSide, flags.NewSide
	for _, r := range []struct {
		from, to flags.Stage
		modes    [2]int64 // of the two sides, in which nothing speaks against the step
		blocks   map[at2]control.BlockKind
	}{
		{flags.Old, flags.Dual, [2]int64{records, refuses}, map[at2]control.BlockKind{
			{o, "broken"}: control.BlockCaptureBroken, {o, "leaving"}: control.BlockCaptureBroken,
			{o, "absent after unfenced writes"}: control.BlockCaptureAbsent,
		}},
		{flags.Dual, flags.Shadow, [2]int64{records, refuses}, map[at2]control.BlockKind{
			{o, "broken"}: control.BlockCaptureBroken, {o, "leaving"}: control.BlockCaptureBroken,
		}},
		{flags.Shadow, flags.Live, [2]int64{refuses, refuses}, map[at2]control.BlockKind{
			{o, "records"}: control.BlockCaptureOpen, {o, "refuses, not drained"}: control.BlockCaptureOpen,
			{o, "broken"}: control.BlockCaptureBroken, {o, "leaving"}: control.BlockCaptureBroken, {o, "bypassed"}: control.BlockBypassed,
		}},
		{flags.Live, flags.RampDown, [2]int64{refuses, records}, nil},
		{flags.RampDown, flags.New, [2]int64{refuses, records}, map[at2]control.BlockKind{
			{n, "refuses"}: control.BlockCaptureRefuses, {n, "refuses, not drained"}: control.BlockCaptureRefuses,
		}},
		{flags.New, flags.RampDown, [2]int64{refuses, records}, map[at2]control.BlockKind{
			{n, "broken"}: control.BlockCaptureBroken, {n, "leaving"}: control.BlockCaptureBroken,
			{n, "absent after unfenced writes"}: control.BlockCaptureAbsent,
		}},
		{flags.RampDown, flags.Live, [2]int64{refuses, records}, nil},
		{flags.Live, flags.Shadow, [2]int64{refuses, refuses}, map[at2]control.BlockKind{
			{n, "records"}: control.BlockCaptureOpen, {n, "refuses, not drained"}: control.BlockCaptureOpen,
			{n, "broken"}: control.BlockCaptureBroken, {n, "leaving"}: control.BlockCaptureBroken,
		}},
		{flags.Shadow, flags.Dual, [2]int64{records, refuses}, nil},
		{flags.Dual, flags.Old, [2]int64{records, refuses}, map[at2]control.BlockKind{
			{o, "refuses"}: control.BlockCaptureRefuses, {o, "refuses, not drained"}: control.BlockCaptureRefuses,
		}},
	} {
		next := flags.Policy{Default: r.to}
		fine := func() *control.State { return with(at(r.from), captured(o, r.modes[0]), captured(n, r.modes[1])) }
		assert.Empty(t, control.Check(fine(), next), "%s to %s", r.from, r.to)
		for _, h := range harms {
			for _, side := range []flags.Side{o, n} {
				blocks := control.Check(with(fine(), h.mutate(side)), next)
				want := []control.BlockKind{}
				if kind, ok := r.blocks[at2{side, h.name}]; ok {
					want = append(want, kind)
				}
				assert.Equal(t, want, kinds(blocks), "%s to %s, %s side: %s", r.from, r.to, side, h.name)
			}
		}
	}
}

func TestBlocksOfCaptureSayWhatToDo(t *testing.T) {
	t.Parallel()
	text := func(s *control.State, to flags.Stage) string {
		blocks := control.Check(s, flags.Policy{Default: to})
		require.Len(t, blocks, 1)
		return blocks[0].Text
	}
	s := with(at(flags.Shadow), captured(flags.OldSide, refuses))
	s.Capture[flags.OldSide].Bypassed, s.Capture[flags.OldSide].Writers = 12, []string{"report (nightly)"}
	s.Capture[flags.OldSide].BypassedAt = now.Add(-3 * time.Minute)
	assert.Equal(t, "12 statements by report (nightly) wrote the old side past the application, the last one 3m0s ago, and would be refused at live: "+
		"have them go through the application, then run `crossfade capture accept customers-v2`", text(s, flags.Live))
	s = with(at(flags.Dual), captured(flags.OldSide, records))
	s.Capture[flags.OldSide].Broken = []string{"public.a", "public.b"}
	assert.Equal(t, "capture of the old side lacks triggers on public.a, public.b: run `crossfade capture install customers-v2` again", text(s, flags.Shadow))
	s = at(flags.New)
	s.RanUnfenced[flags.NewSide] = true
	assert.Contains(t, text(s, flags.RampDown), "run `crossfade capture install customers-v2` for the new side first")
	s = with(at(flags.Dual), captured(flags.OldSide, refuses))
	assert.Contains(t, text(s, flags.Old), "capture of the old side still refuses statements from outside")
	assert.True(t, control.Check(s, flags.Policy{Default: flags.Old})[0].Mends)
	s.Policies[0].Overrides = map[string]flags.Stage{"acme": flags.Live}
	stays := flags.Policy{Default: flags.Old, Overrides: s.Policies[0].Overrides}
	assert.False(t, control.Check(s, stays)[0].Mends, "as long as somebody stands at live")
}

// Rules that the model checker found rows to be lost without are never set aside.
func TestNoRuleOfTheLadderIsForcible(t *testing.T) {
	t.Parallel()
	forcible := []control.BlockKind{
		control.BlockBypassed, control.BlockMismatches, control.BlockGuardrail, control.BlockFreeze, control.BlockApproval, control.BlockChainFleet,
	}
	checked := []control.BlockKind{
		control.BlockJump, control.BlockUnknownPolicy, control.BlockBarrier, control.BlockBackfill, control.BlockVerify, control.BlockFailing,
		control.BlockStaleNew, control.BlockOldIncomplete, control.BlockStaleOld,
		control.BlockCaptureAbsent, control.BlockCaptureBroken, control.BlockCaptureOpen, control.BlockCaptureRefuses,
		control.BlockChainBelow, control.BlockChainAbove,
	}
	var mays, nevers []control.BlockKind
	for _, rule := range control.Rules() {
		if rule.Forcible {
			mays = append(mays, rule.Kind)
		} else {
			nevers = append(nevers, rule.Kind)
		}
	}
	assert.ElementsMatch(t, forcible, mays)
	assert.ElementsMatch(t, checked, nevers)

	w := newWorld(t)
	w.climb(flags.Live)
	w.exec(`update crossfade.tenant_states set old_complete = false`)
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'old', '1', 1, 'test' from crossfade.migrations`)
	down := toDefault(flags.Shadow)
	down.Force = true
	_, err := w.plane.Apply(t.Context(), down)
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockOldIncomplete, control.BlockStaleOld}, kinds(refused.Blocks))
	jump := toDefault(flags.Old)
	jump.Force = true
	_, err = w.plane.Apply(t.Context(), jump)
	require.ErrorContains(t, err, "go to shadow first")
}
