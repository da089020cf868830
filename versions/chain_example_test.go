package versions_test

import (
	"fmt"

	"github.com/crossfade-db/crossfade/versions"
)

func ExampleRow() {
	_, err := versions.Row("customers",
		versions.Migration{Name: "customers-v2", Entity: "customers", From: "v1", To: "v2"},
		versions.Migration{Name: "customers-v4", Entity: "customers", From: "v3", To: "v4"})
	fmt.Println(err)
	// Output: versions of customers: no migration leads from v2 to v3
}

func ExampleBind() {
	registry := versions.Must(versions.New("customers", "v1", "v2", "v3"))
	all, err := versions.Bind(registry, map[string]string{"v1": "v1.New", "v2": "v2.New", "v3": "v3.New"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range all.Moves() {
		fmt.Println(m.Name, m.Old, m.New)
	}
	// Output:
	// customers-v3 v2.New v3.New
	// customers-v2 v1.New v2.New
}
