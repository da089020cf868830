package v1

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns"
	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns/v1/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVenuesAreTheSameThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := jsonbcolumns.Venue{
			Name: rapid.String().Draw(t, "name"), City: rapid.String().Draw(t, "city"),
			Seats:    rapid.Ptr(rapid.Int64(), true).Draw(t, "seats"),
			OpenedAt: time.UnixMicro(rapid.Int64Range(-60_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "opened at")),
			Tags:     rapid.SliceOf(rapid.String()).Draw(t, "tags"),
		}
		data, err := mapping{}.SaveParams(want)
		require.NoError(t, err)
		var got jsonbcolumns.Venue
		got.Name, got.City, got.Seats, got.OpenedAt, got.Tags, err = mapping{}.VenueFromRow(queries.Venue{Data: data})
		require.NoError(t, err)
		require.Empty(t, jsonbcolumns.DiffVenue(want, got))
	})
}

func TestATimeOf9999IsStoredWhateverItsZone(t *testing.T) {
	last := time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC).In(time.FixedZone("east", 19_800))
	data, err := mapping{}.SaveParams(jsonbcolumns.Venue{OpenedAt: last})
	require.NoError(t, err)
	_, _, _, got, _, err := mapping{}.VenueFromRow(queries.Venue{Data: data})
	require.NoError(t, err)
	require.Equal(t, last.UTC().Truncate(time.Microsecond), got, "to the microsecond, as a column keeps it")
}

func TestWhatTheDocumentWouldChangeIsRefused(t *testing.T) {
	for name, v := range map[string]jsonbcolumns.Venue{
		"text that is not UTF-8": {Name: "\xff"},
		"also in a tag":          {Tags: []string{"a", "\xc3"}},
		"halves of a character":  {Tags: []string{"\xc3", "\xa9"}},
		"a year beyond 9999":     {OpenedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a year before 1":        {OpenedAt: time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := mapping{}.SaveParams(v)
		require.ErrorIs(t, err, jsonbcolumns.ErrRefused, name)
	}
}

func TestADocumentThatDoesNotFitIsAnError(t *testing.T) {
	for _, data := range []string{`{"name": "a", "rooms": 3}`, `{"seats": 1e30}`, `{"seats": 1.5}`, `{"name": 1}`, `[]`} {
		_, _, _, _, _, err := mapping{}.VenueFromRow(queries.Venue{Data: []byte(data)})
		require.ErrorIs(t, err, errDocument, data)
	}
}
