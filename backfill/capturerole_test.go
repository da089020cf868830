package backfill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// as returns a pool whose sessions have a role's rights.
func (w *world) as(role string) *pgxpool.Pool {
	w.t.Helper()
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["role"] = role
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(w.t, err)
	w.t.Cleanup(pool.Close)
	return pool
}

// An owner of the tables installs capture, with the rights of an application on
// the ledger and the one to create in its schema; whoever writes the tables
// needs no right on the ledger at all, and cannot write into it.
func TestCaptureByRolesThatAreNoSuperusers(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.exec(`do $$ declare r text; begin
		foreach r in array array['crossfade_test_owner', 'crossfade_test_writer', 'crossfade_test_control'] loop
			begin execute 'create role ' || r; exception when duplicate_object then null; end;
		end loop; end $$;
		alter table notes_v1 owner to crossfade_test_owner;
		grant select, insert, update, delete, truncate on notes_v1 to crossfade_test_writer;
		grant usage on schema crossfade to crossfade_test_owner, crossfade_test_control;
		grant select, insert, update, delete on all tables in schema crossfade to crossfade_test_owner, crossfade_test_control;
		grant usage, select, update on all sequences in schema crossfade to crossfade_test_owner, crossfade_test_control;
		grant usage, create on schema public to crossfade_test_writer`)
	t.Cleanup(func() {
		w.exec("drop owned by crossfade_test_owner, crossfade_test_writer, crossfade_test_control; drop role crossfade_test_owner, crossfade_test_writer, crossfade_test_control")
	})
	ctx := context.Background()
	owner := backfill.NewCapture(w.as("crossfade_test_owner"), nil)
	_, err := owner.Install(ctx, migrationName, flags.OldSide, false, captured[0])
	var rights *backfill.CaptureRightsError
	require.ErrorAs(t, err, &rights)
	assert.ErrorContains(t, err, "grant create on schema crossfade")
	w.exec("grant create on schema crossfade to crossfade_test_owner")
	_, err = owner.Install(ctx, migrationName, flags.OldSide, false, captured[1])
	var table *backfill.CaptureTableError
	require.ErrorAs(t, err, &table)
	assert.ErrorContains(t, err, "only the owner")
	_, err = owner.Install(ctx, migrationName, flags.OldSide, false, captured[0])
	require.NoError(t, err)

	writer := &world{t: t, pool: w.as("crossfade_test_writer")}
	writer.exec("insert into notes_v1 values ('acme', 1, 'a'); update notes_v1 set seen = 1; truncate notes_v1")
	assert.Equal(t, []string{"acme:new:*", "acme:new:1", "acme:new:1"}, w.recorded())
	assert.Equal(t, []string{"crossfade_test_writer"}, w.list("select distinct role from crossfade.captures"))
	w.exec("grant usage on schema crossfade to crossfade_test_writer")
	_, err = writer.pool.Exec(ctx, "create table mine (tenant text, id bigint); create trigger mine before insert on mine for each statement execute function "+
		"crossfade.capture_"+w.one("select id::text from crossfade.capture_tables")+"()")
	assert.Equal(t, "42501", sqlState(err), "nobody else may make the function write into the ledger")

	control := ledger.New(w.as("crossfade_test_control"), nil)
	require.NoError(t, control.SwitchCapture(ctx, w.migration(), flags.OldSide, ledger.CaptureRefuses), "the mode belongs to whoever may use the ledger")
	require.NoError(t, control.SettleCapture(ctx, w.migration(), flags.OldSide, -1, nil))
	state, err := control.Load(ctx, migrationName)
	require.NoError(t, err)
	assert.True(t, state.Capture[flags.OldSide].Refusing() && state.Capture[flags.OldSide].Drained)
	_, err = writer.pool.Exec(ctx, "insert into notes_v1 values ('acme', 1, 'a')")
	assert.Equal(t, "XF006", sqlState(err))
}

