package crew_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/crew"
)

// TestMain is also the worker: a process that does what it is told and nothing else.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		fmt.Println(crew.Paused)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			switch lines.Text() {
			case crew.CommandRun:
				fmt.Println(crew.Running)
			case crew.CommandPause:
				fmt.Println(crew.Paused)
			case crew.CommandStop:
				os.Exit(0)
			}
		}
		os.Exit(3)
	}
	if len(os.Args) > 1 && os.Args[1] == "broken" {
		fmt.Fprintln(os.Stderr, "no database")
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// heard collects what a crew says.
type heard struct {
	mu   sync.Mutex
	pids map[string]int
	dead []uuid.UUID
	all  []string
}

func (h *heard) say(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	h.all = append(h.all, line)
	if worker, pid, ok := strings.Cut(line, " is process "); ok {
		if h.pids == nil {
			h.pids = map[string]int{}
		}
		h.pids[worker], _ = strconv.Atoi(pid)
	}
}

func (h *heard) died(_ context.Context, process uuid.UUID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = append(h.dead, process)
	return nil
}

func (h *heard) pid(worker string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pids[worker]
}

func start(t *testing.T, h *heard, command string) *crew.Crew {
	self, err := os.Executable()
	require.NoError(t, err)
	return crew.Start(crew.Config{Command: []string{self, command}, Number: 2, Died: h.died, Say: h.say, Restart: 1})
}

func TestWorkersRunPauseAndStop(t *testing.T) {
	ctx, h := context.Background(), &heard{}
	c := start(t, h, "worker")
	require.NoError(t, c.Pause(ctx))
	assert.Zero(t, c.Working())
	require.NoError(t, c.Run(ctx))
	assert.Equal(t, 2, c.Working())
	require.NoError(t, c.Pause(ctx))
	assert.Zero(t, c.Working())
	require.NoError(t, c.Stop(ctx))
	assert.Empty(t, h.dead)
	for worker, pid := range h.pids {
		assert.Error(t, syscall.Kill(pid, 0), "%s is gone", worker)
	}
}

func TestAKilledWorkerIsStartedAgainInTheSamePhase(t *testing.T) {
	ctx, h := context.Background(), &heard{}
	c := start(t, h, "worker")
	require.NoError(t, c.Run(ctx))
	before := h.pid("worker 1")
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	for c.Restarts() == 0 || c.Working() < 2 {
		require.NoError(t, c.Run(ctx))
	}
	assert.NotEqual(t, before, h.pid("worker 1"))
	assert.Len(t, h.dead, 1)
	require.NoError(t, c.Stop(ctx))
	assert.Len(t, h.dead, 1, "who was told to stop did not die")
}

func TestWorkersThatCannotLiveAreGivenUp(t *testing.T) {
	ctx, h := context.Background(), &heard{}
	c := start(t, h, "broken")
	err := c.Run(ctx)
	require.ErrorContains(t, err, "times in a row")
	assert.ErrorContains(t, err, "no database")
	assert.Error(t, c.Stop(ctx))
}

func TestStopKillsWhoDoesNotListen(t *testing.T) {
	h := &heard{}
	c := start(t, h, "worker")
	require.NoError(t, c.Run(context.Background()))
	require.NoError(t, syscall.Kill(h.pid("worker 0"), syscall.SIGSTOP))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, c.Stop(ctx), context.Canceled)
	for worker, pid := range h.pids {
		assert.Error(t, syscall.Kill(pid, 0), "%s is gone", worker)
	}
}
