// Package customers is the entity of the quickstart: the domain struct, the repository interface that the application
// calls, and, generated from it, the routed repository and the comparison. Packages v1 and v2 below it store customers
// in their own ways.
//
// It never touches a database and knows nothing of either version's tables.
package customers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Customer is one customer of one tenant, as the application sees it whatever version stores it. Two customers are the
// same when all fields are equal, times to the microsecond.
type Customer struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	// FullName is the name as it was entered, spaces and all. It may be shown in logs: this is a demonstration.
	FullName string `compare:"safe"`
	Email    string
	// Address is nil where none is known; an address of which nothing is known is not the same.
	Address *Address
	// BalanceCents is in hundredths; a customer in debt has less than zero. At most 12 digits.
	BalanceCents int64 `compare:"safe"`
	// UpdatedAt is when the application last changed the customer, to the microsecond.
	UpdatedAt time.Time `compare:"safe"`
}

// Address is where a customer lives. Parts that are not known are empty.
type Address struct {
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"`
}

// ErrNotFound says that the tenant has no customer with that id.
var ErrNotFound = errors.New("no such customer")

// Customers keeps the customers of all tenants. A customer that is not there is ErrNotFound everywhere, but for Save,
// which makes it. Times are the caller's, so that both versions store the same.
//
//crossfade:entity name=customers notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	// Get reads one customer.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Customer, error)

	// GetForUpdate reads one customer and keeps it from changing until the transaction ends.
	//
	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Customer, error)

	// List reads up to limit customers in the order of their ids, those behind after; uuid.Nil starts at the first.
	//
	//crossfade:list
	List(ctx context.Context, tenant, after uuid.UUID, limit int) ([]Customer, error)

	// Save inserts the customer or replaces all of it. A customer that breaks a rule of [Customer.Check] is an error.
	//
	//crossfade:write key=c.ID tenant=c.TenantID
	Save(ctx context.Context, c Customer) error

	// UpdateEmail changes the email address and nothing else.
	//
	//crossfade:write key=id
	UpdateEmail(ctx context.Context, tenant, id uuid.UUID, email string, at time.Time) error

	// AddBalance adds cents, which may be negative, and returns the new balance.
	//
	//crossfade:write key=id
	AddBalance(ctx context.Context, tenant, id uuid.UUID, cents int64, at time.Time) (int64, error)

	// Delete removes the customer.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	// Keys returns up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}

// MaxBalanceCents is the largest balance, and the largest debt, that both versions can hold.
const MaxBalanceCents = 999_999_999_999

// InvalidError says which rule a customer breaks. It shows no value.
type InvalidError struct{ Problem string }

func (e *InvalidError) Error() string { return "customer: " + e.Problem }

// Check returns an [*InvalidError] for a customer that could not be stored, so that both versions refuse the same ones.
func (c Customer) Check() error {
	texts := []string{c.FullName, c.Email}
	if a := c.Address; a != nil {
		texts = append(texts, a.Street, a.City, a.PostalCode, a.Country)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return &InvalidError{Problem: "a text is not UTF-8 or holds the character zero, which PostgreSQL cannot store"}
		}
	}
	switch {
	case c.TenantID == uuid.Nil:
		return &InvalidError{Problem: "it has no tenant"}
	case c.ID == uuid.Nil:
		return &InvalidError{Problem: "it has no id"}
	case c.BalanceCents > MaxBalanceCents || c.BalanceCents < -MaxBalanceCents:
		return &InvalidError{Problem: fmt.Sprintf("its balance has more than %d digits", len(fmt.Sprint(MaxBalanceCents)))}
	}
	return nil
}
