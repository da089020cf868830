// Package sequences shows what becomes of ids that the database makes: version 1 has a bigserial, version 2 an identity
// column in the end.
//
// An id is made once, by the side that has authority, and copied to the other one; so is created_at. Both sides draw
// from ONE sequence, that of version 1, all the way up and down the ladder: while it moves, one process draws on the old
// side and another on the new one, and two sequences, however far one of them is kept ahead, would give the same id to
// two receipts sooner or later. When the old side is retired, version 2 gets a sequence of its own that goes on where the
// other stopped, under a lock that keeps new receipts waiting: v2/own_sequence.sql. Before that the sequence belongs to a
// column of version 1, and goes with it if the table is dropped with cascade.
//
// An id that the sequence has not come to yet must not be saved by the application: Save is for what Issue made. Numbers
// have gaps, as with every sequence. Nothing is lost or refused. By hand are the SQL and this file.
package sequences

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Receipt is one receipt of one tenant.
type Receipt struct {
	TenantID  uuid.UUID
	ID        int64     // the database's
	CreatedAt time.Time // the database's, to the microsecond
	Payer     string
}

// ErrNotFound says that the tenant has no such receipt.
var ErrNotFound = errors.New("no such receipt")

// Receipts keeps the receipts of all tenants.
//
//crossfade:entity name=receipts notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Receipts interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant uuid.UUID, id int64) (Receipt, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant uuid.UUID, id int64) (Receipt, error)

	// List reads up to limit receipts in the order of their ids, those behind after.
	//
	//crossfade:list
	List(ctx context.Context, tenant uuid.UUID, after int64, limit int) ([]Receipt, error)

	// Issue makes a receipt.
	//
	//crossfade:create key=result.ID
	Issue(ctx context.Context, tenant uuid.UUID, payer string) (Receipt, error)

	// Save replaces all of a receipt, or puts it back.
	//
	//crossfade:write key=x.ID tenant=x.TenantID
	Save(ctx context.Context, x Receipt) error

	//crossfade:write key=id
	Correct(ctx context.Context, tenant uuid.UUID, id int64, payer string) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant uuid.UUID, id int64) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *int64, limit int) ([]int64, error)
}
