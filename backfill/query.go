package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/repo"
)

// query is a select of the user's with what the database says about its
// columns. The key's columns come first.
type query struct {
	text  string // with typed parameters
	names []string
	types []string // as SQL writes them
	keys  int      // how many of the columns are the key's
}

// describe asks the database about a select, once.
func (e *bySQL) describe(ctx context.Context, name, statement string) (*query, error) {
	e.mu.Lock()
	q := e.queries[statement]
	e.mu.Unlock()
	if q != nil {
		return q, nil
	}
	q, err := e.ask(ctx, typed(statement))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, column := range q.names {
		if slices.Contains(q.names[:i], column) {
			return nil, e.wrong("%s selects two columns named %q", name, column)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.queries == nil {
		e.queries = map[string]*query{}
	}
	e.queries[statement] = q
	return q, nil
}

func (e *bySQL) ask(ctx context.Context, text string) (*query, error) {
	q := &query{text: text}
	bound, _ := bind(text, "")
	err := e.db.Pool().AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		d, err := conn.Conn().Prepare(ctx, "", bound)
		if err != nil {
			return err
		}
		var oids []uint32
		for _, field := range d.Fields {
			q.names = append(q.names, field.Name)
			oids = append(oids, field.DataTypeOID)
		}
		return conn.QueryRow(ctx, `select array(select pg_catalog.format_type(t.o, null)
			from unnest($1::oid[]) with ordinality t(o, i) order by t.i)`, oids).Scan(&q.types)
	})
	q.keys = len(q.names)
	return q, err
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// each joins what fn makes of each column of the key.
func (q *query) each(separator string, fn func(i int, column string) string) string {
	parts := make([]string, q.keys)
	for i := range parts {
		parts[i] = fn(i, quoted(q.names[i]))
	}
	return strings.Join(parts, separator)
}

// canonical is the key's text, as repo.CompositeKey makes it.
func (q *query) canonical() string {
	if q.keys == 1 {
		return "q." + quoted(q.names[0]) + "::text"
	}
	return "concat(" + q.each(", ", func(_ int, c string) string {
		return "octet_length(q." + c + "::text), ':', q." + c + "::text"
	}) + ")"
}

// list is the key as one value that compares.
func (q *query) list() string { return "(" + q.order() + ")" }

func (q *query) order() string {
	return q.each(", ", func(_ int, c string) string { return "q." + c })
}

func (q *query) backwards() string {
	return q.each(", ", func(_ int, c string) string { return "q." + c + " desc" })
}

func (q *query) anyNull() string {
	return q.each(" or ", func(_ int, c string) string { return "q." + c + " is null" })
}

// values is a key given by texts, the parameters from first on.
func (q *query) values(first int) string {
	return "(" + q.each(", ", func(i int, _ string) string {
		return fmt.Sprintf("($%d::text)::%s", first+i, q.types[i])
	}) + ")"
}

// among filters by keys, given by an array of texts for each column, the
// parameters from first on. It can use an index.
func (q *query) among(first int) string {
	array := func(i int) string { return fmt.Sprintf("($%d::text[])::%s[]", first+i, q.types[i]) }
	if q.keys == 1 {
		return "q." + quoted(q.names[0]) + " = any(" + array(0) + ")"
	}
	return q.list() + " in (select * from unnest(" + q.each(", ", func(i int, _ string) string { return array(i) }) + "))"
}

// split takes a key's text apart.
func (q *query) split(key string) ([]any, error) {
	if q.keys == 1 {
		return []any{key}, nil
	}
	parts, err := repo.SplitKey(key, q.keys)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(parts))
	for i, part := range parts {
		values[i] = part
	}
	return values, nil
}

// arrays takes the texts of keys apart, column by column.
func (q *query) arrays(keys []string) ([]any, error) {
	columns := make([][]string, q.keys)
	for _, key := range keys {
		values, err := q.split(key)
		if err != nil {
			return nil, err
		}
		for i, value := range values {
			text, ok := value.(string)
			if !ok {
				return nil, errors.New("a key's part is no text")
			}
			columns[i] = append(columns[i], text)
		}
	}
	all := make([]any, q.keys)
	for i := range all {
		all[i] = columns[i]
	}
	return all, nil
}
