package directivemissing

import (
	"context"
	"iter"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	Fetch(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	Load(ctx context.Context, tenant string, c *shop.Customer) error
	ByName(ctx context.Context, tenant string, name string) ([]shop.Customer, error)
	LockOne(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	FindForUpdate(ctx context.Context, tenant string, id int64) (shop.Customer, error)
	Create(ctx context.Context, tenant string, name string) (shop.Customer, error)
	Add(ctx context.Context, tenant string, c shop.Customer) error
	SaveMany(ctx context.Context, tenant string, cs []shop.Customer) error
	DeleteMany(ctx context.Context, tenant string, ids []int64) error
	UpdateAll(ctx context.Context, tenant string, factor float64) (int, error)
	ListPage(ctx context.Context, tenant string, limit int) ([]shop.Customer, error)
	Each(ctx context.Context, tenant string, fn func(shop.Customer) error) error
	All(ctx context.Context, tenant string) iter.Seq2[shop.Customer, error]
	Recount(ctx context.Context, tenant string) error
	Total(ctx context.Context, tenant string) (int, error)
}

/* want:
customers.go:14:2: Customers.Fetch: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:15:2: Customers.Load: it has no directive: add //crossfade:read key=c.ID above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:16:2: Customers.ByName: it has no directive: add //crossfade:list above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:17:2: Customers.LockOne: it has no directive: add //crossfade:lock key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:18:2: Customers.FindForUpdate: it has no directive: add //crossfade:lock key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:19:2: Customers.Create: it has no directive: add //crossfade:create key=result.ID above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:20:2: Customers.Add: it has no directive: add //crossfade:write key=c.ID above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:21:2: Customers.SaveMany: it has no directive: add //crossfade:write keys=cs[].ID above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:22:2: Customers.DeleteMany: it has no directive: add //crossfade:write keys=ids above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:23:2: Customers.UpdateAll: it has no directive: add //crossfade:write all above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:24:2: Customers.ListPage: it has no directive: add //crossfade:list above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:25:2: Customers.Each: it has no directive: add //crossfade:stream above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:26:2: Customers.All: it has no directive: add //crossfade:stream above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:27:2: Customers.Recount: it has no directive: add //crossfade:write all above it, if that is what it does (the directives are read, list, lock, write, create, stream)
customers.go:28:2: Customers.Total: it has no directive: add //crossfade:list above it, if that is what it does (the directives are read, list, lock, write, create, stream)
*/
