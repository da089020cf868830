//go:build !race

package guard

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/guard/sample"
	"github.com/crossfade-db/crossfade/repo"
)

// budget is how many allocations one operation makes.
type budget struct {
	name   string
	allocs int
	why    string // what they are
	of     func(t *testing.T) func()
}

// budgets is the one table. A figure that is no longer right is changed here, and only here, in the commit that changes
// it: a lower one without more, a higher one together with the reason why the operation needs it.
var budgets = slices.Concat([]budget{
	{"a decision under a uniform policy", 0, "", entering(policy(flags.Shadow))},
	{"a decision by percentage", 0, "", entering(stepped(flags.OfTenants))},
	{"a decision by percentage of keys", 0, "", entering(stepped(flags.OfKeys))},
	{"a decision with 1,000 overrides", 0, "", entering(overridden(1000))},
	{"a decision that is pinned", 0, "", pinned},
},
	onEachStage("a read of a number", []int{2, 2, 2, 7, 2, 2}, "the key's text and the generated closure; at live the session and the look for stale keys", balance),
	onEachStage("a read by key", []int{2, 2, 2, 8, 2, 2}, "the same; at live the answer lives on the heap too", get),
	onEachStage("a list of 50", []int{1, 1, 1, 6, 1, 1}, "the closure", newest),
	onEachStage("a write", []int{16, 25, 25, 25, 25, 16}, "closures and session, a copy of the arguments for each side, and one in case that they run again", save),
	[]budget{
		{"a read that the sampler leaves out", 2, "those of the read", sampled(0, get)},
		{"a read that finds the pool full", 2, "those of the read", full},
		{"a read and its comparison", 20, "copies of what the caller may change, the job and its place among those of its pool, its contexts and its timer, the other side's read", compared(get)},
		{"a list of 50 and its comparison", 119, "nearly all of them the copy of 50 rows", compared(newest)},
		{"twenty equal fields", 0, "", equalFields},
		{"a list of 50 equal rows", 0, "", equalLists},
		{"one field of twenty that differs", 24, "the difference, and the hashes of two values", oneDiffers},
		{"a copy of a number", 0, "there is nothing to copy", cloning(int64(1))},
		{"a copy of twenty fields", 3, "the value, the pointer, the list", cloning(account())},
		{"a copy of 50 rows", 103, "two a row", cloning(accounts(50))},
	})

func TestOperationsAllocateWhatTheirBudgetSays(t *testing.T) {
	for _, b := range budgets {
		t.Run(b.name, func(t *testing.T) {
			run := b.of(t)
			got := allocations(run)
			if got > b.allocs {
				assert.Fail(t, "more allocations than the budget allows", "%s made %d allocations and may make %d (%s): find the new one with "+
					"go test -run '%s' -memprofile mem.out -memprofilerate 1 ./internal/guard, and take it out; if it is worth its price, "+
					"say so and raise the budget in budgets", b.name, got, b.allocs, b.why, t.Name())
			}
			if got < b.allocs {
				assert.Fail(t, "fewer allocations than the budget allows", "%s made %d allocations and may make %d: lower the budget in "+
					"budgets, so that what was won stays won", b.name, got, b.allocs)
			}
		})
	}
}

// allocations is the least of several counts: what the runtime allocates meanwhile for itself is in some of them.
func allocations(run func()) int {
	least := testing.AllocsPerRun(50, run)
	for range 4 {
		least = min(least, testing.AllocsPerRun(50, run))
	}
	return int(least)
}

// onEachStage is one operation at the six stages.
func onEachStage(name string, allocs []int, why string, of func(t *testing.T, r *sample.RoutedAccounts) func()) (all []budget) {
	for i, stage := range flags.Stages() {
		all = append(all, budget{name + " at " + stage.String(), allocs[i], why, func(t *testing.T) func() { return of(t, routed(t, stage, nil)) }})
	}
	return all
}

func stepped(of flags.ShareOf) flags.Policy {
	p := policy(flags.Shadow)
	p.Step = flags.Step{To: flags.Live, Share: 2500, Of: of}
	return p
}

var subject = flags.Subject{Tenant: tenant, Key: "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10"}

func enter(ctx context.Context, flag *flags.Flag) {
	if use, err := flag.Enter(ctx, subject); err == nil {
		use.Done()
	}
}

func entering(p flags.Policy) func(*testing.T) func() {
	return func(t *testing.T) func() {
		flag, ctx := flagOf(t, p), t.Context()
		return func() { enter(ctx, flag) }
	}
}

func pinned(t *testing.T) func() {
	flag := flagOf(t, stepped(flags.OfTenants))
	ctx, release := flags.Pin(t.Context(), 0)
	t.Cleanup(release)
	return func() { enter(ctx, flag) }
}

func balance(t *testing.T, r *sample.RoutedAccounts) func() {
	ctx, id := t.Context(), account().ID
	return func() { _, _ = r.Balance(ctx, tenant, id) }
}

func get(t *testing.T, r *sample.RoutedAccounts) func() {
	ctx, id := t.Context(), account().ID
	return func() { _, _ = r.Get(ctx, tenant, id) }
}

func newest(t *testing.T, r *sample.RoutedAccounts) func() {
	ctx := t.Context()
	return func() { _, _ = r.Newest(ctx, tenant) }
}

func save(t *testing.T, r *sample.RoutedAccounts) func() {
	ctx, a := t.Context(), account()
	return func() { _ = r.Save(ctx, tenant, a) }
}

func sampled(share float64, of func(*testing.T, *sample.RoutedAccounts) func()) func(*testing.T) func() {
	return func(t *testing.T) func() { return of(t, routed(t, flags.Shadow, comparer(t, share))) }
}

// full is a read at shadow while the pool takes nothing more, as the other side hangs.
func full(t *testing.T) func() {
	hung, ctx, id := make(chan struct{}), t.Context(), account().ID
	c := repo.NewComparer(&repo.ComparerConfig{Workers: 1, Queue: 1, Timeout: time.Hour})
	r := routedOver(t, newSide(), &side{account: account(), hung: hung}, flags.Shadow, c)
	t.Cleanup(func() {
		close(hung)
		require.NoError(t, c.Shutdown(context.Background()))
	})
	read := func() { _, _ = r.Get(ctx, tenant, id) }
	for range 3 { // one runs, one waits
		read()
	}
	return read
}

// compared waits for the comparison, so that its allocations are counted with the read's.
func compared(of func(*testing.T, *sample.RoutedAccounts) func()) func(*testing.T) func() {
	return func(t *testing.T) func() {
		ended := make(told, 1)
		read := of(t, routedMetered(t, newSide(), newSide(), flags.Shadow, comparer(t, 1), ended))
		return func() {
			read()
			<-ended
		}
	}
}

func equalFields(*testing.T) func() {
	served, other := account(), account()
	return func() { must(compare.Run(sample.DiffAccount, served, other)) }
}

func equalLists(*testing.T) func() {
	served, other := accounts(50), accounts(50)
	return func() {
		for i := range served {
			must(sample.DiffAccount(served[i], other[i]))
		}
	}
}

func must(diffs []compare.Diff) {
	if diffs != nil {
		panic("equal values differ")
	}
}

func oneDiffers(*testing.T) func() {
	served, other := account(), account()
	other.Email = "ada@example.com"
	return func() { _ = sample.DiffAccount(served, other) }
}

func cloning[T any](value T) func(*testing.T) func() {
	return func(*testing.T) func() { return func() { _ = repo.Clone(value) } }
}
