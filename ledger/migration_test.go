package ledger_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

func TestRegisteredMigrationLeavesEverybodyAtOld(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	policy, err := store.Policy(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.EqualValues(t, 1, policy.Epoch)
	assert.Equal(t, flags.Old, policy.Default)
	assert.False(t, policy.ID.IsZero())
	assert.Equal(t, customers.Name, policy.Salt)
	assert.Empty(t, policy.Overrides)

	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.Equal(t, customers, state.Migration.Migration)
	assert.Empty(t, state.Outstanding())
	assert.Nil(t, state.Tenant("acme").BackfilledAt)
	assert.True(t, state.Tenant("acme").OldComplete)
	history, err := store.History(t.Context(), customers.Name, ledger.HistoryFilter{})
	require.NoError(t, err)
	require.Len(t, history, 1)
	assert.Equal(t, ledger.KindRegister, history[0].Kind)
}

func TestRegisterAgain(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	first, err := store.Register(t.Context(), customers, "")
	require.NoError(t, err)
	same, err := store.Register(t.Context(), customers, customers.Name)
	require.NoError(t, err)
	assert.Equal(t, first, same, "the name is the salt of those who name none")

	var another *ledger.DefinitionError
	other := customers
	other.Entity, other.To = "clients", "v3"
	_, err = store.Register(t.Context(), other, "pepper")
	require.ErrorAs(t, err, &another)
	for _, word := range []string{`"customers"`, `"clients"`, `"v2"`, `"v3"`, `"pepper"`, "another name"} {
		assert.ErrorContains(t, err, word)
	}
	var ids int
	require.NoError(t, pool.QueryRow(t.Context(), `select last_value from crossfade.migrations_id_seq`).Scan(&ids))
	assert.Equal(t, int(first.ID), ids, "registering at every start uses up no ids")
}

func TestManyProcessesRegisterAtOnce(t *testing.T) {
	t.Parallel()
	store := ledger.New(pgtest.Pool(t), nil)
	ids := make([]int32, 8)
	var group errgroup.Group
	for i := range ids {
		group.Go(func() error {
			m, err := store.Register(t.Context(), customers, "")
			ids[i] = m.ID
			return err
		})
	}
	require.NoError(t, group.Wait())
	for _, id := range ids {
		assert.Equal(t, ids[0], id)
	}
	all, err := store.Migrations(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 1)
}

func TestBadMigrationsAreRefused(t *testing.T) {
	t.Parallel()
	store := ledger.New(pgtest.Pool(t), nil)
	for problem, m := range map[string]versions.Migration{
		"name must have":         {Entity: "e", From: "v1", To: "v2"},
		"1 to 200 bytes":         {Name: strings.Repeat("x", 201), Entity: "e", From: "v1", To: "v2"},
		"two different versions": {Name: "m", Entity: "e", From: "v1", To: "v1"},
		"must name an entity":    {Name: "m", From: "v1", To: "v2"},
	} {
		_, err := store.Register(t.Context(), m, "")
		var input *ledger.InputError
		require.ErrorAs(t, err, &input, problem)
		assert.ErrorContains(t, err, problem)
	}
}

func TestUnknownMigrationIsNamedWithTheKnownOnes(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	calls := map[string]func() error{
		"Policy":      func() error { _, err := store.Policy(t.Context(), "orders-v2"); return err },
		"Migration":   func() error { _, err := store.Migration(t.Context(), "orders-v2"); return err },
		"Load":        func() error { _, err := store.Load(t.Context(), "orders-v2"); return err },
		"History":     func() error { _, err := store.History(t.Context(), "orders-v2", ledger.HistoryFilter{}); return err },
		"AddHistory":  func() error { return store.AddHistory(t.Context(), "orders-v2", ledger.Entry{Actor: "a", Kind: "k"}) },
		"StaleCounts": func() error { _, err := store.StaleCounts(t.Context(), "orders-v2"); return err },
		"StaleKeys":   func() error { _, err := store.StaleKeys(t.Context(), "orders-v2", ledger.StaleFilter{}); return err },
		"Mismatches": func() error {
			_, err := store.Mismatches(t.Context(), "orders-v2", ledger.MismatchFilter{})
			return err
		},
		"ResolveMismatches": func() error {
			_, err := store.ResolveMismatches(t.Context(), "orders-v2", ledger.MismatchFilter{})
			return err
		},
		"Change": func() error { _, err := store.Change(t.Context(), "orders-v2", 1, nil); return err },
		"Mark": func() error {
			return store.Mark(t.Context(), ledger.Version{Migration: "orders-v2"}, ledger.Verified, "a")
		},
		"Sink": func() error { return store.Sink().Record(t.Context(), records("orders-v2", 1)) },
	}
	for call, fn := range calls {
		err := fn()
		var unknown *ledger.UnknownMigrationError
		if assert.ErrorAs(t, err, &unknown, call) {
			assert.ErrorContains(t, err, `"orders-v2" is not in the ledger: known are customers-v2`, call)
		}
	}
	versions, err := store.Versions(t.Context(), "orders-v2", customers.Name)
	require.NoError(t, err)
	assert.Len(t, versions, 1)
}
