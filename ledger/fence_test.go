package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/ledger"
)

// fenceCall is one call of the fence with the arguments of most tests.
type fenceCall struct {
	version ledger.Version
	keys    []string
	allKeys bool
	look    bool
}

func (c fenceCall) statements() []fence.Statement {
	return fence.Call{
		Migration: c.version.MigrationID, Tenant: "acme", Guarded: true, Epoch: c.version.Epoch, Policy: c.version.PolicyID,
		Lock: c.keys != nil || c.allKeys, Keys: c.keys, All: c.allKeys, Look: c.look,
	}.Statements()
}

func (c fenceCall) on(ctx context.Context, tx pgx.Tx) ([]string, error) {
	return sent(ctx, tx, c.statements())
}

// sent sends the fence in one batch, and returns the stale records.
func sent(ctx context.Context, tx pgx.Tx, statements []fence.Statement) (records []string, err error) {
	batch := &pgx.Batch{}
	for _, s := range statements {
		batch.Queue(s.SQL, s.Args...)
	}
	results := tx.SendBatch(ctx, batch)
	for range len(statements) - 1 {
		if _, err := results.Exec(); err != nil {
			return nil, errors.Join(err, results.Close())
		}
	}
	rows, err := results.Query()
	if err == nil {
		for rows.Next() {
			dest := []any{new(bool), &records}
			err = rows.Scan(dest[:len(rows.FieldDescriptions())]...)
		}
		err = errors.Join(err, rows.Err())
	}
	return records, errors.Join(err, results.Close())
}

func begin(t *testing.T, pool *pgxpool.Pool, level pgx.TxIsoLevel) pgx.Tx {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func inForce(t *testing.T, store *ledger.Store) ledger.Version {
	t.Helper()
	versions, err := store.Versions(t.Context(), customers.Name)
	require.NoError(t, err)
	require.Len(t, versions, 1)
	return versions[0]
}

// to puts a default into force without asking anybody.
func to(t *testing.T, store *ledger.Store, stage flags.Stage) ledger.Version {
	t.Helper()
	_, err := store.Change(t.Context(), customers.Name, inForce(t, store).Epoch, func(s *ledger.State) (*ledger.Draft, error) {
		next := s.Current().Policy
		next.Default = stage
		return &ledger.Draft{Next: next, Entries: []ledger.Entry{{Actor: "ann", Reason: "test", Kind: ledger.KindDefault, To: stage.String()}}}, nil
	})
	require.NoError(t, err)
	return inForce(t, store)
}

func state(err error) string {
	if err == nil {
		return ""
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err.Error()
	}
	return pg.Code
}

// waitUntil polls a query until it says true.
func waitUntil(t *testing.T, pool *pgxpool.Pool, query string, args ...any) {
	t.Helper()
	require.Eventually(t, func() bool {
		var yes bool
		err := pool.QueryRow(t.Context(), query, args...).Scan(&yes)
		return err == nil && yes
	}, time.Minute, time.Millisecond, query)
}

const somebodyWaits = `select exists (select from pg_locks where locktype = 'advisory' and not granted
	and database = (select oid from pg_database where datname = current_database()))`

func TestFenceRefuses(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	old := inForce(t, store)
	now := to(t, store, flags.Dual)
	otherPolicy, otherMigration := now, now
	otherPolicy.PolicyID = flags.NewPolicyID()
	otherMigration.MigrationID = 9999
	tooMany := make([]string, 257)
	for i := range tooMany {
		tooMany[i] = fmt.Sprint(i)
	}
	for _, c := range []struct {
		promise string
		call    fenceCall
		level   pgx.TxIsoLevel
		want    string
	}{
		{"the policy in force passes", fenceCall{version: now, keys: []string{"a"}}, pgx.ReadCommitted, ""},
		{"no keys pass", fenceCall{version: now}, pgx.ReadCommitted, ""},
		{"more than 256 keys take the tenant's lock", fenceCall{version: now, keys: tooMany}, pgx.ReadCommitted, ""},
		{"an older epoch is XF001", fenceCall{version: old, keys: []string{"a"}}, pgx.ReadCommitted, "XF001"},
		{"the same epoch of another policy is XF001", fenceCall{version: otherPolicy}, pgx.ReadCommitted, "XF001"},
		{"an unknown migration is XF003", fenceCall{version: otherMigration}, pgx.ReadCommitted, "XF003"},
		{"REPEATABLE READ is XF002", fenceCall{version: now}, pgx.RepeatableRead, "XF002"},
		{"SERIALIZABLE is XF002", fenceCall{version: now}, pgx.Serializable, "XF002"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := c.call.on(t.Context(), begin(t, pool, c.level))
			assert.Equal(t, c.want, state(err))
		})
	}
	t.Run("more than 256 keys one by one are XF004", func(t *testing.T) {
		_, err := pool.Exec(t.Context(), `select crossfade.lock_keys($1, 'acme', $2)`, now.MigrationID, tooMany)
		assert.Equal(t, "XF004", state(err))
	})
}

