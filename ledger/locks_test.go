package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/fence"

	"github.com/crossfade-db/crossfade/ledger"
)

func mustMigration(t *testing.T, store *ledger.Store) ledger.Migration {
	t.Helper()
	m, err := store.Migration(t.Context(), customers.Name)
	require.NoError(t, err)
	return m
}

type lockNumber struct {
	high, low uint32
	space     int16 // 1: bigint, 2: two integers
	mode      string
}

// held returns the advisory locks of a transaction, in the order of their numbers.
func held(t *testing.T, tx pgx.Tx) []lockNumber {
	t.Helper()
	rows, err := tx.Query(t.Context(), `select classid::bigint, objid::bigint, objsubid, mode from pg_locks
		where locktype = 'advisory' and pid = pg_backend_pid() order by 1, 2`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n lockNumber, err error) {
		err = row.Scan(&n.high, &n.low, &n.space, &n.mode)
		return n, err
	})
	require.NoError(t, err)
	return all
}

// lockedBy returns what a fence over the keys locks.
func lockedBy(t *testing.T, pool *pgxpool.Pool, c fenceCall) []lockNumber {
	t.Helper()
	tx := begin(t, pool, pgx.ReadCommitted)
	_, err := c.on(t.Context(), tx)
	require.NoError(t, err)
	locks := held(t, tx)
	require.NoError(t, tx.Rollback(t.Context()))
	return locks
}

func TestLockNumbers(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)

	one := lockedBy(t, pool, fenceCall{version: v, keys: []string{"a"}})
	require.Len(t, one, 3, "an epoch, a tenant and a key")
	for i, kind := range []uint32{1, 2, 3} {
		assert.Equal(t, kind, one[i].high>>28, "the first four bits tell the kind")
		assert.EqualValues(t, 2, one[i].space, "no bigint lock of an application can be equal")
	}
	assert.Equal(t, lockNumber{1<<28 | uint32(v.MigrationID), uint32(v.Epoch), 2, "ShareLock"}, one[0], "the epoch's number is exact")
	assert.Equal(t, "ShareLock", one[1].mode)
	assert.Equal(t, "ExclusiveLock", one[2].mode)

	assert.Equal(t, one, lockedBy(t, pool, fenceCall{version: v, keys: []string{"a", "a"}}), "equal keys take one lock, by either form")
	assert.Len(t, lockedBy(t, pool, fenceCall{version: v, keys: []string{"b", "a", "c", "b"}}), 5)
	whole := lockedBy(t, pool, fenceCall{version: v, allKeys: true})
	require.Len(t, whole, 2)
	assert.Equal(t, lockNumber{one[1].high, one[1].low, 2, "ExclusiveLock"}, whole[1], "a write by predicate excludes the tenant's key writers")
	assert.Len(t, lockedBy(t, pool, fenceCall{version: v}), 1, "a plain read in a transaction takes the epoch's lock only")

	tx := begin(t, pool, pgx.ReadCommitted)
	_, err := sent(t.Context(), tx, fence.Call{Migration: v.MigrationID, Tenant: "acme", Lock: true, Keys: []string{"a"}}.Statements())
	require.NoError(t, err)
	assert.Equal(t, one[1:], held(t, tx), "without a policy the numbers are the same")
}

func TestLockNumbersDifferByMigrationTenantAndKey(t *testing.T) {
	t.Parallel()
	_, pool := newStore(t)
	var distinct, all int
	err := pool.QueryRow(t.Context(), `
		select count(distinct (crossfade.lock_high(3, h), crossfade.lock_low(h))), count(*)
		from (select crossfade.key_hash(m, 't' || t, 'k' || k) as h
			from generate_series(1, 3) m, generate_series(1, 10) t, generate_series(1, 3000) k) x`).Scan(&distinct, &all)
	require.NoError(t, err)
	assert.Equal(t, all, distinct)
}

// Two transactions that name the same keys in opposite order never wait for
// each other in a circle: whoever waits for the key with the highest number
// holds all the others already.
func TestKeysAreLockedInTheOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
	}
	var highest string
	err := pool.QueryRow(t.Context(), `select k from unnest($2::text[]) k
		order by crossfade.key_hash($1, 'acme', k) & 1152921504606846975 desc limit 1`, v.MigrationID, keys).Scan(&highest)
	require.NoError(t, err)

	for _, order := range []string{"forwards", "backwards"} {
		holder := begin(t, pool, pgx.ReadCommitted)
		_, err := fenceCall{version: v, keys: []string{highest}}.on(t.Context(), holder)
		require.NoError(t, err)
		waiter := begin(t, pool, pgx.ReadCommitted)
		locked := make(chan error, 1)
		go func() {
			_, err := fenceCall{version: v, keys: slices.Clone(keys)}.on(context.WithoutCancel(t.Context()), waiter)
			locked <- err
		}()
		waitUntil(t, pool, somebodyWaits)
		var holds int
		err = pool.QueryRow(t.Context(), `select count(*) from pg_locks where locktype = 'advisory' and granted
			and classid::bigint >> 28 = 3 and pid = (select pid from pg_locks where locktype = 'advisory' and not granted)`).Scan(&holds)
		require.NoError(t, err)
		assert.Equal(t, len(keys)-1, holds, order)
		require.NoError(t, holder.Rollback(t.Context()))
		require.NoError(t, <-locked)
		require.NoError(t, waiter.Rollback(t.Context()))
		slices.Reverse(keys)
	}
}

// What an application writes without a fence bypasses nobody; another migration's
// application, or anybody else, does.
func TestCaptureLogKnowsUnfencedWrites(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	v := inForce(t, store)
	for said, logged := range map[string]bool{
		"/* crossfade: unfenced customers-v2 */ ": false,
		"/* crossfade: unfenced customers */ ":    true,
		"/* crossfade: unfenced orders-v2 */ ":    true,
		"/* a report */ ":                         true,
		"":                                        true,
		"/* crossfade: unfenced customers-v2*/":   true,
	} {
		_, err := pool.Exec(t.Context(), "delete from crossfade.captures")
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), said+`select crossfade.capture_log($1, 'old', 'customers', 'UPDATE', false, 1)`, v.MigrationID)
		require.NoError(t, err)
		var is bool
		require.NoError(t, pool.QueryRow(t.Context(), `select exists (select from crossfade.captures)`).Scan(&is))
		assert.Equal(t, logged, is, said)
	}
}
