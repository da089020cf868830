package crew

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// worker is one place in the crew: one process after the other. Its fields are guarded by the crew's mutex.
type worker struct {
	crew   *Crew
	number int
	phase  Phase
	stdin  io.WriteCloser
}

// keep starts the process, and starts it again until the crew stops.
func (w *worker) keep(ctx context.Context) {
	c, deaths := w.crew, 0
	for ctx.Err() == nil {
		process, begun := uuid.New(), time.Now()
		said, err := w.live(ctx, process)
		c.mu.Lock()
		w.phase, w.stdin = Gone, nil
		stopping := c.stopping
		c.notify()
		c.mu.Unlock()
		if stopping {
			return
		}
		c.say("worker %d ended (%v) and is started again%s", w.number, err, said)
		if deaths++; time.Since(begun) > shortLife {
			deaths = 0
		}
		if err := c.cfg.Died(ctx, process); err != nil {
			c.say("worker %d: %v", w.number, err)
		}
		if deaths == maxDeaths {
			c.giveUp(fmt.Errorf("worker %d died %d times in a row: %w%s", w.number, deaths, err, said))
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.cfg.Restart):
			c.mu.Lock()
			c.restarts++
			c.mu.Unlock()
		}
	}
}

func (c *Crew) giveUp(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
	c.notify()
}

// live runs one process to its end, and returns the last lines of its standard error.
func (w *worker) live(ctx context.Context, process uuid.UUID) (said string, err error) {
	c := w.crew
	command := append(append([]string{}, c.cfg.Command...), strconv.Itoa(w.number), process.String())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = environment(c.cfg.Env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C on the terminal is this process's to handle
	var errors tail
	cmd.Stderr = &errors
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", fmt.Errorf("make a pipe: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("make a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start a worker: %w", err)
	}
	c.say("worker %d is process %d", w.number, cmd.Process.Pid)
	c.mu.Lock()
	w.phase, w.stdin = Starting, stdin
	if c.stopping {
		w.tell(CommandStop)
	}
	c.mu.Unlock()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		w.heard(lines.Text())
	}
	err = cmd.Wait()
	return errors.String(), err
}

// heard takes what the process says.
func (w *worker) heard(line string) {
	c := w.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	switch phase := Phase(line); phase {
	case Running, Paused:
		first := w.phase == Starting
		w.phase = phase
		if first && c.wanted == Running && phase == Paused {
			w.tell(CommandRun)
		}
		c.notify()
	default:
		c.say("worker %d: %s", w.number, line)
	}
}

// tell sends a command. A process that is gone is told nothing. The mutex is held.
func (w *worker) tell(command string) {
	if w.stdin != nil && (w.phase != Starting || command == CommandStop) {
		_, _ = io.WriteString(w.stdin, command+"\n") // one that cannot be told has died, and its end is noticed
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-tailSize):])
	return len(p), nil
}

// String returns the text on lines of its own, or nothing.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return ""
	}
	return ":\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
