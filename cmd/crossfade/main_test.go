package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

var update = flag.Bool("update", false, "write golden files and docs/commands.md again")

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate)) }

const name = "customers-v2"

var customers = versions.Migration{Name: name, Entity: "customers", From: "v1", To: "v2"}

// How tests wait for what comes by itself.
const (
	wait = time.Minute
	tick = 2 * time.Millisecond
)

// world is a ledger, and command lines that are run on it in this process.
type world struct {
	t     *testing.T
	dsn   string
	env   map[string]string
	pool  *pgxpool.Pool
	store *ledger.Store
	plane *control.Plane
}

// newWorld returns a world whose ledger holds customers-v2, everybody at old.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := onDatabase(t, pgtest.New(t))
	_, err := w.store.Register(t.Context(), customers, "")
	require.NoError(t, err)
	return w
}

func onDatabase(t *testing.T, dsn string) *world {
	t.Helper()
	w := &world{t: t, dsn: dsn, env: map[string]string{databaseVariable: dsn, "USER": "ann"}}
	var err error
	w.pool, err = pgxpool.New(context.Background(), dsn)
	require.NoError(t, err)
	t.Cleanup(w.pool.Close)
	w.store = ledger.New(w.pool, nil)
	w.plane = control.New(w.store, &control.Config{Poll: 5 * time.Millisecond})
	return w
}

// outcome is what a command line came to.
type outcome struct {
	t    *testing.T
	code int
	out  string
	err  string
}

// buffer may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// app is a run that looks often.
func (w *world) app(out, err *buffer) *app {
	a := newApp(out, err, func(name string) string { return w.env[name] })
	a.host = func() (string, error) { return "laptop", nil }
	a.poll = 5 * time.Millisecond
	a.patience = time.Hour
	a.glance = 5 * time.Millisecond
	return a
}

func (w *world) run(args ...string) outcome {
	w.t.Helper()
	var out, err buffer
	code := w.app(&out, &err).run(context.Background(), args)
	return outcome{w.t, code, out.String(), err.String()}
}

// ok runs a command line that must succeed.
func (w *world) ok(args ...string) outcome {
	w.t.Helper()
	return w.run(args...).is(exitOK)
}

func (o outcome) is(code int) outcome {
	o.t.Helper()
	require.Equal(o.t, code, o.code, "stdout: %s\nstderr: %s", o.out, o.err)
	return o
}

// says demands texts on standard output.
func (o outcome) says(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		assert.Contains(o.t, o.out, text)
	}
	return o
}

// blames demands texts on standard error.
func (o outcome) blames(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		assert.Contains(o.t, o.err, text)
	}
	return o
}

// failure reads the error that --json prints.
func (o outcome) failure() map[string]any {
	o.t.Helper()
	var body struct{ Error map[string]any }
	require.NoError(o.t, json.Unmarshal([]byte(o.err), &body), o.err)
	return body.Error
}

// started is a command line that is still running.
type started struct {
	w        *world
	out, err buffer
	cancel   context.CancelFunc
	done     chan int
}

// start runs a command line beside the test.
func (w *world) start(tweak func(*app), args ...string) *started {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &started{w: w, cancel: cancel, done: make(chan int, 1)}
	a := w.app(&s.out, &s.err)
	if tweak != nil {
		tweak(a)
	}
	go func() { s.done <- a.run(ctx, args) }()
	w.t.Cleanup(cancel)
	return s
}

// until waits for a text on either output.
func (s *started) until(text string) {
	s.w.t.Helper()
	require.Eventually(s.w.t, func() bool {
		return bytes.Contains([]byte(s.out.String()+s.err.String()), []byte(text))
	}, wait, tick, "waiting for %q", text)
}

func (s *started) ends() outcome {
	s.w.t.Helper()
	code := <-s.done
	return outcome{s.w.t, code, s.out.String(), s.err.String()}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// backfilled makes every step up to rampdown possible.
func (w *world) backfilled() {
	w.t.Helper()
	w.exec(`update crossfade.tenant_states set backfilled_at = now(), verified_at = now()`)
}

// climb takes everybody up to a stage.
func (w *world) climb(to flags.Stage) {
	w.t.Helper()
	for _, stage := range flags.Stages()[1:to] {
		if stage == flags.Shadow {
			w.backfilled()
		}
		_, err := w.plane.Apply(context.Background(), control.Change{Migration: name, Kind: control.SetDefault, To: stage, Actor: "test"})
		require.NoError(w.t, err)
	}
}

func (w *world) policy() flags.Policy {
	w.t.Helper()
	p, err := w.store.Policy(context.Background(), name)
	require.NoError(w.t, err)
	return p
}

// process makes a process of the fleet that acts on an epoch until it beats again.
func (w *world) process(pid int, epoch int64) {
	w.t.Helper()
	var acting ledger.Version
	policies, err := w.store.PoliciesBetween(context.Background(), w.migration(), epoch-1, epoch)
	require.NoError(w.t, err)
	require.Len(w.t, policies, 1)
	acting = ledger.Version{Migration: name, MigrationID: w.migration().ID, Epoch: epoch, PolicyID: policies[0].ID}
	_, err = w.store.Heartbeat(context.Background(), ledger.Beat{
		ID: [16]byte{15: byte(pid)}, Name: "shop", Host: "web-1", PID: pid, Lease: time.Hour,
		Acting: []ledger.Version{acting}, Watched: []string{name},
	})
	require.NoError(w.t, err)
}

func (w *world) migration() ledger.Migration {
	w.t.Helper()
	m, err := w.store.Migration(context.Background(), name)
	require.NoError(w.t, err)
	return m
}

// What differs from run to run.
var varying = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uuid>"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|s)\b|\b\d+m\d\ds\b|\b\d+h\d\dm\b`), "<span>"},
	{regexp.MustCompile(`("[a-z_]*seconds"): [0-9.e+-]+`), "$1: <seconds>"},
	{regexp.MustCompile(`("[a-z_]*seconds"):[0-9.e+-]+`), "$1:<seconds>"},
	{regexp.MustCompile(`("keys_per_second":) ?[0-9.e+-]+`), "$1<rate>"},
	{regexp.MustCompile(`\b[a-z0-9_]*test_\d+\b`), "<database>"},
	{regexp.MustCompile(`(<database>, version) \d+`), "$1 <version>"},
	{regexp.MustCompile(`("change": "created",\s+"to":) \d+`), "$1 <version>"},
}

// golden compares text with a file in testdata, after what differs from run to
// run is taken out of it.
func golden(t *testing.T, file, text string) {
	t.Helper()
	for _, v := range varying {
		text = v.form.ReplaceAllString(text, v.name)
	}
	goldenFile(t, filepath.Join("testdata", file), text)
}

func goldenFile(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it with `go test ./cmd/crossfade -update`")
	assert.Equal(t, string(want), text, "%s: if this is right, write it again with `go test ./cmd/crossfade -update`", path)
}
