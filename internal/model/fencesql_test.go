package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	sqlfence "github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// fenceCase is one call of the fence in one situation.
type fenceCase struct {
	level              pgx.TxIsoLevel
	olderEpoch         bool
	otherPolicy        bool
	call               fenceCall
	look, captured     bool
	epoch, tenant, key heldBy
}

// heldBy is what others do with a lock.
type heldBy uint8

const (
	free heldBy = iota
	heldShared
	heldExclusively
	awaited // held shared, and awaited exclusively, as by a drain
)

func (c fenceCase) String() string {
	locks := [...]string{"free", "shared", "exclusive", "awaited"}
	keys := [...]string{"null", "none", "one", "many"}
	return fmt.Sprintf("%s older=%t other=%t keys=%s all=%t look=%t captured=%t, epoch %s tenant %s key %s", c.level, c.olderEpoch,
		c.otherPolicy, keys[c.call.keys], c.call.allKeys, c.look, c.captured, locks[c.epoch], locks[c.tenant], locks[c.key])
}

// answer is what became of a call: what it holds, and what it waits for.
type answer struct {
	what   outcome
	held   string
	lines  string
	marked bool
}

// onPaper is a fence that is called as a case says.
type onPaper struct {
	c      fenceCase
	held   []string
	waits  string
	marked bool
}

func (p *onPaper) readCommitted() bool { return p.c.level == pgx.ReadCommitted }
func (p *onPaper) inForce() bool       { return !p.c.olderEpoch && !p.c.otherPolicy }
func (p *onPaper) mark()               { p.marked = p.c.captured }

func (p *onPaper) conflict(l lockName, exclusive bool) bool {
	by := [...]heldBy{epochOf: p.c.epoch, tenantOf: p.c.tenant, keyOf: p.c.key}[l]
	conflicts := by >= heldExclusively || by == heldShared && exclusive
	if conflicts {
		p.waits = lockText(l, exclusive, false)
	}
	return conflicts
}

func (p *onPaper) hold(l lockName, exclusive bool) {
	p.held = append(p.held, lockText(l, exclusive, true))
}

func lockText(l lockName, exclusive, granted bool) string {
	text := [...]string{"epoch", "tenant", "key"}[l]
	if l == keyOf && granted {
		text = "key" // of many keys none is locked
	}
	mode := " shared"
	if exclusive {
		mode = " exclusive"
	}
	if !granted {
		return text + mode + " awaited"
	}
	return text + mode
}

func (c fenceCase) expected() answer {
	p := &onPaper{c: c}
	a := answer{}
	a.what, _ = callFence(fence, 0, c.call, p)
	switch a.what {
	case granted:
		a.marked = p.marked
		if c.captured && p.marked {
			a.lines = "captured "
		}
		if c.look && (c.call.allKeys || c.call.keys == oneKey) {
			a.lines += "stale"
		}
	case waiting:
		p.held = append(p.held, p.waits)
	default:
		p.held = nil // an error ends the transaction
	}
	sort.Strings(p.held)
	a.held = fmt.Sprint(p.held)
	return a
}

// fenceCases are all situations. Capture makes no difference to any lock, and
// another isolation is refused before any: both are tried where locks are free.
func fenceCases(visit func(fenceCase)) {
	bools := []bool{false, true}
	for _, epoch := range []heldBy{free, heldShared, heldExclusively, awaited} {
		for _, tenant := range []heldBy{free, heldShared, heldExclusively} {
			for _, key := range []heldBy{free, heldShared, heldExclusively} {
				for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
					for n := range 1 << 7 {
						bit := func(i int) bool { return bools[n>>i&1] }
						c := fenceCase{
							level: level, olderEpoch: bit(0), otherPolicy: bit(1), look: bit(2), captured: bit(3), epoch: epoch, tenant: tenant, key: key,
							call: fenceCall{allKeys: bit(4), keys: keySet(n >> 5)},
						}
						if taken := epoch != free || tenant != free || key != free; taken && (c.captured || level != pgx.ReadCommitted) {
							continue
						}
						visit(c)
					}
				}
			}
		}
	}
}

// The model's table of the fence is what its statements do: the same outcome, the same
// locks afterwards, and the same lock that is waited for, in every situation.
func TestFenceTableIsTheSQL(t *testing.T) {
	s := newSituation(t)
	cases, waits := 0, 0
	var at fenceCase
	fenceCases(func(c fenceCase) {
		if cases == 0 || c.epoch != at.epoch || c.tenant != at.tenant || c.key != at.key {
			s.arrange(c)
		}
		at = c
		cases++
		want := c.expected()
		if want.what == waiting {
			waits++
		}
		require.Equal(t, want, s.call(c, want.what == waiting), "%s", c)
	})
	t.Logf("%d cases, of which %d wait", cases, waits)
	assert.Greater(t, cases, 2000)
}

