package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/report"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// actVariable makes the test binary the program itself.
const actVariable = "QUICKSTART_TEST_ACT"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerCommand || os.Getenv(actVariable) != "" {
		main()
	}
	os.Exit(pgtest.Main(m))
}

// program is a quickstart that runs as a process of its own.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	report string
	stderr bytes.Buffer
	lines  chan string // what it says, until it ends

	mu      sync.Mutex
	said    []string
	workers map[string]int // by name
	err     error
	ended   chan struct{}
}

// small is a walk that takes some ten seconds.
var small = []string{"--customers", "300", "--tenants", "5", "--rate", "200", "--hold", "100ms"}

// launch starts the program. What it says can be read from lines, which must be done, and waits for its end.
func launch(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	p := &program{
		t: t, report: filepath.Join(t.TempDir(), "report.json"), lines: make(chan string, 10_000),
		workers: map[string]int{}, ended: make(chan struct{}),
	}
	self, err := os.Executable()
	require.NoError(t, err)
	p.cmd = exec.Command(self, append(args, "--report", p.report)...)
	p.cmd.Env = append(os.Environ(), append(env, actVariable+"=1")...)
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, but for a test that failed
		<-p.ended
	})
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.heard(s.Text())
		}
		p.err = p.cmd.Wait()
		close(p.lines)
		close(p.ended)
	}()
	return p
}

func (p *program) heard(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, line)
	var worker, pid int
	if n, _ := fmt.Sscanf(line, "worker %d is process %d", &worker, &pid); n == 2 {
		p.workers[fmt.Sprint("worker ", worker)] = pid
	}
	p.lines <- line
}

// text is all that it said so far.
func (p *program) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said, "\n") + "\n" + p.stderr.String()
}

// takeWorker returns the number of a worker process once.
func (p *program) takeWorker(name string) (pid int, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pid, known = p.workers[name]
	delete(p.workers, name)
	return pid, known
}

// end waits for its end and returns its exit status and its report.
func (p *program) end() (status int, r report.Report) {
	p.t.Helper()
	<-p.ended
	text, err := os.ReadFile(p.report)
	if err == nil {
		require.NoError(p.t, json.Unmarshal(text, &r))
	}
	return p.cmd.ProcessState.ExitCode(), r
}

// passes waits for its end and requires all the zeros.
func (p *program) passes() report.Report {
	p.t.Helper()
	status, r := p.end()
	require.Equal(p.t, exitPassed, status, p.text())
	require.True(p.t, r.Passed, p.text())
	assert.Zero(p.t, r.CallerErrors)
	assert.Zero(p.t, r.LostUpdates)
	assert.Zero(p.t, r.StaleReads)
	assert.Zero(p.t, r.DifferingKeys)
	assert.GreaterOrEqual(p.t, r.KeysRead, int64(300))
	p.nothingLeft()
	return r
}

// nothingLeft requires that no worker process is left.
func (p *program) nothingLeft() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, pid := range p.workers {
		assert.ErrorIs(p.t, syscall.Kill(pid, 0), syscall.ESRCH, "%s is gone", name)
	}
}

func TestTheWalkEndsAtNewWithAllItsZeros(t *testing.T) {
	t.Parallel()
	p := launch(t, nil, slices.Concat(small, []string{"--database-url", pgtest.New(t)})...)
	r := p.passes()
	assert.Equal(t, "new", r.Stage)
	assert.Zero(t, r.ConfirmedMismatches)
	assert.Positive(t, r.Comparisons.Compared)
	for _, rung := range r.Rungs {
		assert.GreaterOrEqual(t, rung.Operations, rung.Minimum, rung.Stage)
		assert.GreaterOrEqual(t, rung.Contended, rung.ContendedMinimum, rung.Stage)
	}
	for _, l := range r.Latency {
		assert.Positive(t, l.P50Millis)
		assert.GreaterOrEqual(t, l.P99Millis, l.P50Millis)
	}
	assert.Len(t, r.Latency, 6, "reads and writes on three paths")
}

func TestAPlantedFaultIsFoundShownAndRepaired(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	p := launch(t, nil, slices.Concat(small, []string{"--database-url", dsn, "--plant-bug", "--stop-at", "shadow"})...)
	r := p.passes()
	assert.Equal(t, "shadow", r.Stage)
	assert.Positive(t, r.ConfirmedMismatches)
	assert.Positive(t, r.RepairedKeys)
	assert.Contains(t, p.text(), "FullName")
	assert.Contains(t, p.text(), "all back to dual")

	t.Run("and the walk goes on from where it stopped", func(t *testing.T) {
		p := launch(t, nil, "--database-url", dsn, "--hold", "100ms")
		r := p.passes()
		assert.Equal(t, "new", r.Stage)
		assert.True(t, r.PlantedBug)
		assert.Contains(t, p.text(), "going on with the walk")
		assert.NotContains(t, p.text(), "dual for")
	})
	t.Run("and other options are refused", func(t *testing.T) {
		p := launch(t, nil, "--database-url", dsn, "--customers", "301")
		status, _ := p.end()
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, p.stderr.String(), "--customers was 300")
	})
}

func TestCtrlCLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		folder := publicFolder(t)
		p := launch(t, []string{"TMPDIR=" + folder, pgtest.EnvURL + "="}, small...)
		for line := range p.lines {
			if strings.HasPrefix(line, "epoch 2") {
				break
			}
		}
		require.NoError(t, p.cmd.Process.Signal(sig))
		status, _ := p.end()
		assert.Equal(t, exitInterrupted, status, p.text())
		p.nothingLeft()
		left, err := os.ReadDir(folder)
		require.NoError(t, err)
		assert.Empty(t, left, "the server and its folder are gone")
	}
}

// publicFolder is a folder that the server's account can enter, too.
func publicFolder(t *testing.T) string {
	folder, err := os.MkdirTemp("", "quickstart-test-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	require.NoError(t, os.Chmod(folder, 0o777|os.ModeSticky))
	return folder
}

func TestWrongOptionsAreRefusedBeforeAnythingHappens(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--stop-at", "middle"}, `unknown stage "middle"`},
		{[]string{"--customers", "3"}, "too few"},
		{[]string{"--tenants", "0"}, "tenants"},
		{[]string{"--rate", "0"}, "rate 0"},
		{[]string{"--workers", "1"}, "use 2 to 16"},
		{[]string{"--no-such"}, "no-such"},
		{[]string{"more"}, `unexpected argument "more"`},
	} {
		var stderr bytes.Buffer
		status := demoMain(test.args, os.Stdout, &stderr)
		assert.Equal(t, exitUsage, status, test.args)
		assert.Contains(t, stderr.String(), test.want)
	}
}

func TestAServerThatDoesNotAnswerIsAClearError(t *testing.T) {
	p := launch(t, nil, "--database-url", "postgres://nobody@127.0.0.1:1/none")
	status, _ := p.end()
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, p.stderr.String(), "127.0.0.1")
}

func TestAWorkerWithoutItsQuickstartEnds(t *testing.T) {
	assert.ErrorContains(t, work(context.Background(), nil, strings.NewReader(""), os.Stdout), "started by the quickstart itself")
}
