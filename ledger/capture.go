package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// CaptureMode is what capture does with a statement that bypasses the
// application.
type CaptureMode uint8

// The modes. The zero value is none.
const (
	// CaptureRecords records the keys as stale on the other side.
	CaptureRecords CaptureMode = iota + 1
	// CaptureRefuses fails the statement with SQLSTATE XF006.
	CaptureRefuses
)

// String returns "record" or "refuse".
func (m CaptureMode) String() string {
	switch m {
	case CaptureRecords:
		return "record"
	case CaptureRefuses:
		return "refuse"
	}
	return "none"
}

func captureMode(value int64) CaptureMode {
	switch {
	case value <= 0:
		return 0
	case value%2 == 1:
		return CaptureRecords
	}
	return CaptureRefuses
}

// NotCapturedError says that no table of a side is captured.
type NotCapturedError struct {
	Migration string
	Side      flags.Side
}

func (e *NotCapturedError) Error() string {
	return fmt.Sprintf("%s: the %s side is not captured: `crossfade capture install %s --side %s` installs it", e.Migration, e.Side, e.Migration, e.Side)
}

// captureSide locks the row of a side, so that its mode stays for the transaction.
func captureSide(ctx context.Context, q *ledgerdb.Queries, m Migration, side flags.Side) (ledgerdb.LockCaptureSideRow, error) {
	row, err := q.LockCaptureSide(ctx, ledgerdb.LockCaptureSideParams{MigrationID: m.ID, Side: side.String()})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && row.Value == 0 {
		return row, &NotCapturedError{Migration: m.Name, Side: side}
	}
	return row, err
}

// SwitchCapture puts a mode into force: every statement that begins afterwards
// follows it. Transactions that an earlier mode let through may still be about:
// see [Store.DrainCapture]. A mode that is in force already is no error.
func (s *Store) SwitchCapture(ctx context.Context, m Migration, side flags.Side, mode CaptureMode) error {
	operation := fmt.Sprintf("have capture of the %s side of %s %s", side, m.Name, mode)
	if mode != CaptureRecords && mode != CaptureRefuses {
		return &InputError{Operation: operation, Problem: "the mode is neither CaptureRecords nor CaptureRefuses"}
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap(operation, s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		row, err := captureSide(ctx, q, m, side)
		if err != nil || captureMode(row.Value) == mode {
			return err
		}
		return q.SetCaptureValue(ctx, ledgerdb.SetCaptureValueParams{MigrationID: m.ID, Side: side.String(), Value: row.Value + 1})
	}))
}

// lockNumbers are the second numbers of the locks that transactions hold which
// the values after the drained one and before the one in force let through:
// those of odd values, since even ones let nobody through.
func lockNumbers(side flags.Side, drained, value int64) []int64 {
	var numbers []int64
	for v := drained; v < value; v++ {
		if captureMode(v) == CaptureRecords {
			numbers = append(numbers, v*2+int64(side))
		}
	}
	return numbers
}

// DrainCapture waits, for the given time at most, until no transaction is left
// that an earlier mode let through, and writes that down. It reports false when
// some are. It blocks nobody whom the mode in force lets through.
func (s *Store) DrainCapture(ctx context.Context, m Migration, side flags.Side, wait time.Duration) (bool, error) {
	operation := fmt.Sprintf("drain the earlier mode of capture of the %s side of %s", side, m.Name)
	ctx, cancel := context.WithTimeout(ctx, wait+s.cfg.Timeout)
	defer cancel()
	var row ledgerdb.LockCaptureSideRow
	err := s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) (err error) {
		row, err = captureSide(ctx, q, m, side)
		return err
	})
	if err != nil || row.DrainedValue == row.Value {
		return err == nil, wrap(operation, err)
	}
	err = s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		ms := max(wait.Milliseconds(), 1) // zero would mean no limit
		if err := q.SetLockTimeout(ctx, strconv.FormatInt(ms, 10)); err != nil {
			return fmt.Errorf("set lock_timeout: %w", err)
		}
		for _, number := range lockNumbers(side, row.DrainedValue, row.Value) {
			if err := q.LockCaptureMode(ctx, ledgerdb.LockCaptureModeParams{MigrationID: m.ID, Number: int32(number)}); err != nil { //nolint:gosec // switches are few
				return err
			}
		}
		return nil
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55P03" {
		return false, nil
	}
	if err == nil {
		err = s.q.MarkCaptureDrained(ctx, ledgerdb.MarkCaptureDrainedParams{MigrationID: m.ID, Side: side.String(), Value: row.Value})
	}
	return err == nil, wrap(operation, err)
}

