package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// counting stands between sqlc's code and the handle, and reads row counts.
type counting struct{ postgres.DBTX }

var errNoRowChanged = errors.New("no row was changed")

func (c counting) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	tag, err := c.DBTX.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		err = errNoRowChanged
	}
	return tag, err
}

// Only who says that nobody reads row counts loses them.
func TestSideThatDoesNotSayThatItMayBeQueuedGetsEveryRowCount(t *testing.T) {
	for _, stage := range flags.Stages() {
		w := newWorld(t, stage, nil)
		side := func(factory postgres.Factory[notes]) postgres.Factory[notes] {
			return func(db postgres.DBTX) notes {
				_, isQueue := db.(*postgres.Queue)
				assert.False(t, isQueue)
				return factory(counting{db})
			}
		}
		w.route(side(v1(&hooks{})), side(v2(&hooks{})), nil)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}), stage.String())
		assert.Empty(t, w.stale())
	}
}

func TestQueuedGivesTheSideAQueueAndThePoolAsItIs(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	queues, pools := 0, 0
	side := postgres.Queued(func(db postgres.DBTX) notes {
		if _, isQueue := db.(*postgres.Queue); isQueue {
			queues++
		} else {
			pools++
		}
		return v1(&hooks{})(db)
	})
	w.route(side, v2(&hooks{}), nil)
	require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Equal(t, 1, queues)
	assert.Equal(t, 1, pools)
	assert.Nil(t, postgres.Queued[notes](nil))
}