func TestFenceUnderAnExclusiveWaiterReturnsAtOnce(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)
	writer := begin(t, pool, pgx.ReadCommitted)
	_, err := fenceCall{version: v, keys: []string{"a"}}.on(t.Context(), writer)
	require.NoError(t, err)
	to(t, store, flags.Dual)

	drained := make(chan error, 1)
	m := mustMigration(t, store)
	go func() {
		ok, err := store.Drain(context.WithoutCancel(t.Context()), m, v.Epoch, time.Minute)
		if err == nil && !ok {
			err = context.DeadlineExceeded
		}
		drained <- err
	}()
	waitUntil(t, pool, somebodyWaits)

	late := begin(t, pool, pgx.ReadCommitted)
	_, err = late.Exec(t.Context(), `set local lock_timeout = '1ms'`) // a blocking form would run into it
	require.NoError(t, err)
	_, err = fenceCall{version: v, keys: []string{"b"}}.on(t.Context(), late)
	assert.Equal(t, "XF001", state(err))
	select {
	case err := <-drained:
		t.Fatalf("drained while a writer was under way: %v", err)
	default:
	}
	require.NoError(t, writer.Commit(t.Context()))
	require.NoError(t, <-drained)
}

// The epoch is read in a statement of its own, younger than the locks: in one
// statement with them it would be read as it was before.
func TestFenceReadsTheEpochInItsOwnSnapshot(t *testing.T) {
	t.Parallel()
	asItIs := func(v ledger.Version) []fence.Statement {
		statements := fenceCall{version: v, keys: []string{"a"}}.statements()
		statements[0].SQL = strings.Replace(statements[0].SQL, "select ", "select pg_advisory_xact_lock(7), ", 1)
		return statements
	}
	inOne := func(v ledger.Version) []fence.Statement {
		return []fence.Statement{{
			SQL: `select pg_advisory_xact_lock(7) is null, pg_try_advisory_xact_lock_shared((1 << 28) | $1, ($2::bigint)::integer),
				coalesce((select true from crossfade.migrations m where m.id = $1 and m.epoch = $2 and m.policy_id = $3), crossfade.refuse($1, $2))`,
			Args: []any{v.MigrationID, v.Epoch, v.PolicyID.String()},
		}}
	}
	for _, c := range []struct {
		name       string
		statements func(ledger.Version) []fence.Statement
		want       string
	}{
		{"as it is", asItIs, "XF001"},
		{"if it were one statement", inOne, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store, pool := newStore(t)
			v := inForce(t, store)
			gate := begin(t, pool, pgx.ReadCommitted)
			_, err := gate.Exec(t.Context(), `select pg_advisory_xact_lock(7)`)
			require.NoError(t, err)

			late := begin(t, pool, pgx.ReadCommitted)
			result := make(chan error, 1)
			go func() { // the snapshot of its first statement is taken, then it waits, then it locks
				batch := &pgx.Batch{}
				for _, s := range c.statements(v) {
					batch.Queue(s.SQL, s.Args...)
				}
				result <- late.SendBatch(context.WithoutCancel(t.Context()), batch).Close()
			}()
			waitUntil(t, pool, somebodyWaits)
			to(t, store, flags.Dual)
			ok, err := store.Drain(t.Context(), mustMigration(t, store), v.Epoch, time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.NoError(t, gate.Rollback(t.Context()))
			assert.Equal(t, c.want, state(<-result), "a late writer of a drained epoch")
		})
	}
}

func TestFenceSeesStaleRecordsOfTheKeysLastHolder(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)
	first := begin(t, pool, pgx.ReadCommitted)
	_, err := fenceCall{version: v, keys: []string{"a"}}.on(t.Context(), first)
	require.NoError(t, err)

	type answer struct {
		records []string
		err     error
	}
	second := begin(t, pool, pgx.ReadCommitted)
	answers := make(chan answer, 1)
	go func() {
		records, err := fenceCall{version: v, keys: []string{"a"}, look: true}.on(context.WithoutCancel(t.Context()), second)
		answers <- answer{records, err}
	}()
	waitUntil(t, pool, somebodyWaits)
	_, err = first.Exec(t.Context(), `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)
		values ($1, 'acme', 'new', 'a', 1, 'test'), ($1, 'acme', 'new', '*', 1, 'test'), ($1, 'acme', 'old', 'b', 1, 'test')`, v.MigrationID)
	require.NoError(t, err)
	require.NoError(t, first.Commit(t.Context()))
	got := <-answers
	require.NoError(t, got.err)
	require.Len(t, got.records, 2, "the key's record and the tenant's, not another key's")
	assert.Contains(t, got.records[0], " new a")
	assert.Contains(t, got.records[1], " new *")
}

func TestFenceTellsWhenTheOldSideIsIncomplete(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)
	look := func() []string {
		tx := begin(t, pool, pgx.ReadCommitted)
		records, err := fenceCall{version: v, allKeys: true, look: true}.on(t.Context(), tx)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback(t.Context()))
		return records
	}
	exec := func(sql string) {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	assert.Empty(t, look())
	exec(`update crossfade.tenant_states set old_complete = false where tenant = ''`)
	assert.Equal(t, []string{"incomplete"}, look(), "the whole migration's state counts for a tenant without one")
	exec(`insert into crossfade.tenant_states (migration_id, tenant, old_complete) select id, 'acme', true from crossfade.migrations`)
	assert.Empty(t, look(), "the tenant's own state counts first")
}
