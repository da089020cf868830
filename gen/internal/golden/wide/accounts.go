// Package wide has a value of twenty fields as rows of a real table have them: what it costs to find two of them equal
// is measured here.
package wide

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// ErrNone says that there is no such row.
var ErrNone = errors.New("none")

// Account has twenty fields.
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
	Nick      *string
	Note      string `compare:"ignore"`
}

// Order has twenty fields too, and some of them hold more.
type Order struct {
	ID       uuid.UUID
	Account  uuid.UUID
	Number   string
	State    string `compare:"safe"`
	Currency string
	Total    decimal.Decimal
	Tax      decimal.Decimal
	Placed   time.Time
	Paid     *time.Time
	Shipped  *time.Time
	Ship     Address
	Bill     *Address
	Lines    []Line
	Tags     []string          `compare:"unordered"`
	Coupons  []Coupon          `compare:"unordered,by=Code"`
	Labels   map[string]string `compare:"nilempty"`
	Document []byte            `compare:"json"`
	Extra    any
	Version  int64
	Sides    [2]Line
}

// Address is a part of an order.
type Address struct{ Street, City, Zip, Country string }

// Line is one of an order.
type Line struct {
	Article string
	Count   int
	Price   decimal.Decimal
	Options []string
}

// Coupon is matched by its code.
type Coupon struct {
	Code  string
	Cents int64
}

// Accounts keeps accounts.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Accounts interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (Account, error)
	//crossfade:list
	Newest(ctx context.Context, tenant string) ([]Account, error)
	//crossfade:list unordered by=ID
	Orders(ctx context.Context, tenant string) ([]Order, error)
	//crossfade:write key=a.ID
	Save(ctx context.Context, tenant string, a Account) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
