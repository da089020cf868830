package main

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/check"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/report"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// check reads everything back while the traffic pauses, and lets the oracle judge. All tenants stand at the stage. After
// the last check the traffic does not go on.
func (d *run) check(ctx context.Context, stage flags.Stage, last bool) error {
	d.view.Say("traffic pauses at %s: every customer is read back", stage)
	if err := d.crew.Pause(ctx); err != nil {
		return err
	}
	if err := d.awaitQuiet(ctx); err != nil {
		return err
	}
	found, err := d.readBack(ctx, stage)
	if err != nil {
		return err
	}
	if err := d.progress.AddCheck(ctx, found); err != nil {
		return err
	}
	d.view.Say("%d keys read back at %s: %d differ, the oracle %s", found.KeysRead, stage, found.DifferingKeys, verdictText(found))
	if !found.Passed {
		return fmt.Errorf("the check at %s did not pass", stage)
	}
	if last {
		return nil
	}
	return d.crew.Run(ctx)
}

func verdictText(c progress.Check) string {
	if c.LostUpdates+c.StaleReads+c.Undecided == 0 {
		return "can explain everything"
	}
	return fmt.Sprintf("misses %d updates, saw %d stale reads and could not judge %d customers", c.LostUpdates, c.StaleReads, c.Undecided)
}

// readBack reads each customer through the repository, and in plain SQL on the sides that are written at the stage.
func (d *run) readBack(ctx context.Context, stage flags.Stage) (progress.Check, error) {
	c := progress.Check{Stage: stage.String()}
	history, err := oracle.Load(ctx, d.pool)
	if err != nil {
		return c, err
	}
	start := check.Start(d.data)
	var sides []check.Named
	sets := []check.States{start}
	for _, side := range writtenAt(stage) {
		states, err := check.BySQL(ctx, d.pool, side)
		if err != nil {
			return c, err
		}
		sides, sets = append(sides, check.Named{Name: side.Name, States: states}), append(sets, states)
	}
	keys := check.Keys(history.Keys(), sets...)
	end, err := check.ByRepository(ctx, d.app.customers, keys)
	if err != nil {
		return c, err
	}
	c.KeysRead = int64(len(keys))
	c.DifferingKeys, c.Problems = check.Compare(keys, check.Named{Name: "the repository", States: end}, sides...)
	v := oracle.Judge(start, history, end)
	c.LostUpdates, c.StaleReads, c.Undecided = int64(v.LostUpdates), int64(v.StaleReads), int64(v.Undecided)
	c.Problems = append(c.Problems, v.Problems...)
	c.Passed = c.DifferingKeys+c.LostUpdates+c.StaleReads+c.Undecided == 0
	return c, nil
}

// writtenAt returns the versions that are written at a stage.
func writtenAt(stage flags.Stage) []check.Side {
	plan, both := stage.Plan(), []check.Side{flags.OldSide: check.V1, flags.NewSide: check.V2}
	if plan.WritesBoth {
		return both
	}
	return both[plan.Authority : plan.Authority+1]
}

