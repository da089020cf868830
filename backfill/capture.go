package backfill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// CaptureTable is a table of one side, to be captured: plain, or partitioned.
type CaptureTable struct {
	Schema, Table string
	// Tenant is the column with the tenant. Empty means that all rows are those
	// of the one tenant of entities without tenants, repo.SoleTenant.
	Tenant string
	// Key are the columns of the entity's key, in the order of its canonical
	// text: the column's text, or of several columns that of repo.CompositeKey.
	// They need not be unique: a row of a child table has the key of the entity
	// that it belongs to. These columns and Tenant are integers, text or varchar
	// with a deterministic collation, uuid, boolean, date (as 2006-01-02), or
	// domains over those: other types have several texts for equal values, or
	// another text than the application's.
	Key []string
}

func (t CaptureTable) String() string { return t.Schema + "." + t.Table }

// CaptureConfig configures a [Capture]. A nil CaptureConfig and zero fields are useful.
type CaptureConfig struct {
	// LockTimeout bounds each attempt to lock the tables: writers that come
	// later wait behind it. Between two attempts they go on. Defaults to 200ms.
	LockTimeout time.Duration
	// Pause is the time between two attempts. Defaults to one second.
	Pause time.Duration
	// Report is told, if not nil, for whom an attempt waited in vain. It must
	// not block.
	Report func(CaptureWait)
	// Complete declares that the tables of an Install, with those that are
	// captured on the side already, are all tables that the side writes: the
	// control plane then lets writes at old and new run without a fence. Of a
	// table that was forgotten the outside writers are not seen, and a late
	// write into it is lost. Without it, a declaration that was made before
	// stays, until capture of the side is removed: whoever has a side write
	// another table captures that first.
	Complete bool
}

// CaptureWait tells for whom the tables cannot be locked yet.
type CaptureWait struct {
	Tables  []string
	Holders []ledger.Holder // sessions that have written a table and have not ended yet
	Waited  time.Duration
}

// Capture installs and removes the triggers that record what bypasses the
// application, or refuse it. The role of the pool must own the tables, use the
// ledger as an application's role does, and may create in schema crossfade. Its
// methods may be called concurrently.
type Capture struct {
	pool  *pgxpool.Pool
	store *ledger.Store
	cfg   CaptureConfig
}

// NewCapture returns a Capture over the database with the tables and the ledger.
func NewCapture(pool *pgxpool.Pool, cfg *CaptureConfig) *Capture {
	c := &Capture{pool: pool, store: ledger.New(pool, nil)}
	if cfg != nil {
		c.cfg = *cfg
	}
	if c.cfg.LockTimeout <= 0 {
		c.cfg.LockTimeout = 200 * time.Millisecond
	}
	if c.cfg.Pause <= 0 {
		c.cfg.Pause = time.Second
	}
	return c
}

// Installed is what [Capture.Install] did.
type Installed struct {
	// Statements are those that were run, or with a dry run would be.
	Statements []string
	Mode       ledger.CaptureMode
	// Changed is false when everything stood already.
	Changed bool
	// Declared says that the captured tables count from now on as all that the
	// side writes, see [CaptureConfig].
	Declared bool
	// Cleared says that the backfill counts no more, since somebody stands at
	// dual or shadow: what was written past the application before is nowhere
	// recorded.
	Cleared bool
}

// Install captures the writers of the tables, all in one transaction: it waits
// until nobody has an uncommitted write in any of them. Tables that are captured
// already get the triggers that they lack, on partitions that were attached
// since. The old side begins by recording, or refusing where somebody stands at
// live or above; the new side by refusing. With dry, nothing is changed.
//
// When ctx ends while somebody is waited for, the error is a
// [*CaptureBusyError]; what is wrong with a table is a [*CaptureTableError]; a
// pool that leads to a pooler is a [*ledger.PoolerError].
func (c *Capture) Install(ctx context.Context, migration string, side flags.Side, dry bool, tables ...CaptureTable) (Installed, error) {
	var done Installed
	m, err := c.store.Migration(ctx, migration)
	if err != nil {
		return done, err
	}
	if len(tables) == 0 {
		return done, &CaptureTableError{Problem: "name at least one table"}
	}
	err = c.locked(ctx, tables, dry, func(tx pgx.Tx) error {
		done = Installed{}
		return c.install(ctx, tx, m, side, tables, &done)
	})
	if err != nil {
		return Installed{}, err
	}
	return done, nil
}

