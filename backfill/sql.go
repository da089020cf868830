package backfill

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// SQL copies and compares a migration's data by statements of the user's, which
// is many times as fast as copying through Go. A key is one column or up to
// four; the texts of its values, of several joined as [repo.CompositeKey] does,
// are the repository's canonical text. Statements name their schemas, and get
// their parameters as text: cast them, as in
//
//	where tenant_id = $1::uuid and id = any($2::uuid[])
//
// and, for keys of two columns,
//
//	where tenant_id = $1::uuid and (invoice, line) in (select * from unnest($2::bigint[], $3::int[]))
//
// They run under the keys' locks, which are taken in a statement of their own
// before, and must lock no row of the side that they read. New tables without
// statistics get bad plans: ANALYZE them once they hold some rows, or let
// autovacuum do so.
type SQL struct {
	// OldKeys and NewKeys select the key's columns of every row of tenant $1,
	// without order or limit: "select id from shop.customers where tenant_id =
	// $1::uuid". A unique index should begin with what they filter by and go on
	// with the key. No column of a key is ever null.
	OldKeys, NewKeys string
	// Copy makes the new side equal to the old one for those keys that the old
	// side has, of tenant $1: upserts of every column, and deletions of what a
	// row no longer has. The keys are $2, an array, and where they have several
	// columns $3 and so on. "on conflict do nothing" would leave stale rows
	// stale.
	Copy []string
	// Delete deletes on the new side those of the keys that the old side lacks.
	Delete []string
	// CopyBack and DeleteBack do the same from the new side to the old one.
	// Without them there is no reverse backfill, and keys that are stale on the
	// old side cannot be repaired.
	CopyBack, DeleteBack []string
	// OldRows and NewRows select the rows of tenant $1: the key's columns
	// first, and then the columns to compare, under the same names and in the
	// same order on both sides. Without them there is no verification.
	OldRows, NewRows string
}

// maxKeyColumns of a key in SQL.
const maxKeyColumns = 4

// BySQL returns the entity of a migration whose data is copied and compared by
// SQL. The database is the worker's; the flag is the migration's, from the same
// member of the fleet as its route's.
func BySQL(db *postgres.DB, flag flags.Decider, statements SQL) Entity {
	return &bySQL{db: db, decider: flag, sql: statements}
}

type bySQL struct {
	db      *postgres.DB
	decider flags.Decider
	sql     SQL
	backend repo.Backend[postgres.DBTX] // set by check

	mu      sync.Mutex
	queries map[string]*query // of the user's selects, described once
}

func (e *bySQL) Migration() string {
	if e.decider == nil {
		return ""
	}
	return e.decider.Migration()
}

func (e *bySQL) flag() flags.Decider { return e.decider }

func (e *bySQL) wrong(format string, args ...any) error {
	return &ConfigError{Problem: fmt.Sprintf("BySQL of %s: %s", e.Migration(), fmt.Sprintf(format, args...))}
}

func (e *bySQL) check() error {
	switch s := e.sql; {
	case e.db == nil:
		return e.wrong("db is nil: make it with postgres.New")
	case e.decider == nil:
		return e.wrong("the flag is nil")
	case s.OldKeys == "" || s.NewKeys == "":
		return e.wrong("OldKeys and NewKeys are needed to walk both sides")
	case len(s.Copy) == 0 || len(s.Delete) == 0:
		return e.wrong("Copy and Delete are needed: without Delete, rows that the old side lacks would stay on the new one")
	case (len(s.CopyBack) == 0) != (len(s.DeleteBack) == 0):
		return e.wrong("CopyBack and DeleteBack belong together")
	case (s.OldRows == "") != (s.NewRows == ""):
		return e.wrong("OldRows and NewRows belong together")
	}
	side := func(db postgres.DBTX) postgres.DBTX { return db }
	backend, err := postgres.Sides[postgres.DBTX](e.db, side, side)
	if err != nil {
		return e.wrong("%v", err)
	}
	e.backend = backend
	return nil
}

var parameter = regexp.MustCompile(`\$([1-9][0-9]?)\b`)

// typed gives the parameters of a user's statement the types in which they are
// sent, whatever they are cast to: a text, and then arrays.
func typed(statement string) string {
	return parameter.ReplaceAllStringFunc(statement, func(p string) string {
		if p == "$1" {
			return "($1::text)"
		}
		return "(" + p + "::text[])"
	})
}

// bind leaves out the arguments that a statement does not use, as the server
// refuses those: an entity without tenants has no use for the tenant.
func bind(statement string, args ...any) (string, []any) {
	number := map[string]string{}
	var used []any
	statement = parameter.ReplaceAllStringFunc(statement, func(p string) string {
		i, err := strconv.Atoi(p[1:])
		if number[p] == "" && err == nil && i <= len(args) {
			used = append(used, args[i-1])
			number[p] = "$" + strconv.Itoa(len(used))
		}
		if number[p] == "" {
			return p
		}
		return number[p]
	})
	return statement, used
}

func (e *bySQL) ready(ctx context.Context) error {
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		name, statement := e.side(side)
		q, err := e.describe(ctx, name, statement)
		if err != nil {
			return err
		}
		if len(q.names) == 0 || len(q.names) > maxKeyColumns {
			return e.wrong("%s must select 1 to %d columns, it selects %d", name, maxKeyColumns, len(q.names))
		}
	}
	return nil
}

