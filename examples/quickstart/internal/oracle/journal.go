package oracle

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Schema is the SQL that makes the journal's tables.
//
//go:embed schema.sql
var Schema string

// Journal is where one process records what it does. It may be used by any number of goroutines.
type Journal struct {
	pool    *pgxpool.Pool
	process uuid.UUID
	clock   atomic.Int64 // the highest number that this process has seen
}

// OpenJournal returns the journal of a process. The pool must be one of its own: each line commits at once.
func OpenJournal(ctx context.Context, pool *pgxpool.Pool, process uuid.UUID) (*Journal, error) {
	var now int64
	if err := pool.QueryRow(ctx, "select nextval('quickstart_oracle.clock')").Scan(&now); err != nil {
		return nil, fmt.Errorf("open the oracle's journal: %w", err)
	}
	j := &Journal{pool: pool, process: process}
	j.saw(now)
	return j, nil
}

// Operation is what a process is about to do, or has just read.
type Operation struct {
	Kind   Kind
	Tenant uuid.UUID
	Stage  string // of the ladder
	Legs   []Leg  // the customers it touches, in the order of its transaction
}

// Leg is what an operation does to one customer.
type Leg struct {
	Customer uuid.UUID
	Change   Change
}

// Outcome is what became of an operation.
type Outcome string

// The outcomes. A line is Open until it is settled, and stays so when its process is killed.
const (
	Open    Outcome = "open"
	Done    Outcome = "done"
	Absent  Outcome = "absent"  // the customer was not there, and nothing was written
	Refused Outcome = "refused" // an error, after which nothing can have been written
	Unknown Outcome = "unknown" // it may or may not have been written
)

// Result is what became of one leg.
type Result struct {
	Outcome Outcome
	Seen    *State // the customer before the change, where the operation read it
	Balance *int64 // the balance after the change, where the operation returned it
}

// Pending is an operation whose intent is recorded.
type Pending struct {
	journal *Journal
	lines   []int64
}

const intendSQL = `
with line as materialized (
    select nextval('quickstart_oracle.clock') as id, customer, change
    from unnest($5::uuid[], $6::jsonb[]) with ordinality leg (customer, change, place) order by place
)
insert into quickstart_oracle.journal (id, began, operation, process, kind, tenant, customer, stage, contended, change)
select id, id, (select min(id) from line), $1, $2, $3, customer, $4,
       exists (select from quickstart_oracle.journal j
               where j.customer = line.customer and j.process <> $1 and j.outcome = 'open'),
       change
from line order by id
returning id`

// Intend records an operation that is about to be sent. If that fails, it must not be sent.
func (j *Journal) Intend(ctx context.Context, op Operation) (Pending, error) {
	keys, changes := make([]uuid.UUID, len(op.Legs)), make([]string, len(op.Legs))
	for i, leg := range op.Legs {
		text, err := json.Marshal(leg.Change)
		if err != nil {
			return Pending{}, fmt.Errorf("record an intent: %w", err)
		}
		keys[i], changes[i] = leg.Customer, string(text)
	}
	rows, err := j.pool.Query(ctx, intendSQL, j.process, op.Kind, op.Tenant, op.Stage, keys, changes)
	if err != nil {
		return Pending{}, fmt.Errorf("record an intent: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return Pending{}, fmt.Errorf("record an intent: %w", err)
	}
	for _, line := range lines {
		j.saw(line)
	}
	return Pending{journal: j, lines: lines}, nil
}

const settleSQL = `
update quickstart_oracle.journal j
set done = nextval('quickstart_oracle.clock'), outcome = leg.outcome, seen = leg.seen, balance = leg.balance,
    micros = $5, error = $6
from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::bigint[]) leg (id, outcome, seen, balance)
where j.id = leg.id
returning j.done`

// Settle records what became of the operation, leg by leg, how long the application waited for it, and the error that
// it got, nil for none: that a customer is absent is no error.
func (p Pending) Settle(ctx context.Context, took time.Duration, told error, results ...Result) error {
	outcomes, seen, balances := make([]string, len(results)), make([]*string, len(results)), make([]*int64, len(results))
	for i, r := range results {
		text, err := seenText(r.Seen)
		if err != nil {
			return fmt.Errorf("record an outcome: %w", err)
		}
		outcomes[i], seen[i], balances[i] = string(r.Outcome), text, r.Balance
	}
	rows, err := p.journal.pool.Query(ctx, settleSQL, p.lines, outcomes, seen, balances, took.Microseconds(), errorText(told))
	if err != nil {
		return fmt.Errorf("record an outcome: %w", err)
	}
	done, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("record an outcome: %w", err)
	}
	for _, number := range done {
		p.journal.saw(number)
	}
	return nil
}

const observeSQL = `
with clock as materialized (select nextval('quickstart_oracle.clock') as now)
insert into quickstart_oracle.journal
    (id, began, done, operation, process, kind, tenant, customer, stage, contended, outcome, seen, micros, error)
select now, $6, now, now, $1, $2, $3, $4, $5,
       exists (select from quickstart_oracle.journal j
               where j.customer = $4 and j.process <> $1 and j.done > $6 and j.outcome <> 'unknown'),
       $7, $8, $9, $10
from clock
returning done`

// Now returns a number that is not behind anything that this process begins from now on.
func (j *Journal) Now() int64 { return j.clock.Load() }

// Observe records a read that began after since, which is what Now said before it, and has ended. The customer is nil
// for a list.
func (j *Journal) Observe(ctx context.Context, op Operation, since int64, took time.Duration, told error, result Result) error {
	text, err := seenText(result.Seen)
	if err != nil {
		return fmt.Errorf("record a read: %w", err)
	}
	var customer *uuid.UUID
	if len(op.Legs) > 0 {
		customer = &op.Legs[0].Customer
	}
	var done int64
	err = j.pool.QueryRow(ctx, observeSQL, j.process, op.Kind, op.Tenant, customer, op.Stage, since,
		result.Outcome, text, took.Microseconds(), errorText(told)).Scan(&done)
	if err != nil {
		return fmt.Errorf("record a read: %w", err)
	}
	j.saw(done)
	return nil
}

// Abandon makes whatever a dead process left open unknown.
func Abandon(ctx context.Context, pool *pgxpool.Pool, process uuid.UUID) error {
	return abandon(ctx, pool, &process)
}

// AbandonAll makes whatever any process left open unknown. None may be at work.
func AbandonAll(ctx context.Context, pool *pgxpool.Pool) error { return abandon(ctx, pool, nil) }

func abandon(ctx context.Context, pool *pgxpool.Pool, process *uuid.UUID) error {
	_, err := pool.Exec(ctx, `update quickstart_oracle.journal set outcome = 'unknown'
		where outcome = 'open' and ($1::uuid is null or process = $1)`, process)
	if err != nil {
		return fmt.Errorf("mark what a dead process left open: %w", err)
	}
	return nil
}

func (j *Journal) saw(number int64) {
	for {
		before := j.clock.Load()
		if number <= before || j.clock.CompareAndSwap(before, number) {
			return
		}
	}
}

func seenText(s *State) (*string, error) {
	if s == nil {
		return nil, nil
	}
	raw, err := json.Marshal(s)
	text := string(raw)
	return &text, err
}

func errorText(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}
