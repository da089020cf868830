// Package invoices is the entity of this example: an invoice with its lines,
// in Chinook's own tables (version 1) and in a version with deduplicated
// addresses, amounts in integer cents and positions (version 2).
package invoices

import (
	"context"
	"errors"
	"time"
)

//go:generate go run ../../../cmd/crossfade gen .

// ErrNotFound says that the tenant has no such invoice.
var ErrNotFound = errors.New("no such invoice")

// Invoice is what a customer was billed. Its tenant is the customer's country.
type Invoice struct {
	ID         int32 `compare:"safe"`
	CustomerID int32 `compare:"safe"`
	Date       time.Time
	Address    Address
	TotalCents int64  `compare:"safe"`
	Lines      []Line `compare:"nilempty"`
}

// Address is where the bill goes. An absent part is nil.
type Address struct{ Street, City, State, Country, PostalCode *string }

// Line is one item of an invoice. The lines of an invoice are ordered by ID.
type Line struct {
	ID             int32 `compare:"safe"`
	TrackID        int32 `compare:"safe"`
	UnitPriceCents int64 `compare:"safe"`
	Quantity       int32 `compare:"safe"`
}

// Sum returns what the lines amount to, in cents.
func (i Invoice) Sum() (cents int64) {
	for _, line := range i.Lines {
		cents += line.UnitPriceCents * int64(line.Quantity)
	}
	return cents
}

// Invoices keeps the invoices of each tenant.
//
//crossfade:entity name=invoices notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Invoices interface {
	// Get returns one invoice with its lines.
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int32) (Invoice, error)
	// GetForUpdate returns one invoice and locks it.
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant string, id int32) (Invoice, error)
	// OfCustomer returns a customer's invoices by id.
	//crossfade:list
	OfCustomer(ctx context.Context, tenant string, customer int32) ([]Invoice, error)
	// Save inserts the invoice or replaces all of it.
	//crossfade:write key=invoice.ID
	Save(ctx context.Context, tenant string, invoice Invoice) error
	// Move changes where the bill goes and nothing else.
	//crossfade:write key=id
	Move(ctx context.Context, tenant string, id int32, to Address) error
	// Delete removes an invoice with its lines.
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int32) error
	// Keys returns the ids behind after, in order.
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int32, limit int) ([]int32, error)
}
