package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helperEnv makes this test binary play another process: one that starts a server and is then killed.
const (
	helperEnv   = "CROSSFADE_PGTEST_HELPER"
	helperStart = "start" // starts a server, says so, waits to be killed
	helperDeaf  = "deaf"  // the same, and does not mind Ctrl-C
	helperTests = "tests" // runs TestInHelperProcess under Main
)

func runHelper(role string) int {
	if role == helperDeaf {
		signal.Ignore(os.Interrupt)
	}
	server, err := Start(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	sayAndWait(server.URL())
	return 0
}

// sayAndWait tells the parent that the server is up and waits until a signal ends this process.
func sayAndWait(dsn string) {
	fmt.Println("up", dsn)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestInHelperProcess does nothing but in the helper process of TestSignal.
func TestInHelperProcess(t *testing.T) {
	if os.Getenv(helperEnv) == helperTests {
		sayAndWait(New(t))
	}
}

// helper is a running helper process, the leader of a process group as a shell's command is.
type helper struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
}

func startHelper(t *testing.T, role string, env ...string) *helper {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestInHelperProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), helperEnv+"="+role)
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe() // stays open, so that the helper waits
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	h := &helper{cmd: cmd, stdout: bufio.NewReader(stdout)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return h
}

// awaitServer returns the DSN that the helper prints once its server is up.
func (h *helper) awaitServer(t *testing.T) string {
	t.Helper()
	line, err := h.stdout.ReadString('\n')
	require.NoError(t, err)
	dsn, up := strings.CutPrefix(strings.TrimSpace(line), "up ")
	require.True(t, up, line)
	return dsn
}

func (h *helper) signalGroup(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, syscall.Kill(-h.cmd.Process.Pid, signal))
}

func (h *helper) awaitEnd(t *testing.T) syscall.WaitStatus {
	t.Helper()
	_, err := io.Copy(io.Discard, h.stdout)
	require.NoError(t, err)
	_ = h.cmd.Wait() // its status is what the caller asks for
	return h.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestKilledProcessLeavesNothing(t *testing.T) {
	t.Run("while its server runs", func(t *testing.T) {
		base := reachableBase(t)
		h := startHelper(t, helperStart, "TMPDIR="+base, EnvURL+"=")
		h.awaitServer(t)
		require.NotEmpty(t, processesOf(t, base))
		h.signalGroup(t, syscall.SIGKILL)
		awaitNothingLeft(t, base)
	})
	t.Run("at any moment of the start", func(t *testing.T) {
		for moment, appears := range map[string]string{
			"folder made": "*", "initdb began": "*/data/base", "initdb ended": "*/server.log", "server began": "*/data/postmaster.pid",
		} {
			t.Run(moment, func(t *testing.T) {
				base := reachableBase(t)
				h := startHelper(t, helperStart, "TMPDIR="+base, EnvURL+"=")
				await(t, func() bool {
					found, err := filepath.Glob(filepath.Join(base, appears))
					return assert.NoError(t, err) && len(found) > 0
				})
				h.signalGroup(t, syscall.SIGKILL)
				awaitNothingLeft(t, base)
			})
		}
	})
}

func TestCtrlCDoesNotReachTheServer(t *testing.T) {
	base := reachableBase(t)
	h := startHelper(t, helperDeaf, "TMPDIR="+base, EnvURL+"=")
	conn, err := pgx.Connect(t.Context(), h.awaitServer(t))
	require.NoError(t, err)
	h.signalGroup(t, syscall.SIGINT)
	var up bool
	require.NoError(t, conn.QueryRow(t.Context(), "select true from pg_sleep(0.2)").Scan(&up), "the process decides when its server ends")
	require.NoError(t, conn.Close(t.Context()))
	h.signalGroup(t, syscall.SIGKILL)
	awaitNothingLeft(t, base)
}

func TestSignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String()+" closes the server first, then ends the process", func(t *testing.T) {
			base := reachableBase(t)
			h := startHelper(t, helperTests, "TMPDIR="+base, EnvURL+"=")
			h.awaitServer(t)
			h.signalGroup(t, signal)
			status := h.awaitEnd(t)
			requireNothingLeft(t, base)
			assert.Equal(t, signal, status.Signal(), "the parent sees what ended it")
		})
	}
	t.Run("drops the databases on a given server", func(t *testing.T) {
		dsn := givenServer(t)
		before := databaseNames(t, dsn, givenPrefix+"%")
		h := startHelper(t, helperTests)
		h.awaitServer(t)
		require.Greater(t, databaseNames(t, dsn, givenPrefix+"%"), before)
		h.signalGroup(t, syscall.SIGINT)
		h.awaitEnd(t)
		assert.Equal(t, before, databaseNames(t, dsn, givenPrefix+"%"))
	})
}

// processesOf returns the command lines of the processes that name a folder, but for defunct ones, which have none.
func processesOf(t *testing.T, folder string) []string {
	t.Helper()
	var lines []string
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		require.NoError(t, err)
		for _, file := range files {
			if content, err := os.ReadFile(file); err == nil { // else it has just ended
				lines = append(lines, strings.ReplaceAll(string(content), "\x00", " "))
			}
		}
	} else {
		output, err := exec.Command("ps", "-A", "-o", "args=").Output()
		require.NoError(t, err)
		lines = strings.Split(string(output), "\n")
	}
	var found []string
	for _, line := range lines {
		if strings.Contains(line, folder) {
			found = append(found, line)
		}
	}
	return found
}

// awaitNothingLeft waits for the shells that clear away after a process that can no longer do it itself.
func awaitNothingLeft(t *testing.T, base string) {
	t.Helper()
	await(t, func() bool {
		entries, err := os.ReadDir(base)
		return assert.NoError(t, err) && len(entries) == 0 && len(processesOf(t, base)) == 0
	})
}

// await polls until something holds. The limit only ends a test that has failed.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 2*time.Millisecond)
}
