package flags_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
)

func TestParseShareReadsPercentages(t *testing.T) {
	for text, want := range map[string]flags.Share{
		"0": 0, "0%": 0, "0.00": 0, "5": 500, " 5 ": 500, "5%": 500, "5 %": 500, "05": 500, "12.5": 1250,
		"0.01%": 1, "0.29": 29, "1.1": 110, "33.33": 3333, "12.500": 1250, "99.99": 9999,
		"100": 10000, "100.00": 10000, "100.000%": 10000,
	} {
		got, err := flags.ParseShare(text)
		require.NoError(t, err, "%q", text)
		assert.Equal(t, want, got, "%q", text)
	}
}

func TestParseShareRefusesTheRestByName(t *testing.T) {
	for _, text := range []string{
		"", " ", "%", "half", "-1", "-0", "+5", "1e1", "1E1", "0x5", "5%%", "%5", "5 5", "100.01", "101", "1000", "0.001", "12.345",
		"NaN", "Inf", "-Inf", "1_0", "5.", ".5", "1,5", "5\n", "\u0665", "99999999999999999999",
	} {
		_, err := flags.ParseShare(text)
		var bad *flags.ShareError
		require.ErrorAs(t, err, &bad, "%q", text)
		assert.Equal(t, text, bad.Text)
		assert.ErrorContains(t, err, "use 0 to 100 with at most two decimals")
	}
}

func TestEveryShareGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := flags.Share(rapid.IntRange(0, flags.Buckets).Draw(t, "share"))
		again, err := flags.ParseShare(share.String())
		require.NoError(t, err)
		require.Equal(t, share, again)
	})
	assert.Equal(t, "12.5%", flags.Share(1250).String())
}
