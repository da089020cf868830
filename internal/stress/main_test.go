package stress

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, migrate)) }

// migrate makes the ledger, both versions of the accounts, and a journal that
// each write of a side adds to in its own statement.
func migrate(ctx context.Context, dsn string) error {
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	const script = `
		create sequence made_ids start 1001;
		create table accounts_v1 (tenant text, id bigint, name text not null, balance bigint not null, primary key (tenant, id));
		create table people_v2 (tenant text, id bigint, name text not null, primary key (tenant, id));
		create table purses_v2 (tenant text, id bigint, amount numeric(20) not null, primary key (tenant, id));
		create table journal (op bigint not null, side text not null);`
	if _, err := conn.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}
