package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/ledger"
)

// worker stands for the one that an application embeds: it moves when the test says so.
type worker struct {
	w     *world
	claim ledger.Claim
	kind  string
}

// takes claims the job that is requested.
func (w *world) takes() *worker {
	w.t.Helper()
	var job ledger.JobDetail
	id := [16]byte{1}
	require.Eventually(w.t, func() bool {
		var ok bool
		var err error
		job, ok, err = w.store.ClaimJob(context.Background(), id, time.Hour, []string{name}, nil)
		return err == nil && ok
	}, wait, tick)
	return &worker{w: w, claim: ledger.Claim{Job: job.ID, Process: id}, kind: job.Kind}
}

// reports writes the checkpoint of one tenant of several.
func (k *worker) reports(at ledger.Checkpoint, tenants int64, waiting string) {
	k.w.t.Helper()
	at.Phase = "copy"
	require.NoError(k.w.t, ledger.SaveCheckpoint(context.Background(), k.w.pool, k.claim, at))
	require.NoError(k.w.t, k.w.store.BeatJob(context.Background(), k.claim, ledger.JobProgress{TenantsAll: tenants, WaitingFor: waiting}))
}

func (k *worker) finishes(failure string) {
	k.w.t.Helper()
	require.NoError(k.w.t, k.w.store.FinishJob(context.Background(), k.claim, failure))
}

func TestJobIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "backfill", name, "--reason", "first")
	s.until("backfill 1: requested, waiting for a worker")
	k := w.takes()
	k.reports(ledger.Checkpoint{Tenant: "acme", KeysAll: 600, KeysDone: 500, KeysChanged: 400}, 2, "")
	k.reports(ledger.Checkpoint{Tenant: "acme", KeysAll: 500, KeysDone: 500, KeysChanged: 400, Done: true}, 2, "")
	k.reports(ledger.Checkpoint{Tenant: "initech", KeysAll: 700, KeysDone: 700, KeysChanged: 7, Done: true}, 2, "")
	k.finishes("")
	s.ends().is(exitOK).says("backfill 1: done after", "1,200 keys, 407 written")
	w.ok("history", name).says("backfill: job 1 requested, by ann@laptop: first")
}

func TestFollowingShowsProgressRateAndTimeLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("backfill", name, "--tenant", "acme", "--tenant", "initech", "--detach").says("backfill job 1 is requested: `crossfade backfill customers-v2 --follow`")
	k := w.takes()
	k.reports(ledger.Checkpoint{Tenant: "acme", KeysAll: 600, KeysDone: 500, KeysChanged: 400}, 2, "locks of others")
	w.exec(`update crossfade.jobs set started_at = heartbeat_at - interval '10 seconds'`)
	s := w.start(nil, "backfill", name, "--follow")
	s.until("backfill 1: 41%, 500 of about 1,200 keys, 0 of 2 tenants, 50 keys/s, 14s left, 400 written; waiting for locks of others")
	events := w.start(nil, "backfill", name, "--follow", "--json")
	events.until(`"remaining_seconds":14`)
	w.ok("status", name).says("backfill 1: 41%, 500 of about 1,200 keys, 0 of 2 tenants, 50 keys/s, 14s left")
	k.finishes("")
	s.ends().is(exitOK)
	golden(t, "follow.json", events.ends().is(exitOK).out)
	w.ok("history", name).says("job 1 requested for 2 tenants")
}

func TestNobodyTakesTheJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(func(a *app) { a.patience = 0 }, "reconcile", name)
	s.until("no worker has taken reconcile job 1 yet: is one running?")
	s.until("backfill.New(db, cfg, entities...).Run(ctx), with an entity for customers-v2")
	w.takes().finishes("")
	o := s.ends().is(exitOK)
	assert.Equal(t, 1, strings.Count(o.err, "no worker"), "once is enough")
}

func TestWorkerWithoutASignOfLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("verify", name, "--detach")
	k := w.takes()
	w.exec(`update crossfade.jobs set heartbeat_at = heartbeat_at - interval '1 hour'`)
	s := w.start(nil, "verify", name, "--follow")
	s.until("no sign of life of its worker for 1h00m: another one takes over")
	k.finishes("")
	s.ends().is(exitOK)
}

func TestCtrlCEndsTheFollowingNotTheJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "backfill", name)
	s.until("waiting for a worker")
	s.cancel()
	s.ends().is(exitInterrupted).blames("stopped following, not the job: backfill job 1 goes on",
		"`crossfade backfill customers-v2 --follow` shows it", "--cancel` ends it")
	w.run("backfill", name, "--follow", "--timeout", "20ms").is(exitUnsettled).blames("stopped following, not the job")
	w.run("backfill", name).is(exitConflict).blames("backfill job 1 is open", "(`crossfade backfill customers-v2 --follow` or `--cancel`)")
	job, err := w.store.JobByID(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, ledger.JobRequested, job.State)
}

func TestVerifyThatFindsDifferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "verify", name)
	k := w.takes()
	k.reports(ledger.Checkpoint{Tenant: "acme", KeysAll: 500, KeysDone: 500, Differing: 3, Inconclusive: 2, Done: true}, 1, "")
	k.finishes("")
	s.ends().is(exitDiffers).says("500 keys, 3 keys differ, nothing can be said about 2").
		blames("3 keys differ: `crossfade mismatches customers-v2 --operation verify` shows them")

	s = w.start(nil, "verify", name, "--json")
	w.takes().finishes("")
	o := s.ends().is(exitOK)
	var last struct {
		Event string
		Job   struct{ State, Kind string }
	}
	require.NoError(t, json.Unmarshal([]byte(lastLine(o.out)), &last))
	assert.Equal(t, "result", last.Event)
	assert.Equal(t, "done", last.Job.State)
}

func TestJobThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "backfill", name)
	w.takes().finishes("2 keys of tenant \"acme\" cannot be copied")
	s.ends().is(exitFailure).blames(`backfill job 1 failed: 2 keys of tenant "acme" cannot be copied; mend that`, "--resume 1")

	s = w.start(nil, "backfill", name, "--resume", "1")
	s.until("waiting for a worker")
	w.takes().finishes("")
	s.ends().is(exitOK)
	w.run("backfill", name, "--resume", "1").is(exitConflict).blames("cannot resume job 1: it is done")
	w.run("verify", name, "--resume", "1").is(exitInput).blames("job 1 is a backfill job of customers-v2")
	w.ok("history", name).says("job 1 requested", "job 1 resumed")
}

func TestJobThatIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "backfill", name)
	s.until("waiting for a worker")
	w.takes()
	w.ok("backfill", name, "--cancel", "--reason", "too much load").says("backfill job 1 is cancelled", "--resume 1` goes on from there")
	s.ends().is(exitFailure).says("cancelled by ann@laptop: too much load").blames("was cancelled")
	w.ok("history", name).says("job 1 cancelled, by ann@laptop: too much load")
	w.ok("backfill", name, "--resume", "1", "--detach", "--json").says(`{"event":"resumed","job":1,"kind":"backfill","migration":"customers-v2"}`)
	w.ok("backfill", name, "--cancel", "--json").says(`"event":"cancelled"`)
}
