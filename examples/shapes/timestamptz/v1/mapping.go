// Package v1 keeps when an event happened as a timestamp without a zone, in UTC.
package v1

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/examples/shapes/timestamptz"
	"github.com/crossfade-db/crossfade/examples/shapes/timestamptz/v1/queries"
)

// mapping converts what timestamptz.Event and version v1 write differently.
type mapping struct{}

func (mapping) EventFromRow(row queries.Event) (time.Time, error) { return instant(row.At) }

func (mapping) SaveParams(e timestamptz.Event) (pgtype.Timestamp, error) { return inUTC(e.At), nil }

func (mapping) CorrectParams(_, _ uuid.UUID, at time.Time) (pgtype.Timestamp, error) {
	return inUTC(at), nil
}

func (mapping) SinceParams(_ uuid.UUID, since time.Time, _ int) (pgtype.Timestamp, error) {
	return inUTC(since), nil
}

var errInfinite = errors.New("the time of an event is infinite: give it a date")

// inUTC is what a clock in UTC shows.
func inUTC(at time.Time) pgtype.Timestamp { return pgtype.Timestamp{Time: at.UTC(), Valid: true} }

// instant undoes inUTC.
func instant(at pgtype.Timestamp) (time.Time, error) {
	if at.InfinityModifier != pgtype.Finite {
		return time.Time{}, errInfinite
	}
	return at.Time.UTC(), nil // as pgx reads it
}
