package delay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Command is the first argument with which a program runs [Main].
const Command = "delay"

// Process is a relay in a process of its own: this program, started again with [Command].
type Process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
}

// Start starts a relay to the target, a host and port. Close it; it also ends when this process does.
func Start(target string, eachWay time.Duration) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, Command, target, eachWay.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the relay: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the relay: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the relay: %w", err)
	}
	p := &Process{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the relay: %w", err), p.Close())
	}
	p.addr = strings.TrimSpace(line)
	return p, nil
}

// Close ends the relay and waits for its end.
func (p *Process) Close() error {
	err := p.stdin.Close()
	if werr := p.cmd.Wait(); werr != nil {
		err = errors.Join(err, fmt.Errorf("end the relay: %w", werr))
	}
	return err
}

// Through returns the URL of a database with the relay in front of it.
func (p *Process) Through(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the database's URL is malformed") // err would show the password
	}
	u.Host = p.addr
	return u.String(), nil
}

// Target returns the host and port in the URL of a database.
func Target(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Port() == "" {
		return "", errors.New("the database's URL is malformed or names no port")
	}
	return u.Host, nil
}
