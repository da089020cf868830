package chinook_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/chinook/invoices"
	v1 "github.com/crossfade-db/crossfade/examples/chinook/invoices/v1"
	v2 "github.com/crossfade-db/crossfade/examples/chinook/invoices/v2"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

const (
	oldTotals = `select c.country, sum((l.unit_price * 100)::bigint * l.quantity)::bigint from invoice i
		join customer c using (customer_id) join invoice_line l using (invoice_id) group by 1`
	newTotals = `select tenant, sum(unit_price_cents * quantity)::bigint from chinook_v2.invoice_lines group by 1`
	oldBilled = `select c.country, sum((i.total * 100)::bigint)::bigint from invoice i join customer c using (customer_id) group by 1`
	newBilled = `select tenant, sum(total_cents)::bigint from chinook_v2.invoices group by 1`
)

// shop is the program: one process of the fleet with its repository and its
// worker.
type shop struct {
	t       *testing.T
	pool    *pgxpool.Pool
	store   *ledger.Store
	plane   *control.Plane
	db      *postgres.DB
	compare *repo.Comparer
	routed  *invoices.RoutedInvoices
}

func open(t *testing.T) *shop {
	t.Helper()
	ctx := t.Context()
	pool := pgtest.Pool(t)
	migration, err := versions.Must(versions.New("invoices", "v1", "v2")).Last()
	require.NoError(t, err)
	store := ledger.New(pool, nil)
	_, err = store.Register(ctx, migration, "")
	require.NoError(t, err)
	member, err := control.Join(ctx, store, &control.MemberConfig{Name: "chinook", Migrations: []string{migration.Name}, Interval: 50 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, member.Close(context.Background())) })
	comparer := repo.NewComparer(&repo.ComparerConfig{Sink: store.Sink()})
	t.Cleanup(func() { require.NoError(t, comparer.Shutdown(context.Background())) })
	db := postgres.New(pool, nil)
	sides, err := postgres.Sides(db, v1.New, v2.New)
	require.NoError(t, err)
	routed, err := invoices.NewRoutedInvoices(repo.Config[invoices.Invoices]{
		Migration: migration, Flag: member.Flag(migration.Name), Backend: sides, Comparer: comparer,
	})
	require.NoError(t, err)
	s := &shop{t: t, pool: pool, store: store, plane: control.New(store, nil), db: db, compare: comparer, routed: routed}
	s.work(backfill.ByRoute(routed.Route()))
	return s
}

// work runs the worker until the test ends.
func (s *shop) work(entity backfill.Entity) {
	s.t.Helper()
	worker, err := backfill.New(s.db, &backfill.Config{Tenants: s.countries, ChunkKeys: 20, PollEvery: 10 * time.Millisecond}, entity)
	require.NoError(s.t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			assert.NoError(s.t, err)
		}
	})
}

func (s *shop) countries(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		rows, err := s.pool.Query(ctx, "select distinct country from customer order by 1")
		if err != nil {
			yield("", err)
			return
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			yield("", err)
		}
		for _, country := range all {
			if !yield(country, nil) {
				return
			}
		}
	}
}

func (s *shop) step(to flags.Stage) {
	s.t.Helper()
	_, err := s.plane.Apply(s.t.Context(), control.Change{
		Migration: s.routed.Route().Migration().Name, Kind: control.SetDefault, To: to, Actor: "test", Reason: "real data moves",
	})
	require.NoError(s.t, err)
}

// job requests work through the ledger and waits until the worker has done it.
func (s *shop) job(kind string) ledger.JobDetail {
	s.t.Helper()
	ctx := s.t.Context()
	id, err := s.store.RequestJob(ctx, ledger.JobRequest{Migration: s.routed.Route().Migration().Name, Kind: kind, Actor: "test"})
	require.NoError(s.t, err)
	var job ledger.JobDetail
	require.Eventually(s.t, func() bool {
		job, err = s.store.JobByID(ctx, id)
		return err != nil || !job.Open()
	}, 2*time.Minute, 10*time.Millisecond)
	require.NoError(s.t, err)
	require.Equal(s.t, ledger.JobDone, job.State, job.Error)
	return job
}

