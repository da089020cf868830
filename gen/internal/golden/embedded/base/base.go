// Package base holds interfaces that other packages embed. No interface of it
// is annotated itself.
package base

import "context"

// Order is what the interfaces read and write.
type Order struct {
	ID    int64
	Buyer string
	Notes []string
}

// Reader reads orders.
type Reader interface {
	// Get returns one order.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Order, error)
}

// Counter has no directive.
type Counter interface {
	Count(ctx context.Context, tenant string, buyer string) (int, error)
}

// Walker walks keys of any type.
type Walker[K any] interface {
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *K, limit int) ([]K, error)
}
