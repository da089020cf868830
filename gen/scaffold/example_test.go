package scaffold_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crossfade-db/crossfade/gen/scaffold"
)

func Example() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	_ = os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/shop\n"), 0o600)
	for range 2 {
		plan, found, err := scaffold.Init(dir)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(found)
		for _, file := range plan.Files {
			fmt.Println(file.Change, file.Path)
		}
		if err := plan.Apply(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// neither GORM nor sqlc nor pgx
	// written crossfade.yaml
	// neither GORM nor sqlc nor pgx
	// unchanged crossfade.yaml
}
