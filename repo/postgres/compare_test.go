package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

func TestRealDifferenceIsFoundConfirmedAndRecorded(t *testing.T) {
	for _, stage := range []flags.Stage{flags.Shadow, flags.Live} {
		t.Run(stage.String(), func(t *testing.T) {
			w := newWorld(t, stage, nil)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "secret text"}))
			_, err := w.pool.Exec(t.Context(), "update notes_v2 set rest = ' damage'")
			require.NoError(t, err)
			ctx := compare.WithRequestID(t.Context(), "request-7")
			_, err = w.notes.Get(ctx, tenant, 1)
			require.NoError(t, err)
			stats := w.settled()
			require.Len(t, stats.Operations, 1)
			assert.EqualValues(t, 1, stats.Operations[0].Compared)
			assert.EqualValues(t, 1, stats.Operations[0].Mismatched)
			require.Len(t, w.records.seen, 1)
			record := w.records.seen[0]
			assert.Equal(t, "Text", record.Field)
			assert.Equal(t, "request-7", record.RequestID)
			assert.Equal(t, stage.String(), record.Stage)
			assert.Equal(t, "1", record.Key)
			assert.Equal(t, "Notes.Get", record.Operation)
			assert.NotContains(t, record.Served+record.Other, "secret", "values are redacted")
		})
	}
}

// The served answer is older than what the other side says when it is asked:
// the first look differs, the confirmation in one snapshot does not.
func TestRaceWithAWriterIsNoMismatch(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	looked := false
	var mu sync.Mutex
	w.new.on("Get", func(ctx context.Context, _ postgres.DBTX) error {
		mu.Lock()
		defer mu.Unlock()
		if looked {
			return nil
		}
		looked = true
		return w.notes.Save(ctx, tenant, note{ID: 1, Text: "two"})
	})
	_, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	stats := w.settled()
	assert.True(t, looked)
	assert.EqualValues(t, 1, stats.Operations[0].Compared)
	assert.EqualValues(t, 0, stats.Operations[0].Mismatched)
}

func TestStaleKeyIsInconclusive(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	w.new.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	_, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	_, err = w.notes.All(t.Context(), tenant)
	require.NoError(t, err)
	for _, counts := range w.settled().Operations {
		assert.EqualValues(t, 1, counts.Inconclusive, counts.Operation)
		assert.EqualValues(t, 0, counts.Mismatched, counts.Operation)
	}
}

// After new the old side lacks what was written there, until a reverse backfill.
func TestOldSideThatMissedWritesAtNewIsInconclusive(t *testing.T) {
	w := newWorld(t, flags.New, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	_, err := w.pool.Exec(t.Context(), "insert into crossfade.tenant_states (migration_id, tenant, old_complete) select id, '', false from crossfade.migrations")
	require.NoError(t, err)
	w.step(flags.Live)
	_, err = w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	counts := w.settled().Operations[0]
	assert.EqualValues(t, 1, counts.Inconclusive)
	assert.EqualValues(t, 0, counts.Mismatched)
}

func TestErrorOfTheCandidateIsAMismatchAndNotTheCallers(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	w.new.on("Get", func(ctx context.Context, db postgres.DBTX) error { _, err := db.Exec(ctx, "select 1/0"); return err })
	got, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, "one", got.Text)
	_, err = w.notes.Get(t.Context(), tenant, 404)
	require.ErrorIs(t, err, errNoNote)
	stats := w.settled()
	assert.EqualValues(t, 2, stats.Operations[0].Mismatched)
	assert.Equal(t, "error", w.records.seen[0].Field)
}

func TestNotFoundOnBothSidesIsEqual(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	_, err := w.notes.Get(t.Context(), tenant, 404)
	require.ErrorIs(t, err, errNoNote)
	stats := w.settled()
	assert.EqualValues(t, 1, stats.Operations[0].Compared)
	assert.EqualValues(t, 0, stats.Operations[0].Mismatched)
}

func TestTheProcessActsOnItsEpochUntilTheComparisonEnds(t *testing.T) {
	w := newWorld(t, flags.Shadow, nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	asked, mayAnswer := make(chan struct{}), make(chan struct{})
	w.new.on("Get", func(context.Context, postgres.DBTX) error {
		close(asked)
		<-mayAnswer
		return nil
	})
	_, err := w.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err, "answered before the candidate")
	<-asked
	before := w.set.Oldest()[0].Epoch
	w.step(flags.Dual)
	assert.Equal(t, before, w.set.Oldest()[0].Epoch, "the comparison still acts on it")
	w.new.on("Get", nil)
	close(mayAnswer)
	w.settled()
	assert.Equal(t, before+1, w.set.Oldest()[0].Epoch)
}
