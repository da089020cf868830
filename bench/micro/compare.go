package micro

import (
	"context"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/bench/micro/wide"
	"github.com/crossfade-db/crossfade/bench/report"
)

// Rows about comparisons.
const (
	comparing     = "comparing two equal structs of 20 fields"
	comparingDeep = "comparing the same by reflect.DeepEqual"
)

func comparisonNames() []string { return []string{comparing, comparingDeep} }

// comparison measures a generated comparator.
func comparison(ctx context.Context, cfg Config) (Result, error) {
	served, other := account(), account()
	differing := 0
	costs, err := timed(ctx, cfg.pace(), []loop{
		{comparing, func(n int) {
			for range n {
				if wide.DiffAccount(served, other) != nil {
					differing++
				}
			}
		}},
		{comparingDeep, func(n int) {
			for range n {
				if !reflect.DeepEqual(served, other) {
					differing++
				}
			}
		}},
	})
	if err != nil {
		return Result{}, err
	}
	if differing > 0 {
		return Result{}, errDiffer
	}
	own, deep := costs[comparing], costs[comparingDeep]
	cfg.say("%s: %.1f ns, %.0f allocations; reflect.DeepEqual %.0f ns", comparing, own.nanos.value, own.allocs, deep.nanos.value)
	return Result{Rows: []report.Row{
		report.AtMost(comparing, report.Loopback, report.Nanos, own.nanos.value, own.nanos.noise, 50),
		report.AtMost(comparing, report.Loopback, report.Allocs, own.allocs, 0, 0),
		report.Of(comparingDeep, report.Loopback, report.Nanos, deep.nanos.value, deep.nanos.noise),
		report.Of(comparingDeep, report.Loopback, report.Allocs, deep.allocs, 0),
	}}, nil
}

// account returns an account whose strings are its own, as a driver makes them.
func account() wide.Account {
	own := func(s string) string { return string([]byte(s)) }
	at := time.Date(2024, 5, 17, 8, 30, 0, 123456000, time.UTC)
	return wide.Account{
		ID: uuid.UUID{1, 2, 3}, Tenant: own("tenant-17"), Name: own("Ada Lovelace"), Email: own("ada@example.org"), Phone: own("+44 20"),
		Street: own("12 St James's Square"), City: own("London"), Zip: own("SW1Y"), Country: own("GB"), Note: own("first"),
		Age: 36, Visits: 12, Cents: -250, Points: 1 << 40, Level: 3, Score: 0.5, Active: true, CreatedAt: at, UpdatedAt: at,
	}
}
