package peers

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Trigger writes twice in the database: a row trigger in PL/pgSQL on the old table that makes the same change on the new
// one, in the statement's own transaction. It is what tools on the database's side install. There is no fence, no
// comparison and no record of what failed: an error on the new table fails the write.
type Trigger struct {
	Name string // of the trigger and, in the old table's schema, of its function
	Old  Table
	New  Table
	Key  []string // columns of both tables' key, under the same names
	// Columns of the new table beside the key.
	Columns []Column
}

// Table names a table; an empty schema is found by the search path.
type Table struct{ Schema, Name string }

func (t Table) sql() string {
	if t.Schema == "" {
		return pgx.Identifier{t.Name}.Sanitize()
	}
	return pgx.Identifier{t.Schema, t.Name}.Sanitize()
}

// Column is a column of the new table and the SQL expression over the old row, called new, that fills it.
type Column struct{ Name, From string }

// execer is a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx.
type execer interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}

// Install creates the function and the trigger, or replaces them.
func (t Trigger) Install(ctx context.Context, db execer) error {
	if _, err := db.Exec(ctx, t.SQL()); err != nil {
		return fmt.Errorf("install trigger %s: %w", t.Name, err)
	}
	return nil
}

// Remove drops the trigger and the function. What is not there is no error.
func (t Trigger) Remove(ctx context.Context, db execer) error {
	drop := "drop trigger if exists " + quoted(t.Name) + " on " + t.Old.sql() + ";\n" +
		"drop function if exists " + t.function() + "()"
	if _, err := db.Exec(ctx, drop); err != nil {
		return fmt.Errorf("remove trigger %s: %w", t.Name, err)
	}
	return nil
}

// SQL is what Install executes. An update changes the row that stands there, and inserts it where it was not copied yet.
func (t Trigger) SQL() string {
	var keys, oldKeys, names, values, sets, excluded []string
	for _, key := range t.Key {
		keys, oldKeys = append(keys, quoted(key)), append(oldKeys, "old."+quoted(key))
		names, values = append(names, quoted(key)), append(values, "new."+quoted(key))
	}
	for _, c := range t.Columns {
		names, values = append(names, quoted(c.Name)), append(values, c.From)
		excluded = append(excluded, quoted(c.Name)+" = excluded."+quoted(c.Name))
	}
	for i, name := range names {
		sets = append(sets, name+" = "+values[i])
	}
	list := func(items []string) string { return strings.Join(items, ", ") }
	conflict := "do nothing"
	if len(excluded) > 0 {
		conflict = "do update set " + list(excluded)
	}
	where := "(" + list(keys) + ") = (" + list(oldKeys) + ")"
	return `create or replace function ` + t.function() + `() returns trigger language plpgsql as $twice$
begin
	if tg_op = 'DELETE' then
		delete from ` + t.New.sql() + ` where ` + where + `;
		return null;
	end if;
	if tg_op = 'UPDATE' then
		update ` + t.New.sql() + ` set ` + list(sets) + ` where ` + where + `;
		if found then
			return null;
		end if;
	end if;
	insert into ` + t.New.sql() + ` (` + list(names) + `)
	values (` + list(values) + `)
	on conflict (` + list(keys) + `) ` + conflict + `;
	return null;
end
$twice$;
create or replace trigger ` + quoted(t.Name) + ` after insert or update or delete on ` + t.Old.sql() + `
	for each row execute function ` + t.function() + `()`
}

func (t Trigger) function() string { return Table{t.Old.Schema, t.Name}.sql() }

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
