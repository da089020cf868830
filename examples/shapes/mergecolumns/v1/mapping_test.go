package v1

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/mergecolumns/v1/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAStartIsTheSameAfterItWasCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
		at := time.UnixMicro(rapid.Int64Range(-60_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "at")).In(zone)
		day, clock := cut(at)
		require.True(t, at.Equal(joined(day, clock)))
		require.GreaterOrEqual(t, clock.Microseconds, int64(0))
		require.Less(t, clock.Microseconds, (24 * time.Hour).Microseconds())
	})
}

func TestAnInfiniteDayIsRefused(t *testing.T) {
	for _, day := range []string{"infinity", "-infinity"} {
		row := queries.Appointment{StartTime: pgtype.Time{Valid: true}}
		require.NoError(t, row.StartDay.Scan(day))
		_, err := mapping{}.AppointmentFromRow(row)
		assert.ErrorIs(t, err, errInfinite)
	}
}
