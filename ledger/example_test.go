package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// A program makes sure at its start that the ledger is there and holds its
// migrations.
func Example() {
	ctx := context.Background()
	open := func(dsn string) (*ledger.Store, error) {
		if err := ledger.Migrate(ctx, dsn); err != nil { // or: crossfade init
			return nil, err
		}
		pool, err := pgxpool.New(ctx, dsn)
		if err != nil {
			return nil, err
		}
		store := ledger.New(pool, nil)
		customers := versions.Must(versions.New("customers", "v1", "v2"))
		migration, err := customers.Last()
		if err != nil {
			return nil, err
		}
		_, err = store.Register(ctx, migration, "")
		return store, err
	}

	_, err := open("postgres://shop@127.0.0.1:1/shop")
	var server *ledger.ServerError
	if errors.As(err, &server) {
		fmt.Println(server.Operation+":", server.Problem)
	}
	// Output: migrate the ledger: the server cannot be reached: check host and port, and that it runs
}

func ExampleVersionError() {
	fmt.Println(&ledger.VersionError{Want: 1})
	fmt.Println(&ledger.VersionError{Have: 1, Want: 2})
	// Output:
	// ledger: there is none in this database: run `crossfade init`, or check the DSN
	// ledger: version 1 is older than this program, which needs 2: run `crossfade init` to upgrade it
}

func ExampleConflictError() {
	fmt.Println(&ledger.ConflictError{Migration: "customers-v2", Expected: 4, Epoch: 5, Other: ledger.Entry{
		At: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), Actor: "ben", Reason: "week 2 of the plan", Kind: ledger.KindDefault,
		From: "dual", To: "shadow",
	}})
	// Output: customers-v2: somebody else changed the policy first: epoch 5 is in force, not 4 (default by ben at 2026-03-01T09:30:00Z: from dual to shadow), because "week 2 of the plan"
}

// What a tenant's data is like is its own state, or that of the whole migration.
func ExampleState_Tenant() {
	done := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	state := ledger.State{
		Whole:   ledger.TenantState{OldComplete: true},
		Tenants: map[string]ledger.TenantState{"acme": {Tenant: "acme", BackfilledAt: &done, OldComplete: true}},
		Stale:   []ledger.StaleCount{{Tenant: "acme", Side: flags.NewSide, Keys: 2}},
	}
	fmt.Println(state.Tenant("acme").BackfilledAt != nil, state.Tenant("zeta").BackfilledAt != nil)
	// Output: true false
}
