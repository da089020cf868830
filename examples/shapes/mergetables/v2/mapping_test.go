package v2

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/mergetables"
	"github.com/crossfade-db/crossfade/examples/shapes/mergetables/v2/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSettingsAreTheSameThereAndBack(t *testing.T) {
	settings := rapid.Ptr(rapid.Custom(func(t *rapid.T) mergetables.Settings {
		return mergetables.Settings{Language: rapid.String().Draw(t, "language"), Newsletter: rapid.Bool().Draw(t, "newsletter")}
	}), true)
	rapid.Check(t, func(t *rapid.T) {
		want := settings.Draw(t, "settings")
		language, newsletter, err := mapping{}.SaveParams(mergetables.Account{Settings: want})
		require.NoError(t, err)
		got, err := mapping{}.AccountFromRow(queries.Account{Language: language, Newsletter: newsletter})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
