// Package create has inserts whose keys are known only afterwards.
package create

import (
	"context"
	"errors"
)

// ErrNone says that there is no such invoice.
var ErrNone = errors.New("no invoice")

// Invoice is the value.
type Invoice struct {
	ID   int64
	Text string
}

// Invoices makes its keys itself.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Invoices interface {
	//crossfade:create key=result.ID
	Create(ctx context.Context, tenant string, text string) (Invoice, error)
	//crossfade:create key=result
	CreateID(ctx context.Context, tenant string, text, note string) (id int64, err error)
	// CreateOnce returns nil where there is one already.
	//
	//crossfade:create key=result.ID
	CreateOnce(ctx context.Context, tenant string, text string) (i *Invoice, seen int, err error)
	//crossfade:create key=i.ID
	Insert(ctx context.Context, tenant string, i *Invoice) error
	//crossfade:create keys=is[].ID
	InsertAll(ctx context.Context, tenant string, prefix string, is []*Invoice) error
	//crossfade:create keys=result[].ID
	InsertMany(ctx context.Context, tenant string, texts ...string) ([]Invoice, error)
	//crossfade:create key=result.ID keys=rest[].ID
	InsertWith(ctx context.Context, tenant string, first string, rest []*Invoice) (Invoice, error)
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Invoice, error)
	//crossfade:write key=i.ID
	Save(ctx context.Context, tenant string, i Invoice) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
