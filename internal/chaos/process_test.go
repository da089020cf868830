package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/proxy"
)

// errGone says that the process ended before it answered.
var errGone = errors.New("the process ended before it answered")

// process is a place in the fleet, in which one operating-system process runs
// after another.
type process struct {
	world    *world
	role     string
	settings settings   // of the next one
	fault    sync.Mutex // held while somebody does something to it

	mu  sync.Mutex
	now *incarnation
}

// incarnation is one operating-system process with the proxy through which it
// reaches the server.
type incarnation struct {
	process *process
	cmd     *exec.Cmd
	input   io.WriteCloser
	stderr  *tail
	proxy   *proxy.Proxy
	ready   chan struct{}
	gone    chan struct{} // closed when it has ended and everything it said is heard

	mu      sync.Mutex
	waiting map[int64]*wait
	killed  bool // by the test
}

// wait is for one answer.
type wait struct {
	answer  chan *answer // nil where the process ended first
	holding chan struct{}
}

// start runs the next incarnation and does not wait until it is ready.
func (p *process) start() {
	w := p.world
	way, dsn, err := proxy.For(w.server.URL())
	require.NoError(w.t, err)
	s := p.settings
	s.DSN = dsn
	i := &incarnation{
		process: p, proxy: way, stderr: &tail{}, ready: make(chan struct{}), gone: make(chan struct{}), waiting: map[int64]*wait{},
	}
	i.cmd = w.command(p.role, s)
	i.cmd.Stderr = i.stderr
	i.input, err = i.cmd.StdinPipe()
	require.NoError(w.t, err)
	output, err := i.cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, i.cmd.Start())
	w.warden.watch(i.cmd.Process.Pid)
	w.running.Go(func() { i.listen(output) })
	p.mu.Lock()
	p.now = i
	p.mu.Unlock()
}

func (p *process) current() *incarnation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// listen passes on what the process says, until it ends.
func (i *incarnation) listen(output io.Reader) {
	w := i.process.world
	reader := bufio.NewReader(output)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			break // the rest is half a line of a process that was killed
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			w.violate("process %s said %q: %s", i.process.settings.Name, line, err)
			break
		}
		i.hear(r)
	}
	err := i.cmd.Wait()
	w.warden.forget(i.cmd.Process.Pid)
	i.mu.Lock()
	for op, waiting := range i.waiting {
		waiting.answer <- nil
		delete(i.waiting, op)
	}
	killed := i.killed
	i.waiting = nil
	i.mu.Unlock()
	if !killed {
		w.violate("process %s ended by itself: %v\n%s", i.process.settings.Name, err, i.stderr)
	}
	close(i.gone)
}

func (i *incarnation) hear(r reply) {
	w := i.process.world
	switch {
	case r.Ready:
		close(i.ready)
	case r.Finding != "":
		w.violate("a mismatch was confirmed: %s", r.Finding)
	case r.Step != "":
		w.count("steps " + r.Step)
	case r.Holding > 0:
		i.mu.Lock()
		if waiting := i.waiting[r.Holding]; waiting != nil {
			close(waiting.holding)
		}
		i.mu.Unlock()
	case r.Answer != nil:
		i.mu.Lock()
		if waiting := i.waiting[r.Answer.Op]; waiting != nil {
			waiting.answer <- r.Answer
			delete(i.waiting, r.Answer.Op)
		}
		i.mu.Unlock()
	}
}

// send passes a request on. Where the process has ended, the error is errGone
// and nothing happened.
func (i *incarnation) send(r request) (*wait, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	waiting := &wait{answer: make(chan *answer, 1), holding: make(chan struct{})}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waiting == nil || i.killed {
		return nil, errGone
	}
	if r.Go == 0 {
		i.waiting[r.Op] = waiting
	}
	// One that is stopped reads again when it is continued, and the pipe has
	// room for all that its clients ask until then.
	_, _ = i.input.Write(append(line, '\n')) // whoever has just ended is noticed by listen
	return waiting, nil
}

func (i *incarnation) signal(s syscall.Signal) { _ = i.cmd.Process.Signal(s) }

// kill ends the process and returns when everything it said is heard.
func (i *incarnation) kill() {
	i.mu.Lock()
	i.killed = true
	i.mu.Unlock()
	i.signal(syscall.SIGKILL)
	<-i.gone
}

// restart kills the process and starts the next one after a while. Bytes of the
// old one may still be on their way to the server.
func (p *process) restart(ctx context.Context, after time.Duration) {
	i := p.current()
	i.kill()
	p.world.bury(i)
	pause(ctx, after)
	p.start()
}

// end lets a process end as its own application would, where it is told to.
func (p *process) end() {
	i := p.current()
	if i == nil {
		return
	}
	i.kill()
	_ = i.proxy.Close()
	_ = i.input.Close()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	const most = 64 << 10
	t.text = t.text[max(0, len(t.text)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}

// command is this program, or a mutant of it, in a role.
func (w *world) command(role string, s settings) *exec.Cmd {
	text, err := json.Marshal(s)
	require.NoError(w.t, err)
	cmd := exec.Command(w.plan.program, "-test.run=^$")
	cmd.Env = append(environment(), envRole+"="+role, envSettings+"="+string(text), "GORACE=halt_on_error=1 exitcode=66")
	return cmd
}

// environment is the test's own without what is meant for libpq.
func environment() []string {
	var env []string
	for _, kv := range (&exec.Cmd{}).Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "CROSSFADE_") {
			env = append(env, kv)
		}
	}
	return env
}

func (w *world) place(role string, n int) *process {
	return &process{world: w, role: role, settings: settings{
		Name: role + " " + strconv.Itoa(n), Seed: w.random(streamProcess + n).Uint64(), Lease: w.plan.lease, Silent: w.plan.silent,
		Targets: w.plan.targets,
	}}
}
