package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const shop = `# yaml-language-server: $schema=https://example.com/crossfade.schema.json
version: 1
entities:
  - name: customers
    package: ./internal/customers
    interface: Customers
    versions:
      - name: v1
        package: ./internal/customers/v1
        gorm: {model: CustomerRow}
      - name: v2 # sqlc
        package: ./internal/customers/v2/
        sqlc: {package: ./internal/customers/v2/queries}
        methods:
          Get: GetCustomerByID
          "Save": PutCustomer
      - name: v3
        package: ./internal/customers/v3
  - name: orders
    package: .
    versions:
`

// shopAt makes a file, and the folders that it names.
func shopAt(t *testing.T, text string, folders ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range folders {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.FromSlash(folder)), 0o755))
	}
	path := filepath.Join(dir, FileName)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLoadKnowsWhereEveryValueStands(t *testing.T) {
	path := shopAt(t, shop, "internal/customers/v1", "internal/customers/v2/queries", "internal/customers/v3")
	c, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, 1, c.Version)
	require.Len(t, c.Entities, 2)
	e := c.Entities[0]
	at := func(pos interface{ String() string }) string { return strings.TrimPrefix(pos.String(), path+":") }
	assert.Equal(t, "4:5", at(e.Pos))
	assert.Equal(t, "customers 4:11", e.Name.Value+" "+at(e.Name.Pos))
	assert.Equal(t, "./internal/customers 5:14", e.Package.String()+" "+at(e.Package.Pos))
	assert.Equal(t, "Customers 6:16", e.Interface.Value+" "+at(e.Interface.Pos))
	require.Len(t, e.Versions, 3)
	v1, v2, v3 := e.Versions[0], e.Versions[1], e.Versions[2]
	assert.Equal(t, "8:9", at(v1.Pos))
	assert.Equal(t, "CustomerRow 10:23 10:9", v1.GORM.Model.Value+" "+at(v1.GORM.Model.Pos)+" "+at(v1.GORM.Pos))
	assert.Nil(t, v1.SQLC)
	assert.Equal(t, "13:25", at(v2.SQLC.Package.Pos))
	query, paired := v2.Query("Save")
	assert.True(t, paired)
	assert.Equal(t, "PutCustomer 16:19", query.Value+" "+at(query.Pos))
	assert.Equal(t, "Get", v2.Methods[0].Method.Value, "pairs stay in order")
	_, paired = v2.Query("Delete")
	assert.False(t, paired)
	assert.True(t, v3.GORM == nil && v3.SQLC == nil && v3.Methods == nil)
	assert.Equal(t, filepath.Join(filepath.Dir(path), "internal", "customers", "v2"), c.Folder(v2.Package))
	assert.Equal(t, filepath.Dir(path), c.Folder(c.Entities[1].Package))
	assert.False(t, c.Entities[1].Interface.Set())
	assert.Empty(t, c.Entities[1].Versions)

	found, there := c.Entity("customers")
	assert.True(t, there)
	_, there = found.Version("v2")
	assert.True(t, there)
	_, there = found.Version("v9")
	assert.False(t, there)
	_, there = c.Entity("nobody")
	assert.False(t, there)
}

// Each file in testdata/wrong says in comments what is wrong with the line on
// which they stand; the file's name says what it is about.
func TestWhatIsWrongIsSaidAllAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := Load(file)
			var problems *ProblemsError
			require.ErrorAs(t, err, &problems)
			text := strings.ReplaceAll(problems.Error(), filepath.ToSlash(file), FileName) + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), text)
			for line := range strings.Lines(text) {
				assert.Regexp(t, `^crossfade\.yaml:\d+:\d+: .+`, line)
			}
		})
	}
}

func TestFindStopsAtTheModule(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	deep := filepath.Join(dir, "module", "internal", "customers")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	touch := func(parts ...string) {
		require.NoError(t, os.WriteFile(filepath.Join(append([]string{dir}, parts...)...), nil, 0o600))
	}
	touch(FileName)
	touch("module", "go.mod")
	_, found, err := Find(deep)
	require.NoError(t, err)
	assert.False(t, found, "it lies above the module's root")

	touch("module", "crossfade.yml")
	_, _, err = Find(deep)
	require.ErrorContains(t, err, "rename it to crossfade.yaml")

	touch("module", FileName)
	path, found, err := Find(deep)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, filepath.Join(dir, "module", FileName), path)

	require.NoError(t, os.Mkdir(filepath.Join(deep, FileName), 0o755))
	path, found, err = Find(deep)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, filepath.Join(dir, "module", FileName), path, "a folder is no file")
}

func TestLoadOfNothing(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), FileName))
	require.ErrorIs(t, err, os.ErrNotExist)
}
