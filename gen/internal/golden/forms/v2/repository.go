// Package v2 stores articles by sqlc.
package v2

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
