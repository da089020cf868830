// Command bench measures what the shim costs, side by side with direct calls and with other tools.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/crossfade-db/crossfade/bench/measure"
	"github.com/crossfade-db/crossfade/bench/server"
	"github.com/crossfade-db/crossfade/bench/workload"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	s, err := server.Start(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	const rows = 200_000
	if err := workload.Prepare(ctx, s.DSN(), rows); err != nil {
		return err
	}
	a, err := workload.Open(ctx, s.DSN(), rows, 1)
	if err != nil {
		return err
	}
	defer a.Close(ctx)
	show := func(base string, plan measure.Plan, vs ...measure.Variant) error {
		plan.Keys = a.Keys()
		r, err := measure.Run(ctx, plan, vs)
		if err != nil {
			return err
		}
		for _, n := range r.Names() {
			q := r.Ratio(n, base)
			fmt.Printf("%-20s %8.4f +- %.4f  p50 %8.1f us p99 %8.1f\n", n, q.Value, q.Noise, r.Latency(n, .5)/1000, r.Latency(n, .99)/1000)
		}
		fmt.Println(a.Compared())
		return nil
	}
	v := func(name string, do workload.Do) measure.Variant { return measure.Variant{Name: name, Do: do} }
	reads := []measure.Variant{v("direct", a.Get(a.V1())), v("again", a.Get(a.V1())), v("direct2", a.Get(a.V2())), v("orm", a.Get(a.V1ORM()))}
	writes := []measure.Variant{v("direct", a.SetStock(a.V1())), v("again", a.SetStock(a.V1())), v("direct2", a.SetStock(a.V2())), v("orm", a.SetStock(a.V1ORM())), v("sequential", a.Sequential())}
	for _, st := range workload.States() {
		reads = append(reads, v(string(st), a.Get(a.Routed(st))))
		writes = append(writes, v(string(st), a.SetStock(a.Routed(st))))
	}
	if err := show("direct", measure.Plan{Turns: 300}, reads...); err != nil {
		return err
	}
	sh := []measure.Variant{reads[0], reads[1], reads[2], v("shadow", a.Get(a.Routed(workload.Shadow))), v("live", a.Get(a.Routed(workload.Live))), v("liveclean", a.Get(a.Routed(workload.LiveClean)))}
	if err := show("direct", measure.Plan{Turns: 300, Settle: a.Settle}, sh...); err != nil {
		return err
	}
	if err := show("direct", measure.Plan{Turns: 30, Block: 30, Settle: a.Settle}, sh...); err != nil {
		return err
	}
	return show("direct", measure.Plan{Turns: 100}, writes...)
}
