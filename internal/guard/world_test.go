//go:build !race

package guard

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/guard/sample"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

const (
	migration = "accounts-v2"
	tenant    = "tenant-17"
)

// side is a repository that allocates nothing: what is counted is the routing.
type side struct {
	account sample.Account
	list    []sample.Account
	keys    []uuid.UUID
	hung    chan struct{} // Get waits for it to be closed; nil means that it does not
}

func (s *side) Get(context.Context, string, uuid.UUID) (sample.Account, error) {
	if s.hung != nil {
		<-s.hung
	}
	return s.account, nil
}

func (s *side) Balance(context.Context, string, uuid.UUID) (int64, error) {
	return s.account.Cents, nil
}
func (s *side) Newest(context.Context, string) ([]sample.Account, error) { return s.list, nil }
func (s *side) Save(_ context.Context, _ string, a sample.Account) error {
	s.account = a
	return nil
}
func (s *side) Delete(context.Context, string, uuid.UUID) error { return nil }
func (s *side) Keys(context.Context, string, *uuid.UUID, int) ([]uuid.UUID, error) {
	return s.keys, nil
}

// account returns an account whose strings are its own, as a driver makes them.
func account() sample.Account {
	at := time.Date(2024, 5, 17, 8, 30, 0, 123456000, time.UTC)
	own := strings.Clone
	return sample.Account{
		ID: uuid.UUID{1, 2, 3}, Tenant: own("tenant-17"), Name: own("Ada Lovelace"), Email: own("ada@example.org"), Phone: own("+44 20 7946"),
		Street: own("12 St James's Square"), City: own("London"), Zip: own("SW1Y 4LB"), Country: own("GB"), Visits: 12, Cents: -250, Score: 0.5,
		Level: 3, Active: true, CreatedAt: at, UpdatedAt: at.Add(time.Hour), Referrer: new(uuid.UUID{9}), Tags: []string{own("a"), own("b")}, Note: own("first"),
	}
}

func accounts(n int) []sample.Account {
	list := make([]sample.Account, n)
	for i := range list {
		list[i] = account()
	}
	return list
}

func newSide() *side { return &side{account: account(), list: accounts(50), keys: []uuid.UUID{{1}}} }

// policy returns a policy that has everybody at the stage.
func policy(stage flags.Stage) flags.Policy {
	return flags.Policy{Migration: migration, Epoch: 1, ID: flags.PolicyID{1}, Default: stage}
}

func flagOf(t testing.TB, p flags.Policy) *flags.Flag {
	t.Helper()
	set := flags.NewSet(nil)
	require.NoError(t, set.Apply(p))
	return set.Flag(migration)
}

func overridden(n int) flags.Policy {
	p := policy(flags.Shadow)
	p.Overrides = map[string]flags.Stage{tenant: flags.Live}
	for i := range n - 1 {
		p.Overrides[fmt.Sprintf("tenant-%09d", i)] = flags.Live
	}
	return p
}

// routed returns the generated repository over two sides in memory.
func routed(t testing.TB, stage flags.Stage, comparer *repo.Comparer) *sample.RoutedAccounts {
	t.Helper()
	return routedOver(t, newSide(), newSide(), stage, comparer)
}

func routedOver(t testing.TB, oldSide, newSide *side, stage flags.Stage, comparer *repo.Comparer) *sample.RoutedAccounts {
	t.Helper()
	return routedMetered(t, oldSide, newSide, stage, comparer, nil)
}

func routedMetered(t testing.TB, oldSide, newSide *side, stage flags.Stage, comparer *repo.Comparer, meter repo.Meter) *sample.RoutedAccounts {
	t.Helper()
	backend, err := repo.NewValues[sample.Accounts](oldSide, newSide)
	require.NoError(t, err)
	move, err := versions.Must(versions.New("accounts", "v1", "v2")).Last()
	require.NoError(t, err)
	r, err := sample.NewRoutedAccounts(repo.Config[sample.Accounts]{Migration: move, Flag: flagOf(t, policy(stage)), Backend: backend, Comparer: comparer, Meter: meter})
	require.NoError(t, err)
	return r
}

// comparer returns a comparer that takes this share of the reads.
func comparer(t testing.TB, share float64) *repo.Comparer {
	t.Helper()
	sampler, err := compare.NewSampler(&compare.SamplerConfig{Rest: &share})
	require.NoError(t, err)
	c := repo.NewComparer(&repo.ComparerConfig{Sampler: sampler})
	t.Cleanup(func() { require.NoError(t, c.Shutdown(context.Background())) })
	return c
}

// told is told of each comparison, and makes who waits for one allocate nothing.
type told chan repo.Outcome

func (told) Called(repo.Called) {}

func (ch told) Compared(_, _ string, o repo.Outcome) { ch <- o }
