package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The application locks key 1 and then key 2; a copy of both would wait for
// key 1 while it holds key 2, and the server would abort the application.
func TestCopyOfSeveralKeysGivesWay(t *testing.T) {
	w := newWorld(t, flags.Dual, nil)
	for id := range int64(40) {
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: id, Text: "note"}))
	}
	copyAll := func() error {
		return w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			if err := tx.Yield(ctx); err != nil {
				return err
			}
			var keys []string
			for id := range int64(40) {
				keys = append(keys, keyText(id))
			}
			d, err := w.set.Flag("notes-v2").Peek(flags.Subject{Tenant: tenant})
			if err != nil {
				return err
			}
			backend, err := w.notes.route.Backend().InTx(tx)
			if err != nil {
				return err
			}
			scope := repo.Scope{Decision: d, Tenant: tenant, Keys: repo.KeyList(keys)}
			return backend.Write(ctx, scope, true, func(context.Context, repo.Session[notes]) error { return nil })
		})
	}
	require.NoError(t, copyAll(), "nobody is in its way")
	held, release := make(chan struct{}), make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() {
		assert.NoError(t, w.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := w.notes.in(tx).Lock(ctx, tenant, 1); err != nil {
				return err
			}
			close(held)
			<-release
			return nil
		}))
	})
	<-held
	err := copyAll()
	close(release)
	tasks.Wait()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	assert.Equal(t, "55P03", pg.Code)
	assert.Contains(t, pg.Message, "a key of the chunk is locked", "at once, not when lock_timeout has passed")
}
