package gormtx_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// Customers is the repository interface, gormCustomers its old side.
type Customers interface {
	Rename(ctx context.Context, id int64, name string) error
}

type gormCustomers struct{ db *gorm.DB }

func (c gormCustomers) Rename(ctx context.Context, id int64, name string) error {
	return c.db.WithContext(ctx).Table("customers").Where("id = ?", id).Update("full_name", name).Error
}

// The factory of a side that is written with GORM.
func ExampleOpener_DB() {
	opener, err := gormtx.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	oldSide := func(db postgres.DBTX) Customers { return gormCustomers{opener.DB(db)} }

	_ = oldSide // goes to postgres.Sides, beside the factory of the new side
	fmt.Printf("%T\n", oldSide)
	// Output: func(postgres.DBTX) gormtx_test.Customers
}

// The application's own settings, without a second pool of connections.
func ExampleDialector() {
	template, err := gorm.Open(gormtx.Dialector(), &gorm.Config{
		NamingStrategy: schema.NamingStrategy{TablePrefix: "shop."},
		Logger:         logger.Discard,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	opener, err := gormtx.New(template)
	fmt.Println(opener != nil, err)
	fmt.Println(errors.Is(template.Exec("select 1").Error, gormtx.ErrUnbound))
	// Output:
	// true <nil>
	// true
}

// A transaction that the application opened with GORM, and in which it calls a
// routed repository as well.
func ExampleAdopt() {
	ctx := context.Background()
	place := func(db *postgres.DB, app *gorm.DB) error {
		return app.WithContext(ctx).Transaction(func(g *gorm.DB) error {
			if err := g.Exec("update stock set left_over = left_over - 1 where id = ?", 7).Error; err != nil {
				return err
			}
			tx, err := gormtx.Adopt(ctx, db, g)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "insert into orders (stock_id) values ($1)", 7) // or orders.InTx(tx).Create(...)
			return err
		})
	}

	pool, err := pgxpool.New(ctx, "postgres://app@localhost/shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	opener, err := gormtx.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(place(postgres.New(pool, nil), opener.DB(pool))) // or the *gorm.DB that the application has
}
