package control_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// captured makes the tables of both sides and captures their writers.
func (w *world) captured(sides ...flags.Side) *backfill.Capture {
	w.t.Helper()
	w.exec(`create table customers_old (tenant text, id bigint, name text, primary key (tenant, id));
		create table customers_new (tenant text, id bigint, name text, primary key (tenant, id))`)
	capture := backfill.NewCapture(w.pool, &backfill.CaptureConfig{Pause: 10 * time.Millisecond, Complete: true})
	for _, side := range sides {
		w.install(capture, side)
	}
	return capture
}

func (w *world) install(capture *backfill.Capture, side flags.Side) {
	w.t.Helper()
	_, err := capture.Install(context.Background(), name, side, false, backfill.CaptureTable{
		Schema: "public", Table: "customers_" + side.String(), Tenant: "tenant", Key: []string{"id"},
	})
	require.NoError(w.t, err)
	require.NoError(w.t, w.plane.Keep(context.Background(), name))
}

func (w *world) state() *control.State {
	w.t.Helper()
	s, err := w.store.Load(context.Background(), name)
	require.NoError(w.t, err)
	return s
}

// modes says what stands: the stage, what capture of both sides does, and what
// the policy says to hold.
func (w *world) modes() string {
	s := w.state()
	does := func(side flags.Side) string {
		if s.Capture[side].Refusing() {
			return "refuses"
		}
		return "records"
	}
	text := fmt.Sprintf("%s: old %s, new %s", s.Current().Default, does(flags.OldSide), does(flags.NewSide))
	said := s.Current().Standing
	for word, holds := range map[string]bool{
		", unfenced": said.UnfencedOld || said.UnfencedNew, ", clean": said.Clean, ", strict": said.StrictShadow,
	} {
		if holds {
			text += word
		}
	}
	return text
}

// The order of ladder.md (Capture), at each commit of a policy and when it is settled.
func TestCaptureIsSwitchedInTheOrderOfTheLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join(control.MemberConfig{})
	w.captured(flags.OldSide, flags.NewSide)
	assert.Equal(t, "old: old records, new refuses, unfenced", w.modes(), "installed, and relied on at once")
	for _, c := range []struct{ committed, settled string }{
		{"dual: old records, new refuses", ""},
		{"shadow: old records, new refuses", ""},
		{"live: old refuses, new refuses", "live: old refuses, new records, clean"},
		{"rampdown: old refuses, new records", ""},
		{"new: old refuses, new records", "new: old refuses, new records, unfenced"},
		{"rampdown: old refuses, new records", ""},
		{"live: old refuses, new records", "live: old refuses, new records, clean"},
		{"shadow: old refuses, new refuses, strict", "shadow: old records, new refuses"},
		{"dual: old records, new refuses", ""},
		{"old: old records, new refuses", "old: old records, new refuses, unfenced"},
	} {
		var to flags.Stage
		for _, stage := range flags.Stages() {
			if len(c.committed) > len(stage.String()) && c.committed[:len(stage.String())+1] == stage.String()+":" {
				to = stage
			}
		}
		var committed string
		change := toDefault(to)
		change.Report = func(p control.Progress) {
			if p.Kind == control.Committed {
				committed = w.modes()
			}
		}
		w.step(change)
		assert.Equal(t, c.committed, committed)
		if c.settled == "" {
			c.settled = c.committed
		}
		assert.Equal(t, c.settled, w.modes())
		w.backfilled()
		w.exec(`update crossfade.tenant_states set old_complete = true`)
	}
}

func TestAStepIntoLiveWaitsForWhoWritesPastTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.captured(flags.OldSide)
	w.climb(flags.Shadow)
	straggler, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = straggler.Rollback(context.Background()) }()
	_, err = straggler.Exec(t.Context(), `insert into customers_old values ('acme', 1, 'Ada')`)
	require.NoError(t, err)

	var notes diary
	up := toDefault(flags.Live)
	up.Report = notes.note
	done := w.applyInBackground(up)
	eventually(t, func() bool {
		notes.mu.Lock()
		defer notes.mu.Unlock()
		for _, p := range notes.all {
			if p.Kind == control.Emptying && p.Side == flags.OldSide && len(p.Holders) == 1 {
				return true
			}
		}
		return false
	}, "it is waited for, and shown")
	_, err = w.pool.Exec(t.Context(), `insert into customers_old values ('acme', 2, 'Bob')`)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	assert.Equal(t, "XF006", pg.Code, "others are refused meanwhile")
	require.NoError(t, w.plane.Keep(t.Context(), name))
	assert.Equal(t, "shadow: old refuses, new records", w.modes(), "a keeper does not undo what a step is about")
	require.NoError(t, straggler.Commit(t.Context()))
	got := <-done
	var refused *control.StepError
	require.ErrorAs(t, got.err, &refused, "it was seen after all")
	assert.Equal(t, []control.BlockKind{control.BlockBypassed}, kinds(refused.Blocks))
	assert.True(t, refused.Blocks[0].Forcible)
	assert.Equal(t, flags.Shadow, w.inForce().Default)
	assert.True(t, w.state().Capture[flags.OldSide].Recording(), "the step was refused: capture records again")

	force := toDefault(flags.Live)
	force.Force = true
	_, err = w.plane.Apply(t.Context(), force)
	require.NoError(t, err)
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	assert.Contains(t, history[0].Reason, "forced past: 1 statements")
	assert.False(t, w.inForce().Clean, "its key is stale on the new side")
	assert.Len(t, w.state().Stale, 1)
}

