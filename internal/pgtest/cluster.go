//go:build unix

package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser           = "postgres"
	maintenanceDatabase = "postgres"
	// Ports are drawn below the ranges from which Linux and macOS take the near ends of outgoing connections, so that
	// no connection sits on the port while the server restarts.
	lowestPort, highestPort = 18000, 29999
	portTries               = 20
	logTail                 = 4000 // bytes of the server's log in an error
)

// errPortTaken says that the server could not listen because another process does.
var errPortTaken = errors.New("the port is taken")

// cluster is a data folder of ours and the server that runs in it.
type cluster struct {
	cfg      Config
	bin      string
	account  account
	folder   string
	password string
	port     int
	keeper   *guard   // removes the folder
	log      *os.File // what the server said
	server   *guard   // nil while stopped
}

// newCluster makes a folder and a cluster in it. It returns the cluster also beside an error, for close.
func newCluster(ctx context.Context, cfg Config) (*cluster, error) {
	c := &cluster{cfg: cfg}
	var err error
	if c.bin, err = findPrograms(); err != nil {
		return c, err
	}
	if c.account, err = serverAccount(); err != nil {
		return c, err
	}
	base, err := c.account.baseFolder(cfg.InMemory && !cfg.Fsync)
	if err != nil {
		return c, err
	}
	c.folder = filepath.Join(base, "crossfade-pg-"+randomHex(6))
	c.password = randomHex(16)
	if err := c.makeFolder(); err != nil {
		return c, fmt.Errorf("make folder %s: %w", c.folder, err)
	}
	if err := c.initdb(ctx); err != nil {
		return c, err
	}
	if c.log, err = os.OpenFile(c.logPath(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return c, fmt.Errorf("open the server's log: %w", err)
	}
	return c, c.configure()
}

func (c *cluster) makeFolder() error {
	keeper, err := startGuard(&exec.Cmd{Dir: "/"}, keeperScript, c.folder)
	if err != nil {
		return err
	}
	c.keeper = keeper
	if _, err := io.ReadFull(keeper.life, make([]byte, len("ready\n"))); err != nil {
		return errors.New("permission denied, or the disk is full")
	}
	return c.account.own(c.folder)
}

// command is what every program of the server's runs with: its user, its folder, and messages in English.
func (c *cluster) command() *exec.Cmd {
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "PG") && !strings.HasPrefix(name, "LC_") && name != "LANG" {
			env = append(env, kv)
		}
	}
	return &exec.Cmd{Dir: c.folder, Env: append(env, "LC_ALL=C"), SysProcAttr: c.account.sysProcAttr()}
}

func (c *cluster) initdb(ctx context.Context) error {
	passwordFile := filepath.Join(c.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(c.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write password: %w", err)
	}
	if err := c.account.own(passwordFile); err != nil {
		return err
	}
	logPath := filepath.Join(c.folder, "initdb.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("make initdb's log: %w", err)
	}
	defer log.Close()
	cmd := c.command()
	cmd.Stdout, cmd.Stderr = log, log
	initdb, err := startGuard(cmd, guardScript, filepath.Join(c.bin, "initdb"),
		"--pgdata="+c.data(), "--username="+superuser, "--pwfile="+passwordFile,
		"--auth-local=trust", "--auth-host=scram-sha-256", // the local socket is switched off
		"--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, initdb.abandon())
		}
		return fmt.Errorf("initdb of %s: %w: %s", c.bin, err, tail(logPath, 0))
	}
	return os.Remove(passwordFile)
}

// configure appends our settings and then the caller's to postgresql.conf, where the last line wins.
func (c *cluster) configure() error {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "64MB",
		"min_wal_size":            "32MB",
		"max_wal_size":            "256MB",
	}
	if !c.cfg.Fsync {
		settings["fsync"] = "off"

		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
	}
	maps.Copy(settings, c.cfg.Settings)
	var lines bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&lines, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	_, err = lines.WriteTo(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	return nil
}

