package gen_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

const describedConfig = "version: 1\nentities:\n  - name: people\n    package: .\n    versions: []\n"

// described returns the description of people with more methods and declarations.
func described(t *testing.T, methods, declarations string) (string, error) {
	t.Helper()
	source := replaced(peopleSource+declarations, "([]int64, error)\n}", "([]int64, error)\n"+methods+"}")
	dir := versioned(t, map[string]string{"crossfade.yaml": describedConfig, "people.go": source, "v1/queries/queries.go": ""})
	if _, err := gen.Run(t.Context(), gen.Config{Dir: dir, Patterns: []string{"."}}); err != nil {
		return "", err
	}
	return read(t, dir, "shoptest/people.go"), nil
}

func TestDescriptionsDrawKeysAndTenantsWhereTheyStand(t *testing.T) {
	code, err := described(t, `
	//crossfade:write keys=batch.Lines[].Owner tenant=batch.Tenant
	SaveAll(ctx context.Context, batch *Batch) error
	//crossfade:create key=result
	Add(ctx context.Context, tenant string, p Person) (int64, error)
`, `
type Batch struct {
	Tenant string
	Lines  []*Line
}

type Line struct{ Owner int64 }
`)
	require.NoError(t, err)
	assert.Contains(t, code, `if args.Batch != nil {
					for i := range args.Batch.Lines {
						if args.Batch.Lines[i] != nil {
							args.Batch.Lines[i].Owner = crossfadetest.Key[int64](d, "batch.Lines[].Owner")`)
	assert.Contains(t, code, `args.Batch.Tenant = crossfadetest.Tenant[string](d, "batch.Tenant")`)
	assert.Contains(t, code, "out.Stored.ID = *new(int64)", "the key that the database made is no part of the answer")
}

func TestDescriptionsSayWhatIsLeftOut(t *testing.T) {
	code, err := described(t, `
	//crossfade:create keys=result[].ID
	AddAll(ctx context.Context, tenant string, ps []Person) ([]Person, error)
	//crossfade:stream
	Each(ctx context.Context, tenant string, each func(Person) bool) error
`, "")
	require.NoError(t, err)
	assert.Contains(t, code, "// AddAll is left out: it makes several keys")
	assert.Contains(t, code, "// Each is left out: its callback is no func(T) error")
	assert.Contains(t, code, ") AddAll(ctx", "Spread has it all the same")
}

func TestDescriptionsCannotNameWhatIsNotExported(t *testing.T) {
	_, err := described(t, `
	//crossfade:list
	Search(ctx context.Context, tenant string, q query) ([]Person, error)
`, "\ntype query struct{}\n")
	require.ErrorContains(t, err, "its type query is not exported")
}
