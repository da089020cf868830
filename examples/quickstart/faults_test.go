package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// TestKillsAtRandomMomentsLoseNothing kills workers, the orchestrator, or all of them at once, with SIGKILL, and starts
// again on the same database. CROSSFADE_LONG=1 makes it longer, CROSSFADE_SEED repeats the choices of an earlier run.
func TestKillsAtRandomMomentsLoseNothing(t *testing.T) {
	t.Parallel()
	kills, walks, size := 4, 1, small
	if os.Getenv("CROSSFADE_LONG") != "" {
		kills, walks, size = 10, 4, []string{"--customers", "5000", "--tenants", "20", "--rate", "300", "--hold", "400ms"}
	}
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("CROSSFADE_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	for walk := range walks {
		t.Run(fmt.Sprintf("CROSSFADE_SEED=%d", seed+uint64(walk)), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed+uint64(walk), 0))
			args := slices.Concat(size, []string{"--database-url", pgtest.New(t)})
			if r.IntN(2) == 0 {
				args = append(args, "--plant-bug")
			}
			killAndResume(t, r, kills, args)
		})
	}
}

// killAndResume runs the program, kills something so many times, and requires that the walk ends with its zeros.
func killAndResume(t *testing.T, r *rand.Rand, kills int, args []string) {
	p := launch(t, nil, args...)
	sent := 0
	for killed := 0; sent < kills; killed++ {
		if !p.runsFor(r.IntN(9), time.Duration(r.Int64N(int64(time.Second)))) {
			t.Logf("the walk ended after %d kills", killed)
			break
		}
		victims := [][]string{{"worker 0"}, {"worker 1"}, {"orchestrator"}, {"orchestrator", "worker 0", "worker 1"}}[r.IntN(4)]
		t.Logf("kill %d: %v", killed+1, victims)
		for _, victim := range victims {
			if p.kill(victim) {
				sent++
			}
		}
		if victims[0] == "orchestrator" {
			<-p.ended
			p = launch(t, nil, args...)
		}
	}
	require.Positive(t, sent, "the walk ended before anything was killed")
	report := p.passes()
	assert.Equal(t, "new", report.Stage)
	t.Logf("%d kills, %d operations, %d of them with an unknown outcome, %d processes started again",
		sent, report.Operations, report.UnknownOperations, report.Restarts)
}

// runsFor lets the program say some more lines and then go on for a while. It is false when the program ends meanwhile.
func (p *program) runsFor(lines int, more time.Duration) bool {
	for range lines {
		if _, ok := <-p.lines; !ok {
			return false
		}
	}
	select {
	case <-p.ended:
		return false
	case <-time.After(more):
		return true
	}
}

// kill reports whether there was a process to kill: a worker that was killed before may not be started again yet.
func (p *program) kill(victim string) bool {
	pid, known := p.cmd.Process.Pid, true
	if victim != "orchestrator" {
		pid, known = p.takeWorker(victim)
	}
	return known && syscall.Kill(pid, syscall.SIGKILL) == nil
}

func TestWorkersEndWhenTheirOrchestratorIsKilled(t *testing.T) {
	t.Parallel()
	ctx, dsn := context.Background(), pgtest.New(t)
	p := launch(t, nil, slices.Concat(small, []string{"--database-url", dsn})...)
	require.True(t, p.runsFor(4, 0))
	p.kill("orchestrator")
	<-p.ended
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	for left := 1; left > 0; { // until none is left
		err := conn.QueryRow(ctx, `select count(*) from pg_stat_activity
			where datname = current_database() and application_name like 'quickstart%'`).Scan(&left)
		require.NoError(t, err)
	}
}
