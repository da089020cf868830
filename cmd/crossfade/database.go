package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/ledger"
)

// databaseVariable names the database where --database-url does not.
const databaseVariable = "CROSSFADE_DATABASE_URL"

// addDatabase adds the flag that names the ledger's database.
func (a *app) addDatabase(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.dsn, "database-url", "",
		"DSN of the `database` with the ledger, as URL or key=value (default $"+databaseVariable+")")
}

// dsnError says that the DSN cannot be used, and where it came from. It shows
// nothing of the DSN, any part of which may be a password in the wrong place.
type dsnError struct {
	source string
	hint   string
}

func (e *dsnError) Error() string {
	text := fmt.Sprintf("%s cannot be read as a DSN: it looks like postgres://user:password@host:5432/database,"+
		" with special characters of the password percent-encoded", e.source)
	if e.hint != "" {
		text += ": " + e.hint
	}
	return text
}

// namesDatabase tells whether the user named a database at all.
func (a *app) namesDatabase() bool {
	return strings.TrimSpace(a.dsn) != "" || strings.TrimSpace(a.env(databaseVariable)) != ""
}

// database returns the parsed DSN and its text.
func (a *app) database() (*pgxpool.Config, string, error) {
	dsn, source := a.dsn, "--database-url"
	if dsn == "" {
		dsn, source = a.env(databaseVariable), databaseVariable
	}
	if strings.TrimSpace(dsn) == "" {
		return nil, "", usagef("name the database with the ledger: --database-url or %s", databaseVariable)
	}
	if hint := misplaced(dsn); hint != "" {
		return nil, "", &dsnError{source: source, hint: hint}
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, "", &dsnError{source: source, hint: dsnHint(err)}
	}
	config.MaxConns = 4
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "crossfade"
	}
	return config, dsn, nil
}

// dsnHint returns what can be said of a DSN's fault without any of its text.
func dsnHint(err error) string {
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("a file that it names cannot be used: %v", missing.Err)
	}
	for _, phrase := range []string{"sslmode is invalid", "invalid port", "invalid userinfo", "invalid URL escape"} {
		if strings.Contains(err.Error(), phrase) {
			return phrase
		}
	}
	return ""
}

// misplaced finds a URL in which a character of the password ended the part in
// which it stands, so that the rest of it would be taken for the database's name.
func misplaced(dsn string) string {
	scheme, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || scheme != "postgres" && scheme != "postgresql" {
		return ""
	}
	at := strings.IndexAny(rest, "/?#")
	if at < 0 {
		return ""
	}
	path, query, _ := strings.Cut(rest[at:], "?")
	if strings.ContainsAny(path, "@#") || strings.Contains(query, "#") {
		return "there is an @ or # behind the host"
	}
	for setting := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(setting, "="); strings.Contains(key, "@") {
			return "there is an @ in the name of a setting"
		}
	}
	return ""
}

// withLedger runs fn with a store on a ledger that this program fits.
func (a *app) withLedger(ctx context.Context, fn func(*ledger.Store) error) error {
	config, _, err := a.database()
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open a pool of connections: %w", err)
	}
	defer pool.Close()
	store := ledger.New(pool, nil)
	if err := store.Check(ctx); err != nil {
		return err
	}
	return fn(store)
}
