package gen_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

// Fifty entities in fifty packages, with everything that they import compiled
// before.
func BenchmarkFiftyEntities(b *testing.B) {
	dir := b.TempDir()
	put(b, dir, "go.mod", "module shop\n\ngo 1.26\n")
	for i := range 50 {
		put(b, dir, fmt.Sprintf("p%d/customers.go", i), shopSource)
	}
	cfg := gen.Config{Dir: dir, Patterns: []string{"./..."}}
	_, err := gen.Run(b.Context(), cfg)
	require.NoError(b, err)
	for b.Loop() {
		result, err := gen.Run(b.Context(), cfg)
		require.NoError(b, err)
		require.Len(b, result.Unchanged, 100)
	}
}

// Fifty entities with ten methods, each in two versions over sqlc.
func BenchmarkFiftyEntitiesInTwoVersions(b *testing.B) {
	dir := manyVersions(b, 50)
	cfg := gen.Config{Dir: dir}
	_, err := gen.Run(b.Context(), cfg)
	require.NoError(b, err)
	_, err = gen.Run(b.Context(), cfg) // compiles what the first run wrote
	require.NoError(b, err)
	for b.Loop() {
		result, err := gen.Run(b.Context(), cfg)
		require.NoError(b, err)
		require.Len(b, result.Unchanged, 250)
	}
}

// manyVersions is a module with n entities of ten methods in two versions.
func manyVersions(t testing.TB, n int) string {
	t.Helper()
	dir := realModule(t)
	var config, interfaces, queries strings.Builder
	for i := range 6 {
		fmt.Fprintf(&interfaces, "\t//crossfade:write key=id\n\tSet%d(ctx context.Context, tenant string, id int64, name string) error\n", i)
		fmt.Fprintf(&queries, "\nfunc (q *Queries) Set%d(ctx context.Context, tenantID string, id int64, name string) error { return nil }\n", i)
	}
	source := strings.Replace(peopleSource, "([]int64, error)\n", "([]int64, error)\n"+interfaces.String(), 1)
	sqlc := strings.NewReplacer(
		"import \"context\"", "import (\n\t\"context\"\n\n\t\"github.com/jackc/pgx/v5\"\n\t\"github.com/jackc/pgx/v5/pgconn\"\n)",
		"interface{ Exec() }", `interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	Query(context.Context, string, ...any) (pgx.Rows, error)
}`).Replace(peopleQueries) + queries.String()
	config.WriteString("version: 1\nentities:\n")
	for i := range n {
		put(t, dir, fmt.Sprintf("p%d/people.go", i), strings.Replace(source, "name=people ", fmt.Sprintf("name=people%d ", i), 1))
		fmt.Fprintf(&config, "  - name: people%[1]d\n    package: ./p%[1]d\n    versions:\n", i)
		for _, v := range []string{"v1", "v2"} {
			put(t, dir, fmt.Sprintf("p%d/%s/queries/queries.go", i, v), sqlc)
			fmt.Fprintf(&config, "      - name: %[2]s\n        package: ./p%[1]d/%[2]s\n        sqlc: {package: ./p%[1]d/%[2]s/queries}\n", i, v)
		}
	}
	put(t, dir, "crossfade.yaml", config.String())
	return dir
}

func TestWorkGrowsWithTheEntitiesAndNotFaster(t *testing.T) {
	work := func(n int) float64 {
		dir := t.TempDir()
		put(t, dir, "go.mod", "module shop\n\ngo 1.26\n")
		config := "version: 1\nentities:\n"
		for i := range n {
			put(t, dir, fmt.Sprintf("p%d/people.go", i), strings.Replace(peopleSource, "name=people ", fmt.Sprintf("name=people%d ", i), 1))
			put(t, dir, fmt.Sprintf("p%d/v1/queries/queries.go", i), peopleQueries)
			config += fmt.Sprintf("  - name: people%[1]d\n    package: ./p%[1]d\n    versions:\n      - name: v1\n        package: ./p%[1]d/v1\n        sqlc: {package: ./p%[1]d/v1/queries}\n", i)
		}
		put(t, dir, "crossfade.yaml", config)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := gen.Run(t.Context(), gen.Config{Dir: dir})
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs - before.Mallocs)
	}
	few, more, many := work(3), work(6), work(12)
	assert.Less(t, (many-more)/(more-few), 3.0, "twice as many entities are about twice the allocations: %v, %v, %v", few, more, many)
}
