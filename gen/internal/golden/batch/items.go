// Package batch has methods over many keys, and variadic ones.
package batch

import (
	"context"
	"errors"
)

// ErrNone says that there is no such item.
var ErrNone = errors.New("no item")

// ID is a key.
type ID int64

// IDs is a list of keys.
type IDs []ID

// Item is the value.
type Item struct {
	ID   ID
	Tags []string
}

// Box holds items.
type Box struct {
	Lid   *Item
	Items []*Item
	Owner *struct{ ID ID }
}

// Items works on many at once.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Items interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id ID) (Item, error)
	//crossfade:read keys=ids unordered
	GetAll(ctx context.Context, tenant string, ids IDs) ([]Item, error)
	//crossfade:read keys=ids
	GetMap(ctx context.Context, tenant string, ids ...ID) (map[ID]Item, error)
	//crossfade:list
	Tagged(ctx context.Context, tenant string, tags ...string) ([]Item, error)
	//crossfade:lock keys=ids
	LockAll(ctx context.Context, tenant string, ids []ID) error
	//crossfade:lock all
	LockTenant(ctx context.Context, tenant string) (int, error)
	// Save takes one item or many.
	//
	//crossfade:write keys=items[].ID
	SaveAll(ctx context.Context, tenant string, items ...Item) error
	//crossfade:write keys=b.Items[].ID key=b.Lid.ID key=b.Owner.ID key=extra
	SaveBox(ctx context.Context, tenant string, b *Box, extra ID) error
	//crossfade:write key=id
	Tag(ctx context.Context, tenant string, id ID, tags ...string) (added int, err error)
	//crossfade:write key=item.ID
	Save(ctx context.Context, tenant string, item Item) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id ID) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *ID, limit int) ([]ID, error)
}
