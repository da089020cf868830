package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

func (r routed) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	return repo.Read(ctx, r.route, op("Keys", repo.KindRead), tenant, repo.AllKeys(), nil, repo.NoArgs{},
		func(ctx context.Context, side notes, _ repo.NoArgs) ([]int64, error) {
			return side.Keys(ctx, tenant, after, limit)
		})
}

// chain is one process over three versions of notes: notes-v2 and notes-v3.
type chain struct {
	*world
	later routed // notes-v3 alone
}

func v3(db postgres.DBTX) notes {
	return &table{db: db, name: "notes_v3", text: "body", write: "body", parts: "$3", hooks: &hooks{}}
}

func newChain(t *testing.T) *chain {
	t.Helper()
	pool := pgtest.Pool(t)
	_, err := pool.Exec(t.Context(), `create table notes_v3 (like notes_v1 including all);
		insert into crossfade.migrations (name, entity, from_version, to_version, salt) values ('notes-v2', 'notes', 'v1', 'v2', 'a'), ('notes-v3', 'notes', 'v2', 'v3', 'b')`)
	require.NoError(t, err)
	c := &chain{world: &world{t: t, pool: pool}}
	c.publishOne("notes-v2", flags.Old)
	c.publishOne("notes-v3", flags.Old)
	c.join()
	return c
}

// join makes the chain as an application does.
func (c *chain) join() {
	c.t.Helper()
	c.db = postgres.New(c.pool, nil)
	c.set = flags.NewSet(c.fetch)
	c.old, c.new, c.records = &hooks{}, &hooks{}, &recorder{}
	c.comparer = repo.NewComparer(&repo.ComparerConfig{Sink: c.records})
	c.t.Cleanup(func() { require.NoError(c.t, c.comparer.Shutdown(context.Background())) })
	registry := versions.Must(versions.New("notes", "v1", "v2", "v3"))
	route := func(from, to string, backend repo.Backend[notes], err error) routed {
		require.NoError(c.t, err)
		migration, err := registry.Migration(from, to)
		require.NoError(c.t, err)
		require.NoError(c.t, c.fetch(c.t.Context(), migration.Name))
		r, err := repo.NewRoute(repo.Config[notes]{
			Migration: migration, Flag: c.set.Flag(migration.Name), Backend: backend, Copier: copier, Comparer: c.comparer,
		})
		require.NoError(c.t, err)
		return routed{r}
	}
	backend, err := postgres.Sides(c.db, v2(c.new), v3)
	c.later = route("v2", "v3", backend, err)
	backend, err = postgres.Chain(c.db, v1(c.old), v2(c.new), func(tx *postgres.Tx) notes {
		if tx == nil {
			return c.later
		}
		return c.later.in(tx)
	})
	c.notes = route("v1", "v2", backend, err)
}

func (c *chain) another() *chain {
	c.t.Helper()
	o := &chain{world: &world{t: c.t, pool: c.pool}}
	o.join()
	return o
}

// publishOne puts a policy of one migration into force.
func (w *world) publishOne(migration string, stage flags.Stage) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), `
		with next as (update crossfade.migrations set epoch = epoch + 1, policy_id = gen_random_uuid() where name = $1 returning id, epoch, policy_id)
		insert into crossfade.policies (migration_id, epoch, policy_id, default_stage, step_of) select id, epoch, policy_id, $2, 'tenants' from next`,
		migration, stage.String())
	require.NoError(w.t, err)
}

func (c *chain) at(two, three flags.Stage) {
	c.t.Helper()
	c.publishOne("notes-v2", two)
	c.publishOne("notes-v3", three)
	for _, m := range []string{"notes-v2", "notes-v3"} {
		require.NoError(c.t, c.fetch(c.t.Context(), m))
	}
}

// standings are all pairs of rungs that package control lets a tenant come to.
func standings() (all [][2]flags.Stage) {
	for _, stage := range flags.Stages() {
		all = append(all, [2]flags.Stage{stage, flags.Old})
	}
	for _, stage := range flags.Stages()[1:] {
		all = append(all, [2]flags.Stage{flags.New, stage})
	}
	return all
}

// holding are the tables that an operation at a pair of rungs writes.
func holding(at [2]flags.Stage) map[string]bool {
	plan, pair := at[0].Plan(), []string{"notes_v1", "notes_v2"}
	if at[0] == flags.New {
		plan, pair = at[1].Plan(), []string{"notes_v2", "notes_v3"}
	}
	written := map[string]bool{pair[plan.Authority]: true}
	if plan.WritesBoth {
		written[pair[plan.Authority.Other()]] = true
	}
	return written
}

