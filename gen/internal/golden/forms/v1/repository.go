// Package v1 stores articles by sqlc.
package v1

import (
	"context"
	_ "embed"

	"github.com/crossfade-db/crossfade/gen/internal/golden/forms"
)

// Schema is the SQL that makes the tables.
//
//go:embed schema.sql
var Schema string

// Each is written by hand: streams always are.
func (r *Repository) Each(ctx context.Context, tenant string, each func(forms.Article) error) error {
	list, err := r.List(ctx, tenant, 0, 1000)
	for i := 0; err == nil && i < len(list); i++ {
		err = each(*list[i])
	}
	return err
}

// SaveAll is written by hand: version 1 has no query for it.
func (r *Repository) SaveAll(ctx context.Context, _ string, as []forms.Article) error {
	for _, a := range as {
		if err := r.Save(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// Import is written by hand: version 1 has no query for it.
func (r *Repository) Import(ctx context.Context, tenant string, as []forms.Article) (int64, error) {
	return int64(len(as)), r.SaveAll(ctx, tenant, as)
}
