// Package compare has the name of a package that generated code imports, and
// imports two packages of one name, one with a name of its own choice, one
// whose name is not that of its folder, and one under the name of another.
package compare

import (
	"context"
	errors "strings"
	"time"

	"github.com/crossfade-db/crossfade/gen/internal/golden/imports/a/v1"
	other "github.com/crossfade-db/crossfade/gen/internal/golden/imports/b/v1"
	"github.com/crossfade-db/crossfade/gen/internal/golden/imports/odd-name"
)

// repo has the name of a package that generated code imports.
var repo = errors.ToLower("REPO")

// Parcel is a value.
type Parcel struct {
	ID       strange.ID
	From     v1.Address
	To       *other.Address
	Stops    map[strange.ID][]v1.Address
	Weighed  time.Time
	Contents errors.Builder `compare:"ignore"`
}

// Parcels reads and writes parcels.
//
//crossfade:entity notfound=strange.ErrNone get=Get put=Save delete=Delete keys=Keys tenant=shop
type Parcels interface {
	//crossfade:read key=v1
	Get(ctx context.Context, shop string, v1 strange.ID) (Parcel, error)
	//crossfade:list
	Sent(ctx context.Context, shop string, repo other.Address, v1 v1.Address, strange *time.Time) ([]Parcel, error)
	//crossfade:write key=strange.ID
	Save(ctx context.Context, shop string, strange Parcel) error
	//crossfade:write key=time
	Delete(ctx context.Context, shop string, time strange.ID) error
	//crossfade:list
	Keys(ctx context.Context, shop string, after *strange.ID, limit int) ([]strange.ID, error)
}

// used keeps the name in use.
func used() string { return repo }
