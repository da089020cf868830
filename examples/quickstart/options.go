package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/walk"
	"github.com/crossfade-db/crossfade/flags"
)

// options are what the command line says.
type options struct {
	data     seed.Data
	rate     float64
	workers  int
	report   string
	stopAt   flags.Stage
	plantBug bool
	url      string
	hold     time.Duration
	minimum  walk.Minimum
	given    map[string]bool // the options that were written out
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{given: map[string]bool{}, stopAt: flags.New}
	set := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&o.data.Customers, "customers", 20_000, "how many customers there are")
	set.IntVar(&o.data.Tenants, "tenants", 20, "how many tenants they belong to")
	set.Uint64Var(&o.data.Seed, "seed", 1, "the number that the customers are made from")
	set.Float64Var(&o.rate, "rate", 300, "operations per second, of all processes together")
	set.IntVar(&o.workers, "workers", 2, "how many processes read and write, 2 to 16")
	set.StringVar(&o.report, "report", "", "the file that the report is written to, as JSON")
	set.BoolVar(&o.plantBug, "plant-bug", false, "give version 2 a fault when 25% of the tenants stand at shadow")
	set.StringVar(&o.url, "database-url", "", "a PostgreSQL database to use, and to go on in after a kill; none: a throw-away server")
	set.DurationVar(&o.hold, "hold", 800*time.Millisecond, "how long to stay after each step, so that it can be watched")
	set.TextVar(&o.stopAt, "stop-at", flags.New, "the stage at which to stop: old, dual, shadow, live, rampdown or new")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	set.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	switch {
	case set.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", set.Arg(0))
	case o.rate <= 0 || o.rate > 100_000:
		return o, fmt.Errorf("rate %g: use more than 0 and at most 100000 operations per second", o.rate)
	case o.workers < 2 || o.workers > 16:
		return o, fmt.Errorf("%d workers: use 2 to 16", o.workers)
	}
	o.minimum = minimumFor(o.rate)
	return o, o.data.Check()
}

// resume takes what a walk that has begun already is about, and refuses options that say otherwise.
func (o *options) resume(w progress.Walk) error {
	other := errors.New("the walk in this database began with other options: leave them out, or use a fresh database")
	for _, was := range []struct {
		option string
		same   bool
		value  any
	}{
		{"customers", o.data.Customers == w.Data.Customers, w.Data.Customers},
		{"tenants", o.data.Tenants == w.Data.Tenants, w.Data.Tenants},
		{"seed", o.data.Seed == w.Data.Seed, w.Data.Seed},
		{"plant-bug", o.plantBug == w.PlantBug, w.PlantBug},
	} {
		if o.given[was.option] && !was.same {
			return fmt.Errorf("--%s was %v: %w", was.option, was.value, other)
		}
	}
	o.data, o.plantBug = w.Data, w.PlantBug
	if !o.given["rate"] {
		o.rate = w.Rate
	}
	o.minimum = minimumFor(w.Rate)
	return nil
}

// minimumFor is how much traffic each rung must see: that of two seconds, and some of it contended.
func minimumFor(rate float64) walk.Minimum {
	return walk.Minimum{Operations: int64(2*rate) + 1, Contended: int64(rate/15) + 1}
}
