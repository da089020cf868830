package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// binary builds the command as users do.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crossfade")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	output, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// program runs the binary; its environment holds nothing of the test's.
func (w *world) program(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = []string{databaseVariable + "=" + w.dsn, "USER=ann", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	return cmd
}

func (w *world) executes(path string, args ...string) outcome {
	w.t.Helper()
	var out, errs bytes.Buffer
	cmd := w.program(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(w.t, err)
	}
	return outcome{w.t, cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// works does every job at once and writes down what a worker would have found.
func (w *world) works(ctx context.Context, process [16]byte) {
	tenants := []string{"", "acme", "globex"}
	facts := map[string]ledger.Fact{ledger.JobBackfill: ledger.Backfilled, ledger.JobVerify: ledger.Verified}
	for ctx.Err() == nil {
		job, ok, err := w.store.ClaimJob(ctx, process, time.Minute, []string{name}, nil)
		if err != nil || !ok {
			if pause(ctx, 5*time.Millisecond) != nil {
				return
			}
			continue
		}
		claim := ledger.Claim{Job: job.ID, Process: process}
		for _, tenant := range tenants[1:] {
			at := ledger.Checkpoint{Tenant: tenant, Phase: "copy", Done: true, KeysAll: 10, KeysDone: 10}
			assert.NoError(w.t, ledger.SaveCheckpoint(ctx, w.pool, claim, at))
		}
		acting, err := w.store.Versions(ctx, name)
		if assert.NoError(w.t, err) && facts[job.Kind] != 0 {
			assert.NoError(w.t, w.store.Mark(ctx, acting[0], facts[job.Kind], tenants...))
		}
		assert.NoError(w.t, w.store.BeatJob(ctx, claim, ledger.JobProgress{TenantsAll: 2}))
		assert.NoError(w.t, w.store.FinishJob(ctx, claim, ""))
	}
}

// From the bottom to the top with the program as it is installed, beside a
// process of the fleet and a worker.
func TestBinaryWalksAMigration(t *testing.T) {
	t.Parallel()
	path := binary(t)
	w := empty(t)
	run := func(code int, args ...string) outcome {
		t.Helper()
		return w.executes(path, args...).is(code)
	}
	run(exitLedger, "status")
	run(exitOK, register...).says("customers-v2: registered")

	member, err := control.Join(t.Context(), w.store, &control.MemberConfig{Name: "shop", Migrations: []string{name}, Interval: 50 * time.Millisecond})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { w.works(ctx, member.ID()) })
	defer func() {
		stop()
		working.Wait()
		assert.NoError(t, member.Close(context.Background()))
	}()

	run(exitOK, "step", name, "dual", "--percent", "5", "--reason", "canary").says("settled after")
	run(exitOK, "step", name, "dual").says("settled after")
	run(exitRefused, "step", name, "shadow").blames("run `crossfade backfill customers-v2`")
	run(exitOK, "backfill", name).says("backfill 1: done after", "20 keys")
	run(exitRefused, "step", name, "shadow").blames("run `crossfade verify customers-v2`")
	run(exitOK, "verify", name).says("20 keys compared, none differs")
	run(exitInput, "pin", name, "acmee", "--stage", "shadow").blames(`did you mean "acme"?`)
	run(exitOK, "pin", name, "acme", "--stage", "shadow")
	run(exitOK, "step", name, "live", "--walk").says("arrived at live after 2 steps")
	run(exitOK, "unpin", name, "acme")
	decision, err := member.Flag(name).Peek(flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	assert.Equal(t, flags.Live, decision.Stage, "the process knows when the command has ended")
	run(exitOK, "reconcile", name)
	run(exitOK, "step", name, "rampdown")
	run(exitRefused, "step", name, "new").blames("point of no return")
	run(exitOK, "step", name, "new", "--yes").says("point of no return", "settled after")
	run(exitOK, "status", name).says("1 of 1 acknowledged epoch", "the old side missed writes at new")
	run(exitOK, "history", name).says("by ann@", "canary")
	assert.Equal(t, flags.New, w.policy().Default)
}

func TestBinaryEndsFollowingByASignal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("signals of this kind do not exist there")
	}
	path := binary(t)
	w := newWorld(t)
	var out, errs buffer
	cmd := w.program(path, "backfill", name)
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "waiting for a worker") }, wait, tick)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	assert.Error(t, cmd.Wait())
	assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
	assert.Contains(t, errs.String(), "stopped following, not the job")
	job, err := w.store.JobByID(t.Context(), 1)
	require.NoError(t, err)
	assert.True(t, job.Open())
}
