package crossfadetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Contract runs random sequences of an entity's operations on two versions and
// demands the same answers: equal by the entity's comparators, or both not
// found, or both another error. At the end of a sequence it asks for every key, and
// for lists.
//
//	pool := crossfadetest.Postgres(t, crossfadetest.SQL(schema))
//	crossfadetest.Contract(t, pool, customerstest.Entity, v1.New, postgres.Queued(v2.New))
//
// Both versions are on tables of their own in the database of the pool, which
// must be empty and belong to the test. Every sequence runs in one transaction
// that is rolled back, and each call in a savepoint, so that a call which fails
// leaves nothing behind, as with a routed repository.
//
// Keys come from a pool of three, and there are two tenants, so that operations
// meet each other. Other values are drawn by their types, exported field by
// exported field: hostile texts, zero and extreme numbers, times to the
// microsecond, nil and empty. What an application never writes is best drawn by
// a generator of its own ([OfType], [Field]): then it is not an error that both
// versions agree on. An operation that never once answered without an error
// fails the test, since nothing was compared.
//
// A sequence that fails is shrunk to the fewest calls and the simplest values,
// and printed as Go code to paste into a test. -rapid.checks sets how many
// sequences are tried, 100 unless set; -rapid.seed repeats a run.
func Contract[R any](
	t testing.TB, pool *pgxpool.Pool, entity Entity[R], oldSide, newSide postgres.Factory[R], options ...Option,
) {
	t.Helper()
	c := &contract[R]{
		pool: pool, entity: entity, sides: [2]postgres.Factory[R]{oldSide, newSide},
		settings: newSettings(entity.Options, options), counts: map[string]*count{},
	}
	for _, op := range entity.Operations {
		if c.settings.without[op.name()] {
			continue
		}
		c.operations = append(c.operations, op)
		c.drawn = append(c.drawn, op)
		if op.kind() == repo.KindWrite {
			c.drawn = append(c.drawn, op, op)
		}
	}
	if len(c.operations) == 0 {
		t.Fatalf("crossfadetest: %s has no operations to try", entity.Name)
	}
	deferred, err := deferrable(t.Context(), pool)
	if err != nil {
		t.Fatalf("crossfadetest: %v", err)
	}
	c.deferred = deferred
	heard := &listener{TB: t}
	rapid.Check(heard, c.sequence)
	c.report(t, heard)
}

// contract is one run of Contract.
type contract[R any] struct {
	pool       *pgxpool.Pool
	entity     Entity[R]
	sides      [2]postgres.Factory[R]
	settings   *settings
	operations []Method[R]
	drawn      []Method[R] // writes more often, so that there is something to read
	deferred   []string    // constraints that are initially deferred
	counts     map[string]*count
	sequences  int
	broken     *broken[R]
}

// count tells how the calls of an operation went.
type count struct{ calls, answered int }

// broken is the last sequence that failed, which is the shortest.
type broken[R any] struct {
	calls   []call[R]
	problem string
}

// sequence draws a sequence, runs it and fails at the first difference.
func (c *contract[R]) sequence(t *rapid.T) {
	// A list of lists is longer on average than a list, and shrinks as well.
	lists := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(c.drawCall), 0, 12), 1, 6).Draw(t, "calls")
	calls := slices.Concat(lists...)
	calls = append(calls[:min(len(calls), c.settings.most)], c.look(t)...)
	c.sequences++
	ctx := context.Background()
	tx, err := c.pool.Begin(ctx)
	if err != nil {
		t.Fatalf("begin a sequence: %v", err)
	}
	defer tx.Rollback(ctx)
	for i, call := range calls {
		problem, err := c.try(ctx, tx, call)
		switch {
		case err != nil:
			c.broken = nil
			t.Fatalf("run a sequence: %v", err)
		case problem != "":
			c.broken = &broken[R]{calls: calls[:i+1], problem: problem}
			t.Fatalf("%s after %d calls", call.operation, i)
		}
	}
}

func (c *contract[R]) drawCall(t *rapid.T) call[R] {
	op := c.drawn[rapid.IntRange(0, len(c.drawn)-1).Draw(t, "operation")]
	return op.draw(&Draw{t: t, settings: c.settings, key: -1, tenant: -1})
}

// look asks each tenant for each key, and for a list of each kind.
func (c *contract[R]) look(t *rapid.T) (calls []call[R]) {
	for _, op := range c.operations {
		keys := 0
		switch {
		case op.name() == c.entity.Get:
			keys = poolSize
		case op.kind() == repo.KindList || op.kind() == repo.KindStream:
			keys = 1
		}
		for tenant := range 2 {
			for key := range keys {
				calls = append(calls, op.draw(&Draw{t: t, settings: c.settings, key: key, tenant: tenant}))
			}
		}
	}
	return calls
}

// answer is what a version said.
type answer struct {
	value    any
	err      error
	panicked any
}

// try runs a call on both versions and tells how the answers differ.
func (c *contract[R]) try(ctx context.Context, tx pgx.Tx, call call[R]) (problem string, err error) {
	var answers [2]answer
	for i, side := range c.sides {
		if answers[i], err = c.ask(ctx, tx, side, call); err != nil {
			return "", err
		}
	}
	counted := c.counts[call.operation]
	if counted == nil {
		counted = &count{}
		c.counts[call.operation] = counted
	}
	counted.calls++
	served, other := answers[0], answers[1]
	if served.panicked == nil && (served.err == nil || c.entity.NotFound(served.err)) {
		counted.answered++
	}
	diffs, same := c.differences(call, served, other)
	if same {
		return "", nil
	}
	var text strings.Builder
	for _, diff := range diffs {
		fmt.Fprintf(&text, "  %s\n", diff)
	}
	fmt.Fprintf(&text, "  old answered: %s\n  new answered: %s\n", c.show(served), c.show(other))
	return text.String(), nil
}

