// Package rekeyuuid shows how rows get another key: version 1 counts wallets with a bigint, version 2 knows them by a
// UUID.
//
// The domain has both: ID is the key, whichever version stores the wallet, so that locks, records and copies of both
// sides mean the same wallet; Number is what the key was, and stays, for links and papers that have it. The table of
// version 1 gets the UUID as one column more before anything else happens:
//
//	alter table wallets_v1 add column public_id uuid;                          -- no default yet: it would rewrite the table
//	alter table wallets_v1 alter column public_id set default gen_random_uuid(); -- for rows of old writers
//	update wallets_v1 set public_id = gen_random_uuid() where public_id is null; -- a few thousand rows at a time
//	create unique index concurrently on wallets_v1 (tenant_id, public_id);
//
// then check (public_id is not null) not valid, validate, set not null. Both versions draw numbers from the sequence
// that version 1 always had. Nothing is lost or refused. By hand are the SQL and this file: no line of Go besides.
package rekeyuuid

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

//go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen ./...

// Wallet is one wallet of one tenant.
type Wallet struct {
	TenantID uuid.UUID
	ID       uuid.UUID
	Number   int64 // given once, by the side that opened the wallet
	Owner    string
}

// ErrNotFound says that the tenant has no such wallet.
var ErrNotFound = errors.New("no such wallet")

// Wallets keeps the wallets of all tenants.
//
//crossfade:entity name=wallets notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Wallets interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant, id uuid.UUID) (Wallet, error)

	//crossfade:lock key=id
	GetForUpdate(ctx context.Context, tenant, id uuid.UUID) (Wallet, error)

	// ByNumber finds a wallet by what was its key.
	//
	//crossfade:list
	ByNumber(ctx context.Context, tenant uuid.UUID, number int64) (Wallet, error)

	// List reads up to limit wallets in the order of their numbers, those behind after.
	//
	//crossfade:list
	List(ctx context.Context, tenant uuid.UUID, after int64, limit int) ([]Wallet, error)

	// Open makes a wallet with an id and a number of its own.
	//
	//crossfade:create key=result.ID
	Open(ctx context.Context, tenant uuid.UUID, owner string) (Wallet, error)

	// Save inserts the wallet or replaces all of it.
	//
	//crossfade:write key=a.ID tenant=a.TenantID
	Save(ctx context.Context, a Wallet) error

	//crossfade:write key=id
	Rename(ctx context.Context, tenant, id uuid.UUID, owner string) error

	//crossfade:write key=id
	Delete(ctx context.Context, tenant, id uuid.UUID) error

	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
