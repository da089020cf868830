package control_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/ledger"
)

// fence begins a transaction that writes a key under a policy.
func (w *world) fence(p flags.Policy, key string) pgx.Tx {
	w.t.Helper()
	tx, err := w.pool.Begin(context.Background())
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	require.NoError(w.t, fenced(context.Background(), tx, fence.Call{
		Migration: w.migration.ID, Tenant: "acme", Guarded: true, Epoch: p.Epoch, Policy: p.ID, Lock: true, Keys: []string{key},
	}))
	return tx
}

func fenced(ctx context.Context, tx pgx.Tx, call fence.Call) error {
	batch := &pgx.Batch{}
	for _, s := range call.Statements() {
		batch.Queue(s.SQL, s.Args...)
	}
	return tx.SendBatch(ctx, batch).Close()
}

func (w *world) inForce() flags.Policy {
	w.t.Helper()
	p, err := w.store.Policy(context.Background(), name)
	require.NoError(w.t, err)
	return p
}

// diary notes progress.
type diary struct {
	mu  sync.Mutex
	all []control.Progress
}

func (d *diary) note(p control.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, p)
}

func (d *diary) has(kind control.ProgressKind, epoch int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.all {
		if p.Kind == kind && p.Epoch == epoch {
			return true
		}
	}
	return false
}

// outcome is what a background Apply came to.
type outcome struct {
	result control.Result
	err    error
}

func (w *world) applyInBackground(c control.Change) <-chan outcome {
	done := make(chan outcome, 1)
	ctx := context.WithoutCancel(w.t.Context())
	go func() {
		r, err := w.plane.Apply(ctx, c)
		done <- outcome{r, err}
	}()
	return done
}

func TestDrainWaitsForExactlyTheWritersOfTheOldEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	writer := w.fence(w.inForce(), "a")
	var notes diary
	c := toDefault(flags.Dual)
	c.Report = notes.note
	done := w.applyInBackground(c)
	eventually(t, func() bool { return notes.has(control.Draining, 1) }, "the writer is waited for")

	// Writers of the new epoch come and go meanwhile.
	for range 20 {
		next := w.fence(w.inForce(), "b")
		assert.EqualValues(t, 2, w.inForce().Epoch)
		require.NoError(t, next.Commit(t.Context()))
	}
	late := w.fence(w.inForce(), "b")
	select {
	case <-done:
		t.Fatal("settled while a writer acted on the old epoch")
	default:
	}
	require.NoError(t, writer.Commit(t.Context()))
	got := <-done
	require.NoError(t, got.err)
	assert.Equal(t, []int64{1}, got.result.Drained)
	assert.Empty(t, got.result.Terminated)
	require.NoError(t, late.Commit(t.Context()), "nobody waited for the new epoch's writer, nor disturbed it")
	assert.True(t, notes.has(control.Committed, 2))
	assert.True(t, notes.has(control.Drained, 1))
}

func TestNextStepIsRefusedUntilTheOneBeforeIsDrained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	writer := w.fence(w.inForce(), "a")
	up := toDefault(flags.Dual)
	up.NoWait = true
	w.step(up)
	w.backfilled()
	_, err := w.plane.Apply(t.Context(), toDefault(flags.Shadow))
	var refused *control.StepError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockBarrier}, kinds(refused.Blocks))
	assert.ErrorContains(t, err, "transactions of epoch 1 may still run")
	require.NoError(t, writer.Commit(t.Context()))
	w.step(toDefault(flags.Shadow)) // finds by itself that the epoch is drained now
}

func TestStepDownIsTakenWhileTheStepUpIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	writer := w.fence(w.inForce(), "a")
	up, down := toDefault(flags.Dual), toDefault(flags.Old)
	up.NoWait, down.NoWait = true, true
	w.step(up)
	w.step(down)
	require.NoError(t, writer.Commit(t.Context()))
	s, err := w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, s.Drained)
}

func TestWritersThatTakeTooLongAreTerminatedAndReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane = control.New(w.store, &control.Config{Poll: time.Millisecond, DrainTimeout: time.Millisecond})
	writer := w.fence(w.inForce(), "a")
	r := w.step(toDefault(flags.Dual))
	require.Len(t, r.Terminated, 1)
	assert.Contains(t, r.Terminated[0].String(), "idle in transaction")
	assert.Equal(t, []int64{1}, r.Drained)
	require.Error(t, writer.Commit(t.Context()))
}

func TestEndOfTheWaitingIsNotTheEndOfTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plane = control.New(w.store, &control.Config{Poll: time.Millisecond, DrainTimeout: -1})
	writer := w.fence(w.inForce(), "a")
	ctx, cancel := context.WithCancel(t.Context())
	c := toDefault(flags.Dual)
	c.Report = func(p control.Progress) {
		if p.Kind == control.Draining {
			cancel()
		}
	}
	r, err := w.plane.Apply(ctx, c)
	var unsettled *control.UnsettledError
	require.ErrorAs(t, err, &unsettled)
	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, unsettled.Epochs, int64(1))
	assert.True(t, r.Changed)
	assert.False(t, r.Settled)
	assert.EqualValues(t, 2, w.inForce().Epoch)
	require.NoError(t, writer.Commit(t.Context()))
	s, err := w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
	assert.True(t, s.Settled)
	state, err := w.store.Load(t.Context(), name)
	require.NoError(t, err)
	assert.Empty(t, state.Outstanding(), "what was drained is persisted")
}

func TestStepWaitsForEveryProcessAndItsPins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quick, slow := w.join(control.MemberConfig{Name: "quick"}), w.join(control.MemberConfig{Name: "slow"})
	ctx, release := flags.Pin(t.Context(), time.Hour)
	use, err := slow.Flag(name).Enter(ctx, flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	use.Done() // the pin holds on

	var notes diary
	c := toDefault(flags.Dual)
	c.Report = notes.note
	done := w.applyInBackground(c)
	eventually(t, func() bool {
		notes.mu.Lock()
		defer notes.mu.Unlock()
		for _, p := range notes.all {
			if p.Kind == control.Waiting && len(p.Processes) == 1 && p.Processes[0].Name == "slow" {
				return true
			}
		}
		return false
	}, "the quick process has acknowledged, the slow one is waited for")
	d, err := quick.Flag(name).Peek(flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	assert.Equal(t, flags.Dual, d.Stage)
	again, err := slow.Flag(name).Enter(ctx, flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	again.Done()
	assert.Equal(t, flags.Old, again.Stage, "a request never mixes stages")
	w.backfilled()
	_, err = w.plane.Apply(t.Context(), toDefault(flags.Shadow))
	require.ErrorContains(t, err, "slow[")

	release()
	got := <-done
	require.NoError(t, got.err)
	assert.Equal(t, []int64{1}, got.result.Acknowledged)
}

func TestSettleWithNothingToDoReturnsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.plane.Settle(t.Context(), name, nil)
	require.NoError(t, err)
	assert.True(t, s.Settled)
	assert.Empty(t, s.Drained)
	_, err = w.plane.Settle(t.Context(), "orders-v2", nil)
	var unknown *ledger.UnknownMigrationError
	require.ErrorAs(t, err, &unknown)
}
