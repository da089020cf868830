package tenantwithouttext

import (
	"context"
	"time"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list tenant=at
	At(ctx context.Context, at time.Time) (int, error)
	//crossfade:list tenant=pair
	Pair(ctx context.Context, pair struct{ A, B string }) (int, error)
}

/* want:
customers.go:15:2: Customers.At: tenant=at: type time.Time has no canonical text (its method Equal says that values with different text can be equal): a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:17:2: Customers.Pair: tenant=pair: type struct{A string; B string} has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
*/
