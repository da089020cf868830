package several

import (
	"context"
	"errors"
	"strings"
)

// Supplier is a value of suppliers.
type Supplier struct {
	Name   string
	Credit Money
}

// suppliers is not exported, returns pointers, nil for none, and tells by a function too.
//
//crossfade:entity notfound=isNone get=Load put=Store delete=Drop keys=Names
type suppliers interface {
	//crossfade:read key=name
	Load(ctx context.Context, tenant, name string) (*Supplier, error)
	//crossfade:write key=s.Name
	Store(ctx context.Context, tenant string, s Supplier) error
	//crossfade:write key=name
	Drop(ctx context.Context, tenant, name string) error
	//crossfade:list
	Names(ctx context.Context, tenant string, after *string, limit int) ([]string, error)
}

var errGone = errors.New("gone: no such supplier")

func isNone(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "gone") }