func (c *Capture) install(ctx context.Context, tx pgx.Tx, m ledger.Migration, side flags.Side, tables []CaptureTable, done *Installed) error {
	epoch, err := ledger.NoteCaptured(ctx, tx, m) // nobody publishes a policy from here on
	if err != nil {
		return captureFailed(err)
	}
	state, err := c.store.Load(ctx, m.Name)
	if err != nil {
		return err
	}
	if current := state.Current().Epoch; current != epoch {
		return fmt.Errorf("%s: the policy in force changed from epoch %d to %d meanwhile: try again", m.Name, current, epoch)
	}
	run := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return captureFailed(err)
			}
			done.Statements = append(done.Statements, statement)
		}
		return nil
	}
	before := state.Capture[side]
	done.Mode = ledger.CaptureRecords
	if before.Installed {
		if before.Refusing() {
			done.Mode = ledger.CaptureRefuses
		}
	} else if err := c.begin(ctx, tx, state, side, run, done); err != nil {
		return err
	}
	for _, table := range tables {
		if err := c.installTable(ctx, tx, m, side, table, before, run, done); err != nil {
			return err
		}
	}
	if _, err := ledger.NoteCaptured(ctx, tx, m); err != nil {
		return err
	}
	if before.Leaving {
		done.Changed = true
		if err := run(fmt.Sprintf("update crossfade.capture_sides set leaving = false where migration_id = %d and side = '%s'", m.ID, side)); err != nil {
			return err
		}
	}
	if side == flags.OldSide && done.Changed {
		if err := c.clear(ctx, tx, state, done); err != nil {
			return err
		}
	}
	if c.cfg.Complete && !(before.Installed && before.Complete) {
		done.Changed, done.Declared = true, true
		return captureFailed(ledger.DeclareCapture(ctx, tx, m, side))
	}
	return nil
}

// begin makes the sequence of the mode and puts it to its first value, greater
// than any before: a number of a lock is never used again.
func (c *Capture) begin(
	ctx context.Context, tx pgx.Tx, state *ledger.State, side flags.Side, run func(...string) error, done *Installed,
) error {
	m, sequence := state.Migration, captureSequence(state.Migration.ID, side)
	done.Mode = ledger.CaptureRefuses
	if side == flags.OldSide && !anybody(state, func(s flags.Stage) bool { return s >= flags.Live }) {
		done.Mode = ledger.CaptureRecords
	}
	var known bool
	if err := tx.QueryRow(ctx, "select to_regclass($1) is not null", sequence).Scan(&known); err != nil {
		return captureFailed(err)
	}
	if !known {
		if err := run("create sequence "+sequence, grantLike(sequence)); err != nil {
			return err
		}
	}
	value := state.Capture[side].Mode + 1
	if (value%2 == 1) != (done.Mode == ledger.CaptureRecords) {
		value++
	}
	done.Changed = true
	return captureFailed(ledger.BeginCapture(ctx, tx, m, side, value))
}

// grantLike lets everybody who may use the ledger's sequences use this one.
func grantLike(sequence string) string {
	return `do $$
declare
    grantee text;
begin
    for grantee in
        select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
        from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
        where c.oid = 'crossfade.stale_clears'::regclass and a.privilege_type = 'UPDATE'
        union select c.relowner::regrole::text from pg_catalog.pg_class c where c.oid = 'crossfade.stale_clears'::regclass
    loop
        execute 'grant usage, select, update on sequence ` + sequence + ` to ' || grantee;
    end loop;
end
$$`
}

// anybody reports whether somebody stands at such a stage, by the policy in
// force or by one that somebody may still act on.
func anybody(state *ledger.State, at func(flags.Stage) bool) bool {
	return slices.ContainsFunc(state.Policies, func(p ledger.PolicyState) bool {
		if at(p.Default) || p.Step.Share > 0 && at(p.Step.To) {
			return true
		}
		for _, stage := range p.Overrides {
			if at(stage) {
				return true
			}
		}
		return false
	})
}

