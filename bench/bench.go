package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/bench/micro"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/bench/server"
	"github.com/crossfade-db/crossfade/bench/workload"
)

// run is one run of the benchmark.
type run struct {
	*options
	stderr io.Writer
	began  time.Time
	server *server.Server
	cpu    *server.Processor
	report *report.Report
	shed   shedding
}

// say tells how far the run is.
func (r *run) say(format string, args ...any) {
	fmt.Fprintf(r.stderr, "%6.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// bench measures everything that the options ask for, prints the tables and saves what is to be published.
func bench(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	r := &run{options: o, stderr: stderr, began: time.Now(), report: &report.Report{}}
	if err := r.measure(ctx); err != nil {
		return err
	}
	r.fact("a full run", "s", time.Since(r.began).Seconds())
	fmt.Fprintln(stdout, r.report.Markdown())
	switch {
	case o.out != "":
		return r.report.SaveJSON(o.out)
	case !o.full():
		r.say("nothing was saved: this was no full run")
		return nil
	}
	return r.report.Save(o.root)
}

func (r *run) measure(ctx context.Context) (err error) {
	r.say("starting a throw-away PostgreSQL")
	if r.server, err = server.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.server.Close()) }()
	if r.cpu, err = r.server.Processor(ctx); err != nil {
		return err
	}
	if err := r.machine(ctx); err != nil {
		return err
	}
	if err := r.networks(ctx); err != nil {
		return err
	}
	r.lines()
	found, err := micro.Run(ctx, micro.Config{
		Server: r.server.Own(), Quick: r.quick, Only: r.microOnly(), Progress: r.say,
	})
	if err != nil {
		return err
	}
	r.report.Rows = append(r.report.Rows, found.Rows...)
	r.report.Facts = append(r.report.Facts, found.Facts...)
	return nil
}

func (r *run) microOnly() func(string) bool {
	if r.only == nil {
		return nil
	}
	return r.wanted
}

// networks measures reads and writes on both networks.
func (r *run) networks(ctx context.Context) error {
	if len(only(suite(&workload.App{}, &rivals{}), r.wanted)) == 0 {
		return nil
	}
	r.say("making tables of %d rows", r.rows)
	if err := workload.Prepare(ctx, r.server.DSN(), r.rows); err != nil {
		return err
	}
	if r.network != report.OneMilli {
		if err := r.calls(ctx, report.Loopback, r.server.DSN()); err != nil {
			return err
		}
		if err := r.withoutFsync(ctx); err != nil {
			return err
		}
	}
	if r.network == report.Loopback {
		return nil
	}
	return r.behindDelay(ctx)
}

func (r *run) fact(name, unit string, value float64) {
	r.report.Facts = append(r.report.Facts, report.Fact{Name: name, Unit: unit, Value: value})
}

// machine notes where the run takes place.
func (r *run) machine(ctx context.Context) error {
	version, err := r.server.Version(ctx)
	if err != nil {
		return err
	}
	version, _, _ = strings.Cut(version, " ")
	r.report.Machine = report.Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), System: system(),
		Go: runtime.Version(), PostgreSQL: version, Date: r.began.UTC().Format(time.DateOnly), Rows: r.rows, Quick: r.quick,
	}
	return nil
}

// field returns a field of a file of Linux's /proc, or "".
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// system names the operating system and, on Linux, its kernel.
func system() string {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(kernel))
}
