// Package several has several entities in one package, two of them in one
// file, that share types and tell "not there" each in their own way.
package several

import (
	"context"
	"fmt"
)

// Money is shared.
type Money struct {
	Cents    int64
	Currency string
}

// Product is a value of Products.
type Product struct {
	SKU   string
	Price Money
}

// Stock is a value of Stocks.
type Stock struct {
	SKU   string
	Count int
	Value Money
}

// NotThereError says that there is no such product.
type NotThereError struct{ SKU string }

func (e *NotThereError) Error() string { return fmt.Sprintf("no product %s", e.SKU) }

type (
	// Products tells by an error type.
	//
	//crossfade:entity notfound=NotThereError get=Find put=Put delete=Remove keys=SKUs
	Products interface {
		//crossfade:read key=sku
		Find(ctx context.Context, tenant, sku string) (Product, error)
		//crossfade:write key=p.SKU
		Put(ctx context.Context, tenant string, p Product) error
		//crossfade:write key=sku
		Remove(ctx context.Context, tenant, sku string) error
		//crossfade:list
		SKUs(ctx context.Context, tenant string, after *string, limit int) ([]string, error)
	}

	// Stocks tells by a bool, and its writes have results that a copy drops.
	//
	//crossfade:entity notfound=nil get=Find put=Put delete=Remove keys=SKUs
	Stocks interface {
		//crossfade:read key=sku
		Find(ctx context.Context, tenant, sku string) (stock Stock, found bool, err error)
		//crossfade:write key=s.SKU
		Put(ctx context.Context, tenant string, s *Stock) (version int, err error)
		//crossfade:write key=sku
		Remove(ctx context.Context, tenant, sku string) (existed bool, err error)
		//crossfade:list
		SKUs(ctx context.Context, tenant string, after *string, limit int) ([]string, error)
	}
)
