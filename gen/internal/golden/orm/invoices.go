// Package orm is a golden package: an entity that a version stores by GORM, with lines, an embedded address, a soft
// delete, a serializer and hooks.
package orm

import (
	"context"
	"errors"
	"time"
)

// Invoice is one invoice.
type Invoice struct {
	Tenant    string
	Number    int64
	Note      string
	Labels    map[string]string
	Address   Address
	Lines     []Line
	Seller    *Seller
	UpdatedAt time.Time
}

// Address is where an invoice goes.
type Address struct{ Street, City string }

// Line is one line of an invoice.
type Line struct {
	Position int
	Text     string
	Cents    int64
}

// Seller signs an invoice.
type Seller struct{ Name string }

// ErrNone says that there is no such invoice.
var ErrNone = errors.New("no such invoice")

// Invoices keeps invoices.
//
//crossfade:entity name=invoices notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Invoices interface {
	//crossfade:read key=number
	Get(ctx context.Context, tenant string, number int64) (*Invoice, error)
	//crossfade:write key=i.Number tenant=i.Tenant
	Save(ctx context.Context, i *Invoice) error
	//crossfade:write key=number
	Delete(ctx context.Context, tenant string, number int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
	//crossfade:list
	Count(ctx context.Context, tenant string) (int64, error)
}
