package gen_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen"
)

const versionedConfig = `version: 1
entities:
  - name: people
    package: .
    versions:
      - name: v1
        package: ./v1
        sqlc: {package: ./v1/queries}
`

const peopleSource = `package shop

import (
	"context"
	"errors"
)

type Person struct {
	ID   int64
	Name string
}

var ErrNone = errors.New("none")

//crossfade:entity name=people notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type People interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (Person, error)
	//crossfade:write key=p.ID
	Save(ctx context.Context, tenant string, p Person) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
`

const peopleQueries = `package queries

import "context"

type DBTX interface{ Exec() }

func New(db DBTX) *Queries { return &Queries{} }

type Queries struct{}

type Person struct {
	TenantID string
	ID       int64
	Name     string
}

type GetPersonParams struct {
	TenantID string
	ID       int64
}

func (q *Queries) GetPerson(ctx context.Context, arg GetPersonParams) (Person, error) { return Person{}, nil }

type SavePersonParams Person

func (q *Queries) SavePerson(ctx context.Context, arg SavePersonParams) error { return nil }

const deletePerson = ` + "`-- name: DeletePerson :execrows\ndelete`" + `

func (q *Queries) DeletePerson(ctx context.Context, tenantID string, id int64) (int64, error) { return 0, nil }

type KeysParams struct {
	TenantID string
	After    *int64
	Limit    int32
}

func (q *Queries) Keys(ctx context.Context, arg KeysParams) ([]int64, error) { return nil, nil }
`

// versioned is a module with one entity in one version; changes replace, or
// with an empty text take away, what its files hold.
func versioned(t testing.TB, changes map[string]string) string {
	t.Helper()
	files := map[string]string{
		"go.mod": "module shop\n\ngo 1.26\n", "crossfade.yaml": versionedConfig, "people.go": peopleSource,
		"v1/queries/queries.go": peopleQueries, "v1/.keep": "",
	}
	for name, text := range changes {
		files[name] = text
	}
	dir := t.TempDir()
	for name, text := range files {
		if text != "" || name == "v1/.keep" {
			put(t, dir, name, text)
		}
	}
	return dir
}