// situation is a ledger, and others who hold its locks.
type situation struct {
	t      *testing.T
	pool   *pgxpool.Pool
	conn   *pgx.Conn // calls the fence
	pid    uint32
	now    ledger.Version
	before ledger.Version
	names  map[[2]uint32]string // of locks, by number
	others []pgx.Tx
	ended  []chan error
	many   []string
	is     bool // captured
}

func newSituation(t *testing.T) *situation {
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	cfg.MaxConns = 16 // others hold and await locks
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := &situation{t: t, pool: pool, names: map[[2]uint32]string{}}
	store := ledger.New(s.pool, nil)
	_, err = store.Register(t.Context(), versions.Migration{Name: migration, Entity: "Customers", From: "v1", To: "v2"}, migration)
	require.NoError(t, err)
	s.before = s.version(store)
	_, err = store.Change(t.Context(), migration, s.before.Epoch, func(state *ledger.State) (*ledger.Draft, error) {
		next := state.Current().Policy
		next.Default = flags.Dual
		return &ledger.Draft{Next: next, Entries: []ledger.Entry{{Actor: "ann", Reason: "test", Kind: ledger.KindDefault}}}, nil
	})
	require.NoError(t, err)
	s.now = s.version(store)
	t.Cleanup(s.release)
	for i := range 257 {
		s.many = append(s.many, fmt.Sprint(i))
	}
	conn, err := s.pool.Acquire(t.Context())
	require.NoError(t, err)
	s.conn = conn.Hijack()
	t.Cleanup(func() { _ = s.conn.Close(context.Background()) })
	s.pid = s.conn.PgConn().PID()
	_, err = s.pool.Exec(t.Context(), `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) values ($1, 'acme', 'new', 'a', 1, 'test')`, s.now.MigrationID)
	require.NoError(t, err)
	for name, query := range map[string]string{
		"epoch":  `select (1 << 28) | $1::int, $2::int where $1 > 0`,
		"tenant": `select crossfade.lock_high(2, h), crossfade.lock_low(h) from crossfade.tenant_hash($1, 'acme') h where $2::int > 0`,
		"key":    `select crossfade.lock_high(3, h), crossfade.lock_low(h) from crossfade.key_hash($1, 'acme', 'a') h where $2::int > 0`,
	} {
		for _, epoch := range []int64{s.now.Epoch, s.before.Epoch} {
			var high, low int32
			err := s.pool.QueryRow(t.Context(), query, s.now.MigrationID, max(epoch, 1)).Scan(&high, &low)
			require.NoError(t, err)
			if name == "epoch" {
				low = int32(epoch)
			}
			s.names[[2]uint32{uint32(high), uint32(low)}] = name
		}
	}
	return s
}

func (s *situation) version(store *ledger.Store) ledger.Version {
	all, err := store.Versions(s.t.Context(), migration)
	require.NoError(s.t, err)
	require.Len(s.t, all, 1)
	return all[0]
}

// release has the others go.
func (s *situation) release() {
	for _, tx := range s.others {
		_ = tx.Rollback(context.WithoutCancel(s.t.Context()))
	}
	for _, end := range s.ended {
		<-end
	}
	s.others, s.ended = nil, nil
}

// arrange has others hold the locks as a case says.
func (s *situation) arrange(c fenceCase) {
	s.release()
	by := map[string]heldBy{"epoch": c.epoch, "tenant": c.tenant, "key": c.key}
	for number, name := range s.names {
		high, low := int32(number[0]), int32(number[1])
		switch by[name] {
		case free:
		case heldShared, awaited:
			s.hold(`select pg_advisory_xact_lock_shared($1, $2)`, high, low)
		case heldExclusively:
			s.hold(`select pg_advisory_xact_lock($1, $2)`, high, low)
		}
		if by[name] == awaited {
			s.await(high, low)
		}
	}
}

func (s *situation) hold(query string, high, low int32) {
	tx, err := s.pool.Begin(s.t.Context())
	require.NoError(s.t, err)
	_, err = tx.Exec(s.t.Context(), query, high, low)
	require.NoError(s.t, err)
	s.others = append(s.others, tx)
}