func TestThreeVersionsAreRoutedAtEveryPairOfRungs(t *testing.T) {
	t.Parallel()
	c := newChain(t)
	for i, at := range standings() {
		c.at(at[0], at[1])
		plain, inTx := int64(100+i), int64(200+i)
		require.NoError(t, c.notes.Save(t.Context(), tenant, note{ID: plain, Text: "a note"}), at)
		require.NoError(t, c.notes.See(t.Context(), tenant, plain), at)
		made, err := c.notes.Insert(t.Context(), tenant, "made here")
		require.NoError(t, err, at)
		require.NoError(t, c.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			notes := c.notes.in(tx)
			if err := notes.Save(ctx, tenant, note{ID: inTx, Text: "in a transaction"}); err != nil {
				return err
			}
			got, err := notes.Get(ctx, tenant, inTx)
			assert.Equal(t, "in a transaction", got.Text)
			return err
		}), at)
		written := holding(at)
		for _, table := range []string{"notes_v1", "notes_v2", "notes_v3"} {
			for id, want := range map[int64]string{plain: "a note 1", made: "made here 0", inTx: "in a transaction 0"} {
				if !written[table] {
					want = ""
				}
				assert.Equal(t, want, c.text(table, id), "%v: %s", at, table)
			}
		}
		got, err := c.notes.Get(t.Context(), tenant, plain)
		require.NoError(t, err, at)
		assert.Equal(t, note{ID: plain, Text: "a note", Seen: 1}, got)
		require.NoError(t, c.notes.Delete(t.Context(), tenant, plain), at)
		_, err = c.notes.Get(t.Context(), tenant, plain)
		require.ErrorIs(t, err, errNoNote)
		boom := c.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
			require.NoError(t, c.notes.in(tx).See(ctx, tenant, inTx))
			return errBoom
		})
		require.ErrorIs(t, boom, errBoom)
		for table := range written {
			assert.Equal(t, "in a transaction 0", c.text(table, inTx), "%v: %s was not rolled back", at, table)
		}
	}
	assert.Empty(t, c.stale())
	c.settled()
	assert.Empty(t, c.records.seen, "nothing differs")
}

func TestThreeVersionsKeepTheFencesOfBothMigrations(t *testing.T) {
	t.Parallel()
	for _, what := range []struct {
		migration string
		from, to  [2]flags.Stage
	}{
		{"notes-v2", [2]flags.Stage{flags.New, flags.Old}, [2]flags.Stage{flags.RampDown, flags.Old}},
		{"notes-v2", [2]flags.Stage{flags.RampDown, flags.Old}, [2]flags.Stage{flags.New, flags.Old}},
		{"notes-v3", [2]flags.Stage{flags.New, flags.Old}, [2]flags.Stage{flags.New, flags.Dual}},
		{"notes-v3", [2]flags.Stage{flags.New, flags.RampDown}, [2]flags.Stage{flags.New, flags.New}},
	} {
		t.Run(fmt.Sprint(what.from, " to ", what.to), func(t *testing.T) {
			t.Parallel()
			c := newChain(t)
			c.at(what.from[0], what.from[1])
			stage := what.to[0]
			if what.migration == "notes-v3" {
				stage = what.to[1]
			}
			check := func(id int64) {
				for _, table := range []string{"notes_v1", "notes_v2", "notes_v3"} {
					assert.Equal(t, holding(what.to)[table], c.text(table, id) != "", "%s of %d", table, id)
				}
			}
			c.publishOne(what.migration, stage) // and this process does not know yet
			require.NoError(t, c.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
			check(1)
			c.at(what.from[0], what.from[1])
			runs := 0
			require.NoError(t, c.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
				if runs++; runs == 1 {
					c.publishOne(what.migration, stage)
				}
				return c.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"})
			}))
			assert.Equal(t, 2, runs, "the transaction runs again")
			check(2)
		})
	}
}

// Writers count on one note while both migrations go up and down as package
// control allows, one step at a time: no count is lost, whichever versions were
// written at the time.
func TestThreeVersionsLoseNoWriteWhileBothMigrationsMove(t *testing.T) {
	t.Parallel()
	c := newChain(t)
	require.NoError(t, c.notes.Save(t.Context(), tenant, note{ID: 1, Text: "a note"}))
	const writers = 4
	stop := make(chan struct{})
	counts := make([]int64, writers+1)
	var group sync.WaitGroup
	for i := range writers {
		o := c.another()
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if assert.NoError(t, o.notes.See(context.Background(), tenant, 1)) {
					counts[i]++
				}
			}
		})
	}
	store := ledger.New(c.pool, nil)
	way := [][2]string{}
	for _, m := range []string{"notes-v2", "notes-v3"} {
		for _, s := range flags.Stages()[1:] {
			way = append(way, [2]string{m, s.String()})
		}
	}
	// Down to rampdown of notes-v3, and up again: below that a reverse copy is due.
	way = append(way, [2]string{"notes-v3", "rampdown"}, [2]string{"notes-v3", "new"})
	for _, step := range way {
		stage, err := flags.ParseStage(step[1])
		require.NoError(t, err)
		var before int64
		require.NoError(t, c.pool.QueryRow(t.Context(), "select epoch from crossfade.migrations where name = $1", step[0]).Scan(&before))
		c.publishOne(step[0], stage)
		m, err := store.Migration(t.Context(), step[0])
		require.NoError(t, err)
		done, err := store.Drain(t.Context(), m, before, time.Minute)
		require.NoError(t, err)
		require.True(t, done)
		for range 20 { // somebody works at this rung, too
			require.NoError(t, c.notes.See(t.Context(), tenant, 1))
			counts[writers]++
		}
	}
	close(stop)
	group.Wait()
	var all int64
	for _, n := range counts {
		all += n
	}
	got, err := c.notes.Get(t.Context(), tenant, 1)
	require.NoError(t, err)
	assert.Equal(t, all, got.Seen)
	assert.Equal(t, fmt.Sprintf("a note %d", all), c.text("notes_v3", 1))
}