func (c *contract[R]) differences(call call[R], served, other answer) ([]compare.Diff, bool) {
	switch {
	case served.panicked != nil || other.panicked != nil:
		return nil, false
	case (served.err == nil) != (other.err == nil):
		return nil, false
	case served.err != nil:
		return nil, c.entity.NotFound(served.err) == c.entity.NotFound(other.err)
	}
	diffs := call.compare(served.value, other.value)
	verdict := compare.Judge(diffs)
	return diffs, verdict == compare.Matched || verdict == compare.Ignored
}

// ask runs a call on one version, in a savepoint. An error is the database's,
// and not the version's.
func (c *contract[R]) ask(ctx context.Context, tx pgx.Tx, side postgres.Factory[R], call call[R]) (a answer, err error) {
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return a, fmt.Errorf("set a savepoint: %w", err)
	}
	func() {
		defer func() { a.panicked = recover() }()
		a.value, a.err = call.run(ctx, side(savepoint))
	}()
	if a.err == nil && a.panicked == nil && len(c.deferred) > 0 {
		a.err = c.checkDeferred(ctx, savepoint)
	}
	if a.err != nil || a.panicked != nil {
		err = savepoint.Rollback(ctx)
	} else if err = savepoint.Commit(ctx); err != nil { // the version swallowed an error of the database
		a.err, err = err, savepoint.Rollback(ctx)
	}
	if err != nil {
		return a, fmt.Errorf("%s: end the savepoint: %w", call.operation, err)
	}
	return a, nil
}

// checkDeferred checks the deferred constraints as COMMIT would.
func (c *contract[R]) checkDeferred(ctx context.Context, tx pgx.Tx) error {
	list := strings.Join(c.deferred, ", ")
	if _, err := tx.Exec(ctx, "set constraints "+list+" immediate"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "set constraints "+list+" deferred")
	return err
}

// deferrable returns the constraints that are initially deferred.
func deferrable(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, `
		select format('%I.%I', n.nspname, c.conname)
		from pg_constraint c join pg_namespace n on n.oid = c.connamespace
		where c.condeferred and c.conparentid = 0 order by 1`)
	if err != nil {
		return nil, fmt.Errorf("look for deferred constraints: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for deferred constraints: %w", err)
	}
	return names, nil
}

func (c *contract[R]) show(a answer) string {
	switch {
	case a.panicked != nil:
		return fmt.Sprintf("a panic: %v", a.panicked)
	case a.err != nil && c.entity.NotFound(a.err):
		return "not found: " + a.err.Error()
	case a.err != nil:
		return "an error: " + a.err.Error()
	}
	return valueCode(a.value)
}

// report fails the test with what was found.
func (c *contract[R]) report(t testing.TB, heard *listener) {
	t.Helper()
	if heard.Failed() {
		if c.broken == nil {
			t.Fatalf("crossfadetest: %s:\n%s", c.entity.Name, heard.text())
		}
		last := c.broken.calls[len(c.broken.calls)-1]
		t.Fatalf("crossfadetest: the versions of %s give different answers to %s:\n%s\n%s\n\nThe sequence as Go code:\n\n%s",
			c.entity.Name, last.operation, c.broken.problem, heard.first(), sequenceCode(c.entity.Name, c.broken.calls))
	}
	for _, op := range c.operations {
		counted := c.counts[op.name()]
		switch {
		case counted == nil:
			t.Errorf("crossfadetest: %s was never called: raise -rapid.checks", op.name())
		case counted.answered == 0:
			t.Errorf("crossfadetest: %s failed on both versions each time, %d times, so that nothing was compared: "+
				"draw arguments that it takes (OfType, Field, KeysFrom), or leave it out (Without)", op.name(), counted.calls)
		default:
			t.Logf("%s: %d calls, %d without an error", op.name(), counted.calls, counted.answered)
		}
	}
	t.Logf("%d sequences, the same answers", c.sequences)
}

// listener hears what rapid says, so that a failing sequence is told once, in
// our words. It stops nobody.
type listener struct {
	testing.TB

	mu     sync.Mutex
	failed bool
	lines  []string
}

func (l *listener) note(failed bool, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = l.failed || failed
	l.lines = append(l.lines, line)
}

func (l *listener) Failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// first is rapid's summary, with how to repeat the run.
func (l *listener) first() string {
	for _, line := range l.lines {
		if text, ok := strings.CutPrefix(line, "[rapid] "); ok && !strings.HasPrefix(text, "draw") {
			return strings.TrimSuffix(text, "\nFailed test output:")
		}
	}
	return ""
}

func (l *listener) text() string { return strings.Join(l.lines, "\n") }

func (l *listener) Log(args ...any)                   { l.note(false, fmt.Sprint(args...)) }
func (l *listener) Logf(format string, args ...any)   { l.note(false, fmt.Sprintf(format, args...)) }
func (l *listener) Error(args ...any)                 { l.note(true, fmt.Sprint(args...)) }
func (l *listener) Errorf(format string, args ...any) { l.note(true, fmt.Sprintf(format, args...)) }
func (l *listener) Fatal(args ...any)                 { l.note(true, fmt.Sprint(args...)) }
func (l *listener) Fatalf(format string, args ...any) { l.note(true, fmt.Sprintf(format, args...)) }
func (l *listener) Fail()                             { l.note(true, "") }
func (l *listener) FailNow()                          { l.note(true, "") }
