package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/crew"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/screen"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/walk"
)

// The exit statuses.
const (
	exitPassed      = 0
	exitFailed      = 1 // something that must be zero is not, or the walk came to no end
	exitUsage       = 2
	exitInterrupted = 130 // by Ctrl-C, as shells have it
)

func demoMain(args []string, stdout *os.File, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitPassed
	case err != nil:
		fmt.Fprintln(stderr, "quickstart:", err)
		return exitUsage
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	view := screen.New(stdout)
	defer view.Close()
	context.AfterFunc(ctx, func() { // a second Ctrl-C does not wait for an orderly end
		cancel()
		view.Close()
	})
	passed, err := demo(ctx, o, view, stdout)
	view.Close()
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "quickstart: interrupted"+hint(o))
		return exitInterrupted
	case err != nil:
		fmt.Fprintln(stderr, "quickstart:", err)
		return exitFailed
	case !passed:
		return exitFailed
	}
	return exitPassed
}

// demo runs the demonstration in the database that the options name, or in a throw-away one.
func demo(ctx context.Context, o options, view *screen.Screen, stdout io.Writer) (passed bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("find this program: %w", err)
	}
	dsn := o.url
	if dsn == "" {
		view.Say("starting a throw-away PostgreSQL")
		server, err := startServer(ctx)
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, server.close()) }()
		dsn = server.dsn
	}
	at, err := prepare(ctx, dsn, &o, view)
	if err != nil {
		return false, err
	}
	defer at.close()
	a, err := open(ctx, dsn, "quickstart", names(o.data), nil) // it reads, and never saves
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()
	d := &run{options: o, app: a, pool: at.pool, progress: progress.New(at.pool), view: view, began: time.Now()}
	werr := d.walk(ctx, self, dsn)
	if ctx.Err() != nil {
		return false, werr
	}
	r, err := d.report(ctx, werr)
	if err != nil {
		return false, errors.Join(werr, err)
	}
	view.Close()
	r.Print(stdout)
	if o.report != "" {
		err = r.Write(o.report)
	}
	return r.Passed, err
}

// hint says how to go on after an interruption.
func hint(o options) string {
	if o.url == "" {
		return ", and the throw-away server is gone: with --database-url a walk can be gone on with"
	}
	return ": the same command goes on with the walk"
}

// run is one run of the demonstration.
type run struct {
	options
	app      *app
	pool     *pgxpool.Pool // of the demonstration, not of the application
	progress *progress.Store
	view     *screen.Screen
	began    time.Time
	crew     *crew.Crew
	doing    doing
}

// walk starts the worker processes and leads the tenants up the ladder.
func (d *run) walk(ctx context.Context, self, dsn string) (err error) {
	d.crew = crew.Start(crew.Config{
		Command: []string{self, workerCommand, strconv.FormatFloat(d.rate/float64(d.workers), 'g', -1, 64)},
		Env:     []string{urlVariable + "=" + dsn},
		Number:  d.workers,
		Died:    func(ctx context.Context, process uuid.UUID) error { return oracle.Abandon(ctx, d.pool, process) },
		Say:     d.view.Say,
	})
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err = errors.Join(err, d.crew.Stop(stop))
	}()
	show, hide := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		d.show(show)
	}()
	defer func() {
		hide()
		<-shown
	}()

	if err := d.crew.Run(ctx); err != nil {
		return err
	}
	w := &walk.Walk{
		Migration: migration, Plane: control.New(d.app.ledger, nil), Ledger: d.app.ledger,
		Progress: d.progress, Pool: d.pool, Tenants: names(d.data), StopAt: d.stopAt,
		Minimum: d.minimum, Hold: d.hold, Check: d.check, Doing: d.doing.set, Say: d.view.Say,
	}
	return w.Run(ctx)
}
