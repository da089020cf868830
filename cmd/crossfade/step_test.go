package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestStepMovesWhomItNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual", "--percent", "12.5%", "--reason", "canary").
		says("epoch 2 is in force", "default old -> default old, 12.5% at dual", "nobody acts on an older policy any more")
	p := w.policy()
	assert.Equal(t, flags.Step{To: flags.Dual, Share: 1250}, p.Step)
	assert.Equal(t, flags.Old, p.Default)

	w.ok("step", name, "dual", "--tenant", "acme", "--tenant", "umbrella").
		says(`tenant "acme": old -> dual (pinned)`, `tenant "umbrella": old -> dual (pinned)`)
	w.ok("unpin", name, "acme").says(`tenant "acme": dual (pinned) -> old`)
	assert.Equal(t, map[string]flags.Stage{"umbrella": flags.Dual}, w.policy().Overrides)

	w.run("step", name, "old", "--percent", "0").is(exitInput).blames("the percentage step in force leads to dual, not to old")
	w.ok("step", name, "dual", "--percent", "0").says("default old, 12.5% at dual -> default old")
	w.ok("step", name, "dual").says("default old -> default dual")
	w.ok("step", name, "dual").says("nothing to change at epoch 6: default dual, 1 tenant pinned")
	assert.EqualValues(t, 6, w.policy().Epoch)
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual", "--dry-run").says("nothing speaks against the step from epoch 1; nothing was changed", "default old -> default dual")
	w.ok("pin", name, "acme", "--stage", "dual", "--dry-run").says(`tenant "acme": old -> dual (pinned)`)
	w.run("step", name, "shadow", "--dry-run").is(exitRefused).blames("old -> shadow: go to dual first")
	w.run("step", name, "dual", "--dry-run", "--expect-epoch", "7").is(exitConflict)
	assert.EqualValues(t, 1, w.policy().Epoch)
	w.climb(flags.RampDown)
	w.ok("step", name, "new", "--dry-run").says("point of no return")
}

// The rule: nobody enters new, by whatever command, unless --yes says so.
func TestNobodyEntersNewWithoutYes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.RampDown)
	w.ok("pin", name, "acme", "--stage", "rampdown")
	refuses := func(args ...string) {
		t.Helper()
		before := w.policy()
		w.run(args...).is(exitRefused).blames("new is the point of no return", "the old side is no longer written",
			"a reverse backfill (`crossfade backfill customers-v2`)", "add --yes")
		assert.Equal(t, before, w.policy())
	}
	refuses("step", name, "new")
	refuses("step", name, "new", "--walk")
	refuses("step", name, "new", "--percent", "0.01")
	refuses("step", name, "new", "--tenant", "acme")
	refuses("step", name, "new", "--walk", "--tenant", "acme")
	refuses("pin", name, "acme", "--stage", "new")
	assert.Contains(t, w.run("step", name, "new", "--json").is(exitRefused).failure()["message"], "point of no return")

	w.ok("step", name, "new", "--percent", "50", "--yes").says("point of no return")
	refuses("step", name, "new", "--percent", "51")
	refuses("step", name, "new")
	refuses("step", name, "new", "--walk")
	w.ok("step", name, "new", "--percent", "49")
	w.ok("step", name, "new", "--yes")
	refuses("unpin", name, "acme")
	w.ok("step", name, "rampdown", "--percent", "50")
	refuses("step", name, "rampdown", "--percent", "0")
	refuses("step", name, "rampdown", "--percent", "49.99")
	w.ok("step", name, "rampdown", "--percent", "50.01")
	w.ok("step", name, "rampdown")
	w.ok("step", name, "new", "--walk", "--yes")
	w.ok("step", name, "new").says("nothing to change")
	w.ok("step", name, "new", "--walk").says("arrived at new after 0 steps")
	w.ok("unpin", name, "acme", "--yes")
}

