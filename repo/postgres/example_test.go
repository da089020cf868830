package postgres_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// Two sides in one database: each factory builds a side on whatever it is
// given, the pool, a transaction or a snapshot.
func ExampleSides() {
	pool, err := pgxpool.New(context.Background(), "postgres://app@localhost/shop") // connects at first use
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	db := postgres.New(pool, nil)
	backend, err := postgres.Sides(db, v1(&hooks{}), v2(&hooks{}))
	fmt.Println(backend.Transactional(), err)
	_, err = postgres.Sides(db, v1(&hooks{}), nil)
	fmt.Println(err)
	fmt.Println(flags.Dual.Plan().WritesBoth)
	// Output:
	// false <nil>
	// postgres.Sides: the new side is nil: give its factory
	// true
}

// Three versions in a row: the new side of notes-v2 goes on to notes-v3.
func ExampleChain() {
	pool, err := pgxpool.New(context.Background(), "postgres://app@localhost/shop") // connects at first use
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	db := postgres.New(pool, nil)
	wire := func(migration string, backend repo.Backend[notes], err error) routed {
		if err != nil {
			panic(err)
		}
		route, err := repo.NewRoute(repo.Config[notes]{
			Migration: versions.Migration{Name: migration}, Flag: flags.NewSet(nil).Flag(migration), Backend: backend, Copier: copier,
		})
		if err != nil {
			panic(err)
		}
		return routed{route}
	}
	backend, err := postgres.Sides(db, v2(&hooks{}), v3)
	later := wire("notes-v3", backend, err)
	backend, err = postgres.Chain(db, v1(&hooks{}), v2(&hooks{}), func(tx *postgres.Tx) notes {
		if tx == nil {
			return later
		}
		return later.in(tx)
	})
	all := wire("notes-v2", backend, err) // what the application calls
	fmt.Println(all.route.Migration().Name)
	// Output: notes-v2
}
