// Package forms is a golden package: an entity whose versions use every form of query that sqlc generates.
package forms

import (
	"context"
	"encoding/json"
	"time"
)

// Status is where an article stands.
type Status string

// Rank orders articles.
type Rank int32

// Base is embedded.
type Base struct {
	Tenant string
	ID     int64
}

// Article is one article.
type Article struct {
	Base
	Title   string
	Tags    []string
	Status  Status
	Rank    Rank
	Note    *string
	Extra   json.RawMessage
	Price   int64 // in cents
	Author  Author
	Written time.Time
}

// Author wrote an article.
type Author struct{ Name, Email string }

// Heading is what lists show.
type Heading struct {
	ID    int64
	Title string
}

// NotFound says that there is no such article.
type NotFound struct{} //nolint:errname // as users name theirs

func (*NotFound) Error() string { return "no such article" }

// Articles keeps articles.
//
//crossfade:entity name=articles notfound=NotFound get=Get put=Save delete=Delete keys=Keys
type Articles interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Article, error)
	//crossfade:list
	Find(ctx context.Context, tenant, title string) (*Article, bool, error)
	//crossfade:list
	List(ctx context.Context, tenant string, after int64, limit int) ([]*Article, error)
	//crossfade:list
	Headings(ctx context.Context, tenant string) ([]Heading, error)
	//crossfade:list unordered
	Titles(ctx context.Context, tenant string) ([]string, error)
	//crossfade:list
	Count(ctx context.Context, tenant string) (int64, error)
	//crossfade:read keys=ids
	Ranks(ctx context.Context, tenant string, ids []int64) ([]Rank, error)
	//crossfade:lock key=id
	Lock(ctx context.Context, tenant string, id int64) error
	//crossfade:write key=a.ID tenant=a.Tenant
	Save(ctx context.Context, a Article) error
	//crossfade:write keys=as[].ID
	SaveAll(ctx context.Context, tenant string, as []Article) error
	//crossfade:write keys=as[].ID
	Import(ctx context.Context, tenant string, as []Article) (int64, error)
	//crossfade:write key=id
	Rename(ctx context.Context, tenant string, id int64, title string) error
	//crossfade:write key=id
	Raise(ctx context.Context, tenant string, id int64, by Rank) (Rank, error)
	//crossfade:write all
	Archive(ctx context.Context, tenant string, before time.Time) (int, error)
	//crossfade:write all
	Purge(ctx context.Context, tenant string) error
	//crossfade:write keys=ids
	DeleteAll(ctx context.Context, tenant string, ids ...int64) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
	//crossfade:stream
	Each(ctx context.Context, tenant string, each func(Article) error) error
}
