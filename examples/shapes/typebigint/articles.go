// Package typebigint shows how integers become bigints, a key and a number: version 1 keeps both in 32 bits, version 2
// in 64, as the application does.
//
// There is no mapping: the queries of version 1 widen what they read and what they compare with, so that an id beyond
// 32 bits is one that is not there. While version 1 is there, both refuse to store such an id or number, or the way back
// would be closed: PostgreSQL does for version 1, and for version 2 two constraints do, which go when version 1 is
// retired. The key's text is the same on both sides. Nothing is lost. By hand, besides SQL and this file: 0 lines.
package typebigint

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Article is one article of one tenant.
type Article struct {
	TenantID uuid.UUID
	ID       int64
	Title    string
	Reads    int64 // how often it was read
}

// ErrNotFound says that the tenant has no article with that id.
var ErrNotFound = errors.New("no such article")

// Articles keeps the articles of all tenants.
//
//crossfade:entity name=articles notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Articles interface {
	// Get reads one article.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant uuid.UUID, id int64) (Article, error)

	// MostRead reads up to limit articles with at least so many reads, the most read first.
	//
	//crossfade:list
	MostRead(ctx context.Context, tenant uuid.UUID, least int64, limit int) ([]Article, error)

	// Save inserts the article or replaces all of it.
	//
	//crossfade:write key=a.ID tenant=a.TenantID
	Save(ctx context.Context, a Article) error

	// AddReads adds to the reads and returns the sum.
	//
	//crossfade:write key=id
	AddReads(ctx context.Context, tenant uuid.UUID, id, more int64) (int64, error)

	// Delete removes the article.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant uuid.UUID, id int64) error

	// Keys reads up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *int64, limit int) ([]int64, error)
}
