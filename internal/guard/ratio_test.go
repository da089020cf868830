//go:build !race

package guard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/guard/sample"
)

// ratio is what an operation may cost, in units of other code that runs beside it.
type ratio struct {
	name, to string
	most     float64
	of       func(t *testing.T) (operation, reference func(times int))
}

// ratios is the one table. The bounds lie between what is usual, which stands behind them, and twice as much, so that
// what is done twice, or a look at the clock on the way to a decision, is seen. Other processors have other ratios: the
// bounds leave room for that.
var ratios = []ratio{
	{"a decision under a uniform policy", "a fixed calculation", 1.9, decision(policy(flags.Shadow))}, // 1.56
	{"a decision by percentage", "a fixed calculation", 1.9, decision(stepped(flags.OfTenants))},      // 1.55
	{"a decision with 1,000 overrides", "a fixed calculation", 2.2, decision(overridden(1000))},       // 1.79
	{"a routed read of a number at old", "a fixed calculation", 5.2, readAtOld},                       // 3.9
	{"comparing twenty equal fields", "comparing them by hand with ==", 1.3, comparing},               // 0.75
	{"comparing 50 equal rows", "comparing them by hand with ==", 1.4, comparingRows},                 // 0.85
}

func TestOperationsKeepTheirRatioToPlainCode(t *testing.T) {
	for _, r := range ratios {
		t.Run(r.name, func(t *testing.T) {
			operation, reference := r.of(t)
			m := measure{operation: operation, reference: reference}
			for range patience {
				if m.rounds(); m.ratio() <= r.most {
					break
				}
			}
			t.Logf("%s costs %.2f of %s (%.1f ns), and may cost %.2f", r.name, m.ratio(), r.to, m.least[0], r.most)
			assert.LessOrEqual(t, m.ratio(), r.most, "%s became slow: profile it, as bench does; if it has to do more than before, "+
				"say so and raise the bound in ratios", r.name)
		})
	}
}

const (
	calls    = 200 // in a round, which is thus over before another process gets the processor
	rounds   = 400
	patience = 10 // times as many rounds, before a ratio counts as exceeded
)

// measure holds the shortest rounds of an operation and of its reference. A machine that is busy makes rounds longer,
// never shorter: the shortest of many says what the code costs.
type measure struct {
	operation, reference func(times int)
	least                [2]float64 // nanoseconds a call
}

func (m *measure) rounds() {
	for i := range rounds {
		for j := range 2 { // one beside the other, in turn
			k := (i + j) % 2
			run := m.operation
			if k == 1 {
				run = m.reference
			}
			began := time.Now()
			run(calls)
			took := float64(time.Since(began)) / calls
			if m.least[k] == 0 || took < m.least[k] {
				m.least[k] = took
			}
		}
	}
}

func (m *measure) ratio() float64 { return m.least[0] / m.least[1] }

var sink uint64

// calculation is the unit: forty multiplications, each of which needs the result of the one before.
func calculation(times int) {
	x := sink | 1
	for range times {
		for range 40 {
			x = x*6364136223846793005 + 1442695040888963407
		}
	}
	sink = x
}

func decision(p flags.Policy) func(*testing.T) (operation, reference func(int)) {
	return func(t *testing.T) (operation, reference func(int)) {
		flag, ctx := flagOf(t, p), t.Context()
		return func(times int) {
			for range times {
				enter(ctx, flag)
			}
		}, calculation
	}
}

func readAtOld(t *testing.T) (operation, reference func(int)) {
	r, ctx, id := routed(t, flags.Old, nil), t.Context(), account().ID
	return func(times int) {
		for range times {
			_, _ = r.Balance(ctx, tenant, id)
		}
	}, calculation
}

func comparing(*testing.T) (operation, reference func(int)) {
	served, other := account(), account()
	return func(times int) {
			for range times {
				must(sample.DiffAccount(served, other))
			}
		}, func(times int) {
			for range times {
				mustBe(byHand(&served, &other))
			}
		}
}

func comparingRows(*testing.T) (operation, reference func(int)) {
	served, other := accounts(50), accounts(50)
	return func(times int) {
			for range times / 50 {
				must(diffRows(served, other))
			}
		}, func(times int) {
			for range times / 50 {
				for i := range served {
					mustBe(byHand(&served[i], &other[i]))
				}
			}
		}
}

func diffRows(served, other []sample.Account) []compare.Diff {
	var c compare.Collector
	compare.Slice(&c, "", served, other, sample.DiffAccount)
	return c.Diffs()
}

func mustBe(equal bool) {
	if !equal {
		panic("equal values differ")
	}
}

// byHand is what somebody would write who compares these two types alone.
//
//go:noinline
func byHand(a, b *sample.Account) bool {
	return a.ID == b.ID && a.Tenant == b.Tenant && a.Name == b.Name && a.Email == b.Email && a.Phone == b.Phone &&
		a.Street == b.Street && a.City == b.City && a.Zip == b.Zip && a.Country == b.Country && a.Visits == b.Visits &&
		a.Cents == b.Cents && a.Score == b.Score && a.Level == b.Level && a.Active == b.Active && a.Verified == b.Verified &&
		a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt) && *a.Referrer == *b.Referrer &&
		len(a.Tags) == len(b.Tags) && a.Tags[0] == b.Tags[0] && a.Tags[1] == b.Tags[1] && a.Note == b.Note
}

// A guard that sees nothing would be green for ever.
func TestWhatIsDoneTwiceShows(t *testing.T) {
	for _, r := range ratios {
		operation, reference := r.of(t)
		once := measure{operation: operation, reference: reference}
		twice := measure{reference: reference, operation: func(times int) {
			operation(times)
			operation(times)
		}}
		for range patience {
			once.rounds()
			twice.rounds()
			if shows := twice.ratio() / once.ratio(); shows > 1.7 && shows < 2.3 {
				break
			}
		}
		assert.InDelta(t, 2, twice.ratio()/once.ratio(), 0.3, r.name)
	}
}