// What speaks against the step is said before --yes is asked for, and not
// instead of what only looks like it.
func TestStepIntoNewIsRefusedByInterlocksFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.run("step", name, "new").is(exitRefused).blames("live -> new: go to rampdown first")
	w.ok("step", name, "rampdown")
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'new', 'k', 1, 'test' from crossfade.migrations`)
	w.run("step", name, "new").is(exitRefused).blames("1 keys of tenant \"acme\" are stale on the new side")
	w.run("step", name, "new", "--yes").is(exitRefused).blames("stale on the new side")
}

func TestRefusalTellsEveryReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual")
	w.ok("pin", name, "acme", "--stage", "dual")
	golden(t, "refused.txt", w.run("step", name, "shadow").is(exitRefused).err)
	o := w.run("step", name, "shadow", "--json").is(exitRefused)
	assert.Empty(t, o.out)
	assert.Equal(t, 1, strings.Count(o.err, "\n"), "an error is one line")
	golden(t, "refused.json", o.err)
}

func TestConflictShowsTheOthersChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual", "--actor", "ben", "--reason", "canary")
	golden(t, "conflict.txt", w.run("step", name, "old", "--expect-epoch", "1").is(exitConflict).err)
	golden(t, "conflict.json", w.run("step", name, "old", "--expect-epoch", "1", "--json").is(exitConflict).err)
}

func TestStepWaitsForTheFleet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	s := w.start(nil, "step", name, "dual")
	s.until("waiting for 1 process: shop[7]@web-1, which acts on epoch 1")
	assert.Equal(t, flags.Dual, w.policy().Default, "in force while it waits")
	w.process(7, 2)
	golden(t, "step.txt", s.ends().is(exitOK).out)
}

func TestStepAsJSONLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	s := w.start(nil, "step", name, "dual", "--json", "--reason", "canary")
	s.until(`"event":"waiting"`)
	w.process(7, 2)
	o := s.ends().is(exitOK)
	events := map[string]bool{}
	for text := range strings.Lines(o.out) {
		var line struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		events[line.Event] = true
	}
	assert.Equal(t, map[string]bool{
		"committed": true, "drained": true, "waiting": true, "acknowledged": true, "settled": true, "result": true,
	}, events)
	golden(t, "step.json", lastLine(o.out))
}

func lastLine(text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1] + "\n"
}

func TestStepThatIsNotSettledInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	o := w.run("step", name, "dual", "--timeout", "50ms").is(exitUnsettled)
	o.says("epoch 2 is in force", "default old -> default dual").blames("in force, but not settled", "somebody may still act on epoch 1",
		"waiting for shop[7]@web-1, which acts on epoch 1", "the next step goes on waiting")
	assert.NotContains(t, o.out, "settled after")
	w.run("step", name, "old", "--json", "--timeout", "50ms").is(exitUnsettled).failure()

	w.ok("step", name, "dual", "--no-wait").says("epoch 4 is in force")
	w.run("status", name).is(exitOK).says("0 of 1 acknowledged epoch 4", "acts on epoch 1")
	w.backfilled()
	w.run("step", name, "shadow").is(exitRefused).blames("wait for the step before", "shop[7]@web-1 acts on epoch 1")
	w.run("step", name, "shadow", "--walk", "--timeout", "100ms").is(exitUnsettled)
	w.process(7, 4)
	walk := w.start(nil, "step", name, "shadow", "--walk")
	walk.until("epoch 5 is in force")
	w.process(7, 5)
	walk.ends().is(exitOK).says("arrived at shadow after 1 step")
}

func TestInterruptedStepStaysInForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	s := w.start(nil, "step", name, "dual", "--timeout", "0")
	s.until("waiting for 1 process")
	s.cancel()
	s.ends().is(exitInterrupted).says("epoch 2 is in force").blames("the new policy is in force, but not settled")
	assert.Equal(t, flags.Dual, w.policy().Default)
}

func TestInterruptedBeforeTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs buffer
	assert.Equal(t, exitInterrupted, w.app(&out, &errs).run(ctx, []string{"step", name, "dual"}))
	assert.Contains(t, errs.String(), "interrupted")
	assert.EqualValues(t, 1, w.policy().Epoch)
}

func TestTransactionsThatHoldAnEpochAreShownAndTerminated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `set application_name = 'straggler'`)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `select pg_advisory_xact_lock_shared((1 << 28) | id, 1) from crossfade.migrations`)
	require.NoError(t, err)

	s := w.start(nil, "step", name, "dual", "--drain-timeout", "0", "--timeout", "600ms")
	s.until("waiting for transactions of epoch 1: session")
	s.ends().is(exitUnsettled).says(`("straggler"`)
	w.ok("step", name, "dual", "--percent", "0")
	w.ok("step", name, "old", "--drain-timeout", "300ms").says("terminated, as they acted on epoch 1 for too long", `("straggler"`, "settled after")
	_, err = tx.Exec(t.Context(), `select 1`)
	require.Error(t, err, "the session was terminated")
}

func TestWalkGoesRungByRung(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	o := w.ok("step", name, "old", "--walk", "--reason", "wrong totals")
	o.says("default live -> default shadow", "default shadow -> default dual", "default dual -> default old", "arrived at old after 3 steps")
	w.ok("step", name, "old", "--walk").says("arrived at old after 0 steps")

	o = w.run("step", name, "live", "--walk").is(exitRefused)
	o.says("default old -> default dual").blames("1 step of the walk stay", "the backfill of")
	o = w.run("step", name, "shadow", "--walk", "--tenant", "acme", "--json").is(exitRefused)
	assert.NotEmpty(t, o.failure()["blocks"])
	w.backfilled()
	o = w.ok("step", name, "shadow", "--walk", "--tenant", "acme", "--json")
	assert.JSONEq(t, `{"event":"walked","migration":"customers-v2","to":"shadow","steps":1}`, lastLine(o.out))
	w.ok("history", name).says("by ann@laptop: wrong totals")
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var runs []*started
	for range 4 {
		runs = append(runs, w.start(nil, "step", name, "dual", "--expect-epoch", "1"))
	}
	codes := map[int]int{}
	for _, s := range runs {
		codes[s.ends().code]++
	}
	assert.Equal(t, map[int]int{exitOK: 1, exitConflict: 3}, codes)
}

func TestTimeoutCountsFromTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	w.run("step", name, "dual", "--timeout", "1ns").is(exitUnsettled).says("epoch 2 is in force")
	assert.Equal(t, flags.Dual, w.policy().Default)
	w.run("step", name, "old", "--walk", "--timeout", "1ns").is(exitUnsettled).blames("the walk stopped: --timeout has passed")
}

func TestProgressOnATerminalIsOneLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.process(7, 1)
	s := w.start(func(a *app) { a.terminal = true }, "step", name, "dual")
	s.until("waiting for 1 process")
	w.process(7, 2)
	o := s.ends().is(exitOK)
	kept := o.out[strings.LastIndex(o.out, clearLine)+len(clearLine):]
	assert.NotContains(t, kept, "waiting", "the passing line is gone")
	assert.Contains(t, kept, "settled after")
	assert.NotContains(t, strings.SplitAfter(o.out, "waiting")[0], "\n  waiting", "it stood in a line of its own")
}

func TestLineIsSparingWhereThereIsNoTerminal(t *testing.T) {
	var out buffer
	now := time.Unix(0, 0)
	l := &line{out: &out, now: func() time.Time { return now }, every: time.Second}
	for range 10 {
		now = now.Add(250 * time.Millisecond)
		l.pass("at " + now.UTC().Format("05.00"))
	}
	l.keep("done")
	assert.Equal(t, "at 00.25\nat 01.25\nat 02.25\ndone\n", out.String())
}
