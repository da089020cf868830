package backfill

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// compares implements [Entity].
func (e *bySQL) compares() comparing { return sqlComparing{e} }

type sqlComparing struct{ *bySQL }

func (e sqlComparing) once() bool { return true }

func (e sqlComparing) unavailable() error {
	if e.sql.OldRows == "" {
		return e.wrong("OldRows and NewRows are needed to verify")
	}
	return nil
}

// pair is both sides' rows, described.
type pair struct{ before, after *query }

func (e sqlComparing) pair(ctx context.Context) (pair, error) {
	_, statement := e.side(flags.OldSide)
	keys, err := e.describe(ctx, "OldKeys", statement)
	if err != nil {
		return pair{}, err
	}
	var p pair
	for name, q := range map[string]**query{"OldRows": &p.before, "NewRows": &p.after} {
		statement := e.sql.OldRows
		if name == "NewRows" {
			statement = e.sql.NewRows
		}
		described, err := e.describe(ctx, name, statement)
		if err != nil {
			return pair{}, err
		}
		own := *described
		own.keys = keys.keys
		*q = &own
	}
	if len(p.before.names) < keys.keys || len(p.after.names) < keys.keys ||
		!slices.Equal(p.before.names[keys.keys:], p.after.names[keys.keys:]) {
		return pair{}, e.wrong("OldRows and NewRows must select the %d columns of the key and then the same columns: %s; %s",
			keys.keys, strings.Join(p.before.names, ", "), strings.Join(p.after.names, ", "))
	}
	return p, nil
}

// compare joins both sides over one range of keys, with the range on both: a
// range on one side does not reach the other. Whether a key that only one side
// has in the range is really absent on the other is told by again, since the
// sides may order their keys differently.
func (e sqlComparing) compare(ctx context.Context, at place, p page) ([]found, error) {
	both, err := e.pair(ctx)
	if err != nil {
		return nil, err
	}
	n := both.before.keys
	args := make([]any, 1+2*n) // the tenant, the lower end, the upper end
	args[0] = at.tenant
	upTo := p.end()
	if p.last {
		upTo = ""
	}
	for i, end := range []string{p.after, upTo} {
		if end == "" {
			continue
		}
		values, err := both.before.split(end)
		if err != nil {
			return nil, err
		}
		copy(args[1+i*n:], values)
	}
	side := func(q *query) string {
		var where []string
		if p.after != "" {
			where = append(where, q.list()+" > "+q.values(2))
		}
		if upTo != "" {
			where = append(where, q.list()+" <= "+q.values(2+n))
		}
		return q.where(strings.Join(where, " and "))
	}
	all, err := e.join(ctx, at, both, side(both.before), side(both.after), args)
	for i := range all {
		all[i].unsure = all[i].alone
	}
	return all, err
}

func (e sqlComparing) again(ctx context.Context, at place, keys []string) ([]found, error) {
	both, err := e.pair(ctx)
	if err != nil {
		return nil, err
	}
	arrays, err := both.before.arrays(keys)
	if err != nil {
		return nil, err
	}
	return e.join(ctx, at, both, both.before.where(both.before.among(2)), both.after.where(both.after.among(2)),
		append([]any{at.tenant}, arrays...))
}

// where is the query as a table, with a condition on q.
func (q *query) where(condition string) string {
	if condition == "" {
		return "(" + q.text + "\n)"
	}
	return "(select * from (" + q.text + "\n) q where " + condition + ")"
}

// join compares two tables in one snapshot: the policy in force, both sides and
// the stale records.
func (e sqlComparing) join(ctx context.Context, at place, both pair, before, after string, args []any) (all []found, err error) {
	const migration = 10 // parameters before are the tenant and keys
	args = append(slices.Clone(args), make([]any, migration-1-len(args))...)
	statement, bound := bind(joinSQL(both, before, after, migration), append(args, at.decision.Migration)...)
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, e.db.Pool(), options, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(inOrder)
		batch.Queue("select set_config('statement_timeout', '60s', true), set_config('enable_sort', 'on', true)")
		batch.Queue("select epoch = $2 and policy_id = $3 from crossfade.migrations where name = $1",
			at.decision.Migration, at.decision.Epoch, pgtype.UUID{Bytes: at.decision.PolicyID, Valid: true}).QueryRow(func(row pgx.Row) error {
			var same bool
			if err := row.Scan(&same); err != nil {
				return fmt.Errorf("read the policy in force: %w", err)
			}
			if !same {
				return errMoved
			}
			return nil
		})
		batch.Queue(statement, bound...).Query(func(rows pgx.Rows) error {
			all, err = collectFound(rows, both.before.names[both.before.keys:])
			return err
		})
		return tx.SendBatch(ctx, batch).Close()
	})
	return all, err
}

