package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// job is a claimed job in progress.
type job struct {
	w      *Worker
	e      Entity
	m      ledger.Migration
	detail ledger.JobDetail
	claim  ledger.Claim

	mu         sync.Mutex
	progress   ledger.JobProgress
	waiting    map[string]string // tenant → what it waits for
	state      *standing         // of the newest epoch seen
	checkpoint map[string]ledger.Checkpoint
}

func (w *Worker) newJob(detail ledger.JobDetail) *job {
	return &job{
		w: w, e: w.entities[detail.Migration], detail: detail,
		claim: ledger.Claim{Job: detail.ID, Process: w.process}, waiting: map[string]string{},
	}
}

// run does the job. It returns [ledger.ErrJobLost] when the job was cancelled
// or taken over.
func (j *job) run(ctx context.Context) (err error) {
	if j.m, err = j.w.migration(ctx, j.detail.Migration); err != nil {
		return err
	}
	if j.checkpoint, err = j.w.store.Checkpoints(ctx, j.detail.ID); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var heart sync.WaitGroup
	heart.Go(func() { j.beat(ctx, cancel) })
	switch j.detail.Kind {
	case ledger.JobReconcile:
		err = j.reconcile(ctx)
	case ledger.JobVerify:
		if err = j.e.compares().unavailable(); err == nil {
			err = j.tenants(ctx, j.verifyTenant)
		}
	default:
		err = j.tenants(ctx, j.backfillTenant)
	}
	cause := context.Cause(ctx)
	cancel(nil)
	heart.Wait()
	if errors.Is(cause, ledger.ErrJobLost) {
		return cause
	}
	return err
}

// beat keeps the claim and writes progress, until ctx ends. A lost claim
// cancels the job; so does a lease that could not be renewed in time.
func (j *job) beat(ctx context.Context, cancel context.CancelCauseFunc) {
	every := min(time.Second, j.w.cfg.Lease/3)
	renewed := time.Now()
	for sleep(ctx, every) == nil {
		err := j.report(ctx)
		switch {
		case err == nil:
			renewed = time.Now()
		case errors.Is(err, ledger.ErrJobLost):
			cancel(err)
			return
		case time.Since(renewed) > j.w.cfg.Lease:
			cancel(fmt.Errorf("%w: the ledger could not be reached for longer than the lease", ledger.ErrJobLost))
			return
		}
	}
}

func (j *job) report(ctx context.Context) error {
	j.mu.Lock()
	p := j.progress
	var texts []string
	for _, text := range j.waiting {
		texts = append(texts, text)
	}
	j.mu.Unlock()
	slices.Sort(texts)
	p.WaitingFor = strings.Join(slices.Compact(texts), "; ")
	return j.w.store.BeatJob(ctx, j.claim, p)
}

// finish writes the last progress and how the job ended.
func (j *job) finish(ctx context.Context, failure string) error {
	if err := j.report(ctx); err != nil {
		return err
	}
	return j.w.store.FinishJob(ctx, j.claim, failure)
}

// waitsFor shows what a tenant waits for; an empty text ends it.
func (j *job) waitsFor(tenant, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if text == "" {
		delete(j.waiting, tenant)
		return
	}
	j.waiting[tenant] = text
}

// errSkipped says that a job over every tenant leaves one out, as it stands
// where only one side is written.
var errSkipped = errors.New("the tenant stands where only one side is written")

