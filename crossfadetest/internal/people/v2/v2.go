// Package v2 keeps a person's name in two columns.
package v2

import (
	"context"
	"strings"
	"sync"

	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// New returns version 2. A name without a space has no last name.
func New(db postgres.DBTX) people.People { return sides(db) }

func sides(db postgres.DBTX) *people.SQL {
	return &people.SQL{
		DB: db, Table: "people_v2", Name: "concat_ws(' ', first_name, last_name)", Columns: "first_name, last_name",
		Split: func(p string) string {
			return strings.ReplaceAll("split_part($, ' ', 1), case when strpos($, ' ') > 0 then substr($, strpos($, ' ') + 1) end", "$", p)
		},
	}
}

// WithoutMiddleName is version 2 with a mistake: of several names it keeps the
// first and the last.
func WithoutMiddleName(db postgres.DBTX) people.People {
	side := sides(db)
	side.Split = func(p string) string {
		return strings.ReplaceAll("split_part($, ' ', 1), case when strpos($, ' ') > 0 then regexp_replace($, '.* ', '') end", "$", p)
	}
	return side
}

// Unordered is version 2 with a mistake: lists come in another order.
func Unordered(db postgres.DBTX) people.People {
	side := sides(db)
	side.Order = "id desc"
	return side
}

// Caching returns version 2 with a mistake: it keeps what it read of a person's
// visits, and counts on from that.
func Caching() postgres.Factory[people.People] {
	known := &sync.Map{}
	return func(db postgres.DBTX) people.People { return &caching{SQL: sides(db), known: known} }
}

type caching struct {
	*people.SQL
	known *sync.Map
}

func (c *caching) Visit(ctx context.Context, tenant string, id int64) (int64, error) {
	visits, ok := c.known.Load(id)
	if !ok {
		p, err := c.Get(ctx, tenant, id)
		if err != nil {
			return 0, err
		}
		visits = p.Visits
	}
	next := visits.(int64) + 1
	c.known.Store(id, next)
	_, err := c.DB.Exec(ctx, "update people_v2 set visits = $3 where tenant = $1 and id = $2", tenant, id, next)
	return next, err
}
