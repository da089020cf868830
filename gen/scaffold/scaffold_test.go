package scaffold

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files again")

// module makes a folder with files of a module.
func moduleAt(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// everything is all files below a folder with their content.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	for _, file := range filesIn(t, dir) {
		fmt.Fprintf(&text, "== %s\n%s", file, read(t, filepath.Join(dir, filepath.FromSlash(file))))
	}
	return text.String()
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text, "if this is right, write it again with `go test ./gen/scaffold -update`")
}

const goMod = "module example.com/shop\n\ngo 1.26\n\nrequire (\n\tgithub.com/crossfade-db/crossfade v0.1.0\n\tgithub.com/google/uuid v1.6.0\n)\n"

const customersGo = `package customers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"example.com/shop/internal/paging"
)

// Customer is one.
type Customer struct {
	ID        uuid.UUID
	FullName  string
	Email     *string
	Level     Level
	Tags      []string
	Address   *Address
	Lines     []Address
	Balance   decimal.Decimal
	Extra     json.RawMessage
	Photo     []byte
	Order     int32
	CreatedAt time.Time
	Stamped

	secret int
}

type Stamped struct{ UpdatedAt time.Time }

type Address struct{ Street string }

type Level string

// Customers keeps them.
//
//crossfade:entity name=customers notfound=ErrNotFound get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	paging.Counted
	Unknown[int]
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (Customer, error)
	//crossfade:read keys=ids
	GetMany(ctx context.Context, tenant string, ids []uuid.UUID) ([]Customer, error)
	//crossfade:lock key=id
	Lock(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:list
	List(ctx context.Context, tenant string, after uuid.UUID, limit int) ([]Customer, error)
	//crossfade:list
	ByLevel(ctx context.Context, tenant string, level Level) ([]Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, tenant string, c Customer) error
	//crossfade:write keys=cs[].ID
	SaveAll(ctx context.Context, tenant string, cs []Customer) error
	//crossfade:write key=id
	UpdateEmail(ctx context.Context, tenant string, id uuid.UUID, email string, at time.Time) error
	//crossfade:write key=id
	AddBalance(ctx context.Context, tenant string, id uuid.UUID, balance decimal.Decimal) (decimal.Decimal, error)
	//crossfade:write key=id
	Touch(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
	//crossfade:stream
	Each(ctx context.Context, tenant string, fn func(Customer) error) error
}
`

const pagingGo = "package paging\n\nimport \"context\"\n\ntype Counted interface {\n\t//crossfade:list\n\tCount(ctx context.Context, tenant string) (int64, error)\n}\n"

const ordersGo = `package orders

import "context"

type Order struct {
	Region string
	Number int64
	Total  int64
}

//crossfade:entity notfound=nil get=Find put=Put delete=Remove keys=Keys tenant=none
type Orders interface {
	//crossfade:read key=region,number
	Find(ctx context.Context, region string, number int64) (*Order, error)
	//crossfade:write key=o.Region,o.Number
	Put(ctx context.Context, o *Order) error
	//crossfade:write key=region,number
	Remove(ctx context.Context, region string, number int64) error
	//crossfade:list
	Keys(ctx context.Context, after *Key, limit int) ([]Key, error)
}

type Key struct {
	Region string
	Number int64
}
`

const ticketsGo = `package tickets

import "context"

type Ticket struct {
	ID    int64
	Title string
}

//crossfade:entity name=tickets notfound=nil get=Get put=Put delete=Delete keys=Keys tenant=none
type Tickets interface {
	//crossfade:create key=result.ID
	Create(ctx context.Context, title string) (Ticket, error)
	//crossfade:read key=id
	Get(ctx context.Context, id int64) (*Ticket, error)
	//crossfade:write key=t.ID
	Put(ctx context.Context, t Ticket) error
	//crossfade:write key=id
	Delete(ctx context.Context, id int64) error
	//crossfade:list
	Keys(ctx context.Context, after *int64, limit int) ([]int64, error)
}
`

func shopFiles() map[string]string {
	return map[string]string{
		"go.mod": goMod, "internal/customers/customers.go": customersGo, "internal/paging/paging.go": pagingGo,
		"internal/orders/orders.go": ordersGo, "internal/tickets/tickets.go": ticketsGo,
	}
}

// add runs NewVersion and applies it.
func add(t *testing.T, dir, entity, version, over string) *Plan {
	t.Helper()
	p, err := NewVersion(dir, entity, version, over)
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context()))
	return p
}

func initialised(t *testing.T, dir string) *Plan {
	t.Helper()
	p, _, err := Init(dir)
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context()))
	return p
}

func TestWhatIsScaffolded(t *testing.T) {
	for _, c := range []struct{ name, entity, version, over string }{
		{"sqlc", "customers", "v2", SQLC},
		{"gorm", "customers", "v1", GORM},
		{"hand", "customers", "v3", Hand},
		{"composite", "orders", "v2", SQLC},
		{"identity", "tickets", "v2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := moduleAt(t, shopFiles())
			initialised(t, dir)
			given := everything(t, dir)
			p := add(t, dir, c.entity, c.version, c.over)
			assert.False(t, p.Nothing())
			var made strings.Builder
			for _, f := range p.Files {
				fmt.Fprintf(&made, "== %s %s\n%s", f.Change, f.Path, read(t, p.abs(f.Path)))
			}
			for _, step := range p.Next {
				fmt.Fprintf(&made, "-> %s: %s\n", step.Command, step.Text)
			}
			golden(t, c.name+".txt", made.String())
			for part := range strings.SplitSeq(given, "== ") {
				if !strings.HasPrefix(part, "crossfade.yaml") {
					assert.Contains(t, everything(t, dir), part, "the user's files are as they were")
				}
			}

			after := everything(t, dir)
			again := add(t, dir, c.entity, c.version, "")
			assert.True(t, again.Nothing())
			assert.Equal(t, after, everything(t, dir), "twice changes nothing")
			assert.Equal(t, p.Next, again.Next)

			for _, f := range p.Files { // whatever was interrupted is completed
				if f.Path == "crossfade.yaml" {
					continue
				}
				require.NoError(t, os.Remove(p.abs(f.Path)))
				add(t, dir, c.entity, c.version, "")
				assert.Equal(t, after, everything(t, dir), f.Path)
			}
		})
	}
}