// startAnyPort starts the server for the first time, on a port that nobody has.
func (c *cluster) startAnyPort(ctx context.Context) error {
	var err error
	for range portTries {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return fmt.Errorf("start server: %d ports in a row were taken: %w", portTries, err)
}

// startSamePort starts the server again. A port that is still taken is asked for again until ctx ends.
func (c *cluster) startSamePort(ctx context.Context) error {
	for {
		err := c.start(ctx)
		if !errors.Is(err, errPortTaken) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *cluster) start(ctx context.Context) error {
	if c.server != nil {
		return nil
	}
	written, err := c.log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of the server's log: %w", err)
	}
	cmd := c.command()
	cmd.Stdout = c.log
	if c.cfg.Log != nil {
		cmd.Stdout = io.MultiWriter(c.log, c.cfg.Log)
	}
	cmd.Stderr = cmd.Stdout
	server, err := startGuard(cmd, guardScript, filepath.Join(c.bin, "postgres"), "-D", c.data(), "-p", strconv.Itoa(c.port))
	if err != nil {
		return err
	}
	c.server = server
	if err := c.ready(ctx); err != nil {
		c.server = nil
		if endErr := server.abandon(); endErr != nil {
			err = errors.Join(err, endErr)
		}
		said := tail(c.logPath(), written)
		if strings.Contains(said, "could not bind") || strings.Contains(said, "Address already in use") {
			return fmt.Errorf("start server on port %d: %w", c.port, errPortTaken)
		}
		return fmt.Errorf("start server of %s: %w: %s", c.bin, err, said)
	}
	return nil
}

// ready waits until the server answers. The password tells our server from any other on that port.
func (c *cluster) ready(ctx context.Context) error {
	pause, patience := 5*time.Millisecond, 200*time.Millisecond
	for {
		gone, err := c.server.gone(ctx, pause)
		if err != nil {
			return err
		}
		if gone {
			return errors.New("the server ended at once")
		}
		attempt, cancel := context.WithTimeout(ctx, patience)
		conn, err := pgx.Connect(attempt, c.url())
		if err == nil {
			err = conn.Close(attempt)
			cancel()
			return err
		}
		cancel()
		pause, patience = min(2*pause, 100*time.Millisecond), min(2*patience, 10*time.Second)
	}
}

func (c *cluster) stop(ctx context.Context, mode string) error {
	signal, known := map[string]string{"smart": "TERM", "fast": "INT", "immediate": "QUIT"}[mode]
	if !known {
		return fmt.Errorf("stop server: unknown mode %q: use smart, fast or immediate", mode)
	}
	if c.server == nil {
		return nil
	}
	if err := c.server.signal(signal); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	return c.awaitServer(ctx)
}

// awaitServer waits until the server, which was told to end, has ended.
func (c *cluster) awaitServer(ctx context.Context) error {
	err := c.server.wait(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("stop server: %w", ctx.Err())
	}
	c.server = nil
	return ignoreStatus(err)
}

func (c *cluster) close(ctx context.Context) error {
	var err error
	if c.server != nil {
		c.server.end()
		err = c.awaitServer(ctx)
	}
	if c.log != nil {
		err = errors.Join(err, c.log.Close())
	}
	if c.keeper == nil {
		return err
	}
	c.keeper.end()
	if keeperErr := c.keeper.wait(ctx); keeperErr != nil {
		err = errors.Join(err, fmt.Errorf("remove folder %s: %w", c.folder, keeperErr))
	}
	return err
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *cluster) logPath() string { return filepath.Join(c.folder, "server.log") }

func (c *cluster) url() string {
	return localURL(superuser, c.password, maintenanceDatabase, c.port)
}

// freePort draws a port that nobody listens on. Another process may take it before the server does; then the server
// says so, and the next port is drawn.
func freePort() (int, error) {
	var last error
	for range portTries {
		n, err := rand.Int(rand.Reader, big.NewInt(highestPort-lowestPort+1))
		if err != nil {
			return 0, fmt.Errorf("draw a port: %w", err)
		}
		port := lowestPort + int(n.Int64())
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

// tail returns the end of a log from the given offset on.
func tail(path string, from int64) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "no log: " + err.Error()
	}
	content = content[min(from, int64(len(content))):]
	return strings.TrimSpace(string(content[max(0, len(content)-logTail):]))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
