package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// childVariable makes this test binary a process of the fleet, and names its database.
const childVariable = "CROSSFADE_TEST_FLEET"

// childLease is short, so that tests do not wait long for it to run out.
const childLease = 3 * time.Second

// request is what a child is asked for; Go lets the operation that holds go on.
type request struct {
	Do   string // "put", "get" or "transaction"
	Key  int64
	Name string
	// Hold stops between the decision and its use; a transaction stops after
	// its first statement.
	Hold bool
	Go   bool
}

// reply is what a child says.
type reply struct {
	Ready, Holding  bool
	Name, Err       string
	Refused, Lapsed int64
}

// beChild is a member of the fleet until its parent closes its input.
func beChild() int {
	ctx := context.Background()
	out := json.NewEncoder(os.Stdout)
	p, err := accounts.StartProcess(ctx, accounts.ProcessConfig{
		Name: "child", DSN: os.Getenv(childVariable), LeaseTTL: childLease, NoWorker: true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = out.Encode(reply{Ready: true})
	proceed := make(chan struct{}, 1)
	for in := json.NewDecoder(bufio.NewReader(os.Stdin)); ; {
		var r request
		if in.Decode(&r) != nil {
			return 0 // the parent has closed the input, or is gone
		}
		if r.Go {
			proceed <- struct{}{}
			continue
		}
		hold := func(context.Context) {
			_ = out.Encode(reply{Holding: true})
			<-proceed
			p.Pool.Reset() // its connections may have broken meanwhile
		}
		go func() { _ = out.Encode(answer(ctx, p, r, hold)) }()
	}
}

func answer(ctx context.Context, p *accounts.Process, r request, hold func(context.Context)) (said reply) {
	var err error
	write := accounts.Write{Account: accounts.Account{ID: r.Key, Name: r.Name}}
	if r.Hold && r.Do != "transaction" {
		ctx = accounts.WithDelay(ctx, accounts.Delay{Between: hold})
	}
	switch r.Do {
	case "put":
		err = p.Accounts.Put(ctx, tenant, write)
	case "get":
		var a accounts.Account
		a, err = p.Accounts.Get(ctx, tenant, r.Key)
		said.Name = a.Name
	case "transaction":
		err = p.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			if err := p.Accounts.InTx(tx).Put(ctx, tenant, write); err != nil {
				return err
			}
			hold(ctx)
			return p.Accounts.InTx(tx).Put(ctx, tenant, write)
		})
	}
	if err != nil {
		said.Err = err.Error()
	}
	stats := p.Accounts.Route.Stats()
	said.Refused, said.Lapsed = stats.Refused, stats.Lapsed
	return said
}

// child is a process of the operating system.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	said  chan reply
	heard chan struct{} // closed when it has ended
}

func startChild(t *testing.T, dsn string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0]), said: make(chan reply, 100), heard: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childVariable+"="+dsn)
	c.cmd.Stderr = os.Stderr
	var err error
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	go func() {
		defer close(c.heard)
		for decoder := json.NewDecoder(out); ; {
			var r reply
			if decoder.Decode(&r) != nil {
				return
			}
			c.said <- r
		}
	}()
	t.Cleanup(c.end)
	require.True(t, c.next().Ready)
	return c
}

func (c *child) end() {
	_ = c.cmd.Process.Kill() // also where it is stopped
	_ = c.in.Close()
	<-c.heard
	_ = c.cmd.Wait()
}

func (c *child) next() reply {
	c.t.Helper()
	select {
	case r := <-c.said:
		return r
	case <-c.heard:
		require.Fail(c.t, "the child has ended")
	case <-time.After(patience):
		require.Fail(c.t, "the child says nothing")
	}
	return reply{}
}

func (c *child) ask(r request) {
	c.t.Helper()
	require.NoError(c.t, json.NewEncoder(c.in).Encode(r))
}

// stop freezes the process, and cont lets it go on.
func (c *child) stop() { c.signal(syscall.SIGSTOP) }
func (c *child) cont() { c.signal(syscall.SIGCONT) }

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(s))
}
