package ledger_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMigrateAgainChangesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	require.NoError(t, ledger.Migrate(context.Background(), dsn))
	pool, err := pgxpool.New(context.Background(), dsn)
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, ledger.Check(context.Background(), pool))
}

func TestTwoProgramsMigrateAtOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	pool, err := pgxpool.New(context.Background(), dsn)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(context.Background(), `drop schema crossfade cascade`)
	require.NoError(t, err)

	var programs errgroup.Group
	for range 4 {
		programs.Go(func() error { return ledger.Migrate(context.Background(), dsn) })
	}
	require.NoError(t, programs.Wait())
	require.NoError(t, ledger.Check(context.Background(), pool))
}

func TestCheckSaysWhatToDo(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := pgtest.New(t)
	pool, err := pgxpool.New(ctx, dsn)
	require.NoError(t, err)
	defer pool.Close()
	for _, c := range []struct {
		name, setup, remedy string
		absent              bool
	}{
		{"newer", `insert into crossfade.goose_db_version (version_id, is_applied) values (99, true)`, "upgrade the program", false},
		{"older", `delete from crossfade.goose_db_version where version_id > 0; insert into crossfade.goose_db_version (version_id, is_applied) values (-1, true)`, "run `crossfade init`", true},
		{"absent", `drop schema crossfade cascade`, "run `crossfade init`", true},
	} {
		_, err := pool.Exec(ctx, c.setup)
		require.NoError(t, err, c.name)
		err = ledger.Check(ctx, pool)
		var version *ledger.VersionError
		require.ErrorAs(t, err, &version, c.name)
		assert.Contains(t, err.Error(), c.remedy, c.name)
		assert.Equal(t, c.absent, version.Absent(), c.name)
		if c.name == "newer" {
			require.ErrorAs(t, ledger.Migrate(ctx, dsn), &version, "a newer ledger is not touched")
		}
	}
}
