//go:build unix

package pgtest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

var (
	//go:embed guard.sh
	guardScript string
	//go:embed keeper.sh
	keeperScript string
)

// guard is a shell in a session of its own, so that a Ctrl-C on the terminal does not reach it, which ends what it
// watches over when its standard input ends. The kernel closes that pipe however this process ends.
type guard struct {
	cmd     *exec.Cmd
	control *os.File // written: names of signals; closed: end everything
	life    *os.File // reads end when the shell is gone
}

// startGuard runs script with args. The command's user, folder, environment and output come from base.
func startGuard(base *exec.Cmd, script string, args ...string) (*guard, error) {
	stdin, control, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make control pipe: %w", err)
	}
	defer stdin.Close()
	life, alive, err := os.Pipe()
	if err != nil {
		control.Close()
		return nil, fmt.Errorf("make life pipe: %w", err)
	}
	defer alive.Close()

	cmd := base
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", script, "crossfade-pgtest"}, args...)
	cmd.Stdin = stdin
	cmd.ExtraFiles = []*os.File{alive} // file descriptor 3
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Path, err), control.Close(), life.Close())
	}
	return &guard{cmd: cmd, control: control, life: life}, nil
}

// signal passes a signal, by its name without SIG, to what the guard watches over.
func (g *guard) signal(name string) error {
	if _, err := io.WriteString(g.control, name+"\n"); err != nil {
		return fmt.Errorf("send signal %s: %w", name, err)
	}
	return nil
}

// end closes the control pipe, which makes the guard end what it watches over, and then itself.
func (g *guard) end() { g.control.Close() }

// gone waits until the shell is gone, at most for the given time, and tells whether it is. It needs no goroutine, and so
// none is left running beside the tests.
func (g *guard) gone(ctx context.Context, within time.Duration) (bool, error) {
	if err := g.life.SetReadDeadline(time.Now().Add(within)); err != nil {
		return false, fmt.Errorf("set deadline: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = g.life.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := g.life.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return false, ctx.Err()
	}
	return true, nil
}

// wait waits until the shell is gone and releases what it held. Its exit status is the error.
func (g *guard) wait(ctx context.Context) error {
	for {
		gone, err := g.gone(ctx, time.Minute)
		if err != nil {
			return err
		}
		if gone {
			break
		}
	}
	return errors.Join(g.cmd.Wait(), ignoreClosed(g.control.Close()), g.life.Close())
}

// abandon ends what the guard watches over, and waits for it also when the caller's ctx has ended.
func (g *guard) abandon() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	g.end()
	return ignoreStatus(g.wait(ctx))
}

// ignoreStatus drops an exit status: that of a command that was told to end means nothing.
func ignoreStatus(err error) error {
	var status *exec.ExitError
	if errors.As(err, &status) {
		return nil
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
