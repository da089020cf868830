package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// CaptureState is what stands of capture on one side, as the steps of the
// ladder see it. The zero value means that it is not installed.
type CaptureState struct {
	// Installed says that tables are registered and carry their triggers since.
	Installed bool
	// InstalledAt is when the first of them was.
	InstalledAt time.Time
	// Leaving says that its removal was asked for: nothing may rely on it.
	Leaving bool
	// Complete says that whoever installed it declared that Tables are all
	// tables that the side writes. Of a table that was forgotten the outside
	// writers are not seen, which is why writes run without a fence only then.
	Complete bool
	// Mode is the number of the mode in force: odd means that statements from
	// outside are recorded, even that they are refused. Each switch adds one.
	Mode int64
	// Drained says that no transaction acts on an earlier mode.
	Drained bool
	// Tables are those that are registered, Broken the tables and partitions
	// that lack a trigger.
	Tables []CaptureTable
	Broken []string
	// Bypassed counts the statements from outside that were recorded since they
	// were last accepted; Writers names some of their roles and applications,
	// and BypassedAt is when the last one was recorded.
	Bypassed   int64
	Writers    []string
	BypassedAt time.Time
	// AcceptedAt is when they were last accepted, or nil.
	AcceptedAt *time.Time
}

// Stands reports whether every registered table has its triggers, for as long
// as nobody takes them away. Whether those are all tables of the side is what
// Complete says.
func (c CaptureState) Stands() bool { return c.Installed && !c.Leaving && len(c.Broken) == 0 }

// Recording reports whether the mode in force is to record.
func (c CaptureState) Recording() bool { return c.Installed && c.Mode%2 == 1 }

// Refusing reports whether the mode in force is to refuse. Statements that were
// let through before may be about unless Drained is true.
func (c CaptureState) Refusing() bool { return c.Installed && c.Mode%2 == 0 }

// loadCapture reads what stands of capture. The mode is that of the moment, not
// that of the snapshot.
func loadCapture(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	tables, err := captureTables(ctx, q, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read the captured tables: %w", err)
	}
	sides, err := q.CaptureSides(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read the modes of capture: %w", err)
	}
	for _, r := range sides {
		side, err := flags.ParseSide(r.Side)
		if err != nil {
			return err
		}
		c := CaptureState{
			InstalledAt: utc(r.InstalledAt), Leaving: r.Leaving, Complete: r.Complete, Mode: r.Value, Drained: r.DrainedValue == r.Value,
			Bypassed: r.Bypassed, Writers: r.Writers, AcceptedAt: utcPointer(r.AcceptedAt),
		}
		if r.Bypassed > 0 {
			c.BypassedAt = utc(r.BypassedAt)
		}
		for _, t := range tables {
			if t.Side != side {
				continue
			}
			c.Installed = true
			c.Tables = append(c.Tables, t)
			for _, relation := range t.Relations {
				if len(relation.Missing) > 0 {
					c.Broken = append(c.Broken, relation.String())
				}
			}
		}
		s.Capture[side] = c
	}
	return nil
}

// CaptureWriter sums up the statements of one kind that bypassed the application.
type CaptureWriter struct {
	Side        flags.Side
	Role        string
	Application string
	Table       string
	Operation   string
	// Deep tells of cascades and of statements of triggers.
	Deep bool
	// Accepted says that somebody took note of them.
	Accepted    bool
	Statements  int64
	Rows        int64
	First, Last time.Time
}

// CaptureWriters returns who bypassed the application, the latest first.
func (s *Store) CaptureWriters(ctx context.Context, m Migration) ([]CaptureWriter, error) {
	operation := "read who bypassed " + m.Name
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.CaptureWriters(ctx, ledgerdb.CaptureWritersParams{MigrationID: m.ID, UpTo: 100})
	if err != nil {
		return nil, wrap(operation, err)
	}
	all := make([]CaptureWriter, len(rows))
	for i, r := range rows {
		side, err := flags.ParseSide(r.Side)
		if err != nil {
			return nil, wrap(operation, err)
		}
		all[i] = CaptureWriter{
			Side: side, Role: r.Role, Application: r.ApplicationName, Table: r.TableName, Operation: r.Operation, Deep: r.Deep,
			Accepted: r.Accepted, Statements: r.Statements, Rows: r.Rows, First: utc(r.FirstAt), Last: utc(r.LastAt),
		}
	}
	return all, nil
}

// CaptureRegistration is a table to capture, in the transaction that makes its
// triggers.
type CaptureRegistration struct {
	Schema, Table string
	Tenant        string
	Key           []string
}

// RegisterCapture writes down, in tx, a table that is captured, and returns its
// number. The first one of a side begins with the mode given, which must not
// rely on anybody having been let through before: whoever writes the table is
// kept out while tx lasts.
func RegisterCapture(ctx context.Context, tx pgx.Tx, m Migration, side flags.Side, r CaptureRegistration) (int32, error) {
	var tenant *string
	if r.Tenant != "" {
		tenant = &r.Tenant
	}
	id, err := ledgerdb.New(tx).AddCaptureTable(ctx, ledgerdb.AddCaptureTableParams{
		MigrationID: m.ID, Side: side.String(), SchemaName: r.Schema, TableName: r.Table, TenantColumn: tenant, KeyColumns: r.Key,
	})
	if err != nil {
		return 0, fmt.Errorf("register %s.%s: %w", r.Schema, r.Table, err)
	}
	return id, nil
}

// BeginCapture has a side begin with a value of its mode, in tx.
func BeginCapture(ctx context.Context, tx pgx.Tx, m Migration, side flags.Side, value int64) error {
	q := ledgerdb.New(tx)
	if err := q.SetCaptureValue(ctx, ledgerdb.SetCaptureValueParams{MigrationID: m.ID, Side: side.String(), Value: value}); err != nil {
		return fmt.Errorf("set the mode: %w", err)
	}
	return q.AddCaptureSide(ctx, ledgerdb.AddCaptureSideParams{MigrationID: m.ID, Side: side.String(), Value: value})
}

// DeclareCapture writes down, in tx, that the captured tables of a side are all
// tables that it writes. That holds until capture of the side is removed.
func DeclareCapture(ctx context.Context, tx pgx.Tx, m Migration, side flags.Side) error {
	return ledgerdb.New(tx).DeclareCaptureComplete(ctx, ledgerdb.DeclareCaptureCompleteParams{MigrationID: m.ID, Side: side.String()})
}

// EndCapture deletes, in tx, the registrations of a side.
func EndCapture(ctx context.Context, tx pgx.Tx, m Migration, side flags.Side) error {
	return ledgerdb.New(tx).DeleteCaptureTables(ctx, ledgerdb.DeleteCaptureTablesParams{MigrationID: m.ID, Side: side.String()})
}

// NoteCaptured has the fence mark what it locks, or no longer, as tables are
// registered in tx, and returns the epoch in force, which stays so until tx ends.
func NoteCaptured(ctx context.Context, tx pgx.Tx, m Migration) (int64, error) {
	return ledgerdb.New(tx).SetCaptured(ctx, m.ID)
}

// ClearBackfilled has the tenants, "" for the whole migration, count as not
// backfilled and not verified, in tx, and jobs forget what they noted of them.
func ClearBackfilled(ctx context.Context, tx pgx.Tx, m Migration, tenants []string) error {
	return writeEffects(ctx, ledgerdb.New(tx), m.ID, Effects{NotCopied: tenants, Forget: tenants})
}
