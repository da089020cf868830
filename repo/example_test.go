package repo_test

import (
	"context"
	"fmt"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

// A route leads a call to its sides. Generated code makes the calls of Read
// and Write; here they are written by hand over two repositories in memory.
func Example() {
	ctx := context.Background()
	migration, _ := versions.Must(versions.New("things", "v1", "v2")).Last()
	set := flags.NewSet(nil) // a program with a ledger has its set from the fleet's member
	_ = set.Apply(flags.Policy{Migration: migration.Name, Epoch: 1, ID: flags.NewPolicyID(), Default: flags.Dual})

	v1, v2 := newThings(), newThings()
	backend, _ := repo.NewValues(v1, v2)
	comparer := repo.NewComparer(nil)
	defer func() { _ = comparer.Shutdown(ctx) }()
	route, err := repo.NewRoute(repo.Config[*things]{
		Migration: migration, Flag: set.Flag(migration.Name), Backend: backend, Copier: copier, Comparer: comparer,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	things := routed{route}
	_ = things.Put(ctx, "a", []string{"hello"})
	fmt.Println(v1.rows["a"], v2.rows["a"])
	// Output: [hello] [hello]
}