func TestWhoTakesTooLongPastTheApplicationIsTerminated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane = control.New(w.store, &control.Config{Poll: time.Millisecond, DrainTimeout: time.Millisecond})
	w.captured(flags.OldSide)
	w.climb(flags.Shadow)
	straggler, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = straggler.Rollback(context.Background()) }()
	_, err = straggler.Exec(t.Context(), `insert into customers_old values ('acme', 1, 'Ada')`)
	require.NoError(t, err)
	w.step(toDefault(flags.Live))
	require.Error(t, straggler.Commit(t.Context()))
	assert.Empty(t, w.state().Stale)
}

func TestAfterUnfencedWritesTheStageIsLeftOnlyWithCapture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	capture := w.captured(flags.OldSide)
	assert.True(t, w.inForce().UnfencedOld)
	var told []bool
	_, err := w.plane.RemoveCapture(t.Context(), capture, name, flags.OldSide, func(p control.Progress) {
		if p.Kind == control.Published {
			told = append(told, w.inForce().UnfencedOld)
		}
	})
	require.NoError(t, err)
	assert.Equal(t, []bool{false}, told, "first a fenced policy, to which everybody comes")
	assert.False(t, w.state().Capture[flags.OldSide].Installed)
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Dual))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockCaptureAbsent}, kinds(refused.Blocks))
	w.install(capture, flags.OldSide)
	w.step(toDefault(flags.Dual))

	_, err = w.plane.RemoveCapture(t.Context(), capture, name, flags.OldSide, nil)
	var blocked *backfill.CaptureBlockedError
	require.ErrorAs(t, err, &blocked)
	assert.False(t, w.state().Capture[flags.OldSide].Leaving, "nothing was changed")
	w.backfilled()
	w.step(toDefault(flags.Shadow))
}

// A side may write tables that nobody thought of: their late writes are not seen.
func TestWritesStayFencedUntilSomebodySaysThatAllTablesAreCaptured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.captured()
	some := backfill.NewCapture(w.pool, nil)
	w.install(some, flags.OldSide)
	assert.False(t, w.inForce().UnfencedOld, "of which nobody said that it is all")
	all := backfill.NewCapture(w.pool, &backfill.CaptureConfig{Complete: true})
	w.install(all, flags.OldSide)
	assert.True(t, w.inForce().UnfencedOld)
	w.install(some, flags.OldSide)
	assert.True(t, w.inForce().UnfencedOld, "said once")

	_, err := w.plane.RemoveCapture(t.Context(), some, name, flags.OldSide, nil)
	require.NoError(t, err)
	w.install(some, flags.OldSide)
	assert.False(t, w.inForce().UnfencedOld, "what was said goes with the triggers")
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Dual))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused, "a write that ran without a fence may come late, to any table")
	assert.Equal(t, []control.BlockKind{control.BlockCaptureAbsent}, kinds(refused.Blocks))
	w.install(all, flags.OldSide)
	w.step(toDefault(flags.Dual))
}

func TestAnUnfencedWriteThatComesAfterTheStepIsRecordedAndBypassesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`create table names_old (tenant text, id text, name text, primary key (tenant, id));
		create table names_new (tenant text, id text, name text, primary key (tenant, id))`)
	_, err := backfill.NewCapture(w.pool, &backfill.CaptureConfig{Complete: true}).Install(t.Context(), name, flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "names_old", Tenant: "tenant", Key: []string{"id"}})
	require.NoError(t, err)
	_, err = w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
	require.True(t, w.inForce().UnfencedOld)
	late := w.process()
	require.NoError(t, late.put(t.Context(), "1", "in time"))
	assert.Empty(t, w.state().Stale, "at old nothing needs to be recorded")

	slow, release := flags.Pin(t.Context(), 0)
	_, err = late.get(slow, "1")
	require.NoError(t, err)
	up := toDefault(flags.Dual)
	up.NoWait = true
	w.step(up)
	require.NoError(t, late.put(slow, "1", "late"))
	s := w.state()
	require.Len(t, s.Stale, 1)
	assert.Equal(t, flags.NewSide, s.Stale[0].Side)
	assert.Zero(t, s.Capture[flags.OldSide].Bypassed)
	_, err = w.pool.Exec(t.Context(), `update names_old set name = 'past the application'`)
	require.NoError(t, err)
	assert.EqualValues(t, 1, w.state().Capture[flags.OldSide].Bypassed)
	release()
	_, err = w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
}
