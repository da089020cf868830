// Package v1 keeps the start of an appointment in a date and a time of day.
package v1

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/examples/shapes/mergecolumns"
	"github.com/crossfade-db/crossfade/examples/shapes/mergecolumns/v1/queries"
)

// mapping converts what mergecolumns.Appointment and version v1 write differently.
type mapping struct{}

func (mapping) SaveParams(a mergecolumns.Appointment) (startDay pgtype.Date, startTime pgtype.Time, err error) {
	startDay, startTime = cut(a.StartsAt)
	return startDay, startTime, nil
}

func (mapping) MoveParams(_, _ uuid.UUID, startsAt time.Time) (startDay pgtype.Date, startTime pgtype.Time, err error) {
	startDay, startTime = cut(startsAt)
	return startDay, startTime, nil
}

func (mapping) AppointmentFromRow(row queries.Appointment) (startsAt time.Time, err error) {
	if row.StartDay.InfinityModifier != pgtype.Finite {
		return time.Time{}, errInfinite
	}
	return joined(row.StartDay, row.StartTime), nil
}

var errInfinite = errors.New("the day of an appointment is infinite: give it a date")

// cut returns the day and the time of day in UTC, to the microsecond.
func cut(at time.Time) (pgtype.Date, pgtype.Time) {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	return pgtype.Date{Time: day, Valid: true}, pgtype.Time{Microseconds: at.Sub(day).Microseconds(), Valid: true}
}

// joined undoes cut.
func joined(day pgtype.Date, clock pgtype.Time) time.Time {
	return day.Time.Add(time.Duration(clock.Microseconds) * time.Microsecond)
}
