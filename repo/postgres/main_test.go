package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, migrate)) }

// migrate applies the ledger's migrations as they stand and makes the tables
// of both versions.
func migrate(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	files, err := filepath.Glob("../../ledger/migrations/*.sql")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("find the ledger's migrations: %w", err)
	}
	script := "create schema crossfade;"
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a migration: %w", err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		script += up
	}
	script += `
		create sequence note_ids start 1000;
		create table notes_v1 (tenant text not null, id bigint not null, body text not null, seen bigint not null default 0, primary key (tenant, id));
		create table notes_v2 (tenant text not null, id bigint not null, title text not null, rest text not null, seen bigint not null default 0, primary key (tenant, id));`
	if _, err := conn.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	return nil
}
