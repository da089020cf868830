package embeddednotexported

import (
	"go/ast"

	"github.com/crossfade-db/crossfade/gen/testdata/errors/shop"
)

//crossfade:entity notfound=shop.ErrNone get=Get put=Save delete=Delete keys=Keys
type Customers interface {
	shop.Roles

	ast.Node
	ast.Expr
}

/* want:
customers.go:13:2: Customers.End: its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context (it comes from package go/ast; the method can be written into this interface too)
customers.go:13:2: Customers.Pos: its first parameter is no context.Context: the decision and the deadline travel in it; add ctx context.Context (it comes from package go/ast; the method can be written into this interface too)
customers.go:14:2: Customers.exprNode: it is not exported by its package: no other package can implement it (it comes from package go/ast; the method can be written into this interface too)
*/
