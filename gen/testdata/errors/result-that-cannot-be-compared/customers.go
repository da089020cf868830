package resultthatcannotbecompared

import (
	"context"
	"database/sql"
	"io"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Rows(ctx context.Context, tenant string) (*sql.Rows, error)
	//crossfade:list
	Open(ctx context.Context, tenant string) (io.ReadCloser, error)
	//crossfade:list
	Later(ctx context.Context, tenant string) (func() shop.Customer, error)
	//crossfade:list
	Follow(ctx context.Context, tenant string) (<-chan shop.Customer, error)
}

/* want:
customers.go:16:2: Customers.Rows: result of type *sql.Rows: a handle of the database (sql.Rows; transactions go through InTx): it can be looked at once only, and two sides return one; return plain values, or use //crossfade:stream with an iter.Seq2[T, error]
customers.go:18:2: Customers.Open: result of type io.ReadCloser: a reader: it can be looked at once only, and two sides return one; return plain values, or use //crossfade:stream with an iter.Seq2[T, error]
customers.go:20:2: Customers.Later: result of type func() shop.Customer: a function: it can be looked at once only, and two sides return one; return plain values, or use //crossfade:stream with an iter.Seq2[T, error]
customers.go:22:2: Customers.Follow: result of type <-chan shop.Customer: a channel: it can be looked at once only, and two sides return one; return plain values, or use //crossfade:stream with an iter.Seq2[T, error]
*/