// CaptureHolders returns the sessions whose transactions an earlier mode let
// through and that were not waited for yet.
func (s *Store) CaptureHolders(ctx context.Context, m Migration, side flags.Side) ([]Holder, error) {
	operation := fmt.Sprintf("find who writes the %s side of %s past the application", side, m.Name)
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var all []Holder
	err := s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		row, err := captureSide(ctx, q, m, side)
		if err != nil {
			return err
		}
		rows, err := q.CaptureHolders(ctx, ledgerdb.CaptureHoldersParams{
			MigrationID: m.ID, Numbers: lockNumbers(side, row.DrainedValue, row.Value),
		})
		for _, r := range rows {
			all = append(all, Holder{PID: int(r.Pid), Application: r.Application, User: r.Username, Client: r.Client, State: r.State, Since: utc(r.Since)})
		}
		return err
	})
	return all, wrap(operation, err)
}

// captureSlice is how long one attempt to drain waits before the holders are
// looked at.
const captureSlice = 250 * time.Millisecond

// SettleCapture drains until no transaction is left that an earlier mode let
// through. What takes longer than limit is terminated; a negative limit means
// never. report, if not nil, is told who is waited for, and who was terminated.
// When ctx ends first, its error is returned.
func (s *Store) SettleCapture(
	ctx context.Context, m Migration, side flags.Side, limit time.Duration, report func(holders []Holder, terminated bool),
) error {
	since := time.Now()
	for {
		drained, err := s.DrainCapture(ctx, m, side, captureSlice)
		if err != nil || drained {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		holders, err := s.CaptureHolders(ctx, m, side)
		if err != nil {
			return err
		}
		terminate := limit >= 0 && time.Since(since) >= limit
		if terminate {
			since = time.Now() // the next round of terminations waits as long
			if err := s.Terminate(ctx, holders); err != nil {
				return err
			}
		}
		if report != nil && len(holders) > 0 {
			report(holders, terminate)
		}
	}
}

// LeaveCapture says whether the removal of a side's capture is wanted: nothing
// may rely on it then.
func (s *Store) LeaveCapture(ctx context.Context, m Migration, side flags.Side, leaving bool) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	n, err := s.q.SetCaptureLeaving(ctx, ledgerdb.SetCaptureLeavingParams{MigrationID: m.ID, Side: side.String(), Leaving: leaving})
	if err == nil && n == 0 {
		err = &NotCapturedError{Migration: m.Name, Side: side}
	}
	return wrap(fmt.Sprintf("note that capture of the %s side of %s is to go", side, m.Name), err)
}

// AcceptCaptures takes note of the statements that bypassed the application so
// far, so that they hold nothing up any more, and returns how many rows of the
// log that were.
func (s *Store) AcceptCaptures(ctx context.Context, m Migration, side flags.Side) (n int64, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err = s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		if _, err := captureSide(ctx, q, m, side); err != nil {
			return err
		}
		if n, err = q.AcceptCaptures(ctx, ledgerdb.AcceptCapturesParams{MigrationID: m.ID, Side: side.String()}); err != nil {
			return err
		}
		return q.MarkCaptureAccepted(ctx, ledgerdb.MarkCaptureAcceptedParams{MigrationID: m.ID, Side: side.String()})
	})
	return n, wrap(fmt.Sprintf("accept what bypassed the %s side of %s", side, m.Name), err)
}

