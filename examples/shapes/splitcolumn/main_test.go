package splitcolumn_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	v1 "github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/splitcolumn/v2"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate, tables)) }

func tables(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, v1.Schema+v2.Schema)
	return err
}
