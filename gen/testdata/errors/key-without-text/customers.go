package keywithouttext

import (
	"context"
	"database/sql"
	"time"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
	"github.com/shopspring/decimal"
)

// half has String and no UnmarshalText.
type half struct{ n int }

func (half) String() string { return "half" }

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:read key=x
	Float(ctx context.Context, tenant string, x float64) (shop.Customer, error)
	//crossfade:read key=x
	Time(ctx context.Context, tenant string, x time.Time) (shop.Customer, error)
	//crossfade:read key=x
	Decimal(ctx context.Context, tenant string, x decimal.Decimal) (shop.Customer, error)
	//crossfade:read key=x
	Pointer(ctx context.Context, tenant string, x *int64) (shop.Customer, error)
	//crossfade:read key=x
	Bytes(ctx context.Context, tenant string, x []byte) (shop.Customer, error)
	//crossfade:read key=x
	Any(ctx context.Context, tenant string, x any) (shop.Customer, error)
	//crossfade:read key=x
	Half(ctx context.Context, tenant string, x half) (shop.Customer, error)
	//crossfade:read key=x
	Struct(ctx context.Context, tenant string, x struct{ A float64 }) (shop.Customer, error)
	//crossfade:read key=x
	Null(ctx context.Context, tenant string, x sql.NullInt64) (shop.Customer, error)
}

/* want:
customers.go:22:2: Customers.Float: key=x: type float64 has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:24:2: Customers.Time: key=x: type time.Time has no canonical text (its method Equal says that values with different text can be equal): a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:26:2: Customers.Decimal: key=x: type decimal.Decimal has no canonical text (its method Equal says that values with different text can be equal): a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:28:2: Customers.Pointer: key=x: type *int64 has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:30:2: Customers.Bytes: key=x: type []byte has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:32:2: Customers.Any: key=x: type any has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:34:2: Customers.Half: key=x: type keywithouttext.half has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:36:2: Customers.Struct: key=x: type struct{A float64} has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
customers.go:38:2: Customers.Null: key=x: type sql.NullInt64 has no canonical text: a key is a string, an integer, a uuid.UUID, a type with String() string and UnmarshalText([]byte) error, or a struct of such fields
*/