// A bulk write costs one insert-select: each trigger runs once.
func TestCaptureOfABulkUpdateRunsEachTriggerOnce(t *testing.T) {
	t.Parallel()
	rows := 20_000
	if os.Getenv("CROSSFADE_LONG") != "" {
		rows = 1_000_000
	}
	w := newWorld(t, flags.Dual)
	w.fill(acme, rows)
	w.capture(flags.OldSide)
	var plan []struct {
		Triggers []struct {
			Name  string  `json:"Trigger Name"`
			Calls float64 `json:"Calls"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(w.one("explain (analyze, format json) update notes_v1 set seen = 1")), &plan))
	calls := map[string]float64{}
	for _, trigger := range plan[0].Triggers {
		calls[trigger.Name[len("crossfade_capture_1_"):]] = trigger.Calls
	}
	assert.Equal(t, map[string]float64{"before": 1, "update": 1}, calls)
	assert.Equal(t, fmt.Sprintf("%d %d", rows, rows), w.one("select count(*) || ' ' || count(distinct key) from crossfade.stale_keys where side = 'new'"))
	assert.Equal(t, fmt.Sprintf("1 %d", rows), w.one("select statements || ' ' || rows from crossfade.captures"))
}

func TestLogOfCapturedStatementsIsSummedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.capture(flags.OldSide)
	w.exec(`do $$ begin for i in 1..1500 loop insert into notes_v1 values ('acme', i, 'x'); update notes_v1 set seen = 1 where id = i; end loop; end $$`)
	w.exec("update crossfade.captures set accepted = true where id <= 100")
	before := w.one("select sum(statements) || ' ' || sum(rows) || ' ' || min(first_at) || ' ' || max(at) from crossfade.captures")
	require.NoError(t, w.store.SumCaptures(t.Context(), w.migration()))
	assert.Equal(t, before, w.one("select sum(statements) || ' ' || sum(rows) || ' ' || min(first_at) || ' ' || max(at) from crossfade.captures"))
	assert.Equal(t, []string{"1004"}, w.list("select count(*)::text from crossfade.captures"), "what was accepted and what was not stay apart")
	writers, err := w.store.CaptureWriters(t.Context(), w.migration())
	require.NoError(t, err)
	assert.Len(t, writers, 4)
}

func TestReconcilerCopiesWhatWasCaptured(t *testing.T) {
	t.Parallel()
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.tenants = []string{acme, "zeta"}
		w.capture(flags.OldSide)
		w.exec("insert into notes_v1 select 'acme', g, 'note ' || g from generate_series(1, 20) g; update notes_v1 set seen = 2 where id < 5; delete from notes_v1 where id = 7")
		w.exec("insert into notes_v1 values ('zeta', 1, 'gone with the truncate'); insert into notes_v2 values ('zeta', 2, 'orphan', '')")
		assert.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobReconcile).State)
		assert.Equal(t, "gone with the truncate", w.text("notes_v2", 1)[:0]+w.one("select title || rest from notes_v2 where tenant = 'zeta' and id = 1"))
		w.exec("truncate notes_v1; insert into notes_v1 values ('acme', 1, 'after it')")
		assert.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobReconcile).State)
		assert.Empty(t, w.stale())
		w.equal()
	})
}

func TestCaptureBegins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		promise string
		policy  flags.Policy
		old     ledger.CaptureMode
		cleared bool
	}{
		{"recording at old", flags.Policy{Default: flags.Old}, ledger.CaptureRecords, false},
		{"recording at shadow, and the backfill counts no more", flags.Policy{Default: flags.Shadow}, ledger.CaptureRecords, true},
		{"refusing where somebody is at live", flags.Policy{Default: flags.Shadow, Overrides: map[string]flags.Stage{"x": flags.Live}}, ledger.CaptureRefuses, true},
		{"refusing where a share is at live", flags.Policy{Default: flags.Shadow, Step: flags.Step{To: flags.Live, Share: 1}}, ledger.CaptureRefuses, true},
		{"refusing at new", flags.Policy{Default: flags.New}, ledger.CaptureRefuses, false},
	} {
		t.Run(c.promise, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flags.Old)
			w.publish(c.policy, noEffects)
			w.settle()
			w.exec("update crossfade.tenant_states set backfilled_at = now(), verified_at = now()")
			done, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, false, captured[0])
			require.NoError(t, err)
			assert.Equal(t, c.old, done.Mode)
			assert.Equal(t, c.cleared, done.Cleared)
			assert.Equal(t, c.cleared, w.one("select (backfilled_at is null)::text from crossfade.tenant_states where tenant = ''") == "true")
			done, err = backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.NewSide, false, captured[1])
			require.NoError(t, err)
			assert.Equal(t, ledger.CaptureRefuses, done.Mode)
			assert.False(t, done.Cleared)
		})
	}
	t.Run("not beside a running backfill", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, flags.Dual)
		w.exec("update crossfade.jobs set state = 'running' where id = $1", w.request(ledger.JobBackfill))
		_, err := backfill.NewCapture(w.pool, nil).Install(t.Context(), migrationName, flags.OldSide, false, captured[0])
		var blocked *backfill.CaptureBlockedError
		require.ErrorAs(t, err, &blocked)
	})
}

func TestThatAllTablesAreCapturedIsDeclaredOnceAndForThatCapture(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	w.exec("create table notes_children (tenant text, id bigint); update crossfade.tenant_states set backfilled_at = now()")
	some, all := backfill.NewCapture(w.pool, nil), backfill.NewCapture(w.pool, &backfill.CaptureConfig{Complete: true})
	child := captured[0]
	child.Table = "notes_children"
	install := func(c *backfill.Capture, dry bool, table backfill.CaptureTable) backfill.Installed {
		done, err := c.Install(t.Context(), migrationName, flags.OldSide, dry, table)
		require.NoError(t, err)
		return done
	}
	install(some, false, captured[0])
	assert.False(t, w.captureState()[flags.OldSide].Complete, "not unless somebody says so")
	w.exec("update crossfade.tenant_states set backfilled_at = now()")
	assert.True(t, install(all, true, captured[0]).Declared)
	assert.False(t, w.captureState()[flags.OldSide].Complete, "a dry run changes nothing")
	done := install(all, false, captured[0])
	assert.True(t, done.Changed && done.Declared)
	assert.False(t, done.Cleared, "to say so changes nothing about what is backfilled")
	assert.True(t, w.captureState()[flags.OldSide].Complete)
	assert.False(t, install(all, false, captured[0]).Changed)
	assert.True(t, install(some, false, child).Changed)
	assert.True(t, w.captureState()[flags.OldSide].Complete, "further tables are captured before the side writes them")
	assert.False(t, w.captureState()[flags.NewSide].Complete)

	w.publish(flags.Policy{Default: flags.Old}, noEffects)
	w.settle()
	_, err := all.Remove(t.Context(), migrationName, flags.OldSide, false)
	require.NoError(t, err)
	install(some, false, captured[0])
	assert.False(t, w.captureState()[flags.OldSide].Complete, "it goes with the triggers")
	_, err = some.Remove(t.Context(), migrationName, flags.OldSide, false)
	require.NoError(t, err)
	assert.True(t, install(all, false, captured[0]).Declared)
	assert.True(t, w.captureState()[flags.OldSide].Complete)
}

func TestCaptureIsRemovedOnlyWhereNothingNeedsIt(t *testing.T) {
	t.Parallel()
	old, current := flags.Policy{Default: flags.Old}, flags.Policy{Default: flags.New}
	unfencedOld := flags.Policy{Default: flags.Old, Standing: flags.Standing{UnfencedOld: true}}
	unfencedNew := flags.Policy{Default: flags.New, Standing: flags.Standing{UnfencedNew: true}}
	both := [2]bool{true, true}
	for _, c := range []struct {
		promise  string
		policies []flags.Policy
		gone     [2]bool
		why      string
	}{
		{"at old", []flags.Policy{old}, both, ""},
		{"at new", []flags.Policy{current}, both, ""},
		{"not at dual", []flags.Policy{{Default: flags.Dual}}, [2]bool{}, "have everybody at"},
		{"not while a tenant is at dual", []flags.Policy{{Default: flags.Old, Overrides: map[string]flags.Stage{"x": flags.Dual}}}, [2]bool{}, "have everybody at"},
		{"not while writes run without a fence", []flags.Policy{unfencedOld}, [2]bool{false, true}, "the control plane publishes a fenced one"},
		{"at old, after writes there ran without a fence", []flags.Policy{unfencedOld, old}, both, ""},
		{"not at new, where a late write of old is nowhere else seen", []flags.Policy{unfencedOld, current}, [2]bool{false, true}, "writes at old once ran without a fence"},
		{"not at new while writes there run without a fence", []flags.Policy{unfencedNew}, [2]bool{true, false}, "the control plane publishes a fenced one"},
		{"at new, after writes there ran without a fence", []flags.Policy{unfencedNew, current}, both, ""},
		{"not at old, where a late write of new is nowhere else seen", []flags.Policy{unfencedNew, old}, [2]bool{true, false}, "writes at new once ran without a fence"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flags.Old)
			capture := w.capture(flags.OldSide, flags.NewSide)
			for _, policy := range c.policies {
				w.publish(policy, noEffects)
				w.settle()
			}
			for _, side := range []flags.Side{flags.NewSide, flags.OldSide} {
				_, err := capture.Remove(t.Context(), migrationName, side, false)
				assert.Equal(t, c.gone[side], err == nil, "%s: %v", side, err)
				var blocked *backfill.CaptureBlockedError
				assert.Equal(t, !c.gone[side], asBlocked(err, &blocked))
				if !c.gone[side] {
					assert.ErrorContains(t, err, c.why)
				}
				state := w.captureState()[side]
				assert.Equal(t, !c.gone[side], state.Installed)
				assert.True(t, state.Leaving, "that it is to go is noted all the same")
			}
			left := w.list("select tgname from pg_trigger where tgname like 'crossfade%'")
			assert.Equal(t, c.gone == both, len(left) == 0)
			assert.Equal(t, fmt.Sprint(c.gone != both), w.one("select captured::text from crossfade.migrations"))
		})
	}
	t.Run("not while somebody may act on a policy that needs it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, flags.Dual)
		capture := w.capture(flags.OldSide)
		w.publish(flags.Policy{Default: flags.Old}, noEffects)
		_, err := capture.Remove(t.Context(), migrationName, flags.OldSide, false)
		assert.ErrorContains(t, err, "somebody stands elsewhere")
		w.settle()
		_, err = capture.Remove(t.Context(), migrationName, flags.OldSide, false)
		require.NoError(t, err)
		_, err = capture.Install(t.Context(), migrationName, flags.OldSide, false, captured[0])
		require.NoError(t, err)
		state := w.captureState()[flags.OldSide]
		assert.True(t, state.Stands() && state.Recording() && state.Mode > 1, "installed again with a mode that was never there before")
	})
}
