package postgres_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
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
