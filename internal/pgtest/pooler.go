//go:build unix

package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PoolerConfig says how a PgBouncer runs. A nil config and zero fields are useful.
type PoolerConfig struct {
	// Mode is PgBouncer's pool_mode. Defaults to "transaction".
	Mode string
	// Size is how many connections to the server a database has. Defaults to 3.
	Size int
	// Settings are further lines for its [pgbouncer] section, which win.
	Settings map[string]string
}

// Pooler is a running PgBouncer in front of a server. It lets everybody in who reaches it, on this machine alone.
type Pooler struct {
	folder string
	port   int
	keeper *guard
	server *guard
}

// poolerPrograms are the places of PgBouncer besides PATH, in which root's folders may be missing;
// scripts/ensure-pgbouncer.sh looks in the same.
var poolerPrograms = []string{
	"/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer", "/usr/bin/pgbouncer",
	"/opt/homebrew/bin/pgbouncer", "/usr/local/bin/pgbouncer",
}

func findPooler() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	for _, path := range poolerPrograms {
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &PoolerNotFoundError{}
}

// StartPooler starts a PgBouncer in front of the server of a DSN, under the DSN's user, and returns when it answers. A
// [*PoolerNotFoundError] says that the machine has none. The caller must Close it; it ends with this process in any case.
func StartPooler(ctx context.Context, dsn string, cfg *PoolerConfig) (*Pooler, error) {
	program, err := findPooler()
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("start a pooler: %w", err)
	}
	var c PoolerConfig
	if cfg != nil {
		c = *cfg
	}
	user, err := serverAccount()
	if err != nil {
		return nil, err
	}
	base, err := user.baseFolder(false)
	if err != nil {
		return nil, err
	}
	p := &Pooler{folder: filepath.Join(base, "crossfade-bouncer-"+randomHex(6))}
	owner := &cluster{account: user, folder: p.folder} // for its folder and its account alone
	if err := owner.makeFolder(); err != nil {
		return nil, fmt.Errorf("make folder %s: %w", p.folder, err)
	}
	p.keeper = owner.keeper
	for range portTries {
		if err = p.start(ctx, program, owner, config, c); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return nil, errors.Join(err, p.Close(cleanup))
	}
	return p, nil
}

func (p *Pooler) start(ctx context.Context, program string, owner *cluster, config *pgx.ConnConfig, c PoolerConfig) (err error) {
	if p.port, err = freePort(); err != nil {
		return err
	}
	settings := filepath.Join(p.folder, "pgbouncer.ini")
	if err := os.WriteFile(settings, []byte(p.settings(config, c)), 0o600); err != nil {
		return fmt.Errorf("configure the pooler: %w", err)
	}
	if err := owner.account.own(settings); err != nil {
		return err
	}
	logPath := filepath.Join(p.folder, "pgbouncer.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("make the pooler's log: %w", err)
	}
	defer log.Close()
	cmd := owner.command()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(cmd.Env, "CROSSFADE_GUARD_END=TERM") // PgBouncer knows no SIGQUIT
	server, err := startGuard(cmd, guardScript, program, settings)
	if err != nil {
		return err
	}
	p.server = server
	if err := p.ready(ctx); err != nil {
		p.server = nil
		err = errors.Join(err, server.abandon())
		said := tail(logPath, 0)
		if strings.Contains(said, "nowhere to listen") || strings.Contains(said, "in use") {
			return errPortTaken
		}
		return fmt.Errorf("start %s: %w: %s", program, err, said)
	}
	return nil
}

// settings writes pgbouncer.ini. Everybody is let in, as the user of the server's DSN.
func (p *Pooler) settings(config *pgx.ConnConfig, c PoolerConfig) string {
	lines := map[string]string{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(p.port), "unix_socket_dir": "", "auth_type": "any",
		"pool_mode": "transaction", "default_pool_size": "3", "max_client_conn": "500",
		"ignore_startup_parameters": "extra_float_digits", "server_login_retry": "1",
	}
	if c.Mode != "" {
		lines["pool_mode"] = c.Mode
	}
	if c.Size > 0 {
		lines["default_pool_size"] = strconv.Itoa(c.Size)
	}
	maps.Copy(lines, c.Settings)
	var text bytes.Buffer
	fmt.Fprintf(&text, "[databases]\n* = host=%s port=%d user=%s password='%s'\n[pgbouncer]\n",
		config.Host, config.Port, config.User, strings.ReplaceAll(config.Password, "'", "''"))
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&text, "%s = %s\n", name, lines[name])
	}
	return text.String()
}

func (p *Pooler) ready(ctx context.Context) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		gone, err := p.server.gone(ctx, pause)
		if err != nil {
			return err
		}
		if gone {
			return errors.New("it ended at once")
		}
		conn, err := net.Dial("tcp", p.Addr())
		if err == nil {
			return conn.Close()
		}
	}
}

// Addr returns the host and port on which the pooler listens.
func (p *Pooler) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// DSN returns a URL of the server's that leads through the pooler.
func (p *Pooler) DSN(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return "", errors.New("the URL is malformed") // err would show the password
	}
	u.Host = p.Addr()
	return u.String(), nil
}

// Close ends the pooler and removes its folder.
func (p *Pooler) Close(ctx context.Context) error {
	var err error
	if p.server != nil {
		p.server.end()
		err = ignoreStatus(p.server.wait(ctx))
		p.server = nil
	}
	if p.keeper != nil {
		p.keeper.end()
		err = errors.Join(err, p.keeper.wait(ctx))
		p.keeper = nil
	}
	return err
}

// Bouncer starts a PgBouncer in front of the server of a DSN for one test, and returns it and the DSN that leads through
// it. Where there is no PgBouncer the test is skipped, or fails under CI.
func Bouncer(t testing.TB, dsn string, cfg *PoolerConfig) (*Pooler, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	p, err := StartPooler(ctx, dsn, cfg)
	var none *PoolerNotFoundError
	if errors.As(err, &none) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("pgtest: close the pooler: %v", err)
		}
	})
	through, err := p.DSN(dsn)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return p, through
}