const (
	capturesKept = 1000   // rows of single statements
	captureSums  = 10_000 // rows altogether
)

// SumCaptures keeps the log of captured statements small: all but the newest
// rows are replaced by their sums.
func (s *Store) SumCaptures(ctx context.Context, m Migration) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.q.SumCaptures(ctx, ledgerdb.SumCapturesParams{MigrationID: m.ID, Keep: capturesKept})
	if err == nil {
		err = s.q.ForgetCaptures(ctx, ledgerdb.ForgetCapturesParams{MigrationID: m.ID, Keep: captureSums})
	}
	return wrap("sum up what was captured of "+m.Name, err)
}

// CaptureTable is a table whose writers are captured.
type CaptureTable struct {
	ID     int32
	Side   flags.Side
	Schema string
	Table  string
	// Tenant is the tenant's column, "" where all rows are the one tenant's.
	Tenant string
	// Key are the columns of the key, in the order of its text.
	Key         []string
	InstalledAt time.Time
	// Relations are the table and all its partitions.
	Relations []CaptureRelation
}

// Intact reports whether the table and all its partitions have their triggers.
func (t CaptureTable) Intact() bool {
	return len(t.Relations) > 0 && !slices.ContainsFunc(t.Relations, func(r CaptureRelation) bool { return len(r.Missing) > 0 })
}

// CaptureRelation is a captured table itself or one of its partitions.
type CaptureRelation struct {
	Schema, Name string
	// Partitioned says that it holds no rows of its own.
	Partitioned bool
	// Missing are the triggers that are not there, or not enabled as they should be.
	Missing []string
}

// String returns schema and name.
func (r CaptureRelation) String() string { return r.Schema + "." + r.Name }

// CaptureTriggers are the last parts of the names of the triggers that a
// relation needs; one without rows of its own needs no trigger for rows that a
// subscription applies.
func CaptureTriggers(partitioned bool) []string {
	all := []string{"before", "insert", "update", "delete", "replica"}
	if partitioned {
		return all[:4]
	}
	return all
}

// CaptureTrigger is the name of a trigger of a registered table.
func CaptureTrigger(table int32, part string) string {
	return fmt.Sprintf("crossfade_capture_%d_%s", table, part)
}

func captureTables(ctx context.Context, q *ledgerdb.Queries, migration int32) ([]CaptureTable, error) {
	rows, err := q.CaptureTables(ctx, migration)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	all := make([]CaptureTable, len(rows))
	for i, r := range rows {
		side, err := flags.ParseSide(r.Side)
		if err != nil {
			return nil, err
		}
		all[i] = CaptureTable{
			ID: r.ID, Side: side, Schema: r.SchemaName, Table: r.TableName, Tenant: text(r.TenantColumn), Key: r.KeyColumns, InstalledAt: utc(r.InstalledAt),
		}
	}
	relations, err := q.CaptureTriggers(ctx, migration)
	if err != nil {
		return nil, fmt.Errorf("look for triggers: %w", err)
	}
	for _, r := range relations {
		i := slices.IndexFunc(all, func(t CaptureTable) bool { return t.ID == r.TableID })
		if i < 0 {
			continue
		}
		rel := CaptureRelation{Schema: r.SchemaName, Name: r.RelationName, Partitioned: r.Kind == "p"}
		if r.RelationName == "" { // the table was dropped or renamed
			rel.Schema, rel.Name = all[i].Schema, all[i].Table
		}
		for _, part := range CaptureTriggers(rel.Partitioned) {
			if name := CaptureTrigger(r.TableID, part); !slices.Contains(r.Triggers, name) {
				rel.Missing = append(rel.Missing, name)
			}
		}
		all[i].Relations = append(all[i].Relations, rel)
	}
	return all, nil
}
