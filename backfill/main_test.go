package backfill_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate, tables)) }

// tables makes the tables of both versions.
func tables(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `
		create table notes_v1 (tenant text not null, id bigint not null, body text not null, seen bigint not null default 0, primary key (tenant, id));
		create table notes_v2 (tenant text not null, id bigint not null, title text not null, rest text not null, seen bigint not null default 0, primary key (tenant, id));`); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}
