package backfill

import (
	"context"
	"fmt"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// run is work in progress on one tenant. It belongs to one goroutine.
type run struct {
	j        *job
	tenant   string
	cp       ledger.Checkpoint
	decision flags.Decision // set by admit
	from     flags.Side     // the side that is copied from
	seen     bool           // the keys were seen there
	page     int            // keys that are walked at once
	size     int            // keys of the next chunk
	// allowed says whether the work is possible at a stage.
	allowed func(flags.Stage) error
	// save writes the checkpoint in the chunk's transaction.
	save    func(ctx context.Context, tx *postgres.Tx, c chunk, cp ledger.Checkpoint) error
	failing int // keys that could not be copied
	// restarted says that admit had the run begin anew.
	restarted bool
}

// pageChunks is how many chunks' keys are walked at once.
const pageChunks = 8

func (j *job) newRun(tenant string) *run {
	r := &run{j: j, tenant: tenant, cp: j.checkpoint[tenant], page: pageChunks * j.w.cfg.ChunkKeys, size: j.w.cfg.ChunkKeys}
	r.cp.Tenant = tenant
	r.save = func(ctx context.Context, tx *postgres.Tx, _ chunk, cp ledger.Checkpoint) error {
		return ledger.SaveCheckpoint(ctx, tx, j.claim, cp)
	}
	return r
}

func (r *run) restart() {
	r.cp = ledger.Checkpoint{Tenant: r.tenant}
	r.restarted = true
}

func (r *run) place() place { return place{decision: r.decision, tenant: r.tenant} }

// readmit admits the run under the policy in force, or returns errRestarted.
func (r *run) readmit(ctx context.Context) error {
	r.restarted = false
	if err := r.j.admit(ctx, r); err != nil {
		return err
	}
	if r.restarted {
		return errRestarted
	}
	return nil
}

// transact runs work in one transaction behind the fence, under the locks of
// the keys, and saves the checkpoint in it. When the run's decision is no
// longer in force it returns errMoved, and nothing was done.
func (r *run) transact(
	ctx context.Context, keys []string, deferred bool, cp *ledger.Checkpoint, work func(context.Context, *postgres.Tx, chunk) error,
) error {
	if err := r.j.e.ready(ctx); err != nil {
		return err
	}
	flag, subject := r.j.e.flag(), flags.Subject{Tenant: r.tenant}
	refused := false
	err := r.j.w.database().InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		use, err := flag.Enter(ctx, subject) // ends after the transaction: InTx pins it
		if err != nil {
			return err
		}
		defer use.Done()
		if use.Epoch != r.decision.Epoch || use.PolicyID != r.decision.PolicyID {
			return errMoved
		}
		if deferred {
			if _, err := tx.Exec(ctx, "set constraints all deferred"); err != nil {
				return fmt.Errorf("defer the constraints: %w", err)
			}
		}
		if len(keys) > 1 {
			if err := tx.Yield(ctx); err != nil {
				return err
			}
		}
		err = r.j.e.fenced(ctx, tx, r.place(), keys, func(ctx context.Context, c chunk) error {
			if err := work(ctx, tx, c); err != nil {
				return err
			}
			return r.save(ctx, tx, c, *cp)
		})
		if repo.Retryable(err) {
			refused = true
			return errMoved
		}
		return err
	})
	if refused {
		r.j.forget()
		if err := flag.Refused(ctx, subject, r.decision); err != nil {
			return fmt.Errorf("load the policy in force: %w", err)
		}
	}
	return err
}

// Phases of a copy: the keys of the source, then those that the target has
// beyond them, which would stay there as orphans.
func phases(from flags.Side) []phase {
	return []phase{
		{name: "copy from " + from.String(), side: from},
		{name: "extra on " + from.Other().String(), side: from.Other(), extra: true},
	}
}

type phase struct {
	name  string
	side  flags.Side // whose keys are walked
	extra bool       // only those that the other side lacks
}

// phaseSource returns the side that a phase copies from.
func phaseSource(name string) (flags.Side, bool) {
	for _, from := range []flags.Side{flags.OldSide, flags.NewSide} {
		for _, p := range phases(from) {
			if p.name == name {
				return from, true
			}
		}
	}
	return 0, false
}

// copyBoth walks the keys of both sides, from the checkpoint on.
func (r *run) copyBoth(ctx context.Context) error {
	return r.walkPhases(ctx, phases(r.from), func(ctx context.Context, ph phase, p page) error {
		keys := p.keys
		if r.seen = !ph.extra; ph.extra {
			var err error
			if keys, err = extra(ctx, r.j.e, r.place(), ph.side.Other(), p); err != nil {
				return err
			}
		}
		return r.copyPage(ctx, keys, p.end())
	})
}

// walkPhases walks the pages of each phase from the checkpoint on.
func (r *run) walkPhases(ctx context.Context, all []phase, visit func(context.Context, phase, page) error) error {
	if r.cp.Phase == "" {
		r.cp.Phase = all[0].name
	}
	for i, ph := range all {
		if r.cp.Phase != ph.name {
			continue
		}
		if err := r.walkPhase(ctx, ph, visit); err != nil {
			return err
		}
		if i+1 < len(all) {
			r.cp.Phase, r.cp.Cursor, r.cp.Bound = all[i+1].name, "", ""
		}
	}
	return nil
}

func (r *run) walkPhase(ctx context.Context, ph phase, visit func(context.Context, phase, page) error) error {
	for r.cp.Cursor == "" || r.cp.Cursor != r.cp.Bound {
		p, err := next(ctx, r.j.e, r.place(), ph.side, r.cp.Cursor, r.cp.Bound, r.page)
		if err != nil {
			return err
		}
		if r.cp.Bound == "" {
			count := int64(len(p.keys))
			if r.cp.Bound = p.end(); !p.last {
				if count, r.cp.Bound, err = r.j.e.measure(ctx, r.place(), ph.side); err != nil {
					return err
				}
			}
			if !ph.extra {
				r.cp.KeysAll = count
			}
		}
		if err := visit(ctx, ph, p); err != nil {
			return err
		}
		if p.last {
			return nil
		}
	}
	return nil
}
