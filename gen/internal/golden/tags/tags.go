// Package tags has a value with every sort of field and every struct tag.
package tags

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// ErrNone says that there is no such row.
var ErrNone = errors.New("none")

// Stamp is a time of its own type.
type Stamp time.Time

// Level is compared by a method.
type Level struct{ n, noise int }

// Equal ignores the noise.
func (l Level) Equal(other Level) bool { return l.n == other.n }

// Tagged has a method Equal, and tags that are stronger.
type Tagged struct {
	Name  string
	Cache string `compare:"-"`
}

// Equal is never called.
func (Tagged) Equal(Tagged) bool { panic("called") }

// Price is compared by a function that is written by hand.
type Price struct{ Cents, Rate int64 }

// Base is embedded.
type Base struct {
	Created time.Time
	Version int `compare:"ignore,safe"`
}

// Guarded holds a lock.
type Guarded struct {
	mu   sync.Mutex
	Name string
}

// Lock makes a thing a locker of itself.
func (x *Thing) Lock() { x.mu.Lock() }

// Unlock ends it.
func (x *Thing) Unlock() { x.mu.Unlock() }

// Key returns a key, with the lock held.
func (g *Guarded) Key() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Name
}

// Thing has everything.
type Thing struct {
	Base
	ID       uuid.UUID
	Ignored  string            `json:"ignored" compare:"ignore"`
	Callback func()            `compare:"-"`
	Safe     string            `compare:"safe"`
	Labels   map[string]string `compare:"nilempty"`
	Notes    []string          `compare:"nilempty,safe"`
	Nick     *string           `compare:"nilempty"`
	Amount   decimal.Decimal
	Total    string           `compare:"decimal"`
	Rough    *decimal.Decimal `compare:"decimal,within=0.01"`
	Document []byte           `compare:"json"`
	Raw      json.RawMessage
	Text     string                `compare:"json,safe"`
	Seen     time.Time             `compare:"within=1m30s"`
	Exact    time.Time             `compare:"within=0s"`
	Took     time.Duration         `compare:"within=5ms"`
	Rates    []float64             `compare:"within=0.5"`
	Weights  map[string][2]float32 `compare:"within=1"`
	Stamps   []*time.Time          `compare:"within=2ms"`
	Plain    float64
	Flag     bool
	Stamp    Stamp
	Level    Level
	Levels   []Level
	Tagged   Tagged
	Price    Price
	Prices   map[string]Price
	Lines    []*Line `compare:"unordered,by=Key.ID"`
	Sizes    []int   `compare:"unordered"`
	Bag      []Line  `compare:"unordered"`
	Upper    string  `compare:"func=sameFold"`
	Address  netip.Addr
	Big      big.Int
	BigP     *big.Int
	Null     sql.NullString
	Null2    sql.Null[time.Time]
	Any      any
	Err      error
	Buffer   *strings.Builder
	Grid     [2][2]int
	Groups   [2]Line
	Deep     map[string][]map[string]*Line
	Bytes    []byte
	Hash     [4]byte
	Inline   struct{ A, B int }
	Guarded  *Guarded
	Inner    Guarded
	Unseen   Guarded `compare:"-"`
	Guards   map[string]*Guarded
	Request  *http.Request `compare:"ignore"`
	mu       sync.Mutex
	internal int
	_        int
}

// Line is matched by its key.
type Line struct {
	Key  *LineKey
	Cost int
}

// LineKey is a key.
type LineKey struct{ ID int64 }

func sameFold(a, b string) bool { return strings.EqualFold(a, b) }

// Things returns pointers, as its values hold a lock.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Things interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id uuid.UUID) (*Thing, error)
	//crossfade:read key=id
	GetPrice(ctx context.Context, tenant string, id uuid.UUID) (Price, error)
	//crossfade:read key=id
	Exists(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:read key=id
	GetStamp(ctx context.Context, tenant string, id uuid.UUID) (at time.Time, stamp Stamp, level Level, err error)
	//crossfade:list unordered by=Key.ID
	Lines(ctx context.Context, tenant string) (lines []Line, total decimal.Decimal, err error)
	//crossfade:list unordered
	Names(ctx context.Context, tenant string) ([]string, error)
	//crossfade:write key=t.ID
	Save(ctx context.Context, tenant string, t *Thing) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id uuid.UUID) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error)
}
