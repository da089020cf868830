package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema.sql migrations/*.sql
var files embed.FS

// newest is the version of the ledger that this program was built for: that of
// the last file of its migrations.
var newest = newestOf(files)

func newestOf(files embed.FS) (last int64) {
	names, _ := fs.Glob(files, "migrations/*.sql") // the pattern is well formed
	for _, name := range names {
		if version, err := goose.NumericComponent(name); err == nil {
			last = max(last, version)
		}
	}
	return last
}

const versionTable = "crossfade.goose_db_version"

// migrateLock is the session lock of Migrate: "crossfad" in ASCII.
const migrateLock int64 = 0x63726f7373666164

// Migrate creates the ledger in the database of the DSN, or upgrades it. It
// may be called again at any time, also by two programs at once: one of them
// waits for the other. The DSN must lead to the server itself, since the wait
// uses a session lock: a pooler is a [*PoolerError]. A ledger that is newer than
// this program is a [*VersionError]; a server's problem is a [*ServerError].
func Migrate(ctx context.Context, dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return wrapMigrate(err)
	}
	db := stdlib.OpenDB(*config)
	err = migrate(ctx, db)
	return errors.Join(wrapMigrate(err), wrapMigrate(db.Close()))
}

func migrate(ctx context.Context, db *sql.DB) error {
	sources, err := fs.Sub(files, "migrations")
	if err != nil {
		return fmt.Errorf("open embedded migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrateLock), lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("make session lock: %w", err)
	}
	if err := prepared(ctx, db, locker); err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, sources,
		goose.WithTableName(versionTable),
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read embedded migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	return nil
}

// prepared runs prepare under the session lock. The provider looks for its
// table before it takes that lock, so the schema must be there first.
func prepared(ctx context.Context, db *sql.DB, locker lock.SessionLocker) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	err = direct(ctx, conn, migrateOperation)
	if err == nil {
		err = locker.SessionLock(ctx, conn)
	}
	if err == nil {
		err = errors.Join(prepare(ctx, conn), locker.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return errors.Join(err, conn.Close())
}

// prepare refuses a ledger newer than the program, and creates the schema
// where it is absent.
func prepare(ctx context.Context, conn *sql.Conn) error {
	have, err := version(ctx, func(ctx context.Context, query string, into any) error {
		return conn.QueryRowContext(ctx, query).Scan(into)
	})
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if have > newest {
		return &VersionError{Have: have, Want: newest}
	}
	var there bool
	if err := conn.QueryRowContext(ctx, `select to_regnamespace('crossfade') is not null`).Scan(&there); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if there { // a user without the right to create schemas may have been given one
		return nil
	}
	statement, err := files.ReadFile("schema.sql")
	if err != nil {
		return fmt.Errorf("read schema.sql: %w", err)
	}
	if _, err := conn.ExecContext(ctx, string(statement)); err != nil {
		return fmt.Errorf("create the schema: %w", err)
	}
	return nil
}

// Querier is what [Check] needs: a pgx pool, connection or transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Check returns nil when the ledger is of the version that this program was
// built for, and otherwise a [*VersionError] that says what to do. It changes nothing.
func Check(ctx context.Context, db Querier) error {
	have, err := version(ctx, func(ctx context.Context, query string, into any) error {
		return db.QueryRow(ctx, query).Scan(into)
	})
	if err != nil {
		return wrap("check the ledger", err)
	}
	if have != newest {
		return &VersionError{Have: have, Want: newest}
	}
	return nil
}

// version returns the ledger's version, zero when there is none.
func version(ctx context.Context, scan func(ctx context.Context, query string, into any) error) (int64, error) {
	var there bool
	if err := scan(ctx, `select to_regclass('`+versionTable+`') is not null`, &there); err != nil || !there {
		return 0, err
	}
	var have int64
	err := scan(ctx, `select coalesce(max(version_id), 0)::bigint from `+versionTable+` where is_applied`, &have)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P01" {
		return 0, nil // dropped between the two statements
	}
	return have, err
}
