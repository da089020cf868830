package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const scripts = "../../scripts"

func TestEnsureScriptLooksInTheSamePlaces(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(scripts, "ensure-postgres.sh"))
	require.NoError(t, err)
	var places []string
	for _, m := range regexp.MustCompile(`(?m)^\t+(/\S+/bin)(?: \\|; do)$`).FindAllStringSubmatch(string(script), -1) {
		places = append(places, m[1])
	}
	assert.Equal(t, installed, places)
}

// machine is a pretended machine: its only programs, the user, and where packages put PostgreSQL.
type machine struct {
	root string
	env  []string
}

// newMachine makes a machine that has these package managers, each a shell script's body.
func newMachine(t *testing.T, uid string, managers map[string]string) *machine {
	t.Helper()
	m := &machine{root: t.TempDir()}
	m.write(t, "scripts/packages.sh", m.rooted(t, "packages.sh"))
	m.write(t, "scripts/ensure-postgres.sh", m.rooted(t, "ensure-postgres.sh"))
	m.write(t, "bin/id", "#!/bin/sh\necho "+uid+"\n")
	for name, body := range managers {
		m.write(t, "bin/"+name, "#!/bin/sh\necho called: "+name+" \"$@\"\nroot="+m.root+"\n"+body+"\n")
	}
	for _, tool := range []string{"dirname", "readlink", "mkdir", "rm", "cp", "ls", "cat"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(m.root, "bin", tool)))
	}
	m.write(t, "package/initdb", "")
	m.write(t, "package/postgres", "")
	m.env = []string{"PATH=" + filepath.Join(m.root, "bin")}
	return m
}

// rooted returns a script whose absolute paths lie on the pretended machine.
func (m *machine) rooted(t *testing.T, name string) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(scripts, name))
	require.NoError(t, err)
	return regexp.MustCompile(`(?m)(^\t+|=)/(usr|opt|home|Applications|etc)`).
		ReplaceAllString(string(script), "${1}"+m.root+"/$2")
}

func (m *machine) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(m.root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
}

func (m *machine) ensure(env ...string) (output string, err error) {
	cmd := exec.Command("/bin/sh", filepath.Join(m.root, "scripts/ensure-postgres.sh"))
	cmd.Env = slices.Concat(m.env, env)
	out, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), m.root, ""), err
}

const (
	installsDebian = `cat $root/etc/postgresql-common/createcluster.d/crossfade.conf
mkdir -p $root/usr/lib/postgresql/15 && cp -r $root/package $root/usr/lib/postgresql/15/bin`
	// oldLists fails until package lists were fetched.
	oldLists      = `case $1 in update) cp $root/bin/ls $root/fresh ;; *) [ -e $root/fresh ] || exit 100; ` + installsDebian + ` ;; esac`
	installsBrew  = `mkdir -p $root/opt/homebrew/opt/postgresql@17 && cp -r $root/package $root/opt/homebrew/opt/postgresql@17/bin`
	installsOther = `:`
)

func TestEnsureScript(t *testing.T) {
	t.Run("a given server needs nothing", func(t *testing.T) {
		output, err := newMachine(t, "0", map[string]string{"apt-get": "exit 1"}).ensure(EnvURL + "=postgres://x")
		require.NoError(t, err)
		assert.NotContains(t, output, "called")
	})
	t.Run("what is there is used without calling anything", func(t *testing.T) {
		m := newMachine(t, "0", map[string]string{"apt-get": "exit 1", "brew": "exit 1"})
		m.write(t, "usr/lib/postgresql/15/bin/initdb", "")
		m.write(t, "usr/lib/postgresql/15/bin/postgres", "")
		output, err := m.ensure()
		require.NoError(t, err)
		assert.Equal(t, "PostgreSQL: /usr/lib/postgresql/15/bin\n", output)
	})
	t.Run("root installs by apt-get, and no cluster is made or left configured", func(t *testing.T) {
		m := newMachine(t, "0", map[string]string{"apt-get": installsDebian})
		output, err := m.ensure()
		require.NoError(t, err, output)
		assert.Contains(t, output, "called: apt-get install -y -q --no-install-recommends postgresql")
		assert.NotContains(t, output, "apt-get update", "the network is asked for no more than needed")
		assert.Contains(t, output, "create_main_cluster = false")
		assert.Contains(t, output, "PostgreSQL: /usr/lib/postgresql/15/bin")
		assert.NoFileExists(t, filepath.Join(m.root, "etc/postgresql-common/createcluster.d/crossfade.conf"))
	})
	t.Run("old package lists are fetched again", func(t *testing.T) {
		output, err := newMachine(t, "0", map[string]string{"apt-get": oldLists}).ensure()
		require.NoError(t, err, output)
		assert.Contains(t, output, "called: apt-get update")
	})
	t.Run("an ordinary user is told the command", func(t *testing.T) {
		output, err := newMachine(t, "1000", map[string]string{"apt-get": installsDebian}).ensure()
		require.Error(t, err)
		assert.NotContains(t, output, "called")
		assert.Contains(t, output, "sudo apt-get update && sudo apt-get install -y postgresql\n")
		assert.Contains(t, output, EnvURL)
	})
	t.Run("Homebrew installs for an ordinary user", func(t *testing.T) {
		output, err := newMachine(t, "501", map[string]string{"brew": installsBrew}).ensure()
		require.NoError(t, err, output)
		assert.Contains(t, output, "called: brew install postgresql@17")
		assert.Contains(t, output, "PostgreSQL: /opt/homebrew/opt/postgresql@17/bin")
	})
	t.Run("Homebrew refuses root, who is told so", func(t *testing.T) {
		output, err := newMachine(t, "0", map[string]string{"brew": installsBrew}).ensure()
		require.Error(t, err)
		assert.Contains(t, output, "brew install postgresql@17   (as an ordinary user")
	})
	t.Run("without a package manager it says what is missing", func(t *testing.T) {
		output, err := newMachine(t, "0", nil).ensure()
		require.Error(t, err)
		assert.Contains(t, output, "PostgreSQL is missing")
	})
	t.Run("an installation that brings no programs is no success", func(t *testing.T) {
		output, err := newMachine(t, "0", map[string]string{"apt-get": installsOther}).ensure()
		require.Error(t, err)
		assert.Contains(t, output, "were not found: set PGBIN")
	})
	t.Run("a wrong PGBIN is not passed over", func(t *testing.T) {
		output, err := newMachine(t, "0", map[string]string{"apt-get": installsDebian}).ensure("PGBIN=/nowhere")
		require.Error(t, err)
		assert.NotContains(t, output, "called")
		assert.Contains(t, output, "PGBIN=/nowhere does not hold")
	})
}
