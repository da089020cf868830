package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// RowVersions declares that the rows of a table carry the version that wrote them.
type RowVersions struct {
	Entity string
	// Table is the table's name as it is written in SQL. Once declared it has its
	// schema.
	Table string
	// Column holds the version; any type that has an order will do.
	Column string
	// TenantColumn is where the row's tenant stands, as text. Empty where the
	// application has one tenant.
	TenantColumn string
}

// RowDistribution says how many rows of a table are of which version.
type RowDistribution struct {
	RowVersions
	// Rows are all of them, as the statistics of the server say, or as counted; -1
	// where nobody knows, as before the first ANALYZE.
	Rows int64
	// Versions are those that are known, by their text. Rows whose column is null
	// have the empty one.
	Versions []RowVersionCount
	// Counted says that the rows were counted. Otherwise they are an estimate of
	// AnalyzedAt, which is zero where there is none.
	Counted    bool
	AnalyzedAt time.Time
	// Complete says that no row is of a version that is not listed. An estimate
	// alone may miss versions of few rows.
	Complete bool
	// Problem says why less is known than was asked for.
	Problem string
}

// RowVersionCount is one version of a [RowDistribution].
type RowVersionCount struct {
	Version string
	Null    bool
	// Rows is -1 where there are some, and it is not known how many.
	Rows int64
}

// DeclareRowVersions notes that a table carries versions, for [Store.RowDistribution].
// It may be called at every start of every process; the same table again replaces
// its columns. A table or column that does not exist is an [*InputError].
func (s *Store) DeclareRowVersions(ctx context.Context, d RowVersions) error {
	operation := "declare row versions of " + d.Entity
	bad := func(format string, args ...any) error {
		return &InputError{Operation: operation, Problem: fmt.Sprintf(format, args...)}
	}
	if d.Entity == "" || d.Table == "" || d.Column == "" {
		return bad("name the entity, the table and the column")
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.ColumnsOf(ctx, ledgerdb.ColumnsOfParams{TableName: d.Table, Columns: []string{d.Column, d.TenantColumn}})
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && (pg.Code == "42602" || pg.Code == "42601"): // invalid_name, syntax_error
		return bad("%q is not the name of a table", d.Table)
	case err != nil:
		return wrap(operation, err)
	}
	for _, column := range []string{d.Column, d.TenantColumn} {
		if column != "" && !slices.ContainsFunc(rows, func(r ledgerdb.ColumnsOfRow) bool { return r.Name == column }) {
			return bad("table %s with a column %q is not there, or not in the search path", d.Table, column)
		}
	}
	err = s.q.DeclareRowVersions(ctx, ledgerdb.DeclareRowVersionsParams{
		Entity: d.Entity, TableName: rows[0].TableName, VersionColumn: d.Column, TenantColumn: d.TenantColumn,
	})
	return wrap(operation, err)
}

// ForgetRowVersions takes a declaration back, and reports whether there was one.
// The table is named with its schema.
func (s *Store) ForgetRowVersions(ctx context.Context, entity, table string) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	n, err := s.q.ForgetRowVersions(ctx, ledgerdb.ForgetRowVersionsParams{Entity: entity, TableName: table})
	return n > 0, wrap("forget row versions of "+entity, err)
}

// RowVersions returns what was declared of an entity, ordered by table.
func (s *Store) RowVersions(ctx context.Context, entity string) ([]RowVersions, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.RowVersions(ctx, entity)
	if err != nil {
		return nil, wrap("read row versions of "+entity, err)
	}
	all := make([]RowVersions, len(rows))
	for i, r := range rows {
		all[i] = RowVersions{Entity: r.Entity, Table: r.TableName, Column: r.VersionColumn, TenantColumn: r.TenantColumn}
	}
	return all, nil
}

const (
	// presentTimeout bounds the search for the versions that are there.
	presentTimeout = 500 * time.Millisecond
	// mostVersions is how many it names.
	mostVersions = 50
)

// RowDistribution tells the versions of a table's rows at a cost that does not
// grow with the table: how many there are is what the server's statistics say of
// the column, and which there are is found by as many descents of an index that
// begins with the column, where there is one, within half a second. It never scans
// the table. What cannot be told is in Problem; the error is for a ledger that
// cannot be asked.
func (s *Store) RowDistribution(ctx context.Context, d RowVersions) (RowDistribution, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found := RowDistribution{RowVersions: d, Rows: -1}
	rows, err := s.q.RowStatistics(ctx, ledgerdb.RowStatisticsParams{VersionColumn: d.Column, TableName: d.Table})
	switch {
	case err != nil:
		return found, wrap("read the statistics of "+d.Table, err)
	case len(rows) == 0:
		found.Problem = "the table is not there any more: `crossfade` cannot tell its versions"
		return found, nil
	}
	stats := rows[0]
	if stats.Rows >= 0 && stats.Known {
		found.Rows = int64(stats.Rows)
		for i, version := range stats.Vals {
			if i < len(stats.Freqs) {
				found.Versions = append(found.Versions, RowVersionCount{Version: version, Rows: int64(math.Round(stats.Rows * float64(stats.Freqs[i])))})
			}
		}
		if stats.Nulls > 0 {
			found.Versions = append(found.Versions, RowVersionCount{Null: true, Rows: int64(math.Round(stats.Rows * float64(stats.Nulls)))})
		}
		if stats.AnalyzedAt.Unix() > 0 {
			found.AnalyzedAt = utc(stats.AnalyzedAt)
		}
	} else {
		found.Problem = "no statistics of the column yet, or no right to see them: run ANALYZE"
	}
	if !stats.Indexed {
		if found.Problem == "" {
			found.Problem = "versions of few rows may be missing: no index begins with the column"
		}
		return found, nil
	}
	present, err := s.presentVersions(ctx, d)
	if err != nil {
		found.Problem = "versions of few rows may be missing: " + why(err)
		return found, nil
	}
	found.Complete = len(present) < mostVersions
	found.add(present)
	return found, nil
}

