package oracle

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Totals are counts over the whole journal.
type Totals struct {
	Operations int64
	// Unknown is of how many operations the outcome is not known.
	Unknown int64
	// Errors is how many answers were an error to the application.
	Errors int64
	// Told are a few of them, each once.
	Told []string
}

// Traffic is what happened at one stage.
type Traffic struct {
	Stage      string
	Operations int64
	Contended  int64
}

// Latency is how long the application waited on one path, for reads or for writes.
type Latency struct {
	Path          string
	Writes        bool
	Count         int64
	P50, P99, Max time.Duration
}

// CountAll counts the whole journal.
func CountAll(ctx context.Context, pool *pgxpool.Pool) (t Totals, err error) {
	err = pool.QueryRow(ctx, `
		select count(*), count(*) filter (where outcome in ('open', 'unknown')), count(*) filter (where error is not null)
		from quickstart_oracle.journal where id = operation`).Scan(&t.Operations, &t.Unknown, &t.Errors)
	if err == nil && t.Errors > 0 {
		err = pool.QueryRow(ctx, `
			select array(select distinct kind || ' at ' || stage || ': ' || left(error, 500)
				from quickstart_oracle.journal where id = operation and error is not null order by 1 limit 3)`).Scan(&t.Told)
	}
	if err != nil {
		return t, fmt.Errorf("count the journal: %w", err)
	}
	return t, nil
}

// CountStages counts the operations at each stage that had any.
func CountStages(ctx context.Context, pool *pgxpool.Pool) ([]Traffic, error) {
	rows, err := pool.Query(ctx, `
		select stage, count(*) filter (where id = operation), count(*) filter (where contended)
		from quickstart_oracle.journal group by stage`)
	if err != nil {
		return nil, fmt.Errorf("count the journal by stage: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Traffic])
}

const latencySQL = `
select p.path, j.kind not in ('read', 'list') as writes, count(*),
       percentile_disc(0.5) within group (order by j.micros), percentile_disc(0.99) within group (order by j.micros), max(j.micros)
from quickstart_oracle.journal j
join unnest($2::text[], $3::text[]) p (stage, path) on p.stage = j.stage
where j.id = j.operation and j.id > $1 and j.micros is not null
group by p.path, writes order by p.path, writes`

// Latencies returns how long the application waited, by path, for operations after a line; paths names the path of
// each stage.
func Latencies(ctx context.Context, pool *pgxpool.Pool, after int64, paths map[string]string) ([]Latency, error) {
	var stages, names []string
	for stage, path := range paths {
		stages, names = append(stages, stage), append(names, path)
	}
	rows, err := pool.Query(ctx, latencySQL, after, stages, names)
	if err != nil {
		return nil, fmt.Errorf("measure latencies: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Latency, err error) {
		var p50, p99, most int64
		err = row.Scan(&l.Path, &l.Writes, &l.Count, &p50, &p99, &most)
		l.P50, l.P99, l.Max = micros(p50), micros(p99), micros(most)
		return l, err
	})
}

// LastLine returns the number of the latest line.
func LastLine(ctx context.Context, pool *pgxpool.Pool) (line int64, err error) {
	err = pool.QueryRow(ctx, "select coalesce(max(id), 0) from quickstart_oracle.journal").Scan(&line)
	return line, err
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
