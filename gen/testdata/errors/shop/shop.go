// Package shop holds what the erroneous interfaces have in common.
package shop

import (
	"context"
	"errors"
)

// ErrNone says that there is no such customer.
var ErrNone = errors.New("none")

// Customer is a value.
type Customer struct {
	ID       int64
	TenantID string
	Name     string
}

// Roles are the methods by which keys are copied.
type Roles interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c Customer) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
