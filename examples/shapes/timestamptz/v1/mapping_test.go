package v1

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestATimeIsTheSameThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
		at := time.UnixMicro(rapid.Int64Range(-60_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "at")).In(zone)
		back, err := instant(inUTC(at))
		require.NoError(t, err)
		require.True(t, at.Equal(back))
	})
}

func TestAnInfiniteTimeIsRefused(t *testing.T) {
	for _, text := range []string{"infinity", "-infinity"} {
		var at pgtype.Timestamp
		require.NoError(t, at.Scan(text))
		_, err := instant(at)
		assert.ErrorIs(t, err, errInfinite)
	}
}
