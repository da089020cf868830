package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// options are the command line's.
type options struct {
	duration time.Duration
	rate     float64
	save     string
	heap     string
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", time.Hour, "how long to run")
	flag.Float64Var(&o.rate, "rate", 100, "calls per second")
	flag.StringVar(&o.save, "save", "", "the folder of the repository, to put table and chart into its docs")
	flag.StringVar(&o.heap, "heap", "", "where to write heap profiles: FILE.half in the middle of the run, FILE at its end")
	flag.Parse()
	if flag.NArg() > 0 || o.duration <= 0 || o.rate <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := soak(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// soak does the run, and says whether everything was flat.
func soak(ctx context.Context, o options, out io.Writer) (ok bool, err error) {
	r := &result{options: o}
	if o.save != "" {
		r.commit = commitOf(ctx, o.save) // before anything else, as the checkout may go on meanwhile
	}
	server, err := pgtest.Start(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, closing(server.Close)) }()
	dsn, err := server.CreateDatabase(ctx, "soak", "")
	if err != nil {
		return false, err
	}
	a, err := open(ctx, dsn)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, closing(a.close)) }()

	fmt.Fprintf(out, "counting goroutines at old and at new, with nobody else calling\n")
	for _, stage := range []flags.Stage{flags.Old, flags.New} {
		c, err := a.crowdAt(ctx, stage)
		if err != nil {
			return false, err
		}
		r.crowds = append(r.crowds, c)
		fmt.Fprintf(out, "%s: %s\n", stage, c)
	}
	if err := a.goTo(ctx, flags.Old); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "%s at %g calls per second; Ctrl-C ends it with what there is\n\n", o.duration, o.rate)
	err = a.run(ctx, o, r, out)
	r.write(out)
	if o.save != "" {
		err = errors.Join(err, r.save(o.save))
	}
	return r.flat(), err
}

// closeTimeout bounds the end of a run.
const closeTimeout = 30 * time.Second

func closing(end func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return end(ctx)
}

// run is the hour itself.
func (a *app) run(ctx context.Context, o options, r *result, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	began := time.Now()
	l := &load{app: a, rate: o.rate}
	way := &ladder{app: a, began: began}
	r.samples = make([]sample, 0, 1000)                                                // so that taking them does not look like growth
	half := time.AfterFunc(o.duration/2, func() { _ = heapProfile(o.heap + ".half") }) // the one at the end says what is wrong
	lines := newTable(out, o.duration/60)

	var running sync.WaitGroup
	var walked error
	running.Go(func() { l.run(ctx) })
	running.Go(func() {
		if walked = way.walk(ctx, o.duration/time.Duration(rounds*len(round))); walked != nil {
			cancel()
		}
	})
	newMeter(l, began).run(ctx, every(o.duration), func(s sample) {
		r.samples = append(r.samples, s)
		lines.sample(s, way.seen())
	})
	running.Wait()
	half.Stop()
	walked = errors.Join(walked, heapProfile(o.heap))
	r.lasted, r.arrivals = time.Since(began), way.seen()
	r.calls, r.failed, r.skipped, r.first = l.calls.Load(), l.failed.Load(), l.skipped.Load(), l.first.Load()
	r.compared, r.mismatched, r.dropped = a.compared()
	return walked
}