func (c *Capture) installTable(
	ctx context.Context, tx pgx.Tx, m ledger.Migration, side flags.Side, table CaptureTable, before ledger.CaptureState,
	run func(...string) error, done *Installed,
) error {
	found, err := describeTable(ctx, tx, table)
	if err != nil {
		return err
	}
	id, err := ledger.RegisterCapture(ctx, tx, m, side, ledger.CaptureRegistration{
		Schema: table.Schema, Table: table.Table, Tenant: table.Tenant, Key: table.Key,
	})
	if err != nil {
		return captureFailed(err)
	}
	var have ledger.CaptureTable
	for _, t := range before.Tables {
		if t.ID == id {
			have = t
		}
	}
	f := captureFunction{id: id, migration: m.ID, side: side, table: table, settings: found.settings}
	if have.ID == 0 || have.Tenant != table.Tenant || !slices.Equal(have.Key, table.Key) {
		done.Changed = true
	}
	if err := run(f.create(), "revoke all on function "+f.name()+"() from public"); err != nil {
		return err
	}
	for _, relation := range found.relations {
		stands := slices.ContainsFunc(have.Relations, func(r ledger.CaptureRelation) bool {
			return r.Schema == relation.Schema && r.Name == relation.Name && len(r.Missing) == 0
		})
		if stands {
			continue
		}
		done.Changed = true
		if err := run(f.triggers(relation.Schema, relation.Name, relation.Partitioned)...); err != nil {
			return err
		}
	}
	return nil
}

// clear takes back that tenants at dual and shadow are backfilled.
func (c *Capture) clear(ctx context.Context, tx pgx.Tx, state *ledger.State, done *Installed) error {
	at := func(s flags.Stage) bool { return s == flags.Dual || s == flags.Shadow }
	if !anybody(state, at) {
		return nil
	}
	for _, job := range state.Jobs {
		if job.Kind == ledger.JobBackfill && job.State == ledger.JobRunning {
			return &CaptureBlockedError{Migration: state.Migration.Name, Side: flags.OldSide, Reasons: []string{
				fmt.Sprintf("backfill job %d is running, which would count what it copied before: cancel it, and request it again afterwards", job.ID),
			}}
		}
	}
	tenants := []string{""}
	for tenant := range state.Tenants {
		for _, p := range state.Policies {
			compiled, err := p.Compile()
			if err != nil {
				return err
			}
			if stage, _ := compiled.Stage(tenant); at(stage) && !slices.Contains(tenants, tenant) {
				tenants = append(tenants, tenant)
			}
		}
	}
	slices.Sort(tenants)
	done.Cleared = true
	return captureFailed(ledger.ClearBackfilled(ctx, tx, state.Migration, tenants))
}

// Remove takes the triggers of a side away, in one transaction. It is refused
// with a [*CaptureBlockedError] while the side's capture is needed; that its
// removal is wanted is noted before, so that the control plane stops relying on
// it.
func (c *Capture) Remove(ctx context.Context, migration string, side flags.Side, dry bool) ([]string, error) {
	m, err := c.store.Migration(ctx, migration)
	if err != nil {
		return nil, err
	}
	state, err := c.store.Load(ctx, migration)
	if err != nil {
		return nil, err
	}
	if !state.Capture[side].Installed {
		return nil, &ledger.NotCapturedError{Migration: migration, Side: side}
	}
	if !dry {
		if err := c.store.LeaveCapture(ctx, m, side, true); err != nil {
			return nil, err
		}
	}
	var tables []CaptureTable
	for _, t := range state.Capture[side].Tables {
		if slices.ContainsFunc(t.Relations, func(r ledger.CaptureRelation) bool {
			return len(r.Missing) < len(ledger.CaptureTriggers(r.Partitioned))
		}) {
			tables = append(tables, CaptureTable{Schema: t.Schema, Table: t.Table, Tenant: t.Tenant, Key: t.Key})
		}
	}
	var statements []string
	err = c.locked(ctx, tables, dry, func(tx pgx.Tx) error {
		statements = nil
		if _, err := ledger.NoteCaptured(ctx, tx, m); err != nil { // nobody publishes a policy from here on
			return captureFailed(err)
		}
		state, err := c.store.Load(ctx, migration)
		if err != nil {
			return err
		}
		if reasons := needed(state, side); len(reasons) > 0 {
			return &CaptureBlockedError{Migration: migration, Side: side, Remove: true, Reasons: reasons}
		}
		for _, t := range state.Capture[side].Tables {
			statements = append(statements, "drop function if exists "+captureFunction{id: t.ID}.name()+"() cascade")
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return captureFailed(err)
			}
		}
		if err := ledger.EndCapture(ctx, tx, m, side); err != nil {
			return captureFailed(err)
		}
		_, err = ledger.NoteCaptured(ctx, tx, m)
		return captureFailed(err)
	})
	return statements, err
}

