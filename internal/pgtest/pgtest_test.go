package pgtest

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m, createMark)) }

func createMark(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create table mark (n int)")
	return err
}

func TestNewDatabaseHasWhatTheTemplateHas(t *testing.T) {
	t.Parallel()
	pool := Pool(t)
	_, err := pool.Exec(t.Context(), "insert into mark values (1)")
	require.NoError(t, err)
}