func (s *shop) totals(sql string) map[string]int64 {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), sql)
	require.NoError(s.t, err)
	totals := map[string]int64{}
	var country string
	var cents int64
	_, err = pgx.ForEachRow(rows, []any{&country, &cents}, func() error { totals[country] = cents; return nil })
	require.NoError(s.t, err)
	return totals
}

// writers change invoices all the time and keep the books: what each country's
// total must have changed by.
type writers struct {
	s     *shop
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu         sync.Mutex
	delta      map[string]int64
	operations int
}

func (s *shop) write(n int, from int32) *writers {
	ctx, stop := context.WithCancel(context.Background())
	w := &writers{s: s, stop: stop, delta: map[string]int64{}}
	countries := slices.Sorted(maps.Keys(s.totals(oldTotals)))
	for i := range n {
		w.tasks.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for seq := int32(0); ctx.Err() == nil; seq++ {
				// Each writer draws numbers of its own, and all share the invoices.
				w.one(random, countries[random.IntN(len(countries))], from+100_000*int32(i+1)+seq*10)
			}
		})
	}
	return w
}

// until waits for so many operations.
func (w *writers) until(operations int) *writers {
	w.s.t.Helper()
	require.Eventually(w.s.t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.operations >= operations
	}, time.Minute, time.Millisecond)
	return w
}

// end stops the writers and returns by how much each country's total changed.
func (w *writers) end() map[string]int64 {
	w.stop()
	w.tasks.Wait()
	return w.delta
}