// locked runs fn in a transaction that keeps writers out of the tables. While
// somebody has an uncommitted write it gives way, and tries again until ctx
// ends. Without tables it locks nothing, and with dry it rolls back.
func (c *Capture) locked(ctx context.Context, tables []CaptureTable, dry bool, fn func(pgx.Tx) error) error {
	var names []string
	for _, t := range tables {
		names = append(names, pgx.Identifier{t.Schema, t.Table}.Sanitize())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if !dry && len(names) > 0 { // a pooler may end a transaction that waits for long
		err := c.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
			return ledger.Direct(ctx, conn.Conn(), "change the triggers of capture")
		})
		if err != nil {
			return err
		}
	}
	began, timeout := time.Now(), c.cfg.LockTimeout
	for {
		err := c.lockOnce(ctx, tables, names, dry, timeout, fn)
		var pg *pgconn.PgError
		if err == nil || !errors.As(err, &pg) || pg.Code != "55P03" && pg.Code != "40P01" {
			if err != nil && ctx.Err() != nil {
				holders, _, _ := c.holders(context.WithoutCancel(ctx), names) // without them the error is as true
				return &CaptureBusyError{Tables: names, Holders: holders, Waited: time.Since(began), Err: context.Cause(ctx)}
			}
			return err
		}
		holders, vacuum, herr := c.holders(context.WithoutCancel(ctx), names)
		if herr != nil {
			return herr
		}
		wait := CaptureWait{Tables: names, Holders: holders, Waited: time.Since(began)}
		if c.cfg.Report != nil && len(holders) > 0 {
			c.cfg.Report(wait)
		}
		timeout = c.cfg.LockTimeout
		if vacuum { // which gives way to those who wait longer than deadlock_timeout
			timeout += 1500 * time.Millisecond
		}
		if err := sleep(ctx, c.cfg.Pause/2+rand.N(c.cfg.Pause)); err != nil {
			return &CaptureBusyError{Tables: names, Holders: holders, Waited: wait.Waited, Err: context.Cause(ctx)}
		}
	}
}

func (c *Capture) lockOnce(ctx context.Context, tables []CaptureTable, names []string, dry bool, timeout time.Duration, fn func(pgx.Tx) error) error {
	tx, err := c.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, table := range tables {
		if _, err := describeTable(ctx, tx, table); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("set local lock_timeout = %d", max(1, timeout.Milliseconds()))); err != nil {
		return err
	}
	if !dry && len(names) > 0 {
		if _, err := tx.Exec(ctx, "lock table "+strings.Join(names, ", ")+" in share row exclusive mode"); err != nil {
			return captureFailed(err)
		}
	}
	if err := fn(tx); err != nil || dry {
		return err
	}
	return tx.Commit(ctx)
}

// holders are the sessions with a lock on the tables or their partitions that
// keeps ours waiting, and whether all of them are autovacuum's.
func (c *Capture) holders(ctx context.Context, names []string) (all []ledger.Holder, vacuum bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := c.pool.Query(ctx, `
		with recursive relations(oid) as (
			select t.name::regclass::oid from unnest($1::text[]) t(name)
			union select i.inhrelid from relations r join pg_catalog.pg_inherits i on i.inhparent = r.oid)
		select coalesce(l.pid, 0), coalesce(max(a.application_name), ''), coalesce(max(a.usename::text), ''), coalesce(max(a.client_addr::text), 'local'),
			coalesce(max(a.state), coalesce(max(a.backend_type), '')), coalesce(max(a.xact_start), clock_timestamp())
		from pg_catalog.pg_locks l
		join relations r on r.oid = l.relation
		left join pg_catalog.pg_stat_activity a on a.pid = l.pid
		where l.granted and l.locktype = 'relation' and l.mode not in ('AccessShareLock', 'RowShareLock')
			and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
		group by l.pid order by l.pid`, names)
	if err != nil {
		return nil, false, fmt.Errorf("look who holds the tables: %w", err)
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h ledger.Holder, err error) {
		var pid int32
		err = row.Scan(&pid, &h.Application, &h.User, &h.Client, &h.State, &h.Since)
		h.PID, h.Since = int(pid), h.Since.UTC()
		return h, err
	})
	vacuum = len(all) > 0 && !slices.ContainsFunc(all, func(h ledger.Holder) bool { return h.State != "autovacuum worker" })
	return all, vacuum, err
}
