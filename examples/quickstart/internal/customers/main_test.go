package customers_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	v1 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v1"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, schemas)) }

func schemas(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, v1.Schema+v2.Schema)
	return err
}
