package postgres_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The README says what an application's role needs: no more and no less is
// granted here.
func TestApplicationRoleNeedsWhatTheReadmeGrants(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	grants := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, grants, "the README has a block of SQL with the grants")

	w := newWorld(t, flags.Dual, nil)
	_, err = w.pool.Exec(t.Context(), "do $$ begin create role crossfade_test_app; exception when duplicate_object then null; end $$")
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), strings.ReplaceAll(string(grants[1]), " to app;", " to crossfade_test_app;")+
		"grant select, insert, update, delete on notes_v1, notes_v2 to crossfade_test_app; grant usage on note_ids to crossfade_test_app")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = w.pool.Exec(t.Context(), "drop owned by crossfade_test_app; drop role crossfade_test_app")
	})

	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["role"] = "crossfade_test_app"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	app := &world{t: t, pool: pool}
	app.join(nil)
	require.NoError(t, app.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	app.new.on("Save", func(context.Context, postgres.DBTX) error { return errBoom })
	require.NoError(t, app.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"}))
	assert.Equal(t, []string{"new:1"}, w.stale())
	app.new.on("Save", nil)
	w.publish(flags.Live)
	require.NoError(t, app.notes.See(t.Context(), tenant, 1))
	assert.Equal(t, "two 1", w.text("notes_v2", 1))
	assert.Empty(t, w.stale())
}
