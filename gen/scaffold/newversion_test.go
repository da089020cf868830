package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen/config"
)

const twoEntities = `version: 1
entities:
  - name: customers
    package: ./internal/customers
    versions:
      - name: v1 # the old one
        package: ./internal/customers/v1
        gorm: {model: CustomerRow}

  # bought from others
  - name: tickets
    package: ./internal/tickets/
    interface: Tickets
    versions: []
`

func twoFiles() map[string]string {
	files := shopFiles()
	files[config.FileName] = twoEntities
	return files
}

func TestNewVersionRefusesWhatCannotBe(t *testing.T) {
	dir := moduleAt(t, twoFiles())
	before := everything(t, dir)
	for _, c := range []struct{ entity, version, over, want string }{
		{"customers", "V2", "", "write v2"},
		{"customers", "2", "", "write v2"},
		{"customers", "type", "", "cannot be the name of a package"},
		{"customers", "internal", "", "cannot be the name of a package"},
		{"customers", "v2", "bun", `over sqlc, gorm or hand, not "bun"`},
		{"custmers", "v2", "", "did you mean customers?"},
		{"nothing_like_it", "v2", "", "there are customers, tickets, orders"},
		{"customers", "v1", SQLC, "customers v1 is over gorm there: leave --over out"},
	} {
		_, err := NewVersion(dir, c.entity, c.version, c.over)
		var input *InputError
		require.ErrorAs(t, err, &input, c.want)
		assert.Contains(t, err.Error(), c.want)
	}
	assert.Equal(t, before, everything(t, dir))

	_, err := NewVersion(moduleAt(t, shopFiles()), "customers", "v2", "")
	require.ErrorContains(t, err, "run `crossfade init` first")
	files := twoFiles()
	files["internal/tickets/tickets.go"] = "package tickets\n"
	_, err = NewVersion(moduleAt(t, files), "tickets", "v2", "")
	require.ErrorContains(t, err, "crossfade.yaml:12:14: no interface in ./internal/tickets/ has a //crossfade:entity directive")
	files["internal/tickets/tickets.go"] = strings.ReplaceAll(ticketsGo, "type Tickets", "type Ticket")
	_, err = NewVersion(moduleAt(t, files), "tickets", "v2", "")
	require.ErrorContains(t, err, "expected an annotated interface Tickets")
	files[config.FileName] = "version: 1\nentities:\n  - name: a\n    package: ./internal/customers\n    versions:\n      - {name: v1, package: ./internal/tickets/v2}\n  - {name: tickets, package: ./internal/tickets, versions: []}\n"
	files["internal/tickets/tickets.go"] = ticketsGo
	_, err = NewVersion(moduleAt(t, files), "tickets", "v2", "")
	require.ErrorContains(t, err, "is the version v1 of a: choose another name")
	files[config.FileName] = "version: 1\nentities: [{name: tickets, package: ./internal/tickets, versions: []}]\n"
	_, err = NewVersion(moduleAt(t, files), "tickets", "v2", "")
	require.ErrorContains(t, err, "add this yourself:\n\n- name: v2")
}

func TestNewVersionKeepsWhatTheUserWrote(t *testing.T) {
	files := twoFiles()
	files["sqlc.yaml"] = sqlcYAML
	files["internal/tickets/v2/schema.sql"] = "-- mine"
	files["internal/tickets/v2/tickets.go"] = "package v2\n"
	dir := moduleAt(t, files)
	add(t, dir, "tickets", "v2", "")
	for name, text := range files {
		if name != config.FileName && name != "sqlc.yaml" {
			assert.Equal(t, text, read(t, filepath.Join(dir, filepath.FromSlash(name))), name)
		}
	}
	assert.NoFileExists(t, filepath.Join(dir, "internal/tickets/v2/doc.go"), "the package is begun")
	assert.FileExists(t, filepath.Join(dir, "internal/tickets/v2/queries.sql"))
	assert.Equal(t, strings.Replace(twoEntities, "    versions: []\n", "    versions:\n      - name: v2\n        package: ./internal/tickets/v2\n        sqlc: {package: ./internal/tickets/v2/queries}\n", 1),
		read(t, filepath.Join(dir, config.FileName)))
	head, tail, found := strings.Cut(sqlcYAML, "overrides:")
	require.True(t, found)
	after := read(t, filepath.Join(dir, "sqlc.yaml"))
	assert.True(t, strings.HasPrefix(after, head+"  - name: tickets-v2\n"), after)
	assert.True(t, strings.HasSuffix(after, "\noverrides:"+tail), after)

	add(t, dir, "customers", "v2", "")
	again := read(t, filepath.Join(dir, "sqlc.yaml"))
	assert.Equal(t, after, again, "sqlc.yaml has an entry for that folder already")
	p := add(t, dir, "orders", "v1", Hand)
	assert.Contains(t, read(t, filepath.Join(dir, config.FileName)), "  - name: orders\n    package: ./internal/orders\n    interface: Orders\n    versions: # oldest first\n      - name: v1\n")
	assert.Contains(t, p.Notes[0], "add name=orders to the directive")
}

func TestNewVersionOverAnEntryOfSqlcThatHasItsOwnSQL(t *testing.T) {
	files := twoFiles()
	files["sqlc.yaml"] = "version: \"2\"\nsql:\n  - schema: db\n    queries: db/tickets.sql\n    gen: {go: {out: internal/tickets/v2/store}}\n"
	dir := moduleAt(t, files)
	add(t, dir, "tickets", "v2", "")
	assert.Equal(t, files["sqlc.yaml"], read(t, filepath.Join(dir, "sqlc.yaml")))
	assert.NoFileExists(t, filepath.Join(dir, "internal/tickets/v2/schema.sql"))
	assert.NoFileExists(t, filepath.Join(dir, "internal/tickets/v2/queries.sql"))
	assert.Contains(t, read(t, filepath.Join(dir, config.FileName)), "sqlc: {package: ./internal/tickets/v2/store}")
}

func TestNewVersionShowsWhatItCannotAdd(t *testing.T) {
	for name, text := range map[string]string{
		"sqlc.json": `{"version": "2", "sql": []}`,
		"sqlc.yaml": "version: \"1\"\npackages: []\n",
		"sqlc.yml":  "version: \"2\"\nsql: [{schema: a, queries: b}]\n",
	} {
		files := twoFiles()
		files[name] = text
		dir := moduleAt(t, files)
		p := add(t, dir, "tickets", "v2", "")
		require.Len(t, p.Notes, 1)
		assert.Contains(t, p.Notes[0], name+" is written in a form that is not added to")
		assert.Contains(t, p.Notes[0], "\n- name: tickets-v2\n  engine: postgresql\n")
		assert.Equal(t, text, read(t, filepath.Join(dir, name)))
		assert.NoFileExists(t, filepath.Join(dir, "internal/tickets/v2/queries/db.go"))
	}
}

func TestNewVersionBelowAFolderThatCannotBeWritten(t *testing.T) {
	files := twoFiles()
	files["internal/tickets/v2"] = "a file where a folder is needed"
	dir := moduleAt(t, files)
	p, err := NewVersion(dir, "tickets", "v2", "")
	if err == nil {
		err = p.Apply(t.Context())
	}
	require.Error(t, err)
	assert.Equal(t, twoEntities, read(t, filepath.Join(dir, config.FileName)), "crossfade.yaml comes last")
	require.NoError(t, os.Remove(filepath.Join(dir, "internal/tickets/v2")))
	add(t, dir, "tickets", "v2", "")
}
