// Package plain is the usual case: one entity, and a method of each sort.
package plain

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Customer is the domain struct.
type Customer struct {
	ID        uuid.UUID
	Name      string
	Address   *Address
	Tags      []string
	Lines     []Line `compare:"unordered,by=ID"`
	Labels    map[string]string
	Balance   int64     `compare:"safe"`
	UpdatedAt time.Time `compare:"within=1ms"`
	noted     bool
}

// Address is nested.
type Address struct {
	Street, City string
}

// Line is nested in a list.
type Line struct {
	ID    int64
	Cents int64
}

// ErrNotFound says that there is no such customer.
var ErrNotFound = errors.New("customer not found")

// Customers reads and writes customers.
//
//crossfade:entity notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	// Get returns one customer, or ErrNotFound.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (Customer, error)

	//crossfade:read keys=ids unordered by=ID
	GetMany(ctx context.Context, tenant string, ids []uuid.UUID) ([]Customer, error)

	//crossfade:list
	List(ctx context.Context, tenant string, status string, limit int) ([]Customer, error)

	//crossfade:list
	Page(ctx context.Context, tenant string, after uuid.UUID, limit int) (customers []Customer, total int, err error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant string, id uuid.UUID) (Customer, error)

	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c Customer) error

	//crossfade:write keys=cs[].ID
	SaveAll(ctx context.Context, tenant string, cs []Customer) error

	//crossfade:write key=from key=to
	Transfer(ctx context.Context, tenant string, from, to uuid.UUID, cents int64) (balance int64, err error)

	//crossfade:write all
	DeleteInactive(ctx context.Context, tenant string, since time.Time) (int, error)

	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
