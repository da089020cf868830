package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// CaptureTableError says why a table cannot be captured.
type CaptureTableError struct {
	Table   CaptureTable
	Problem string
}

func (e *CaptureTableError) Error() string {
	if e.Table.Table == "" {
		return "capture: " + e.Problem
	}
	return fmt.Sprintf("capture of %s: %s", e.Table, e.Problem)
}

// CaptureBlockedError says why capture cannot be installed or removed now.
type CaptureBlockedError struct {
	Migration string
	Side      flags.Side
	Remove    bool
	Reasons   []string
}

func (e *CaptureBlockedError) Error() string {
	verb := "installed"
	if e.Remove {
		verb = "removed"
	}
	return fmt.Sprintf("%s: capture of the %s side cannot be %s now: %s", e.Migration, e.Side, verb, strings.Join(e.Reasons, "; "))
}

// CaptureBusyError says that writers of the tables did not end in time.
type CaptureBusyError struct {
	Tables  []string
	Holders []ledger.Holder
	Waited  time.Duration
	Err     error // what ended the waiting
}

func (e *CaptureBusyError) Error() string {
	text := fmt.Sprintf("capture: the lock on %s was not had in %s, nothing was changed", strings.Join(e.Tables, ", "), e.Waited.Round(time.Millisecond))
	for _, h := range e.Holders {
		text += fmt.Sprintf("; %s holds it", h)
	}
	return text + ": " + e.Err.Error()
}

func (e *CaptureBusyError) Unwrap() error { return e.Err }

// CaptureRightsError says that the role lacks a right.
type CaptureRightsError struct{ Err error }

func (e *CaptureRightsError) Error() string {
	return fmt.Sprintf("capture: %v: the role must own the tables, be granted what an application's role is, and `grant create on schema crossfade`", e.Err)
}

func (e *CaptureRightsError) Unwrap() error { return e.Err }

func captureFailed(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return &CaptureRightsError{Err: err}
	}
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// describedTable is what the database says about a table.
type describedTable struct {
	relations []ledger.CaptureRelation
	settings  []string
}

// keyTypes are those that columns of keys and tenants may have: equal values
// have one text, and it is the text that applications write. The settings fix
// what a text depends on, to the server's default. Not so numeric (1.0 and
// 1.00), char(n) (padded), citext and other collations by which different texts
// are equal, times and floats.
var keyTypes = map[string]string{
	"int2": "", "int4": "", "int8": "", "text": "", "varchar": "", "uuid": "", "bool": "", "date": "datestyle = 'ISO, MDY'",
}

// describeTable checks that a table can be captured.
func describeTable(ctx context.Context, tx pgx.Tx, table CaptureTable) (describedTable, error) {
	var d describedTable
	wrong := func(problem string) (describedTable, error) {
		return d, &CaptureTableError{Table: table, Problem: problem}
	}
	switch {
	case table.Schema == "" || table.Table == "":
		return wrong("name it with its schema, as in shop.customers")
	case table.Schema == "crossfade":
		return wrong("it is the ledger's own")
	case len(table.Key) == 0:
		return wrong("name the columns of its key")
	}
	var oid uint32
	var kind string
	var rules bool
	err := tx.QueryRow(ctx, `
		select c.oid, c.relkind::text, exists (select from pg_catalog.pg_rewrite w where w.ev_class = c.oid and w.is_instead and w.ev_type <> '1')
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2`, table.Schema, table.Table).Scan(&oid, &kind, &rules)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return wrong("there is no such table in this database")
	case err != nil:
		return d, captureFailed(err)
	case kind == "v" || kind == "m":
		return wrong("it is a view, which has no rows of its own: capture the tables that it is made of")
	case kind == "f":
		return wrong("it is a foreign table: capture it where it is stored")
	case kind != "r" && kind != "p":
		return wrong("it is no table")
	case rules:
		return wrong("a rule writes something else INSTEAD: replace the rule by a trigger, or capture the table that it writes")
	}
	if err := d.columns(ctx, tx, oid, table); err != nil {
		return d, err
	}
	return d, d.partitions(ctx, tx, oid, table)
}

