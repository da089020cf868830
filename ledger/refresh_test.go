package ledger_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// follower is a process that keeps up with one migration's policy.
type follower struct {
	store *ledger.Store
	name  string
	have  *flags.Compiled
}

// refresh brings the follower up to date, and compares what it then has with
// the policy read as a whole.
func (f *follower) refresh(t require.TestingT) ledger.Refreshed {
	next, read, err := f.store.Refresh(context.Background(), f.name, f.have, nil)
	require.NoError(t, err)
	fresh, whole, err := f.store.Refresh(context.Background(), f.name, nil, nil)
	require.NoError(t, err)
	require.True(t, whole.Whole)
	require.Equal(t, fresh.Terms(), next.Terms())
	require.Equal(t, maps.Collect(fresh.Overrides().All()), maps.Collect(next.Overrides().All()))
	require.Equal(t, fresh.Overrides().Len(), next.Overrides().Len())
	f.have = next
	return read
}

// lose takes the changes after an epoch back, as a failover to a standby that
// did not have them yet.
func lose(t require.TestingT, pool *pgxpool.Pool, id int32, after int64) {
	for _, sql := range []string{
		`delete from crossfade.overrides where migration_id = $1 and since_epoch > $2`,
		`update crossfade.overrides set until_epoch = null where migration_id = $1 and until_epoch > $2`,
		`delete from crossfade.policies where migration_id = $1 and epoch > $2`,
		`update crossfade.migrations m set epoch = p.epoch, policy_id = p.policy_id from crossfade.policies p
			where m.id = $1 and p.migration_id = m.id and p.epoch = $2`,
	} {
		_, err := pool.Exec(context.Background(), sql, id, after)
		require.NoError(t, err)
	}
}

// changed draws a change of policy.
func changed(t *rapid.T) func(*flags.Policy) {
	kind := rapid.SampledFrom([]string{"default", "share", "standing", "tenants", "tenants", "tenants", "many"}).Draw(t, "change")
	stage := rapid.SampledFrom(flags.Stages()).Draw(t, "stage")
	share := flags.Share(rapid.IntRange(1, flags.Buckets).Draw(t, "share"))
	tenants := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 4).Draw(t, "tenants")
	if kind == "many" {
		for i := range 1100 {
			tenants = append(tenants, i)
		}
	}
	unpin := rapid.Bool().Draw(t, "unpin")
	return func(p *flags.Policy) {
		switch kind {
		case "default":
			p.Default, p.Step = stage, flags.Step{}
		case "share":
			p.Default, p.Step = flags.Dual, flags.Step{To: flags.Shadow, Share: share}
		case "standing":
			p.StrictShadow = !p.StrictShadow
		default:
			for _, tenant := range tenants {
				if unpin {
					delete(p.Overrides, fmt.Sprint("tenant ", tenant))
				} else {
					p.Overrides[fmt.Sprint("tenant ", tenant)] = stage
				}
			}
		}
	}
}

func TestARefreshedPolicyIsTheOneInForceWhateverHappenedSince(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m, err := store.Register(context.Background(), versions.Migration{Name: fmt.Sprint("m", runs), Entity: "e", From: "v1", To: "v2"}, "")
		require.NoError(rt, err)
		epoch := m.Epoch
		processes := []*follower{{store: store, name: m.Name}, {store: store, name: m.Name}, {store: store, name: m.Name}}
		for range rapid.IntRange(2, 9).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"change", "change", "change", "refresh", "refresh", "restart", "lose"}).Draw(rt, "step") {
			case "change":
				p, err := store.Change(context.Background(), m.Name, epoch, draft("ann", changed(rt), ledger.Effects{}))
				require.NoError(rt, err)
				epoch = p.Epoch
			case "refresh":
				rapid.SampledFrom(processes).Draw(rt, "process").refresh(rt)
			case "restart":
				rapid.SampledFrom(processes).Draw(rt, "process").have = nil
			case "lose":
				epoch = int64(rapid.IntRange(1, int(epoch)).Draw(rt, "kept"))
				lose(rt, pool, m.ID, epoch)
			}
		}
		for _, f := range processes {
			f.refresh(rt)
			assert.Zero(rt, f.refresh(rt), "nothing has changed since")
		}
	})
}

func TestARefreshReadsWhatChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	f := &follower{store: store, name: customers.Name}
	assert.Equal(t, ledger.Refreshed{Whole: true}, f.refresh(t))
	change := func(epoch int64, fn func(p *flags.Policy)) {
		_, err := store.Change(t.Context(), customers.Name, epoch, draft("ann", fn, ledger.Effects{}))
		require.NoError(t, err)
	}
	change(1, func(p *flags.Policy) {
		for i := range 3000 {
			p.Overrides[fmt.Sprint("tenant ", i)] = flags.Dual
		}
	})
	assert.Equal(t, ledger.Refreshed{Rows: 3000}, f.refresh(t))
	late := *f

	change(2, func(p *flags.Policy) { p.Overrides["tenant 7"] = flags.Shadow })
	assert.Equal(t, ledger.Refreshed{Rows: 2}, f.refresh(t), "what was, and what is")
	stage, _ := f.have.Stage("tenant 7")
	assert.Equal(t, flags.Shadow, stage)
	change(3, func(p *flags.Policy) { delete(p.Overrides, "tenant 8") })
	assert.Equal(t, ledger.Refreshed{Rows: 1}, f.refresh(t))
	change(4, func(p *flags.Policy) { p.Default = flags.Dual })
	assert.Equal(t, ledger.Refreshed{}, f.refresh(t), "the default comes with every answer")
	assert.Equal(t, ledger.Refreshed{Rows: 3}, late.refresh(t), "over a gap of three epochs")

	lost := *f
	lose(t, pool, 1, 4)
	change(4, func(p *flags.Policy) { p.Default = flags.Shadow })
	assert.Equal(t, ledger.Refreshed{Whole: true, Rows: 2999}, lost.refresh(t), "its epoch 5 is not the ledger's")
	early := follower{store: store, name: customers.Name}
	progress := 0
	_, read, err := store.Refresh(t.Context(), early.name, nil, func() { progress++ })
	require.NoError(t, err)
	assert.Equal(t, ledger.Refreshed{Whole: true, Rows: 2999}, read)
	assert.Zero(t, progress, "it is told every few thousand rows")
}

func TestARefreshBesideChangesIsOneOfThePoliciesThatWereInForce(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	// Every policy has one tenant at shadow, of the name of its epoch.
	tenant := func(epoch int64) string { return fmt.Sprint("tenant ", epoch) }
	const changes = 60
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		for epoch := int64(1); epoch <= changes; epoch++ {
			_, err := store.Change(ctx, customers.Name, epoch, draft("ann", func(p *flags.Policy) {
				delete(p.Overrides, tenant(epoch))
				p.Overrides[tenant(epoch+1)] = flags.Shadow
			}, ledger.Effects{}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 {
		group.Go(func() error {
			var have *flags.Compiled
			for have == nil || have.Terms().Epoch <= changes {
				next, _, err := store.Refresh(ctx, customers.Name, have, nil)
				if err != nil {
					return err
				}
				epoch := next.Terms().Epoch
				want := map[string]flags.Stage{tenant(epoch): flags.Shadow}
				if epoch == 1 {
					want = map[string]flags.Stage{}
				}
				if found := maps.Collect(next.Overrides().All()); !maps.Equal(want, found) {
					return fmt.Errorf("epoch %d came with %v", epoch, found)
				}
				have = next
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

// BenchmarkRefreshAmongAMillion measures, with the overrides of a million
// tenants in the ledger, the first load and what a process pays for a change of
// one tenant. It needs a minute to fill the ledger.
func BenchmarkRefreshAmongAMillion(b *testing.B) {
	store, pool := newStoreB(b)
	const tenants = 1_000_000
	exec := func(sql string, args ...any) {
		_, err := pool.Exec(context.Background(), sql, args...)
		require.NoError(b, err)
	}
	exec(`insert into crossfade.overrides (migration_id, tenant, stage, since_epoch)
		select 1, 'tenant-' || lpad(g::text, 9, '0'), 'dual', 1 from generate_series(0, $1::int - 1) g`, tenants)
	var have *flags.Compiled
	b.Run("first load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var read ledger.Refreshed
			var err error
			have, read, err = store.Refresh(b.Context(), customers.Name, nil, nil)
			require.NoError(b, err)
			require.Equal(b, ledger.Refreshed{Whole: true, Rows: tenants}, read)
		}
		b.ReportMetric(float64(have.Overrides().Bytes())/tenants, "B/override")
		b.ReportMetric(heldBy(func() any {
			c, _, err := store.Refresh(b.Context(), customers.Name, nil, nil)
			require.NoError(b, err)
			return c
		})/tenants, "heap-B/override")
	})
	epoch := int64(1)
	b.Run("change of one tenant", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			epoch++
			tenant := fmt.Sprintf("tenant-%09d", epoch*7919%tenants)
			exec(`update crossfade.overrides set until_epoch = $1 where migration_id = 1 and tenant = $2 and coalesce(until_epoch, 0) = 0`, epoch, tenant)
			exec(`insert into crossfade.overrides (migration_id, tenant, stage, since_epoch) values (1, $2, 'shadow', $1)`, epoch, tenant)
			exec(`insert into crossfade.policies (migration_id, epoch, policy_id, default_stage) values (1, $1, gen_random_uuid(), 'old')`, epoch)
			exec(`update crossfade.migrations m set epoch = $1, policy_id = (select policy_id from crossfade.policies where migration_id = 1 and epoch = $1)`, epoch)
			b.StartTimer()
			next, read, err := store.Refresh(b.Context(), customers.Name, have, nil)
			if err != nil || read != (ledger.Refreshed{Rows: 2}) {
				b.Fatal(read, err)
			}
			have = next
		}
	})
	b.Run("nothing changed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := store.Refresh(b.Context(), customers.Name, have, nil)
			require.NoError(b, err)
		}
	})
}

// heldBy returns how many bytes of the heap a value holds.
func heldBy(value func() any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	held := value()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(held)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

func newStoreB(b *testing.B) (*ledger.Store, *pgxpool.Pool) {
	b.Helper()
	pool := pgtest.Pool(b)
	store := ledger.New(pool, &ledger.Config{Timeout: time.Minute})
	_, err := store.Register(context.Background(), customers, "")
	require.NoError(b, err)
	return store, pool
}
