// Package wide is an entity of twenty fields, for measuring what its generated comparator costs.
//
// It never touches a database.
package wide

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen .

// Account has twenty fields of the types that rows are made of.
type Account struct {
	ID        uuid.UUID
	Tenant    string
	Name      string
	Email     string `compare:"safe"`
	Phone     string
	Street    string
	City      string
	Zip       string
	Country   string
	Note      string
	Age       int64
	Visits    int64
	Cents     int64
	Points    int64
	Level     int32
	Score     float64
	Active    bool
	Verified  bool
	CreatedAt time.Time
	UpdatedAt time.Time `compare:"within=1ms"`
}

// ErrNotFound says that there is no such account.
var ErrNotFound = errors.New("no such account")

// Accounts keeps accounts.
//
//crossfade:entity name=accounts notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Accounts interface {
	// Get reads one account; one that is not there is ErrNotFound.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (Account, error)

	// Save inserts the account or replaces all of it.
	//
	//crossfade:write key=account.ID
	Save(ctx context.Context, tenant string, account Account) error

	// Delete removes the account, if it is there.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error

	// Keys returns up to limit ids in ascending order, those behind after; nil starts at the first.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
