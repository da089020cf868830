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
	ceiling = "one INSERT..SELECT"
	reading = "a scan of both sides that touches the same columns"
)

func backfillRatio(how way) string { return fmt.Sprintf("backfill %s / %s, two workers", how, ceiling) }
func backfillRate(how way) string  { return fmt.Sprintf("backfill %s, two workers", how) }
func verifyRatio(how way) string   { return fmt.Sprintf("verification %s / %s", how, reading) }
func verifyRate(how way) string    { return fmt.Sprintf("verification %s, two workers", how) }

func dataNames() []string {
	names := []string{ceiling, reading, foregroundAlone}
	for _, how := range []way{inSQL, throughGo} {
		names = append(names, backfillRatio(how), backfillRate(how), verifyRatio(how), verifyRate(how), foregroundBeside(how))
	}
	return names
}

// Targets of the design.
var (
	backfillTargets = map[way]float64{inSQL: 0.90, throughGo: 0.65}
	verifyTargets   = map[way]float64{inSQL: 0.25, throughGo: 0.18}
)

// extent says how much data is measured, and for how long at most.
type extent struct {
	rows, rounds int
	sample       time.Duration // of one job
	foreground   time.Duration // of each of its measurements
}

func (c Config) extent() extent {
	if c.Quick {
		return extent{rows: 4000, rounds: 1, sample: time.Second, foreground: time.Second}
	}
	return extent{rows: 200_000, rounds: 3, sample: 2500 * time.Millisecond, foreground: 4 * time.Second}
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
	w, err := openWorld(ctx, cfg.Server, e.rows)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	if _, err := w.job(ctx, w.ways()[inSQL], ledger.JobBackfill, time.Second); err != nil { // opens connections, settles
		return result, err
	}
	for _, part := range []func(context.Context, Config, *world, extent) (Result, error){backfills, verifications, foregrounds} {
		found, err := part(ctx, cfg, w, e)
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

// rows makes the rows of the ceiling, and of each way its rate and its ratio to the ceiling of the same round.
func (r rates) rows(cfg Config, top string, rateOf, ratioOf func(way) string, targets map[way]float64) []report.Row {
	all := middle(r[top])
	rows := []report.Row{report.Of(top, report.Loopback, report.RowsPerSec, all.value, all.noise)}
	for _, how := range []way{inSQL, throughGo} {
		ratios := make([]float64, len(r[top]))
		for i, own := range r[rateOf(how)] {
			ratios[i] = own / r[top][i]
		}
		ratio, own := middle(ratios), middle(r[rateOf(how)])
		cfg.say("%s: %.3f (noise %.3f)", ratioOf(how), ratio.value, ratio.noise)
		rows = append(rows,
			report.AtLeast(ratioOf(how), report.Loopback, report.Ratio, ratio.value, ratio.noise, targets[how]),
			report.Of(rateOf(how), report.Loopback, report.RowsPerSec, own.value, own.noise))
	}
	return rows
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
		for how, entity := range w.ways() {
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
	for tenant := range w.tenants(ctx) {
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
		for how, entity := range w.ways() {
			measured, err := w.job(ctx, entity, ledger.JobVerify, e.sample)
			if err := found.note(cfg, verifyRate(how), measured, err); err != nil {
				return Result{}, err
			}
		}
	}
	return Result{Rows: found.rows(cfg, reading, verifyRate, verifyRatio, verifyTargets)}, nil
}