func replaced(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("no " + pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func TestVersionsProblemsNameThePlaceAndTheSmallestFix(t *testing.T) {
	gorm := replaced(versionedConfig, "sqlc: {package: ./v1/queries}", "gorm: {model: Row}")
	for name, c := range map[string]struct {
		changes map[string]string
		want    []string
	}{
		"a method without a query": {
			map[string]string{"v1/queries/queries.go": replaced(peopleQueries, "GetPerson", "ReadPerson", "DeletePerson", "DelPerson")},
			[]string{
				"people.go:18:2: People.Get: version v1 has no query for it: add `-- name: GetPerson :one` to the version's SQL and run `sqlc generate`, or write the method in package v1: func (r *Repository) Get(ctx context.Context, tenant string, id int64) (shop.Person, error)",
				"people.go:22:2: People.Delete: version v1 has no query for it: add `-- name: DeletePerson :execrows` to the version's SQL and run `sqlc generate`, or say `methods: {Delete: DelPerson}` in crossfade.yaml, or write the method in package v1: func (r *Repository) Delete(ctx context.Context, tenant string, id int64) error",
			},
		},
		"a pair that is not there": {
			map[string]string{"crossfade.yaml": versionedConfig + "        methods: {Get: GetPersn}\n"},
			[]string{"crossfade.yaml:9:24: people v1: methods: Get: there is no query GetPersn in ./v1/queries: did you mean GetPerson?"},
		},
		"two queries for a method": {
			map[string]string{"v1/queries/queries.go": peopleQueries + "\nfunc (q *Queries) PersonGet(ctx context.Context, arg GetPersonParams) (Person, error) { return Person{}, nil }\n"},
			[]string{"crossfade.yaml:6:9: people v1: Get could be answered by GetPerson and by PersonGet: choose one: `methods: {Get: GetPerson}`"},
		},
		"a parameter that the query does not use": {
			map[string]string{"v1/queries/queries.go": replaced(peopleQueries, "type GetPersonParams struct {\n\tTenantID string\n\tID       int64\n}", "type GetPersonParams struct{ ID int64 }")},
			[]string{"people.go:18:2: People.Get: version v1: query GetPerson does not use the parameter tenant: add @tenant to the query and run `sqlc generate`, or write the method in package v1: func (r *Repository) Get(ctx context.Context, tenant string, id int64) (shop.Person, error)"},
		},
		"a query of another shape": {
			map[string]string{"v1/queries/queries.go": replaced(peopleQueries, "(Person, error) { return Person{}, nil }", "([]Person, error) { return nil, nil }",
				"arg KeysParams) ([]int64, error) { return nil, nil }", "arg KeysParams) error { return nil }")},
			[]string{
				"people.go:18:2: People.Get: version v1: query GetPerson is :many, and Get returns one shop.Person: write `-- name: GetPerson :one`; or write the method in package v1: func (r *Repository) Get(ctx context.Context, tenant string, id int64) (shop.Person, error)",
				"people.go:24:2: People.Keys: version v1: query Keys is :exec, and Keys returns a result: write `-- name: Keys :many`; or write the method in package v1: func (r *Repository) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)",
			},
		},
		"queries that are not there": {
			map[string]string{"v1/queries/queries.go": "", "v1/queries/queries.sql": "-- nothing\n"},
			[]string{"crossfade.yaml:8:25: people v1: sqlc: package: ./v1/queries has no Go files: run `sqlc generate`"},
		},
		"a package that sqlc did not write": {
			map[string]string{"v1/queries/queries.go": "package queries\n"},
			[]string{"crossfade.yaml:8:25: people v1: sqlc: package: ./v1/queries declares no Queries and New, as sqlc does: name the folder that is `out:` in sqlc.yaml"},
		},
		"database/sql": {
			map[string]string{"v1/queries/queries.go": replaced(peopleQueries, "Exec()", "ExecContext()")},
			[]string{"crossfade.yaml:8:25: people v1: sqlc: package: ./v1/queries is generated for database/sql, and a side runs on pgx: add `sql_package: pgx/v5` below gen: go: in sqlc.yaml and run `sqlc generate`"},
		},
		"names that are generated": {
			map[string]string{"v1/x.go": "package v1\n\ntype Repository struct{}\n"},
			[]string{"v1/x.go:3:6: people v1: Repository is generated here: rename yours, or delete sqlc: from crossfade.yaml to write the version by hand"},
		},
		"an entity of another name": {
			map[string]string{"people.go": replaced(peopleSource, "name=people ", "")},
			[]string{"people.go:15:1: People: it is called People, and crossfade.yaml calls it people: add name=people to the directive"},
		},
		"no annotated interface": {
			map[string]string{"people.go": "package shop\n"},
			[]string{"crossfade.yaml:4:14: people: package: expected an interface with a //crossfade:entity directive in ., and there is none: write it above the repository's interface"},
		},
		"another interface": {
			map[string]string{"crossfade.yaml": replaced(versionedConfig, "package: .\n", "package: .\n    interface: Persons\n")},
			[]string{"crossfade.yaml:5:16: people: interface: expected an annotated interface of ., which has People: write People"},
		},
		"a version by hand without New": {
			map[string]string{"crossfade.yaml": replaced(versionedConfig, "\n        sqlc: {package: ./v1/queries}", ""), "v1/x.go": "package v1\n"},
			[]string{"crossfade.yaml:7:18: people v1: expected func New(db postgres.DBTX) shop.People in ./v1, which is written by hand: declare it, or say what to generate from: sqlc: {package: ./v1/queries}"},
		},
		"a version by hand with another New": {
			map[string]string{"crossfade.yaml": replaced(versionedConfig, "\n        sqlc: {package: ./v1/queries}", ""), "v1/x.go": "package v1\n\nfunc New() int { return 0 }\n"},
			[]string{"v1/x.go:3:6: people v1: New is func() int; expected func New(db postgres.DBTX) shop.People, the factory of a side"},
		},
		"a model that is not there": {
			map[string]string{"crossfade.yaml": gorm, "v1/x.go": "package v1\n\ntype Rows struct{ ID int64 }\n"},
			[]string{"crossfade.yaml:8:23: people v1: gorm: model: expected a struct type of ./v1, and Row is none: it has Rows"},
		},
		"a model without a tenant": {
			map[string]string{"crossfade.yaml": gorm, "v1/x.go": "package v1\n\ntype Row struct {\n\tID int64\n\tName string\n}\n"},
			[]string{
				"people.go:18:2: People.Get: version v1: model Row has no field in its primary key for the parameter tenant: write the method in package v1: func (r *Repository) Get(ctx context.Context, tenant string, id int64) (shop.Person, error)",
				"people.go:22:2: People.Delete: version v1: model Row has no field in its primary key for the parameter tenant: write the method in package v1: func (r *Repository) Delete(ctx context.Context, tenant string, id int64) error",
			},
		},
		"mapping.go without its type": {
			map[string]string{"v1/mapping.go": "package v1\n", "people.go": replaced(peopleSource, "Name string", "FullName string")},
			[]string{"crossfade.yaml:7:18: people v1: mapping.go is there and declares no type mapping: add `type mapping struct{}` to it, which implements Mapper"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := versioned(t, c.changes)
			_, err := gen.Run(t.Context(), gen.Config{Dir: dir})
			var problems *gen.ProblemsError
			require.ErrorAs(t, err, &problems)
			var got []string
			for _, p := range problems.Problems {
				got = append(got, p.String())
			}
			assert.Equal(t, c.want, got)
			assert.NoFileExists(t, filepath.Join(dir, "people_routed.go"), "nothing is written while anything is wrong")
		})
	}
}

func TestLifeOfAVersionsFiles(t *testing.T) {
	dir := versioned(t, map[string]string{"people.go": replaced(peopleSource, "Name string", "FullName string")})
	run := func(check bool, patterns ...string) gen.Result {
		t.Helper()
		result, err := gen.Run(t.Context(), gen.Config{Dir: dir, Check: check, Patterns: patterns})
		require.NoError(t, err)
		return result
	}
	all := []string{"people_compare.go", "people_routed.go", "shoptest/people.go", "v1/mapping.go", "v1/people_version.go"}
	assert.Equal(t, all, run(true).OutOfDate, "missing is out of date, and nothing is written")
	assert.NoFileExists(t, filepath.Join(dir, "v1/mapping.go"))

	result := run(false, ".")
	assert.Equal(t, all, result.Written, "a version goes with its entity")
	left := func(r gen.Result) []string {
		var texts []string
		for _, p := range r.Unwritten {
			texts = append(texts, p.String())
		}
		return texts
	}
	assert.Equal(t, []string{
		"v1/mapping.go:14:1: people v1: PersonFromRow is still to be written",
		"v1/mapping.go:20:1: people v1: SaveParams is still to be written",
	}, left(result))
	assert.Equal(t, left(result), left(run(true)), "and still is")
	assert.Empty(t, run(true).OutOfDate)

	mapping := read(t, dir, "v1/mapping.go")
	put(t, dir, "v1/mapping.go", replaced(mapping, `name, errors.New("mapping: SaveParams is not written yet")`, "p.FullName, nil"))
	assert.Len(t, run(false).Unwritten, 1)
	assert.Contains(t, read(t, dir, "v1/mapping.go"), "p.FullName, nil", "mapping.go is never overwritten")

	put(t, dir, "v1/queries/queries.go", replaced(peopleQueries, "\tName     string", "\tName string\n\tPhone string"))
	result = run(false)
	assert.Equal(t, []string{"v1/people_version.go"}, result.Written)
	assert.Equal(t, []string{
		"v1/mapping.go:14:1: people v1: PersonFromRow is still to be written",
		"v1/mapping.go:20:1: people v1: SaveParams has another signature now: func (mapping) SaveParams(tenant string, p shop.Person) (name, phone string, err error)",
	}, left(result))

	put(t, dir, "v1/save.go", "package v1\n\nimport (\n\t\"context\"\n\t\"shop\"\n)\n\nfunc (r *Repository) Save(ctx context.Context, tenant string, p shop.Person) error { return nil }\n")
	run(false, "./v1")
	assert.NotContains(t, read(t, dir, "v1/people_version.go"), ") Save(", "what is written by hand is left out")

	put(t, dir, "crossfade.yaml", "version: 1\nentities:\n  - name: people\n    package: .\n    versions: []\n")
	assert.Contains(t, run(false, "./...").Removed, "v1/people_version.go")
	require.NoError(t, os.Remove(filepath.Join(dir, "crossfade.yaml")))
	put(t, dir, "v1/people_version.go", "// Code generated by crossfade gen from crossfade.yaml; DO NOT EDIT.\n\npackage v1\n")
	assert.Empty(t, run(false, "./...").Removed, "without crossfade.yaml nobody knows what is asked for")
}

func TestProblemsOfTheConfigurationAreProblems(t *testing.T) {
	dir := versioned(t, map[string]string{"crossfade.yaml": versionedConfig + "        sqlx: {}\n"})
	_, err := gen.Run(t.Context(), gen.Config{Dir: dir})
	var problems *gen.ProblemsError
	require.ErrorAs(t, err, &problems)
	assert.Contains(t, problems.Error(), "crossfade.yaml:9:9: people v1: ")
}