func (e *bySQL) side(side flags.Side) (name, statement string) {
	if side == flags.NewSide {
		return "NewKeys", e.sql.NewKeys
	}
	return "OldKeys", e.sql.OldKeys
}

func (e *bySQL) keys(ctx context.Context, at place, side flags.Side, after string, limit int) ([]string, error) {
	name, q, err := e.walked(ctx, side)
	if err != nil {
		return nil, err
	}
	args := []any{at.tenant}
	text := "select " + q.canonical() + " from (" + q.text + "\n) q"
	if after == "" {
		if err := e.noNulls(ctx, at, name, q); err != nil {
			return nil, err
		}
	} else {
		values, err := q.split(after)
		if err != nil {
			return nil, err
		}
		text += " where " + q.list() + " > " + q.values(2)
		args = append(args, values...)
	}
	var keys []string
	err = e.walk(ctx, text+" order by "+q.order()+" limit "+strconv.Itoa(limit), args, func(rows pgx.Rows) (err error) {
		keys, err = pgx.AppendRows(make([]string, 0, limit), rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return keys, nil
}

// walked describes the select of a side's keys.
func (e *bySQL) walked(ctx context.Context, side flags.Side) (string, *query, error) {
	if err := e.ready(ctx); err != nil {
		return "", nil, err
	}
	name, statement := e.side(side)
	q, err := e.describe(ctx, name, statement)
	return name, q, err
}

func (e *bySQL) measure(ctx context.Context, at place, side flags.Side) (count int64, last string, err error) {
	name, q, err := e.walked(ctx, side)
	if err != nil {
		return 0, "", err
	}
	text := "select count(*), coalesce((select " + q.canonical() + " from (" + q.text + "\n) q order by " + q.backwards() + " limit 1), '') from (" + q.text + "\n) q"
	err = e.walk(ctx, text, []any{at.tenant}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&count, &last}, func() error { return nil })
		return err
	})
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", name, err)
	}
	return count, last, nil
}

// inOrder has the planner walk an index in its order, for the range at hand:
// it knows nothing of a new table that is being filled, and would rather sort a
// whole tenant for each page.
const inOrder = "select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_sort', 'off', true), " +
	"set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)"

func (e *bySQL) walk(ctx context.Context, text string, args []any, collect func(pgx.Rows) error) error {
	text, args = bind(text, args...)
	return pgx.BeginTxFunc(ctx, e.db.Pool(), pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(inOrder)
		batch.Queue(text, args...).Query(collect)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// noNulls refuses keys with a null: no range would ever show them.
func (e *bySQL) noNulls(ctx context.Context, at place, name string, q *query) error {
	text, args := bind("select exists (select from ("+q.text+"\n) q where "+q.anyNull()+")", at.tenant)
	var null bool
	if err := e.db.Pool().QueryRow(ctx, text, args...).Scan(&null); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if null {
		return e.wrong("%s selects a key that is null", name)
	}
	return nil
}

// keyText is the canonical text of a key.
func keyText(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return repo.CompositeKey(parts...)
}

// lacking leaves the decision to Delete, under the locks.
func (e *bySQL) lacking(_ context.Context, _ place, _ flags.Side, keys []string) ([]string, error) {
	return keys, nil
}

func (e *bySQL) fenced(ctx context.Context, tx *postgres.Tx, at place, keys []string, fn func(context.Context, chunk) error) error {
	backend, err := e.backend.InTx(tx)
	if err != nil {
		return e.wrong("give it the worker's database: %v", err)
	}
	return backend.Write(ctx, scope(versions.Migration{Entity: e.Migration()}, "copy", at, repo.KeyList(keys)), true,
		func(ctx context.Context, s repo.Session[postgres.DBTX]) error {
			return fn(ctx, &sqlChunk{Session: s, e: e, tenant: at.tenant})
		})
}

type sqlChunk struct {
	repo.Session[postgres.DBTX]
	e      *bySQL
	tenant string
}

func (c *sqlChunk) copy(ctx context.Context, from flags.Side, keys []string, seen bool) (changed int64, err error) {
	copying, deleting := c.e.sql.Copy, c.e.sql.Delete
	if from == flags.NewSide {
		if copying, deleting = c.e.sql.CopyBack, c.e.sql.DeleteBack; len(copying) == 0 {
			return 0, c.e.wrong("CopyBack and DeleteBack are needed to copy from the new side")
		}
	}
	name, statement := c.e.side(from)
	q, err := c.e.describe(ctx, name, statement)
	if err != nil {
		return 0, err
	}
	arrays, err := q.arrays(keys)
	if err != nil {
		return 0, err
	}
	statements := copying
	if !seen {
		statements = slices.Concat(copying, deleting)
	}
	batch := &pgx.Batch{}
	for _, statement := range statements {
		text, args := bind(typed(statement), append([]any{c.tenant}, arrays...)...)
		batch.Queue(text, args...)
	}
	results := c.Side(from).SendBatch(ctx, batch)
	for range batch.Len() {
		tag, err := results.Exec()
		if err != nil {
			return 0, errors.Join(err, results.Close())
		}
		changed += tag.RowsAffected()
	}
	return changed, results.Close()
}