// tenants runs work for each tenant of the job, some at once. A tenant that
// fails does not stop the others; the server's failures and wrong wiring do.
func (j *job) tenants(ctx context.Context, work func(ctx context.Context, tenant string) (ledger.Fact, error)) error {
	began, err := j.beginWhole(ctx)
	if err != nil {
		return err
	}
	tenants, err := j.list(ctx)
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.progress.TenantsAll = int64(len(tenants))
	j.mu.Unlock()

	var mu sync.Mutex
	var failed, skipped []error
	facts := map[ledger.Fact]int{}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(j.w.cfg.Workers)
	for _, tenant := range tenants {
		if gctx.Err() != nil {
			break
		}
		group.Go(func() error {
			fact, err := work(gctx, tenant)
			j.waitsFor(tenant, "")
			if err != nil && stopsAll(gctx, err) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, errSkipped):
				skipped = append(skipped, err)
			case err != nil:
				failed = append(failed, err)
			default:
				facts[fact]++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case len(failed) > 0:
		return &tenantsError{all: len(tenants), failed: failed}
	case len(skipped) > 0 && len(skipped) == len(tenants):
		return skipped[0]
	case len(skipped) > 0 || len(j.detail.Tenants) > 0:
		return nil
	}
	return j.endWhole(ctx, began, facts)
}

// stopsAll reports whether an error is not one tenant's own.
func stopsAll(ctx context.Context, err error) bool {
	switch classify(ctx, err) {
	case classLost, classServer, classFatal:
		return true
	}
	return false
}

// list returns the job's tenants in the application's order.
func (j *job) list(ctx context.Context) ([]string, error) {
	named := map[string]bool{}
	for _, tenant := range j.detail.Tenants {
		named[tenant] = true
	}
	var all []string
	for tenant, err := range j.w.cfg.Tenants(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list the tenants: %w", err)
		}
		if tenant == "" {
			return nil, &ConfigError{Problem: "Tenants yields a tenant without a name"}
		}
		if len(j.detail.Tenants) == 0 || named[tenant] {
			all = append(all, tenant)
			delete(named, tenant)
		}
	}
	for tenant := range named {
		return nil, &UnknownTenantError{Migration: j.m.Name, Tenant: tenant}
	}
	return all, nil
}

// beginWhole returns the epoch from which on no tenant, known or not, can stand
// where only one side is written, and nobody acts on a policy that would have
// it so; zero when that cannot be said. It comes before the tenants are listed:
// who is not among them is then born with both sides.
func (j *job) beginWhole(ctx context.Context) (int64, error) {
	if len(j.detail.Tenants) > 0 {
		return 0, nil
	}
	s, err := j.look(ctx, 0)
	if err != nil {
		return 0, err
	}
	if !everybody(s.current()) {
		return 0, nil
	}
	s, err = j.settle(ctx, "", s, func(s *standing) error {
		if !everybody(s.current()) {
			return nil
		}
		return s.unsettled("")
	})
	if err != nil || !everybody(s.current()) {
		return 0, err
	}
	return s.current().Epoch, nil
}

// endWhole marks the whole migration, for the tenants that are born from now
// on, if every tenant came to the fact and no policy since the beginning let
// anybody stand where only one side is written.
func (j *job) endWhole(ctx context.Context, began int64, facts map[ledger.Fact]int) error {
	if began == 0 || facts[ledger.NotVerified] > 0 {
		return nil
	}
	for {
		s, err := j.look(ctx, 0)
		if err != nil {
			return err
		}
		between, err := j.w.store.PoliciesBetween(ctx, j.m, began-1, s.current().Epoch)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(between, func(p flags.Policy) bool { return !everybody(p) }) {
			return nil
		}
		err = j.w.store.Mark(ctx, s.version(j.m), j.wholeFact(s.current(), facts), "")
		var stage *ledger.StageError
		switch {
		case errors.As(err, &stage):
			return nil
		case !errors.Is(err, ledger.ErrNotInForce):
			return err
		}
	}
}

// wholeFact is what may be said of the whole migration: where some tenants were
// copied forth and some back, both sides of all are equal, and the new side is
// complete.
func (j *job) wholeFact(p flags.Policy, facts map[ledger.Fact]int) ledger.Fact {
	switch {
	case j.detail.Kind == ledger.JobVerify:
		return ledger.Verified
	case facts[ledger.Backfilled] > 0 || facts[ledger.OldComplete] == 0 && p.Default.Plan().Authority == flags.OldSide:
		return ledger.Backfilled
	}
	return ledger.OldComplete
}

// everybody reports whether a policy has every tenant, known or not, at a
// stage that writes both sides.
func everybody(p flags.Policy) bool {
	both := func(s flags.Stage) bool { return s.Plan().WritesBoth }
	if p.Step.Share < flags.Buckets && !both(p.Default) || p.Step.Share > 0 && !both(p.Step.To) {
		return false
	}
	for _, stage := range p.Overrides {
		if !both(stage) {
			return false
		}
	}
	return true
}
