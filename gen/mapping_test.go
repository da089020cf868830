package gen_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

func TestFieldThatIsForgottenDoesNotCompile(t *testing.T) {
	dir := manyVersions(t, 1)
	source := read(t, dir, "p0/people.go")
	queries := read(t, dir, "p0/v1/queries/queries.go")
	put(t, dir, "p0/people.go", replaced(source, "Name string", "FullName string"))
	build := func() string {
		t.Helper()
		_, err := gen.Run(t.Context(), gen.Config{Dir: dir, Patterns: []string{"./p0/v1"}})
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), "go", "build", "./p0/v1")
		cmd.Dir = dir
		output, _ := cmd.CombinedOutput()
		return string(output)
	}
	require.Empty(t, build(), "the scaffolded mapping.go compiles")

	put(t, dir, "p0/v1/queries/queries.go", replaced(queries, "Name     string", "Name string\n\tPhone string"))
	output := build()
	assert.Contains(t, output, "mapping does not implement Mapper (wrong type for method SaveParams)", "a new column")

	put(t, dir, "p0/v1/queries/queries.go", queries)
	require.Empty(t, build())
	put(t, dir, "p0/people.go", replaced(source, "Name string", "FullName string\n\tBorn string"))
	output = build()
	assert.Contains(t, output, "mapping does not implement Mapper (wrong type for method PersonFromRow)", "a new field")
}

// Where nothing says that a pointer is not nil, its fields are the Mapper's affair.
func TestFieldsAreReadThroughAPointerOnlyWhereTheKeyIs(t *testing.T) {
	dir := versioned(t, map[string]string{
		"people.go": replaced(peopleSource,
			"Save(ctx context.Context, tenant string, p Person) error", "Save(ctx context.Context, tenant string, p *Person) error",
			"Delete(ctx context.Context, tenant string, id int64) error", "Delete(ctx context.Context, tenant string, id int64) error\n\t//crossfade:list\n\tList(ctx context.Context, tenant string, from *Person) ([]Person, error)"),
		"v1/queries/queries.go": peopleQueries + `
type ListParams struct {
	TenantID string
	Name     string
}

func (q *Queries) List(ctx context.Context, arg ListParams) ([]Person, error) { return nil, nil }
`,
	})
	_, err := gen.Run(t.Context(), gen.Config{Dir: dir, Patterns: []string{"./..."}})
	require.NoError(t, err)
	code := read(t, dir, "v1/people_version.go")
	assert.Contains(t, code, "Name: p.Name", "the routed repository refuses a nil, of which it needs the key")
	assert.NotContains(t, code, "from.Name")
	assert.Contains(t, code, "ListParams(tenant string, from *shop.Person) (name string, err error)")
}
