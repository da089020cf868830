package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/crew"
	v2 "github.com/crossfade-db/crossfade/examples/quickstart/internal/customers/v2"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/workload"
)

// workerCommand makes this program a worker: one process of the application. The arguments are its rate, its number and
// the id under which the oracle knows it.
const workerCommand = "worker"

// urlVariable tells a worker its database, out of sight of ps.
const urlVariable = "QUICKSTART_WORKER_DATABASE_URL"

// workerName begins the name of a worker's sessions.
const workerName = "quickstart-worker"

func workerMain(args []string) int {
	if err := work(context.Background(), args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// worker is one process of the application.
type worker struct {
	process  uuid.UUID
	number   int
	rate     float64
	app      *app
	traffic  *workload.Workload
	progress *progress.Store
}

// work is the life of a worker: it does what it is told on stdin until it is told to stop. When stdin ends without that, who
// told it is dead, and it ends at once, in the middle of what it does.
func work(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	w, err := newWorker(args)
	if err != nil {
		return err
	}
	commands := make(chan string, 16) // so that the end of stdin is noticed whatever we do
	go listen(stdin, commands)

	dsn := os.Getenv(urlVariable)
	journal, err := connect(ctx, dsn, workerName+"-journal", 8)
	if err != nil {
		return err
	}
	defer journal.Close()
	w.progress = progress.New(journal)
	begun, err := w.progress.Load(ctx)
	if err != nil {
		return err
	}
	w.app, err = open(ctx, dsn, fmt.Sprintf("%s-%d", workerName, w.number), names(begun.Data), faultOf(begun))
	if err != nil {
		return err
	}
	if err = w.makeTraffic(ctx, journal, begun.Data); err == nil {
		err = w.serve(ctx, commands, stdout)
	}
	return errors.Join(err, w.app.Close(ctx), w.note(ctx))
}

func newWorker(args []string) (w *worker, err error) {
	if len(args) != 3 {
		return nil, errors.New("a worker is started by the quickstart itself")
	}
	w = &worker{}
	if w.rate, err = strconv.ParseFloat(args[0], 64); err != nil {
		return nil, fmt.Errorf("read the rate: %w", err)
	}
	if w.number, err = strconv.Atoi(args[1]); err != nil {
		return nil, fmt.Errorf("read the number: %w", err)
	}
	if w.process, err = uuid.Parse(args[2]); err != nil {
		return nil, fmt.Errorf("read the process id: %w", err)
	}
	return w, nil
}

// faultOf returns what tells version 2 whether to make its mistake.
func faultOf(w progress.Walk) v2.Fault {
	if !w.PlantBug {
		return nil
	}
	return progress.Planted
}

// listen passes commands on.
func listen(stdin io.Reader, commands chan<- string) {
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		commands <- lines.Text()
	}
	os.Exit(1) // nobody is left to tell us anything
}

func (w *worker) makeTraffic(ctx context.Context, pool *pgxpool.Pool, data seed.Data) error {
	journal, err := oracle.OpenJournal(ctx, pool, w.process)
	if err != nil {
		return err
	}
	w.traffic = workload.New(workload.Config{
		Store: store{Customers: w.app.customers, app: w.app}, Journal: journal, Data: data,
		Process: w.process, Number: w.number, Rate: w.rate,
	})
	return nil
}

// serve runs and pauses the traffic as it is told, beside the jobs on the data, until it is told to stop.
func (w *worker) serve(ctx context.Context, commands <-chan string, stdout io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	beside, ctx := errgroup.WithContext(ctx)
	beside.Go(func() error { return w.app.jobs.Run(ctx) })
	beside.Go(func() error { return every(ctx, time.Second, w.note) })

	// Traffic runs between begin and halt.
	halt := func() error { return nil }
	begin := func() {
		running, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		beside.Go(func() error {
			err := w.traffic.Run(running)
			ended <- err
			return err
		})
		halt = func() error {
			cancel()
			return <-ended
		}
	}
	phase := crew.Paused
	for {
		fmt.Fprintln(stdout, phase)
		select {
		case <-ctx.Done():
			return beside.Wait()
		case command := <-commands:
			switch {
			case command == crew.CommandRun && phase == crew.Paused:
				begin()
				phase = crew.Running
			case command != crew.CommandRun && phase == crew.Running:
				if err := halt(); err != nil {
					return err
				}
				phase = crew.Paused
			}
			if command == crew.CommandStop {
				stop()
				return beside.Wait()
			}
		}
	}
}

// note notes what became of the reads so far, for the report.
func (w *worker) note(ctx context.Context) error {
	var sum compare.Counts
	for _, counts := range w.app.comparer.Stats().Operations {
		sum.Compared += counts.Compared
		sum.Ignored += counts.Ignored
		sum.Dropped += counts.Dropped
		sum.Inconclusive += counts.Inconclusive
		sum.Mismatched += counts.Mismatched
	}
	return w.progress.Compared(ctx, w.process, sum)
}

// every does something again and again until ctx ends.
func every(ctx context.Context, period time.Duration, do func(context.Context) error) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := do(context.WithoutCancel(ctx)); err != nil {
				return err
			}
		}
	}
}

// names returns the tenants as Crossfade knows them.
func names(d seed.Data) []string {
	all := make([]string, 0, d.Tenants)
	for _, tenant := range d.AllTenants() {
		all = append(all, tenant.String())
	}
	return all
}

// shutdownTimeout bounds the end of everything.
const shutdownTimeout = 20 * time.Second
