package chinook_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	v2 "github.com/crossfade-db/crossfade/examples/chinook/invoices/v2"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// dataFile is the Chinook script, beside the repository. CROSSFADE_DATA names
// another folder.
func dataFile() string {
	if folder := os.Getenv("CROSSFADE_DATA"); folder != "" {
		return filepath.Join(folder, "chinook.sql")
	}
	return filepath.Join("..", "..", "..", "shared", "data", "chinook.sql")
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate, load)) }

// load runs the Chinook script as it is, and makes the tables of version 2.
func load(ctx context.Context, dsn string) error {
	script, err := os.ReadFile(dataFile())
	if os.IsNotExist(err) {
		return nil // the test says what is missing
	}
	if err != nil {
		return fmt.Errorf("read the Chinook script: %w", err)
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	for _, text := range []string{string(script), v2.Schema} {
		if _, err := conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("load Chinook: %w", err)
		}
	}
	return nil
}
