// Package stream has methods that hand out rows while they read them.
package stream

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrNone says that there is no such event.
var ErrNone = errors.New("no event")

// Event is the value.
type Event struct {
	ID int64
	At time.Time
}

// Filter carries the tenant.
type Filter struct {
	Tenant string
	From   int64
}

// Events can be walked in several ways.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Events interface {
	//crossfade:stream
	All(ctx context.Context, tenant string) iter.Seq2[Event, error]
	// Since walks the events behind a time.
	//
	//crossfade:stream
	Since(ctx context.Context, tenant string, at time.Time, skip int) iter.Seq2[*Event, error]
	//crossfade:stream tenant=f.Tenant
	Some(ctx context.Context, f *Filter) iter.Seq2[Event, error]
	//crossfade:stream
	Each(ctx context.Context, tenant string, fn func(Event) error) error
	//crossfade:stream
	Walk(ctx context.Context, tenant string, log io.Writer, fn func(int, Event) (more bool)) error
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Event, error)
	//crossfade:write key=e.ID
	Save(ctx context.Context, tenant string, e Event) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
