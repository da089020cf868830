package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/bench/delay"
	"github.com/crossfade-db/crossfade/bench/measure"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/bench/workload"
)

// mostCallers is how many callers the application serves at once.
const mostCallers = 32

// condition is under what a group is measured.
type condition struct {
	network string
	fsync   bool
	callers int
}

// target is the application on one network, and what is measured on it.
type target struct {
	*workload.App
	rivals *rivals
	groups []group
	calmly workload.Do // a direct read
}

func (r *run) open(ctx context.Context, dsn string) (*target, error) {
	app, err := workload.Open(ctx, dsn, r.rows, mostCallers)
	if err != nil {
		return nil, err
	}
	peers, err := newRivals(app)
	if err != nil {
		return nil, errors.Join(err, app.Close(context.WithoutCancel(ctx)))
	}
	return &target{App: app, rivals: peers, groups: only(suite(app, peers), r.wanted), calmly: app.Get(app.V1())}, nil
}

func (t *target) close(ctx context.Context) error {
	return errors.Join(t.rivals.close(), t.Close(context.WithoutCancel(ctx)))
}

// calls measures everything on one network: each group side by side with one caller, then how much many callers get
// done.
func (r *run) calls(ctx context.Context, network, dsn string) (err error) {
	t, err := r.open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close(ctx)) }()
	here := condition{network: network, fsync: true, callers: 1}
	callers, hurry := append([]int{1}, r.pace.callers...), 1.0
	if network == report.OneMilli {
		callers = append([]int{1}, r.pace.far...)
		hurry = r.hurry(t, len(callers))
	}
	for _, g := range t.groups {
		if err := r.sideBySide(ctx, t, g, here, g.share*hurry); err != nil {
			return err
		}
	}
	if r.alone {
		callers = nil
	}
	for _, n := range callers {
		here.callers = n
		if err := r.loads(ctx, t, here); err != nil {
			return err
		}
	}
	return t.rivals.check(ctx, t.App)
}

// calm waits for the comparisons of what was read before, and then reads once: every turn begins after the same thing,
// and not one after a wait and the other after a read.
func (t *target) calm(ctx context.Context) error {
	if err := t.Settle(ctx); err != nil {
		return err
	}
	return t.calmly(ctx, 0)
}

// hurry is which share of its time the last network has, so that a full run ends in time also where other work kept it
// waiting.
func (r *run) hurry(t *target, loads int) float64 {
	var groups, loops time.Duration
	for _, g := range t.groups {
		groups += time.Duration(g.share * float64(r.pace.group))
		if g.block <= 1 {
			loops += time.Duration(loads*r.pace.passes*len(g.variants)) * r.pace.loop * 5 / 4
		}
	}
	left := r.pace.within - time.Since(r.began) - loops
	return min(1, max(leastShare, left.Seconds()/groups.Seconds()))
}

// leastShare is how much of its time is left to the last network in any case.
const leastShare = 0.3

// sideBySide measures a group with its variants permuted per operation.
func (r *run) sideBySide(ctx context.Context, t *target, g group, at condition, share float64) error {
	if err := r.server.Checkpoint(ctx); err != nil {
		return err
	}
	plan := measure.Plan{
		Rounds: r.pace.rounds, Turns: 40, Budget: time.Duration(share * float64(r.pace.group)), Keys: t.Keys(), Seed: r.seed,
	}
	if g.compares {
		plan.Settle = t.calm
	}
	if g.block > 1 {
		plan.Turns, plan.Block = 4, g.block
	}
	r.say("%s, %s, fsync %s: %s", at.network, callersText(at.callers), onOff(at.fsync), g.name)
	found, err := measure.Run(ctx, plan, g.timed())
	if err != nil {
		return fmt.Errorf("measure %s: %w", g.name, err)
	}
	for _, v := range g.variants {
		ratio := found.Ratio(v.name, g.baseOf(v))
		if v.name == directAgain {
			r.report.Floors = append(r.report.Floors, report.Floor{
				Group: g.name, Operation: g.op, Network: at.network, Fsync: at.fsync, Connections: at.callers, Ratio: ratio.Value, Noise: ratio.Noise,
			})
			continue
		}
		m := r.entry(g.op, v, at)
		if m.P50 > 0 {
			continue // a direct call that stood in another group already
		}
		m.Ratio, m.Noise = ratio.Value, ratio.Noise
		m.P50, m.P99 = found.Latency(v.name, 0.5), found.Latency(v.name, 0.99)
		r.tell(g.op, m)
	}
	return r.allocations(ctx, t, g, at)
}

