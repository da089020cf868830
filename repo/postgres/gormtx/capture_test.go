package gormtx_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
)

// Where capture stands, what GORM writes by itself in a transaction after an
// operation is not taken for the operation's own.
func TestGORMsOwnStatementsAreCapturedBesideOperations(t *testing.T) {
	w := newWorld(t)
	r := routeNotes(w, flags.Dual)
	_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), "notes-v2", flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "notes_v1", Tenant: "tenant", Key: []string{"id"}})
	require.NoError(t, err)
	for name, begin := range waysToBegin(w) {
		t.Run(name, func(t *testing.T) {
			_, err := w.pool.Exec(t.Context(), "delete from crossfade.stale_keys")
			require.NoError(t, err)
			app := begin(t.Context())
			tx, err := app.adopt(t.Context())
			require.NoError(t, err)
			joined := routedNotes{r.route.InTx(tx)}
			require.NoError(t, joined.Save(t.Context(), "acme", note{"1", name}))
			require.NoError(t, joined.Save(t.Context(), "acme", note{"2", name}))
			require.NoError(t, app.g.Exec("update notes_v1 set text = 'past it' where id = '2'").Error)
			require.NoError(t, app.commit())
			assert.Contains(t, sides(w), "stale new 2")
			assert.NotContains(t, sides(w), "stale new 1", "which its side wrote in a transaction of GORM's own")
		})
	}
}