// await has somebody wait for a lock exclusively, until its holder ends.
func (s *situation) await(high, low int32) {
	conn, err := s.pool.Acquire(s.t.Context())
	require.NoError(s.t, err)
	end := make(chan error, 1)
	go func() {
		defer conn.Release()
		_, err := conn.Exec(context.WithoutCancel(s.t.Context()), `select pg_advisory_xact_lock($1, $2)`, high, low)
		end <- err
	}()
	s.ended = append(s.ended, end)
	pid := conn.Conn().PgConn().PID()
	require.Eventually(s.t, func() bool { return len(s.locks(pid, true)) > 0 }, time.Minute, time.Millisecond)
}

// locks are the advisory locks of a session, by name.
func (s *situation) locks(pid uint32, waiting bool) []string {
	rows, err := s.pool.Query(s.t.Context(), `select classid, objid, mode = 'ExclusiveLock', granted from pg_locks
		where locktype = 'advisory' and pid = $1 and ($2 = false or not granted)`, int32(pid), waiting)
	require.NoError(s.t, err)
	held, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var high, low uint32
		var exclusive, granted bool
		err := row.Scan(&high, &low, &exclusive, &granted)
		name, known := s.names[[2]uint32{high, low}]
		if !known {
			name = fmt.Sprintf("unknown(%d,%d)", high, low)
		}
		l := lockName(max(0, slices.Index([]string{"epoch", "tenant", "key"}, name)))
		return lockText(l, exclusive, granted), err
	})
	require.NoError(s.t, err)
	sort.Strings(held)
	return held
}

// call calls the fence. Where it is expected to wait, its locks are
// looked at meanwhile; then it is cancelled.
func (s *situation) call(c fenceCase, waits bool) answer {
	ctx := s.t.Context()
	if c.captured != s.is {
		_, err := s.pool.Exec(ctx, `update crossfade.migrations set captured = $1`, c.captured)
		require.NoError(s.t, err)
		s.is = c.captured
	}
	tx, err := s.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: c.level})
	require.NoError(s.t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	v := s.now
	if c.olderEpoch {
		v.Epoch = s.before.Epoch
	}
	if c.otherPolicy {
		v.PolicyID = flags.PolicyID{1}
	}
	keys := [...][]string{nullKeys: nil, noKeys: {}, oneKey: {"a"}, manyKeys: s.many}[c.call.keys]
	statements := sqlfence.Call{
		Migration: v.MigrationID, Tenant: "acme", Guarded: true, Epoch: v.Epoch, Policy: v.PolicyID,
		Lock: c.call.allKeys || keys != nil, Keys: keys, All: c.call.allKeys, Look: c.look, Joined: true,
	}.Statements()
	var captured bool
	var lines []string
	fenced := func() error {
		batch, dest := &pgx.Batch{}, []any{&captured}
		if c.look {
			dest = append(dest, &lines)
		}
		batch.Queue(statements[0].SQL, statements[0].Args...)
		batch.Queue(statements[1].SQL, statements[1].Args...).QueryRow(func(row pgx.Row) error { return row.Scan(dest...) })
		return tx.SendBatch(context.WithoutCancel(ctx), batch).Close()
	}
	a := answer{what: granted}
	if waits {
		return s.waiting(fenced)
	}
	var pg *pgconn.PgError
	switch err := fenced(); {
	case err == nil:
		held := s.locks(s.pid, false)
		a.held = fmt.Sprint(held)
		var mark string
		require.NoError(s.t, tx.QueryRow(ctx, `select coalesce(current_setting('crossfade.mark', true), '')`).Scan(&mark))
		a.marked = mark != ""
		if captured {
			a.lines = "captured "
		}
		for range lines {
			a.lines += "stale"
		}
		return a
	case errors.As(err, &pg) && pg.Code == "XF001":
		a.what = notInForce
	case errors.As(err, &pg) && pg.Code == "XF002":
		a.what = notReadCommitted
	default:
		require.NoError(s.t, err)
	}
	a.held = fmt.Sprint(s.locks(s.pid, false))
	return a
}

func (s *situation) waiting(fenced func() error) answer {
	end := make(chan error, 1)
	go func() { end <- fenced() }()
	for {
		if len(s.locks(s.pid, true)) > 0 {
			break
		}
		select {
		case err := <-end:
			return answer{what: granted, held: fmt.Sprintf("it did not wait: %v", err)}
		default:
		}
	}
	a := answer{what: waiting, held: fmt.Sprint(s.locks(s.pid, false))}
	_, err := s.pool.Exec(s.t.Context(), `select pg_cancel_backend($1)`, int32(s.pid))
	require.NoError(s.t, err)
	<-end
	return a
}
