package flags_test

import (
	"context"
	"errors"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestWishIsTheValueOfTheFlag(t *testing.T) {
	for _, stage := range flags.Stages() {
		w := flags.Wishes(clientOf(t, vendor(migration, stage.String())), migration, nil)
		got, err := w.Wish(t.Context(), "acme")
		require.NoError(t, err)
		assert.Equal(t, stage, got)
	}
}

func TestFlagThatIsSwitchedOffIsAWishForOld(t *testing.T) {
	off := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{migration: {
		State: memprovider.Disabled, DefaultVariant: "on", Variants: map[string]any{"on": "live"},
	}})
	client := clientOf(t, off)
	got, err := flags.Wishes(client, migration, nil).Wish(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, flags.Old, got)

	client.AddHooks(hook{before: func(context.Context, openfeature.HookContext) (*openfeature.EvaluationContext, error) {
		return nil, errors.New("a hook erred")
	}})
	_, err = flags.Wishes(client, migration, nil).Wish(t.Context(), "acme")
	require.Error(t, err, "who errs wishes nothing")
}

func TestWhatIsNoWishIsAnErrorAndNeverADefault(t *testing.T) {
	for name, provider := range map[string]*memprovider.InMemoryProvider{
		"a missing flag":   vendor("another", "live"),
		"an unknown value": vendor(migration, "sideways"),
		"an empty value":   vendor(migration, ""),
	} {
		got, err := flags.Wishes(clientOf(t, provider), migration, nil).Wish(t.Context(), "acme")
		var problem *flags.FlagError
		require.ErrorAs(t, err, &problem, name)
		assert.False(t, got.Valid(), name)
	}
	_, err := flags.Wishes(clientOf(t, vendor(migration, "live")), migration, nil).Wish(t.Context(), "")
	require.Error(t, err)
}