// allocations counts what each variant takes from the heap. It is the same on every network.
func (r *run) allocations(ctx context.Context, t *target, g group, at condition) error {
	if at.network != report.Loopback || !at.fsync || g.block > 1 {
		return nil
	}
	for _, v := range g.timed() {
		if v.Name == directAgain {
			continue
		}
		found, err := measure.Allocations(ctx, r.pace.allocs, t.Keys(), t.Settle, v)
		if err != nil {
			return err
		}
		for i := range r.report.Measures {
			if m := &r.report.Measures[i]; m.Variant == v.Name && m.Operation == g.op && m.Connections == 1 && m.Network == at.network {
				m.Allocs, m.Bytes = found.Allocs, found.Bytes
			}
		}
	}
	return nil
}

// loads measures how much callers get done that do nothing else, and what the database spends on it.
func (r *run) loads(ctx context.Context, t *target, at condition) error {
	for _, g := range t.groups {
		if err := r.load(ctx, t, g, at); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) load(ctx context.Context, t *target, g group, at condition) error {
	if g.block > 1 {
		return nil // every loop is of one variant back to back
	}
	r.say("%s, %s, fsync %s: %s, one after the other", at.network, callersText(at.callers), onOff(at.fsync), g.name)
	load := measure.Load{
		Callers: at.callers, For: r.pace.loop, Passes: r.pace.passes, Keys: t.Keys(), Seed: r.seed, Settle: t.Settle, CPU: r.cpu.Used,
	}
	before := t.Compared()
	found, err := load.Run(ctx, g.timed())
	if err != nil {
		return fmt.Errorf("measure %s: %w", g.name, err)
	}
	if g.compares {
		r.shed.add(at, before, t.Compared())
	}
	for _, v := range g.variants {
		m := r.entry(g.op, v, at)
		if v.name == directAgain || m.PerSecond > 0 {
			continue
		}
		m.PerSecond, m.DatabaseCPU = found.PerSecond(v.name), found.DatabaseCPU(v.name)
		if m.P50 == 0 { // with one caller, what was permuted per operation says more
			ratio := found.Slowness(v.name, g.baseOf(v))
			m.Ratio, m.Noise = ratio.Value, ratio.Noise
			m.P50, m.P99 = found.Latency(v.name, 0.5), found.Latency(v.name, 0.99)
		}
	}
	return nil
}

// baseOf is what a variant of the group is compared with.
func (g group) baseOf(v variant) string {
	for _, other := range g.variants {
		if other.name == v.base {
			return v.base
		}
	}
	return directV1
}

// entry finds or makes the measure of a variant.
func (r *run) entry(op report.Operation, v variant, at condition) *report.Measure {
	scratch := report.Measure{
		Operation: op, Variant: v.name, Short: v.short, Kind: v.kind, Network: at.network, Fsync: at.fsync, Connections: at.callers,
	}
	if v.name == directAgain {
		return &scratch // it has a table of its own
	}
	for i := range r.report.Measures {
		m := &r.report.Measures[i]
		if m.Operation == op && m.Variant == v.name && m.Network == at.network && m.Fsync == at.fsync && m.Connections == at.callers {
			return m
		}
	}
	r.report.Measures = append(r.report.Measures, scratch)
	return &r.report.Measures[len(r.report.Measures)-1]
}

// withoutFsync measures writes again with commits that do not wait for the disk.
func (r *run) withoutFsync(ctx context.Context) (err error) {
	if r.alone {
		return nil
	}
	t, err := r.open(ctx, r.server.DSN())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close(ctx)) }()
	if err := r.server.SetFsync(ctx, false); err != nil {
		return err
	}
	for _, g := range t.groups {
		if g.op != report.Write {
			continue
		}
		for _, n := range r.pace.withoutFsync() {
			at := condition{network: report.Loopback, callers: n}
			if n == 1 {
				err = r.sideBySide(ctx, t, g, at, g.share/3)
			}
			if err == nil {
				err = r.load(ctx, t, g, at)
			}
			if err != nil {
				return err
			}
		}
	}
	return r.server.SetFsync(ctx, true)
}

// withoutFsync is how many callers there are without fsync.
func (p pace) withoutFsync() []int { return []int{1, p.callers[len(p.callers)/2]} }

// eachWay is by how much the network is delayed in each direction.
const eachWay = 500 * time.Microsecond

// behindDelay measures everything once more with the delay in between.
func (r *run) behindDelay(ctx context.Context) (err error) {
	far, err := delay.Calibrated(ctx, r.server.DSN(), eachWay, r.pace.probes, r.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	r.fact("round trip that the delay adds", "us", float64(far.Added.Nanoseconds())/1000)
	return r.calls(ctx, report.OneMilli, far.DSN)
}

func callersText(n int) string {
	if n == 1 {
		return "1 caller"
	}
	return fmt.Sprintf("%d callers", n)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