func TestIndependentEntitiesShareATransactionAtDifferentRungs(t *testing.T) {
	t.Parallel()
	c := newChain(t)
	_, err := c.pool.Exec(t.Context(), `create table tasks_v2 (like notes_v2 including all);
		insert into crossfade.migrations (name, entity, from_version, to_version, salt) values ('tasks-v2', 'tasks', 'v1', 'v2', 'tasks')`)
	require.NoError(t, err)
	c.publishOne("tasks-v2", flags.Old)
	require.NoError(t, c.fetch(t.Context(), "tasks-v2"))
	// Their old versions share a table: notes have odd numbers there, tasks even ones.
	backend, err := postgres.Sides(c.db, v1(&hooks{}), func(db postgres.DBTX) notes {
		s := v2(&hooks{})(db).(*table)
		s.name = "tasks_v2"
		return s
	})
	require.NoError(t, err)
	migration, err := versions.Must(versions.New("tasks", "v1", "v2")).Last()
	require.NoError(t, err)
	route, err := repo.NewRoute(repo.Config[notes]{Migration: migration, Flag: c.set.Flag("tasks-v2"), Backend: backend, Copier: copier})
	require.NoError(t, err)
	tasks := routed{route}
	id := int64(0)
	for _, at := range standings() {
		for _, stage := range flags.Stages() {
			c.at(at[0], at[1])
			c.publishOne("tasks-v2", stage)
			require.NoError(t, c.fetch(t.Context(), "tasks-v2"))
			for _, fails := range []bool{true, false} {
				id += 2
				err := c.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
					if err := c.notes.in(tx).Save(ctx, tenant, note{ID: id + 1, Text: "a note"}); err != nil {
						return err
					}
					if err := tasks.in(tx).Save(ctx, tenant, note{ID: id, Text: "a task"}); err != nil {
						return err
					}
					if err := c.notes.in(tx).See(ctx, tenant, id+1); err != nil || !fails {
						return err
					}
					return errBoom
				})
				if fails {
					require.ErrorIs(t, err, errBoom)
				} else {
					require.NoError(t, err)
				}
				for _, table := range []string{"notes_v1", "notes_v2", "notes_v3"} {
					assert.Equal(t, !fails && holding(at)[table], c.text(table, id+1) == "a note 1", "%v %s: %s", at, stage, table)
				}
				plan := stage.Plan()
				assert.Equal(t, !fails && (plan.WritesBoth || plan.Authority == flags.OldSide), c.text("notes_v1", id) == "a task 0", "%v %s", at, stage)
				var there bool
				require.NoError(t, c.pool.QueryRow(t.Context(), "select exists (select from tasks_v2 where id = $1)", id).Scan(&there))
				assert.Equal(t, !fails && (plan.WritesBoth || plan.Authority == flags.NewSide), there, "%v %s", at, stage)
			}
		}
	}
}

// Whoever is refused inside a transaction gives its connection back before the
// policy is loaded: as many at once as the pool has connections would otherwise
// wait for each other.
func TestRefusedTransactionHoldsNoConnectionWhileThePolicyIsLoaded(t *testing.T) {
	t.Parallel()
	c := newChain(t)
	cfg := c.pool.Config()
	cfg.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	o := &chain{world: &world{t: t, pool: pool}}
	o.join()
	c.publishOne("notes-v2", flags.New)
	require.NoError(t, o.fetch(t.Context(), "notes-v2"))
	c.publishOne("notes-v3", flags.Dual)
	require.NoError(t, o.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
	assert.Equal(t, "one 0", c.text("notes_v3", 1))
	c.publishOne("notes-v3", flags.Shadow)
	require.NoError(t, o.db.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return o.notes.in(tx).Save(ctx, tenant, note{ID: 2, Text: "two"})
	}))
	assert.Equal(t, "two 0", c.text("notes_v3", 2))
}

func TestChainNeedsWhatGoesOn(t *testing.T) {
	t.Parallel()
	db := postgres.New(pgtest.Pool(t), nil)
	_, err := postgres.Chain[notes](db, v1(&hooks{}), v2(&hooks{}), nil)
	require.ErrorContains(t, err, "next is nil: give the routed repository of the migration that goes on")
	_, err = postgres.Chain(db, v1(&hooks{}), v2(&hooks{}), func(*postgres.Tx) notes { return nil })
	require.ErrorContains(t, err, "next(nil) returned nil")
	_, err = postgres.Chain(db, nil, v2(&hooks{}), func(*postgres.Tx) notes { return routed{} })
	require.ErrorContains(t, err, "the old side is nil")
}
