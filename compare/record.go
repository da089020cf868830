package compare

import (
	"context"
	"slices"
	"time"
)

// Record is one confirmed mismatch of one field: what sinks receive and ledgers keep.
type Record struct {
	Migration string
	Tenant    string
	Operation string
	// Key is the key of the row as it is, since repairs need it. It can be personal data: sinks that write to logs show
	// RedactKey of it.
	Key       string
	RequestID string
	Stage     string
	Epoch     int64
	// Field is the path of the difference, with indexes; Pattern(Field) is the name to count it under.
	Field string
	Kind  Kind
	// Served and Other are redacted unless the field is marked safe.
	Served, Other string
	// Truncated says that the comparison was cut: more may differ than its records show.
	Truncated bool
	At        time.Time
}

// Records returns one record for each difference that counts, each a copy of base with Field, Kind, Served and Other
// filled in; nil if none counts. Differences that could not be judged are among them, so that they can be looked at.
func Records(base Record, diffs []Diff) []Record {
	base.Truncated = slices.ContainsFunc(diffs, func(d Diff) bool { return d.Kind == KindTruncated })
	var records []Record
	for _, d := range diffs {
		if d.Ignored || d.Kind == KindTruncated {
			continue
		}
		r := base
		r.Field, r.Kind, r.Served, r.Other = d.Path, d.Kind, d.Served, d.Other
		records = append(records, r)
	}
	return records
}

type requestIDKey struct{}

// WithRequestID returns a ctx that carries the id of the request in progress, so that a mismatch can be traced back to
// it. Middleware calls it once per request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id that WithRequestID put into ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