// isText are types that compare by a collation, of which the sides may have
// different ones, or one that takes different texts for equal.
var isText = map[string]bool{"text": true, "character varying": true, "character": true, "bpchar": true, "name": true}

func byBytes(column string) string { return column + `::text collate "C"` }

// joinSQL compares every column by itself, so that types need not be the same
// as long as they compare, and 1.0 equals 1.00. Values travel as text, those
// of rows that differ alone.
func joinSQL(both pair, before, after string, migration int) string {
	n := both.before.keys
	var on, oKey, nKey, differs, oText, nText []string
	for i := range both.before.keys {
		o, n := "o."+quoted(both.before.names[i]), "n."+quoted(both.after.names[i])
		if t := both.before.types[i]; t == both.after.types[i] && !isText[t] {
			on = append(on, o+" = "+n)
		} else {
			on = append(on, byBytes(o)+" = "+byBytes(n))
		}
		oKey, nKey = append(oKey, o+"::text"), append(nKey, n+"::text")
	}
	for i, name := range both.before.names[n:] {
		c := quoted(name)
		if isText[both.before.types[n+i]] && isText[both.after.types[n+i]] {
			differs = append(differs, byBytes("o."+c)+" is distinct from "+byBytes("n."+c))
		} else {
			differs = append(differs, "o."+c+" is distinct from n."+c)
		}
		oText, nText = append(oText, "o."+c+"::text"), append(nText, "n."+c+"::text")
	}
	absent := []string{"o." + quoted(both.before.names[0]) + " is null", "n." + quoted(both.after.names[0]) + " is null"}
	canonical := "d.key[1]"
	if n > 1 {
		canonical = "(select string_agg(octet_length(p) || ':' || p, '' order by i) from unnest(d.key) with ordinality t(p, i))"
	}
	return "select d.key, d.in_old, d.in_new, d.differs, d.before, d.after, exists (" +
		"select from crossfade.stale_keys k join crossfade.migrations m on m.id = k.migration_id" +
		fmt.Sprintf(" where m.name = $%d::text and k.tenant = $1::text and k.key in (%s, '%s'))", migration, canonical, repo.StaleAll) +
		" from (select case when " + absent[0] + " then array[" + strings.Join(nKey, ", ") + "] else array[" + strings.Join(oKey, ", ") + "] end as key," +
		" not " + absent[0] + " as in_old, not " + absent[1] + " as in_new," +
		" array[" + strings.Join(differs, ", ") + "]::boolean[] as differs," +
		" array[" + strings.Join(oText, ", ") + "]::text[] as before, array[" + strings.Join(nText, ", ") + "]::text[] as after" +
		" from " + before + " o full join " + after + " n on " + strings.Join(on, " and ") +
		" where " + strings.Join(slices.Concat(absent, differs), " or ") + ") d"
}

func collectFound(rows pgx.Rows, columns []string) ([]found, error) {
	var all []found
	var key []string
	var inOld, inNew, stale bool
	var differs []bool
	var before, after []*string
	_, err := pgx.ForEachRow(rows, []any{&key, &inOld, &inNew, &differs, &before, &after, &stale}, func() error {
		f := found{key: keyText(key), stale: stale, alone: !inOld || !inNew}
		switch {
		case !inNew:
			f.diffs = []compare.Diff{{Kind: compare.KindMissing}}
		case !inOld:
			f.diffs = []compare.Diff{{Kind: compare.KindExtra}}
		default:
			var c compare.Collector
			for i, column := range columns {
				if differs[i] {
					differing(&c, column, before[i], after[i])
				}
			}
			f.diffs = c.Diffs()
		}
		all = append(all, f)
		return nil
	})
	return all, err
}

// differing adds a column that the database found different, also where the
// texts of the values are the same.
func differing(c *compare.Collector, column string, before, after *string) {
	if before == nil || after == nil || *before != *after {
		compare.Pointer(c, column, before, after, compare.Values[string])
		return
	}
	c.Add(compare.Diff{Path: column, Kind: compare.KindValue, Served: "a value", Other: "another of the same text"})
}
