// Package sample is an entity of twenty fields, with what is generated for it: what the guard measures.
//
// It never reaches a database.
package sample

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// ErrNone says that there is no such account.
var ErrNone = errors.New("no such account")

// Account has twenty fields of the types that rows are made of.
type Account struct {
	ID        uuid.UUID
	Tenant    string
	Name      string
	Email     string
	Phone     string
	Street    string
	City      string
	Zip       string
	Country   string `compare:"safe"`
	Visits    int64
	Cents     int64
	Score     float64 `compare:"within=0.01"`
	Level     int32
	Active    bool
	Verified  bool
	CreatedAt time.Time
	UpdatedAt time.Time `compare:"within=1ms"`
	Referrer  *uuid.UUID
	Tags      []string `compare:"unordered"`
	Note      string   `compare:"ignore"`
}

// Accounts keeps accounts.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Accounts interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (Account, error)
	//crossfade:read key=id
	Balance(ctx context.Context, tenant string, id uuid.UUID) (int64, error)
	//crossfade:list
	Newest(ctx context.Context, tenant string) ([]Account, error)
	//crossfade:write key=a.ID
	Save(ctx context.Context, tenant string, a Account) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