// add keeps the estimates of those versions that are there.
func (f *RowDistribution) add(present []RowVersionCount) {
	for i, p := range present {
		for _, known := range f.Versions {
			if known.Version == p.Version && known.Null == p.Null {
				present[i] = known
			}
		}
	}
	f.Versions = present
}

// why says what kept a statement from its answer, without the row's values.
func why(err error) string {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "57014", errors.Is(err, context.DeadlineExceeded): // query_canceled
		return "it took too long"
	case errors.As(err, &pg) && pg.Code == "42501": // insufficient_privilege
		return "no right to read the table"
	case errors.As(err, &pg):
		return "SQLSTATE " + pg.Code
	}
	return "the connection failed"
}

// presentSQL goes from each value to the next one by the index. The planner is not
// to take another way: a scan per value would be worse than one.
const presentSQL = `
with recursive present (version, n) as (
    (select t.{column}, 1 from {table} t where t.{column} is not null order by t.{column} limit 1)
    union all
    select (select t.{column} from {table} t where t.{column} > p.version order by t.{column} limit 1), p.n + 1
    from present p where p.version is not null and p.n < $1
)
select version::text, false from present where version is not null
union all
select '', true where exists (select from {table} t where t.{column} is null)`

func (s *Store) presentVersions(ctx context.Context, d RowVersions) (all []RowVersionCount, err error) {
	return s.lookAtRows(ctx, d, presentTimeout, "set local enable_seqscan = off", presentSQL, func(row pgx.CollectableRow) (c RowVersionCount, err error) {
		c.Rows = -1
		return c, row.Scan(&c.Version, &c.Null)
	}, mostVersions)
}

const countSQL = `
select coalesce(t.{column}::text, ''), t.{column} is null, count(*)
from {table} t group by t.{column} order by t.{column} limit $1`

const countTenantSQL = `
select coalesce(t.{column}::text, ''), t.{column} is null, count(*)
from {table} t where t.{tenant}::text = $2 group by t.{column} order by t.{column} limit $1`

// CountRowVersions counts the rows of a table by their versions, all of them or
// those of one tenant. It reads the whole table unless an index makes it cheaper:
// it is for those who ask for it, and ends with an error after the given time.
func (s *Store) CountRowVersions(ctx context.Context, d RowVersions, tenant string, within time.Duration) (RowDistribution, error) {
	found := RowDistribution{RowVersions: d, Rows: -1}
	sql, args := countSQL, []any{mostVersions}
	if tenant != "" && d.TenantColumn != "" {
		sql, args = countTenantSQL, append(args, tenant)
	}
	all, err := s.lookAtRows(ctx, d, within, "", sql, func(row pgx.CollectableRow) (c RowVersionCount, err error) {
		return c, row.Scan(&c.Version, &c.Null, &c.Rows)
	}, args...)
	if err != nil {
		found.Problem = "the rows were not counted: " + why(err)
		return found, wrap("count the versions of "+d.Table, err)
	}
	found.Rows, found.Versions, found.Counted, found.Complete = 0, all, true, len(all) < mostVersions
	for _, c := range all {
		found.Rows += c.Rows
	}
	return found, nil
}

// lookAtRows asks a table of the application in a transaction that only reads.
func (s *Store) lookAtRows(
	ctx context.Context, d RowVersions, within time.Duration, first, sql string,
	row func(pgx.CollectableRow) (RowVersionCount, error), args ...any,
) (all []RowVersionCount, err error) {
	ctx, cancel := context.WithTimeout(ctx, within+s.cfg.Timeout)
	defer cancel()
	sql = strings.NewReplacer("{table}", d.Table, "{column}", pgx.Identifier{d.Column}.Sanitize(),
		"{tenant}", pgx.Identifier{d.TenantColumn}.Sanitize()).Replace(sql)
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		settings := fmt.Sprintf("set local statement_timeout = %d; set local lock_timeout = %d; ", max(within.Milliseconds(), 1), max(within.Milliseconds(), 1))
		if _, err := tx.Exec(ctx, settings+first, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, row)
		return err
	})
	return all, err
}
