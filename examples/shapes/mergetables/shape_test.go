package mergetables_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
)

func account(n byte, settings *mergetables.Settings) mergetables.Account {
	return mergetables.Account{TenantID: tenant, ID: id(n), Email: "ada@example.org", Settings: settings}
}

func chosen(language string, newsletter bool) *mergetables.Settings {
	return &mergetables.Settings{Language: language, Newsletter: newsletter}
}

var languages = rapid.SampledFrom([]string{"en", "EN", ""})

// meeting has languages found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Settings.Language", languages),
	crossfadetest.Field("ByLanguage.language", languages),
	crossfadetest.Field("ChangeLanguage.language", languages),
}

// change is a value and what becomes of it.
func change() (before, after mergetables.Account) {
	before, after = account(1, chosen("en", true)), account(1, chosen("fr", false))
	after.Email = "new@example.org"
	return before, after
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r mergetables.Accounts) error {
	for _, each := range []mergetables.Account{account(1, chosen("en", true)), account(2, nil), account(3, chosen("", false))} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r mergetables.Accounts) {
	ctx := t.Context()
	same(t, r, account(1, chosen("en", true)))
	same(t, r, account(2, nil))
	same(t, r, account(3, chosen("", false)))
	require.NoError(t, r.Save(ctx, account(4, chosen("en", false))))
	speak, err := r.ByLanguage(ctx, tenant, "en", 10)
	require.NoError(t, err)
	require.Len(t, speak, 2)

	require.NoError(t, r.ChangeLanguage(ctx, tenant, id(4), "fr"))
	same(t, r, account(4, chosen("fr", false)))
	require.ErrorIs(t, r.ChangeLanguage(ctx, tenant, id(2), "fr"), mergetables.ErrNotFound, "without settings there is no language")
	require.NoError(t, r.Save(ctx, account(2, chosen("de", true))))
	require.NoError(t, r.Save(ctx, account(1, nil)))
	first := account(1, nil)
	same(t, r, first)
	same(t, r, account(2, chosen("de", true)))
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, mergetables.DiffAccount(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, mergetables.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, mergetables.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), mergetables.ErrNotFound)
	require.ErrorIs(t, r.ChangeLanguage(ctx, tenant, first.ID, "x"), mergetables.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
