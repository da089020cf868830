// Package people is the entity of crossfadetest's own tests. Version 1 keeps a
// name in one column, version 2 in two. Nothing but tests imports it.
package people

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Person is one person of a tenant.
type Person struct {
	Tenant   string
	ID       int64
	Name     string `compare:"safe"`
	Nickname *string
	Born     time.Time
	Tags     []string `compare:"nilempty"`
	Visits   int64
	Mood     Mood
}

// Mood is an enumeration of the database.
type Mood string

// The moods.
const (
	Calm  Mood = "calm"
	Merry Mood = "merry"
)

// ErrNotFound says that there is no such person.
var ErrNotFound = errors.New("person not found")

// People is the repository.
//
//crossfade:entity name=people notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type People interface {
	// Get reads one person.
	//
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Person, error)

	// Find reads several persons, those that are there, in the order of their ids.
	//
	//crossfade:read keys=ids
	Find(ctx context.Context, tenant string, ids ...int64) ([]Person, error)

	// Lock reads one person for a change.
	//
	//crossfade:lock key=id
	Lock(ctx context.Context, tenant string, id int64) (Person, error)

	// List reads up to limit persons whose names begin with prefix, and counts all of them.
	//
	//crossfade:list
	List(ctx context.Context, tenant, prefix string, limit int) (found []Person, total int, err error)

	// All reads everybody.
	//
	//crossfade:stream
	All(ctx context.Context, tenant string) iter.Seq2[Person, error]

	// Each hands everybody to a function.
	//
	//crossfade:stream
	Each(ctx context.Context, tenant string, each func(Person) error) error

	// Add inserts a person, whose id the database makes.
	//
	//crossfade:create key=result.ID tenant=p.Tenant
	Add(ctx context.Context, p Person) (Person, error)

	// Save inserts a person or replaces all of it.
	//
	//crossfade:write key=p.ID tenant=p.Tenant
	Save(ctx context.Context, p Person) error

	// Rename changes the name.
	//
	//crossfade:write key=id
	Rename(ctx context.Context, tenant string, id int64, name string) error

	// Visit counts a visit and returns how many there were.
	//
	//crossfade:write key=id
	Visit(ctx context.Context, tenant string, id int64) (int64, error)

	// Delete removes a person.
	//
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error

	// Keys returns up to limit ids behind after, in ascending order.
	//
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
