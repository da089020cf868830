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

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/crew"
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

// work is the life of a worker: it does what it is told on stdin until it is told to stop. When stdin ends without that, who
// told it is dead, and it ends at once, in the middle of what it does.
func work(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 3 {
		return errors.New("a worker is started by the quickstart itself")
	}
	rate, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return fmt.Errorf("read the rate: %w", err)
	}
	number, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("read the number: %w", err)
	}
	process, err := uuid.Parse(args[2])
	if err != nil {
		return fmt.Errorf("read the process id: %w", err)
	}
	commands := make(chan string)
	go listen(stdin, commands)

	dsn := os.Getenv(urlVariable)
	journal, err := connect(ctx, dsn, workerName+"-journal", 8)
	if err != nil {
		return err
	}
	defer journal.Close()
	data, err := progress.New(journal).Load(ctx)
	if err != nil {
		return err
	}
	a, err := open(ctx, dsn, fmt.Sprintf("%s-%d", workerName, number), names(data.Data))
	if err != nil {
		return err
	}
	traffic, err := newTraffic(ctx, a, journal, workload.Config{Data: data.Data, Process: process, Number: number, Rate: rate})
	if err == nil {
		err = serve(ctx, a, traffic, commands, stdout)
	}
	return errors.Join(err, a.Close(context.WithoutCancel(ctx)))
}

// listen passes commands on.
func listen(stdin io.Reader, commands chan<- string) {
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		commands <- lines.Text()
	}
	os.Exit(1) // nobody is left to tell us anything
}

func newTraffic(ctx context.Context, a *app, journal *pgxpool.Pool, cfg workload.Config) (*workload.Workload, error) {
	j, err := oracle.OpenJournal(ctx, journal, cfg.Process)
	if err != nil {
		return nil, err
	}
	cfg.Store, cfg.Journal = store{Customers: a.customers, app: a}, j
	return workload.New(cfg), nil
}

// serve runs and pauses the traffic as it is told, beside the jobs on the data, until it is told to stop.
func serve(ctx context.Context, a *app, traffic *workload.Workload, commands <-chan string, stdout io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	beside, ctx := errgroup.WithContext(ctx)
	beside.Go(func() error { return a.jobs.Run(ctx) })

	// Traffic runs between begin and halt.
	halt := func() error { return nil }
	begin := func() {
		running, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		beside.Go(func() error {
			err := traffic.Run(running)
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