// awaitQuiet waits until no statement of a worker runs any more, also of one that was killed: what it had begun before
// this moment is over then.
func (d *run) awaitQuiet(ctx context.Context) error {
	var since time.Time
	if err := d.pool.QueryRow(ctx, "select clock_timestamp()").Scan(&since); err != nil {
		return fmt.Errorf("wait for the end of all operations: %w", err)
	}
	for {
		var busy bool
		err := d.pool.QueryRow(ctx, `select exists (select from pg_stat_activity
			where datname = current_database() and application_name like $1 || '%' and xact_start < $2)`, workerName, since).Scan(&busy)
		if err != nil {
			return fmt.Errorf("wait for the end of all operations: %w", err)
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// report gathers the numbers of the whole walk. The error is why it came to no end, or nil.
func (d *run) report(ctx context.Context, walkErr error) (*report.Report, error) {
	r := &report.Report{
		Customers: d.data.Customers, Tenants: d.data.Tenants, Seed: d.data.Seed, PlantedBug: d.plantBug,
		Restarts: d.crew.Restarts(), Problems: []string{},
	}
	state, err := d.app.ledger.Load(ctx, migration.Name)
	if err != nil {
		return nil, err
	}
	r.Stage = state.Current().Default.String()
	for _, fill := range []func(context.Context, *report.Report) error{d.fillJournal, d.fillChecks, d.fillRepairs, d.fillPhases} {
		if err := fill(ctx, r); err != nil {
			return nil, err
		}
	}
	r.Judge(walkErr)
	return r, nil
}

func (d *run) fillJournal(ctx context.Context, r *report.Report) error {
	totals, err := oracle.CountAll(ctx, d.pool)
	if err != nil {
		return err
	}
	r.Operations, r.UnknownOperations, r.CallerErrors = totals.Operations, totals.Unknown, totals.Errors
	r.ToldErrors = totals.Told
	stages, err := oracle.CountStages(ctx, d.pool)
	if err != nil {
		return err
	}
	for _, stage := range flags.Stages() {
		rung := report.Rung{Stage: stage.String(), Minimum: d.minimum.Operations, ContendedMinimum: d.minimum.Contended}
		for _, t := range stages {
			if t.Stage == rung.Stage {
				rung.Visited, rung.Operations, rung.Contended = true, t.Operations, t.Contended
			}
		}
		r.Rungs = append(r.Rungs, rung)
	}
	latencies, err := oracle.Latencies(ctx, d.pool, 0, pathOf())
	for _, l := range latencies {
		what := "reads"
		if l.Writes {
			what = "writes"
		}
		r.Latency = append(r.Latency, report.Latency{
			Path: l.Path, Operation: what, Count: l.Count, P50Millis: millis(l.P50), P99Millis: millis(l.P99), MaxMillis: millis(l.Max),
		})
	}
	return err
}

// fillChecks takes the worst of the checks: each is over the whole walk.
func (d *run) fillChecks(ctx context.Context, r *report.Report) error {
	checks, err := d.progress.Checks(ctx)
	for _, c := range checks {
		r.KeysRead = max(r.KeysRead, c.KeysRead)
		r.DifferingKeys = max(r.DifferingKeys, c.DifferingKeys)
		r.LostUpdates = max(r.LostUpdates, c.LostUpdates)
		r.StaleReads = max(r.StaleReads, c.StaleReads)
		r.UndecidedKeys = max(r.UndecidedKeys, c.Undecided)
		r.Problems = append(r.Problems, c.Problems...)
	}
	return err
}

// fillRepairs counts what was found to differ, and the keys that were made equal again: those that the planted fault
// damaged, and those of which a side had missed a write.
func (d *run) fillRepairs(ctx context.Context, r *report.Report) error {
	known, err := d.progress.Load(ctx)
	if err != nil {
		return err
	}
	r.RepairedKeys = known.RepairedKeys
	jobs, err := d.app.ledger.JobsOf(ctx, migration.Name, 0)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if job.Kind == ledger.JobReconcile {
			r.RepairedKeys += job.KeysChanged
		}
	}
	if r.ConfirmedMismatches, err = d.mismatches(ctx); err != nil {
		return err
	}
	c, err := d.progress.Comparisons(ctx)
	r.Comparisons = report.Comparisons{
		Compared: c.Compared, Ignored: c.Ignored, Dropped: c.Dropped, Inconclusive: c.Inconclusive, Mismatched: c.Mismatched,
	}
	return err
}

func (d *run) fillPhases(ctx context.Context, r *report.Report) error {
	phases, err := d.progress.Phases(ctx)
	for _, p := range phases {
		r.Phases = append(r.Phases, report.Phase{Name: p.Name, Seconds: p.Seconds})
	}
	return err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