// keyTypeSQL finds the type of a column, below its domains.
const keyTypeSQL = `
	with recursive types(oid, base, collation_oid) as (
		select t.oid, t.typbasetype, a.attcollation from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
		where a.attrelid = $1 and a.attname = $2 and a.attnum > 0 and not a.attisdropped
		union all
		select t.oid, t.typbasetype, d.collation_oid from types d join pg_catalog.pg_type t on t.oid = d.base)
	select t.typname::text, pg_catalog.format_type(t.oid, null), t.typnamespace = 'pg_catalog'::regnamespace, coalesce(c.collisdeterministic, true)
	from types d join pg_catalog.pg_type t on t.oid = d.oid left join pg_catalog.pg_collation c on c.oid = d.collation_oid
	where d.base = 0`

func (d *describedTable) columns(ctx context.Context, tx pgx.Tx, oid uint32, table CaptureTable) error {
	columns := slices.Clone(table.Key)
	if table.Tenant != "" {
		columns = append(columns, table.Tenant)
	}
	for i, column := range columns {
		if i < len(table.Key) && slices.Contains(table.Key[:i], column) {
			return &CaptureTableError{Table: table, Problem: fmt.Sprintf("column %q is twice in the key", column)}
		}
		var name, shown string
		var builtIn, deterministic bool
		err := tx.QueryRow(ctx, keyTypeSQL, oid, column).Scan(&name, &shown, &builtIn, &deterministic)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return &CaptureTableError{Table: table, Problem: fmt.Sprintf("it has no column %q", column)}
		case err != nil:
			return captureFailed(err)
		}
		setting, allowed := keyTypes[name]
		if !deterministic {
			shown += " with a nondeterministic collation"
		}
		if !allowed || !builtIn || !deterministic {
			return &CaptureTableError{Table: table, Problem: fmt.Sprintf("column %q is of type %s, of which equal values may have several texts, or another one than the application's: "+
				"columns of keys and tenants are integers, text or varchar with a deterministic collation, uuid, boolean, date, or domains over those", column, shown)}
		}
		if setting != "" && !slices.Contains(d.settings, setting) {
			d.settings = append(d.settings, setting)
		}
	}
	return nil
}

const partitionsSQL = `
	with recursive relations(oid, depth) as (
		select $1::oid, 0
		union select i.inhrelid, r.depth + 1 from relations r join pg_catalog.pg_inherits i on i.inhparent = r.oid)
	select n.nspname::text, c.relname::text, c.relkind::text, pg_catalog.pg_has_role(c.relowner, 'USAGE'), c.relowner::regrole::text
	from (select oid, min(depth) as depth from relations group by oid) r
	join pg_catalog.pg_class c on c.oid = r.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	order by r.depth, n.nspname, c.relname`

// partitions finds the table and all its partitions, or the tables that inherit
// from it, as far down as they go.
func (d *describedTable) partitions(ctx context.Context, tx pgx.Tx, oid uint32, table CaptureTable) error {
	rows, err := tx.Query(ctx, partitionsSQL, oid) //nolint:rowserrcheck // ForEachRow checks it
	if err != nil {
		return captureFailed(err)
	}
	var schema, name, kind, owner string
	var owns bool
	problem := ""
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &kind, &owns, &owner}, func() error {
		d.relations = append(d.relations, ledger.CaptureRelation{Schema: schema, Name: name, Partitioned: kind == "p"})
		switch {
		case problem != "":
		case kind == "f":
			problem = fmt.Sprintf("its partition %s.%s is a foreign table, which no trigger can watch: detach it", schema, name)
		case !owns:
			problem = fmt.Sprintf("%s.%s belongs to %s: only the owner of a table can capture it", schema, name, owner)
		}
		return nil
	})
	if err == nil && problem != "" {
		return &CaptureTableError{Table: table, Problem: problem}
	}
	return captureFailed(err)
}
