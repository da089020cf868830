package versions_test

import (
	"fmt"

	"github.com/crossfade-db/crossfade/versions"
)

func Example() {
	customers := versions.Must(versions.New("customers", "v1", "v2", "v3"))
	last, err := customers.Last()
	fmt.Println(last.Name, last.From, last.To, err)
	_, err = customers.Migration("v1", "v3")
	fmt.Println(err)
	// Output:
	// customers-v3 v2 v3 <nil>
	// versions of customers: a migration leads from one version to the next: v1 to v3 does not, the order is v1, v2, v3
}
