package directiveastray

import (
	"context"
)

type Customers interface {
	//crossfade:read key=id
	Get(ctx context.Context, id int64) (int, error)
}

//crossfade:entity get=Get
func Get() {
	//crossfade:list
}

/* want:
customers.go:8:2: //crossfade:read belongs to no method of an annotated interface: put it directly above the method, and //crossfade:entity above the interface
customers.go:12:1: //crossfade:entity stands above no interface: put it into the comment directly above a type declaration
customers.go:14:2: //crossfade:list belongs to no method of an annotated interface: put it directly above the method, and //crossfade:entity above the interface
*/
