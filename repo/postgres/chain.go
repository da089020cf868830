package postgres

import (
	"errors"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// Chain returns the backend of a migration whose new side is the old side of
// another migration: versions v1, v2, v3 in a row, with customers-v2 from v1 to v2
// and customers-v3 from v2 to v3. next returns the routed repository of the
// migration that goes on, inside the transaction or, where that is nil, outside of
// one:
//
//	later, err := customers.NewRoutedCustomers(repo.Config[customers.Customers]{ // customers-v3, over v2 and v3
//	sides, err := postgres.Chain(db, v1.New, v2.New, func(tx *postgres.Tx) customers.Customers {
//		if tx == nil {
//			return later
//		}
//		return later.InTx(tx)
//	})
//
// At new of customers-v2 the operations are customers-v3's: both migrations'
// fences, and the locks of both, are taken in the one transaction, those of
// customers-v2 first. At every other stage the new side is plain v2, since nobody
// leaves old of customers-v3 who is not at new of customers-v2; package control
// refuses such steps. Only the first migration's repository is for the
// application to call. Its member of the fleet must name both migrations.
//
// At new of customers-v2 a write costs two round trips more than without
// customers-v3. Chains of more versions are chains of chains.
func Chain[R any](db *DB, oldSide, newSide Factory[R], next func(tx *Tx) R, options ...SidesOptions) (repo.Backend[R], error) {
	if next == nil {
		return nil, errors.New("postgres.Chain: next is nil: give the routed repository of the migration that goes on, or use postgres.Sides")
	}
	backend, err := Sides(db, oldSide, newSide, options...)
	if err != nil {
		return nil, err
	}
	b := backend.(*sides[R])
	b.next, b.nextOut = next, next(nil)
	if repo.NilSide(b.nextOut) {
		return nil, errors.New("postgres.Chain: next(nil) returned nil: give the repository outside of a transaction")
	}
	return b, nil
}

// goesOn reports whether an operation is the next migration's.
func (b *sides[R]) goesOn(scope repo.Scope) bool {
	return b.next != nil && scope.Decision.Stage == flags.New
}
