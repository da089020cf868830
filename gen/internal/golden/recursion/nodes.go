// Package recursion has values that hold values of their own type.
package recursion

import (
	"context"
	"errors"
)

// ErrNone says that there is no such node.
var ErrNone = errors.New("no node")

// Node holds nodes in every way.
type Node struct {
	ID     int64
	Noise  int `compare:"ignore"`
	Parent *Node
	Kids   []*Node
	Parts  []Node
	Named  map[string]Node
	Links  map[string]*Node
	Edges  []Edge
	Tree   Tree
	Leaf   *Leaf
}

// Edge leads back to a node.
type Edge struct {
	Weight int
	To     *Node
}

// Leaf does not lead back.
type Leaf struct{ Name string }

// Tree holds trees.
type Tree []Tree

// Nodes reads and writes nodes.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Nodes interface {
	//crossfade:read key=id
	Get(ctx context.Context, tenant string, id int64) (*Node, error)
	//crossfade:read key=id
	Shape(ctx context.Context, tenant string, id int64) (Tree, error)
	//crossfade:write key=n.ID
	Save(ctx context.Context, tenant string, n *Node) error
	//crossfade:write key=id
	Delete(ctx context.Context, tenant string, id int64) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
}
