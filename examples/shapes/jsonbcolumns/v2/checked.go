// Package v2 stores a venue in a column for each field. It knows nothing of version 1.
package v2

import (
	"context"

	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns"
	"github.com/crossfade-db/crossfade/examples/shapes/jsonbcolumns/v2/queries"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// checked refuses what the other version could not store.
type checked struct{ *Repository }

// New returns the repository on a transaction in progress, a snapshot or a pool.
func New(db postgres.DBTX) jsonbcolumns.Venues {
	return checked{&Repository{q: queries.New(db), db: db}}
}

// Save checks, and saves.
func (r checked) Save(ctx context.Context, v jsonbcolumns.Venue) error {
	if err := v.Check(); err != nil {
		return err
	}
	return r.Repository.Save(ctx, v)
}
