// Package v2 stores customers in two tables, by sqlc on pgx: the code that the application moves to.
//
// It knows nothing of version 1 or of the migration.
package v2

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2/queries"
)

// repository is customers.Customers over sqlc's queries.
type repository struct {
	db    queries.DBTX
	q     *queries.Queries
	fault Fault
}

// Fault reports whether the fault of the demonstration is planted at the moment: see splitNameLosingMiddle.
type Fault func(ctx context.Context, db queries.DBTX) (planted bool, err error)

// New returns the repository on db: a transaction in progress, or a pool, on which a Save, of two statements, is not
// atomic.
func New(db queries.DBTX) customers.Customers { return repository{db: db, q: queries.New(db)} }

// NewWithFault returns the repository with a fault in its mapping while fault says so. It asks, in the transaction, at
// every Save: a real application has nothing like it.
func NewWithFault(db queries.DBTX, fault Fault) customers.Customers {
	return repository{db: db, q: queries.New(db), fault: fault}
}

func (r repository) Get(ctx context.Context, tenant, id uuid.UUID) (customers.Customer, error) {
	row, err := r.q.Customer(ctx, queries.CustomerParams{TenantID: tenant, ID: id})
	if err != nil {
		return customers.Customer{}, notFound(err)
	}
	return domain(queries.CustomersRow(row))
}

// GetForUpdate locks in a statement of its own: one that waited for the lock and joined the address in one go would see
// the customer as it is and the address as it was.
func (r repository) GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (customers.Customer, error) {
	if _, err := r.q.LockCustomer(ctx, queries.LockCustomerParams{TenantID: tenant, ID: id}); err != nil {
		return customers.Customer{}, notFound(err)
	}
	return r.Get(ctx, tenant, id)
}

func (r repository) List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]customers.Customer, error) {
	rows, err := r.q.Customers(ctx, queries.CustomersParams{TenantID: tenant, After: after, MaxRows: int32(limit)})
	if err != nil {
		return nil, err
	}
	list := make([]customers.Customer, len(rows))
	for i, row := range rows {
		if list[i], err = domain(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r repository) Save(ctx context.Context, c customers.Customer) error {
	if err := c.Check(); err != nil {
		return err
	}
	first, last, err := r.split(ctx, c.FullName)
	if err != nil {
		return err
	}
	err = r.q.SaveCustomer(ctx, queries.SaveCustomerParams{
		TenantID: c.TenantID, ID: c.ID, FirstName: first, LastName: last, Email: c.Email,
		Balance: amountOfCents(c.BalanceCents), UpdatedAt: c.UpdatedAt,
	})
	switch {
	case err != nil:
		return err
	case c.Address == nil:
		return r.q.DeleteAddress(ctx, queries.DeleteAddressParams{TenantID: c.TenantID, CustomerID: c.ID})
	}
	return r.q.SaveAddress(ctx, queries.SaveAddressParams{
		TenantID: c.TenantID, CustomerID: c.ID, Street: c.Address.Street, City: c.Address.City,
		PostalCode: c.Address.PostalCode, Country: c.Address.Country,
	})
}

// split cuts the name in two, wrongly while the fault is planted.
func (r repository) split(ctx context.Context, full string) (first, last string, err error) {
	if r.fault == nil {
		first, last = splitName(full)
		return first, last, nil
	}
	planted, err := r.fault(ctx, r.db)
	if err != nil {
		return "", "", fmt.Errorf("ask for the planted fault: %w", err)
	}
	if planted {
		first, last = splitNameLosingMiddle(full)
		return first, last, nil
	}
	first, last = splitName(full)
	return first, last, nil
}

func (r repository) UpdateEmail(ctx context.Context, tenant, id uuid.UUID, email string, at time.Time) error {
	return found(r.q.UpdateEmail(ctx, queries.UpdateEmailParams{TenantID: tenant, ID: id, Email: email, UpdatedAt: at}))
}

func (r repository) AddBalance(ctx context.Context, tenant, id uuid.UUID, cents int64, at time.Time) (int64, error) {
	balance, err := r.q.AddBalance(ctx, queries.AddBalanceParams{
		TenantID: tenant, ID: id, Amount: amountOfCents(cents), UpdatedAt: at,
	})
	if err != nil {
		return 0, notFound(err)
	}
	return centsOfAmount(balance)
}

func (r repository) Delete(ctx context.Context, tenant, id uuid.UUID) error {
	return found(r.q.DeleteCustomer(ctx, queries.DeleteCustomerParams{TenantID: tenant, ID: id}))
}

func (r repository) Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error) {
	from := uuid.Nil // no customer has it
	if after != nil {
		from = *after
	}
	return r.q.CustomerIDs(ctx, queries.CustomerIDsParams{TenantID: tenant, After: from, MaxRows: int32(limit)})
}

// domain makes the domain struct of a row.
func domain(row queries.CustomersRow) (customers.Customer, error) {
	cents, err := centsOfAmount(row.Balance)
	if err != nil {
		return customers.Customer{}, fmt.Errorf("read a customer: %w", err)
	}
	c := customers.Customer{
		TenantID: row.TenantID, ID: row.ID, FullName: joinName(row.FirstName, row.LastName), Email: row.Email,
		BalanceCents: cents, UpdatedAt: row.UpdatedAt.UTC(),
	}
	if row.Street != nil { // the four are set together, or there is no address
		c.Address = &customers.Address{Street: *row.Street, City: *row.City, PostalCode: *row.PostalCode, Country: *row.Country}
	}
	return c, nil
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return customers.ErrNotFound
	}
	return err
}

// found turns a statement that met no row into ErrNotFound.
func found(rows int64, err error) error {
	if err == nil && rows == 0 {
		return customers.ErrNotFound
	}
	return err
}
