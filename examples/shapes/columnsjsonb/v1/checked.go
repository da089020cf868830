// Package v1 stores a device in a column for each field. It knows nothing of version 2.
package v1

import (
	"context"

	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb"
	"github.com/crossfade-db/crossfade/examples/shapes/columnsjsonb/v1/queries"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// checked refuses what the other version could not store.
type checked struct{ *Repository }

// New returns the repository on a transaction in progress, a snapshot or a pool.
func New(db postgres.DBTX) columnsjsonb.Devices {
	return checked{&Repository{q: queries.New(db), db: db}}
}

// Save checks, and saves.
func (r checked) Save(ctx context.Context, d columnsjsonb.Device) error {
	if err := d.Check(); err != nil {
		return err
	}
	return r.Repository.Save(ctx, d)
}
