package micro

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/ledger"
)

// Rows about data.
const (
	ceiling = "INSERT..SELECT of all rows"
	reading = "scan of both sides that touches the same columns"
)

func backfillRatio(how way) string {
	return fmt.Sprintf("backfill %s, two workers / INSERT..SELECT", how)
}
func backfillRate(how way) string { return fmt.Sprintf("backfill %s, two workers", how) }
func verifyRatio(how way) string {
	return fmt.Sprintf("verification %s, two workers / scan of the same columns", how)
}
func verifyRate(how way) string { return fmt.Sprintf("verification %s, two workers", how) }

// dataParts are measured apart, in one database.
var dataParts = []struct {
	names []string
	run   func(context.Context, Config, *world, extent) (Result, error)
}{
	{[]string{
		backfillRatio(inSQL), backfillRatio(throughGo), ceiling, backfillRate(inSQL), backfillRate(throughGo),
	}, backfills},
	{[]string{
		verifyRatio(inSQL), verifyRatio(throughGo), reading, verifyRate(inSQL), verifyRate(throughGo),
	}, verifications},
	{[]string{foregroundBeside(inSQL), foregroundBeside(throughGo), foregroundAlone}, foregrounds},
}

func dataNames() (names []string) {
	for _, part := range dataParts {
		names = append(names, part.names...)
	}
	return names
}

// database is the name of the database that these rows are measured in.
const database = "micro"

// Targets of the design.
var (
	backfillTargets = map[way]float64{inSQL: 0.90, throughGo: 0.65}
	verifyTargets   = map[way]float64{inSQL: 0.25, throughGo: 0.18}
)

// extent says how much data is measured, and for how long at most.
type extent struct {
	rows, rounds int
	sample       time.Duration // of one job
	foreground   time.Duration // of one round of it
}

func (c Config) extent() extent {
	if c.Quick {
		return extent{rows: 4000, rounds: 1, sample: time.Second, foreground: 200 * time.Millisecond}
	}
	return extent{rows: 200_000, rounds: 3, sample: 2 * time.Second, foreground: 1200 * time.Millisecond}
}

// data measures backfills and verifications, each beside the plain SQL that could do no more, and the calls of the
// application while a backfill runs. Jobs that take longer than the extent allows are sampled: what they did until then
// counts.
func data(ctx context.Context, cfg Config) (result Result, err error) {
	if cfg.Server == nil {
		cfg.say("nothing about data: there is no server")
		return Result{}, nil
	}
	e := cfg.extent()
	dsn, err := cfg.Server.CreateDatabase(ctx, database, "")
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, cfg.Server.DropDatabase(context.WithoutCancel(ctx), database)) }()
	w, err := openWorld(ctx, dsn, e.rows)
	defer w.close()
	if err != nil {
		return result, err
	}
	if _, err := w.job(ctx, w.entities()[inSQL], ledger.JobBackfill, time.Second); err != nil { // opens connections, settles
		return result, err
	}
	for _, part := range dataParts {
		if !cfg.wants(part.names...) {
			continue
		}
		found, err := part.run(ctx, cfg, w, e)
		if err != nil {
			return result, err
		}
		result.add(found)
	}
	return result, nil
}

// rates are those of the rounds, by what was measured.
type rates map[string][]float64

func (r rates) note(cfg Config, name string, measured rate, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r[name] = append(r[name], measured.perSecond())
	sampled := ""
	if !measured.done {
		sampled = fmt.Sprintf(", sampled over %d keys", measured.keys)
	}
	cfg.say("%s: %.0f rows/s%s", name, measured.perSecond(), sampled)
	return nil
}

// rows makes, of each way, the row of its ratio to what can be done at most, round by round; and after those the rows of
// the rates.
func (r rates) rows(cfg Config, most string, rateOf, ratioOf func(way) string, targets map[way]float64) (rows []report.Row) {
	told := []report.Row{rateRow(most, r[most])}
	for _, how := range ways {
		ratios := make([]float64, len(r[most]))
		for i, own := range r[rateOf(how)] {
			ratios[i] = own / r[most][i]
		}
		ratio := middle(ratios)
		cfg.say("%s: %.3f (noise %.3f)", ratioOf(how), ratio.value, ratio.noise)
		rows = append(rows, report.AtLeast(ratioOf(how), report.Loopback, report.Ratio, ratio.value, ratio.noise, targets[how]))
		told = append(told, rateRow(rateOf(how), r[rateOf(how)]))
	}
	return append(rows, told...)
}

func rateRow(name string, perSecond []float64) report.Row {
	f := middle(perSecond)
	return report.Of(name, report.Loopback, report.RowsPerSec, f.value, f.noise)
}

// emptied makes the new side empty, and has what was written so far on the disk.
func (w *world) emptied(ctx context.Context) error {
	return errors.Join(w.exec(ctx, "truncate bench.articles"), w.exec(ctx, "checkpoint"))
}

func backfills(ctx context.Context, cfg Config, w *world, e extent) (Result, error) {
	found := rates{}
	for range e.rounds {
		if err := w.emptied(ctx); err != nil {
			return Result{}, err
		}
		measured, err := w.timed(ctx, insertSelect)
		if err := found.note(cfg, ceiling, measured, err); err != nil {
			return Result{}, err
		}
		for how, entity := range w.entities() { // in any order
			if err := w.emptied(ctx); err != nil {
				return Result{}, err
			}
			measured, err := w.job(ctx, entity, ledger.JobBackfill, e.sample)
			if err := found.note(cfg, backfillRate(how), measured, err); err != nil {
				return Result{}, err
			}
		}
	}
	return Result{Rows: found.rows(cfg, ceiling, backfillRate, backfillRatio, backfillTargets)}, nil
}

// backfilled makes both sides equal, and known to be so.
func (w *world) backfilled(ctx context.Context) error {
	if err := errors.Join(w.emptied(ctx), w.exec(ctx, insertSelect), w.exec(ctx, "vacuum (analyze) bench.articles")); err != nil {
		return err
	}
	m, err := w.store.Migration(ctx, w.migration())
	if err != nil {
		return err
	}
	version := ledger.Version{Migration: m.Name, MigrationID: m.ID, Epoch: m.Epoch, PolicyID: m.PolicyID}
	tenants := []string{""}
	for tenant, err := range w.tenants(ctx) {
		if err != nil {
			return err
		}
		tenants = append(tenants, tenant)
	}
	return w.store.Mark(ctx, version, ledger.Backfilled, tenants...)
}

func verifications(ctx context.Context, cfg Config, w *world, e extent) (Result, error) {
	if err := w.backfilled(ctx); err != nil {
		return Result{}, err
	}
	found := rates{}
	for range e.rounds {
		measured, err := w.timed(ctx, scan)
		if err := found.note(cfg, reading, measured, err); err != nil {
			return Result{}, err
		}
		for how, entity := range w.entities() { // in any order
			measured, err := w.job(ctx, entity, ledger.JobVerify, e.sample)
			if err := found.note(cfg, verifyRate(how), measured, err); err != nil {
				return Result{}, err
			}
		}
	}
	return Result{Rows: found.rows(cfg, reading, verifyRate, verifyRatio, verifyTargets)}, nil
}
