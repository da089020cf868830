// Package mixin does not compile before its code is generated.
package mixin

import "context"

// Order is a value.
type Order struct{ ID int64 }

// Reader is embedded elsewhere.
type Reader interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Order, error)
}

// Orders is an entity too.
//
//crossfade:entity notfound=nil get=Find put=Save delete=Delete keys=Keys
type Orders interface {
	//crossfade:read key=id
	Find(ctx context.Context, tenant string, id int64) (*Order, error)
	//crossfade:write key=o.ID
	Save(ctx context.Context, tenant string, o *Order) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}

// Default needs generated code.
var Default *RoutedOrders = build()

func build() *RoutedOrders {
	routed, _ := NewRoutedOrders(nothing)
	return routed
}
