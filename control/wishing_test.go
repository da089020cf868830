package control_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// vendor is a flag system of a vendor's: OpenFeature's in-memory provider.
type vendor struct {
	t        *testing.T
	provider *memprovider.InMemoryProvider
	client   *openfeature.Client
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{t: t, provider: memprovider.NewInMemoryProvider(nil)}
	require.NoError(t, openfeature.SetNamedProviderAndWait(t.Name(), v.provider))
	t.Cleanup(openfeature.Shutdown) // of all: tests with a vendor run one by one
	v.client = openfeature.NewClient(t.Name())
	return v
}

// says makes the flag answer by tenant; others get the fallback.
func (v *vendor) says(state memprovider.State, fallback string, byTenant map[string]string) {
	v.t.Helper()
	rule := func(_ memprovider.InMemoryFlag, flat openfeature.FlattenedContext) (any, openfeature.ProviderResolutionDetail) {
		tenant, _ := flat[openfeature.TargetingKey].(string)
		value, ok := byTenant[tenant]
		if !ok {
			value = fallback
		}
		return value, openfeature.ProviderResolutionDetail{Reason: openfeature.TargetingMatchReason}
	}
	v.provider.UpdateFlags(map[string]memprovider.InMemoryFlag{name: {Key: name, State: state, ContextEvaluator: &rule}})
}

func listed(tenants ...string) func(context.Context) iter.Seq2[string, error] {
	return func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, t := range tenants {
				if !yield(t, nil) {
					return
				}
			}
		}
	}
}

func (w *world) look() ledger.WishLook {
	w.t.Helper()
	look, ok, err := w.store.LastLook(context.Background(), w.migration, 100)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	return look
}

func TestTenantsAreWalkedTowardsTheirWishes(t *testing.T) { //nolint:paralleltest // see newVendor
	w := newWorld(t)
	v := newVendor(t)
	tenants := []string{"a", "b", "c", "d"}
	c := w.controller(control.ControllerConfig{Wishes: []control.WishSource{{
		Migration: name, Wisher: flags.Wishes(v.client, name, nil), Tenants: listed(tenants...),
	}}})
	v.says(memprovider.Enabled, "live", map[string]string{"c": "old", "d": "sideways"})
	epoch := w.inForce().Epoch
	w.tick(c)
	p := w.inForce()
	assert.Equal(t, map[string]flags.Stage{"a": flags.Dual, "b": flags.Dual}, p.Overrides, "rung by rung")
	assert.Equal(t, epoch+1, p.Epoch, "many in one epoch")
	assert.Equal(t, "as wished", w.newest(ledger.KindWish).Reason)
	look := w.look()
	assert.EqualValues(t, 4, look.Tenants)
	assert.EqualValues(t, 1, look.Arrived)
	assert.EqualValues(t, 1, look.Without)
	assert.Contains(t, look.Problem, `tenant "d"`)
	assert.Contains(t, look.Problem, "sideways")

	// What blocks is shown, and asked for.
	w.tick(c)
	w.tick(c)
	look = w.look()
	require.Len(t, look.Waiting, 2)
	assert.Equal(t, flags.Live, look.Waiting[0].Wish)
	assert.Contains(t, look.Waiting[0].WaitingFor, "the backfill of 2 tenants")
	jobs, err := w.store.JobsOf(t.Context(), name, 10)
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	assert.Equal(t, []string{"a", "b"}, jobs[0].Tenants)

	// Whom a rule holds is left out, and nobody else.
	w.exec(`insert into crossfade.tenant_states (migration_id, tenant, backfilled_at, verified_at) select id, 'a', now(), now() from crossfade.migrations
		on conflict (migration_id, tenant) do update set backfilled_at = now(), verified_at = now()`)
	w.tick(c)
	assert.Equal(t, map[string]flags.Stage{"a": flags.Shadow, "b": flags.Dual}, w.inForce().Overrides)
	for range 3 {
		w.tick(c)
	}
	assert.Equal(t, map[string]flags.Stage{"a": flags.Live, "b": flags.Dual}, w.inForce().Overrides)

	// Switched off is a wish for old, granted rung by rung.
	v.says(memprovider.Disabled, "live", nil)
	w.tick(c)
	assert.Equal(t, flags.Shadow, w.inForce().Overrides["a"])
	for range 6 {
		w.tick(c)
	}
	for _, tenant := range tenants {
		compiled, err := w.inForce().Compile()
		require.NoError(t, err)
		stage, _ := compiled.Stage(tenant)
		assert.Equal(t, flags.Old, stage)
	}
	assert.Empty(t, w.inForce().Overrides, "everybody arrived where the default leads")
	assert.EqualValues(t, 4, w.look().Arrived)
}

func TestWishesNeverOvertakeAFreeze(t *testing.T) { //nolint:paralleltest // see newVendor
	w := newWorld(t)
	v := newVendor(t)
	c := w.controller(control.ControllerConfig{Wishes: []control.WishSource{{
		Migration: name, Wisher: flags.Wishes(v.client, name, nil), Tenants: listed("a", "b"),
	}}})
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.Dual, Tenants: []string{"b"}, Actor: "ann"})
	_, err := w.store.AddFreeze(t.Context(), ledger.Freeze{Migration: name, Actor: "ben", Reason: "sale"})
	require.NoError(t, err)
	v.says(memprovider.Enabled, "dual", map[string]string{"b": "old"})
	w.tick(c)
	assert.Equal(t, map[string]flags.Stage{"b": flags.Old}, w.inForce().Overrides, "who wishes down goes down")
	look := w.look()
	assert.Equal(t, "a", look.Waiting[0].Tenant)
	assert.Equal(t, "frozen by ben: sale", look.Waiting[0].WaitingFor)
}

// away is a flag system that does not answer.
type away struct {
	mu    sync.Mutex
	asked int
}

func (a *away) Wish(context.Context, string) (flags.Stage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	return 0, errors.New("no answer")
}

func TestFlagSystemThatIsAwayMovesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.step(control.Change{Migration: name, Kind: control.SetTenants, To: flags.Dual, Tenants: []string{"t1"}, Actor: "ann"})
	before := w.inForce()
	a := &away{}
	tenants := make([]string, 1000)
	for i := range tenants {
		tenants[i] = "t" + string(rune('0'+i%10)) + time.Duration(i).String()
	}
	c := w.controller(control.ControllerConfig{Wishes: []control.WishSource{{Migration: name, Wisher: a, Tenants: listed(slices.Concat([]string{"t1"}, tenants)...)}}})
	w.tick(c)
	assert.Equal(t, before.Overrides, w.inForce().Overrides)
	assert.Equal(t, 50, a.asked, "it is not asked for everybody")
	assert.Contains(t, w.look().Problem, "given up after 50 failures")

	_, err := control.NewController(w.plane, &control.ControllerConfig{Wishes: []control.WishSource{{Migration: name}}})
	require.ErrorContains(t, err, "name the migration, the wisher and the tenants")
}
