package tagswrong

import (
	"context"
	"time"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

// Thing has tags that are wrong.
type Thing struct {
	A string          `compare:"igore"`
	B string          `compare:"safe,safe"`
	C string          `compare:"safe,"`
	D string          `compare:"ignore,decimal"`
	E string          `compare:"func=same,decimal"`
	F []shop.Customer `compare:"by=ID"`
	G string          `compare:"decimal,json"`
	H time.Time       `compare:"within=-1s"`
	I float64         `compare:"within=NaN"`
	J float64         `compare:"within=1ms"`
	K time.Time       `compare:"within=1"`
	L string          `compare:"within=1"`
	M string          `compare:"nilempty"`
	N map[string]int  `compare:"unordered"`
	O bool            `compare:"decimal"`
	P []int           `compare:"json"`
	Q string          `compare:"func=missing"`
	R string          `compare:"func=wrong"`
	S []shop.Customer `compare:"unordered,by=Number"`
	T []shop.Customer `compare:"unordered,by=name"`
	U []bag           `compare:"unordered,by=Tags"`
	V func()
	W chan int
	X []func()
	Y string `compare:"by="`
	Z string `compare:"func=1"`
}

type bag struct{ Tags []string }

func wrong(a, b int) bool { return a == b }

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	//crossfade:list
	Things(ctx context.Context, tenant string) ([]Thing, error)
}

/* want:
customers.go:12:2: Thing.A: compare tag: unknown item "igore": it is one of -, ignore, safe, nilempty, decimal, json, unordered, by=, within=, func=
customers.go:13:2: Thing.B: compare tag: safe is there twice
customers.go:14:2: Thing.C: compare tag: an item is empty
customers.go:15:2: Thing.D: compare tag: ignore stands alone, or with safe
customers.go:16:2: Thing.E: compare tag: func= stands alone, or with safe
customers.go:17:2: Thing.F: compare tag: by= needs unordered
customers.go:18:2: Thing.G: compare tag: decimal and json exclude each other
customers.go:19:2: Thing.H: compare tag: within=-1s is negative
customers.go:20:2: Thing.I: compare tag: within=NaN is neither a duration with a unit (1ms) nor a number that is not negative (0.01)
customers.go:21:2: Thing.J: compare tag: within=1ms is a duration, and fits times and durations only
customers.go:22:2: Thing.K: compare tag: within=1 has no unit: write within=1ms
customers.go:23:2: Thing.L: compare tag: within fits times, durations, numbers, and decimals with the item decimal
customers.go:24:2: Thing.M: compare tag: nilempty fits slices, maps and pointers only
customers.go:25:2: Thing.N: compare tag: unordered fits slices only
customers.go:26:2: Thing.O: compare tag: decimal fits strings and decimal types only
customers.go:27:2: Thing.P: compare tag: json fits strings and byte slices only
customers.go:28:2: Thing.Q: compare tag: func=missing: package tagswrong has no function missing
customers.go:29:2: Thing.R: compare tag: func=wrong: it is no func(served, other string) bool
customers.go:30:2: Thing.S: by=Number: Customer has no field Number
customers.go:31:2: Thing.T: by=name: Customer has no field name
customers.go:32:2: Thing.U: by=Tags: type []string cannot be compared with ==
customers.go:33:2: Thing.V: a function cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"`
customers.go:34:2: Thing.W: a channel cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"`
customers.go:35:2: Thing.X: a function cannot be compared: tag the field `compare:"ignore"`, or give a function by `compare:"func=Name"`
customers.go:36:2: Thing.Y: compare tag: by=: that is no name
customers.go:37:2: Thing.Z: compare tag: func=1: that is no name
*/
