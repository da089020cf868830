package v1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/typeenum"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAStatusIsTheSameAfterItWasWritten(t *testing.T) {
	statuses := []typeenum.Status{typeenum.Packed, typeenum.Shipped, typeenum.Delivered}
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.SampledFrom(statuses).Draw(t, "status")
		text, err := written(status)
		require.NoError(t, err)
		back, err := read(text)
		require.NoError(t, err)
		require.Equal(t, status, back)

		spaces := rapid.SampledFrom([]string{"", " ", "   "}).Draw(t, "spaces")
		back, err = read(spaces + strings.ToUpper(text) + spaces)
		require.NoError(t, err)
		require.Equal(t, status, back, "however it was written over the years")
	})
}

func TestAnyOtherStatusIsRefused(t *testing.T) {
	for _, text := range []string{"", "lost", "pack ed", "packed\n"} {
		_, err := read(text)
		assert.ErrorIs(t, err, errStatus, text)
		_, err = written(typeenum.Status(text))
		assert.ErrorIs(t, err, errStatus, text)
	}
}