// one does one operation on a random invoice of the country, to its end.
func (w *writers) one(random *rand.Rand, country string, number int32) {
	ctx := context.Background()
	var changed int64
	var err error
	switch random.IntN(6) {
	case 0:
		changed, err = w.create(ctx, random, country, number)
	case 1:
		err = w.move(ctx, random, country)
	case 2, 3:
		changed, err = w.rebill(ctx, random, country, number)
	case 4:
		changed, err = w.remove(ctx, random, country)
	case 5:
		err = w.read(ctx, random, country)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.operations++
	w.delta[country] += changed
	if err != nil && !errors.Is(err, invoices.ErrNotFound) {
		assert.NoError(w.s.t, err)
	}
}

func (w *writers) pick(ctx context.Context, random *rand.Rand, country string) (int32, error) {
	keys, err := w.s.routed.Keys(ctx, country, nil, 50)
	if err != nil || len(keys) == 0 {
		return 0, errors.Join(err, invoices.ErrNotFound)
	}
	return keys[random.IntN(len(keys))], nil
}

func (w *writers) customer(ctx context.Context, country string) (id int32, err error) {
	err = w.s.pool.QueryRow(ctx, "select min(customer_id) from customer where country = $1", country).Scan(&id)
	return id, err
}

func address(random *rand.Rand) invoices.Address {
	street, country := fmt.Sprintf("%d Main Street", random.IntN(20)), "Nowhere"
	return invoices.Address{Street: &street, Country: &country}
}

func lines(random *rand.Rand, number int32) (made []invoices.Line) {
	for n := range random.Int32N(4) {
		made = append(made, invoices.Line{ID: 10_000 + number + n, TrackID: 1 + random.Int32N(3000), UnitPriceCents: 99 + random.Int64N(100), Quantity: 1 + random.Int32N(3)})
	}
	return made
}

func (w *writers) create(ctx context.Context, random *rand.Rand, country string, number int32) (int64, error) {
	customer, err := w.customer(ctx, country)
	if err != nil {
		return 0, err
	}
	i := invoices.Invoice{ID: number, CustomerID: customer, Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Address: address(random), Lines: lines(random, number)}
	i.TotalCents = i.Sum()
	return i.TotalCents, w.s.routed.Save(ctx, country, i)
}

func (w *writers) move(ctx context.Context, random *rand.Rand, country string) error {
	id, err := w.pick(ctx, random, country)
	if err != nil {
		return err
	}
	return w.s.routed.Move(ctx, country, id, address(random))
}

// rebill reads an invoice, changes its lines and writes it back, in one
// transaction.
func (w *writers) rebill(ctx context.Context, random *rand.Rand, country string, number int32) (changed int64, err error) {
	id, err := w.pick(ctx, random, country)
	if err != nil {
		return 0, err
	}
	fresh := lines(random, number)
	err = w.s.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		repository := w.s.routed.InTx(tx)
		i, err := repository.GetForUpdate(ctx, country, id)
		if err != nil {
			return err
		}
		before := i.Sum()
		i.Lines = fresh
		i.TotalCents = i.Sum()
		changed = i.TotalCents - before
		return repository.Save(ctx, country, i)
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

func (w *writers) remove(ctx context.Context, random *rand.Rand, country string) (changed int64, err error) {
	id, err := w.pick(ctx, random, country)
	if err != nil {
		return 0, err
	}
	err = w.s.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		repository := w.s.routed.InTx(tx)
		i, err := repository.GetForUpdate(ctx, country, id)
		if err != nil {
			return err
		}
		changed = -i.Sum()
		return repository.Delete(ctx, country, id)
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

func (w *writers) read(ctx context.Context, random *rand.Rand, country string) error {
	id, err := w.pick(ctx, random, country)
	if err != nil {
		return err
	}
	i, err := w.s.routed.Get(ctx, country, id)
	if err != nil || i.Sum() == i.TotalCents {
		return err
	}
	// Both versions read an invoice and then its lines, and a writer may come
	// between, as it may without Crossfade. Under the lock none can.
	i, err = w.s.routed.GetForUpdate(ctx, country, id)
	if err == nil && i.Sum() != i.TotalCents {
		return fmt.Errorf("invoice %d is torn", id)
	}
	return err
}

func TestInvoicesOfChinookMoveToTheCent(t *testing.T) {
	if _, err := os.Stat(dataFile()); err != nil {
		if os.Getenv("CI") != "" {
			require.NoError(t, err, "the Chinook script must be there in CI")
		}
		t.Skipf("the Chinook script is not at %s: get it there, or name its folder in CROSSFADE_DATA", dataFile())
	}
	s := open(t)
	before := s.totals(oldTotals)
	require.Len(t, before, 24, "Chinook's countries")
	require.Equal(t, before, s.totals(oldBilled))

	w := s.write(4, 0).until(50)
	s.step(flags.Dual)
	copied := s.job(ledger.JobBackfill)
	assert.GreaterOrEqual(t, copied.KeysDone, int64(300))
	s.job(ledger.JobVerify)
	s.step(flags.Shadow)
	s.job(ledger.JobVerify)
	s.step(flags.Live)
	s.job(ledger.JobVerify)
	s.step(flags.RampDown)
	s.job(ledger.JobReconcile)
	delta := w.end()
	t.Logf("%d operations by 4 writers, %d invoices copied", w.operations, copied.KeysDone)

	want := maps.Clone(before)
	for country, cents := range delta {
		if want[country] += cents; want[country] == 0 {
			delete(want, country) // no lines are left: SQL has no row to sum
		}
	}
	withoutZero := func(totals map[string]int64) map[string]int64 {
		maps.DeleteFunc(totals, func(_ string, cents int64) bool { return cents == 0 })
		return totals
	}
	for name, sql := range map[string]string{"lines, old": oldTotals, "lines, new": newTotals, "billed, old": oldBilled, "billed, new": newBilled} {
		assert.Equal(t, want, withoutZero(s.totals(sql)), name)
	}
	require.NoError(t, s.compare.Shutdown(t.Context()))
	var compared int64
	for _, counts := range s.compare.Stats().Operations {
		compared += counts.Compared
		assert.Zero(t, counts.Mismatched, counts.Operation)
	}
	assert.Positive(t, compared, "reads were compared")
	mismatches, err := s.store.Mismatches(t.Context(), s.routed.Route().Migration().Name, ledger.MismatchFilter{})
	require.NoError(t, err)
	assert.Empty(t, mismatches)
	var addresses, distinct int
	require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*), count(distinct (street, city, state, country, postal_code)) from chinook_v2.addresses`).Scan(&addresses, &distinct))
	assert.Equal(t, distinct, addresses, "addresses are deduplicated")

	s.step(flags.New)
	for country, cents := range s.write(2, 10_000_000).until(200).end() {
		want[country] += cents
	}
	assert.Equal(t, withoutZero(want), withoutZero(s.totals(newTotals)), "at new")
}
