package gen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crossfade-db/crossfade/gen"
)

// A method without a directive is a problem, reported with its place and a
// directive that may be meant.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	files := map[string]string{"go.mod": "module shop\n\ngo 1.26\n", "customers.go": `package shop

import "context"

type Customer struct{ ID int64 }

//crossfade:entity notfound=nil get=Get put=Save delete=Delete keys=Keys tenant=none
type Customers interface {
	Get(ctx context.Context, id int64) (*Customer, error)
	//crossfade:write key=c.ID
	Save(ctx context.Context, c *Customer) error
	//crossfade:write key=id
	Delete(ctx context.Context, id int64) error
	//crossfade:list
	Keys(ctx context.Context, after *int64, limit int) ([]int64, error)
}
`}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}

	_, err = gen.Run(context.Background(), gen.Config{Dir: dir})
	var problems *gen.ProblemsError
	if errors.As(err, &problems) {
		for _, p := range problems.Problems {
			fmt.Println(p)
		}
	}
	// Output:
	// customers.go:9:2: Customers.Get: it has no directive: add //crossfade:read key=id above it, if that is what it does (the directives are read, list, lock, write, create, stream)
}
