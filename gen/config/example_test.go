package config_test

import (
	"fmt"

	"github.com/crossfade-db/crossfade/gen/config"
)

func Example() {
	c, err := config.Parse("crossfade.yaml", []byte(`
version: 1
entities:
  - name: customers
    package: ./internal/customers
    versions:
      - {name: v1, package: ./internal/customers/v1, gorm: {model: CustomerRow}}
      - {name: v2, package: ./internal/customers/v2}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range c.Entities[0].Versions {
		fmt.Println(v.Name.Pos, v.Name, c.Folder(v.Package), v.GORM != nil)
	}
	_, err = config.Parse("crossfade.yaml", []byte("version: 1\nentitys: []\n"))
	fmt.Println(err)
	// Output:
	// crossfade.yaml:7:16 v1 internal/customers/v1 true
	// crossfade.yaml:8:16 v2 internal/customers/v2 false
	// crossfade.yaml:2:1: unknown key entitys of crossfade.yaml: write entities
}
