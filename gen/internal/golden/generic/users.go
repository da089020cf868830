// Package generic has interfaces made from generic ones, and generic types
// around the values.
package generic

import (
	"context"
	"errors"
)

// ErrNone says that there is no such row.
var ErrNone = errors.New("none")

// Page is one page of anything.
type Page[T any] struct {
	Items []T
	Next  Opt[string]
}

// Opt is a value or none.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Pair is two of anything.
type Pair[A, B any] struct {
	First  A
	Second B
}

// UserID is a key.
type UserID int32

// User is a value.
type User struct {
	ID    UserID
	Email Opt[string]
	Team  Opt[*Team]
	Seen  Pair[string, []int]
}

// Team is a value.
type Team struct{ Name string }

// Store is a repository of anything.
type Store[T, K any] interface {
	//crossfade:read key=key
	Get(ctx context.Context, tenant string, key K) (T, error)
	//crossfade:list
	Pages(ctx context.Context, tenant string, token Opt[K], size int) (Page[T], error)
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *K, limit int) ([]K, error)
	//crossfade:write key=key
	Delete(ctx context.Context, tenant string, key K) error
}

// Users is a store of users.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Users interface {
	Store[User, UserID]
	//crossfade:write key=u.ID
	Save(ctx context.Context, tenant string, u User) error
}

// TeamStore adds the write of a team to a store.
type TeamStore[T interface{ Key() string }] interface {
	Store[T, string]
	//crossfade:write key=value.Key()
	Save(ctx context.Context, tenant string, value T) error
}

// Key returns the team's key.
func (t Team) Key() string { return t.Name }

// Teams is a store of teams, as a type of its own.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Teams TeamStore[Team]
