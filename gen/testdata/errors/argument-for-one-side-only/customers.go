package argumentforonesideonly

import (
	"context"
	"database/sql"
	"io"
	"os"
	"unsafe"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:write key=id
	Import(ctx context.Context, tenant string, id int64, from io.Reader) error
	//crossfade:write key=id
	Attach(ctx context.Context, tenant string, id int64, file *os.File) error
	//crossfade:list
	Where(ctx context.Context, tenant string, keep func(shop.Customer) (bool, error)) ([]shop.Customer, error)
	//crossfade:write all
	Consume(ctx context.Context, tenant string, rows <-chan shop.Customer) error
	//crossfade:write key=id
	With(ctx context.Context, tenant string, id int64, tx *sql.Tx) error
	//crossfade:write key=o.ID
	Hooked(ctx context.Context, tenant string, o struct {
		ID   int64
		Hook func()
	}) error
	//crossfade:write all
	Export(ctx context.Context, tenant string, _ map[string][]io.WriteCloser) error
	//crossfade:write all
	Point(ctx context.Context, tenant string, p unsafe.Pointer) error
}

/* want:
customers.go:18:2: Customers.Import: parameter from: a reader: it cannot be given to two sides, or twice to one; pass plain values
customers.go:20:2: Customers.Attach: parameter file: a reader: it cannot be given to two sides, or twice to one; pass plain values
customers.go:22:2: Customers.Where: parameter keep: a function: it cannot be given to two sides, or twice to one; pass plain values
customers.go:24:2: Customers.Consume: parameter rows: a channel: it cannot be given to two sides, or twice to one; pass plain values
customers.go:26:2: Customers.With: parameter tx: a handle of the database (sql.Tx; transactions go through InTx): it cannot be given to two sides, or twice to one; pass plain values
customers.go:28:2: Customers.Hooked: parameter o: field Hook is a function: it cannot be given to two sides, or twice to one; pass plain values
customers.go:33:2: Customers.Export: parameter number 3: an interface with a method Write: it cannot be given to two sides, or twice to one; pass plain values
customers.go:35:2: Customers.Point: parameter p: an unsafe.Pointer: it cannot be given to two sides, or twice to one; pass plain values
*/
