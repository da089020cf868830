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
	Author *Author
	Left   *Left
}

// Left and Right lead to each other by ignored fields only.
type Left struct {
	Name  string
	Right *Right `compare:"ignore"`
}

// Right is the other one.
type Right struct {
	Name string
	Left *Left `compare:"-"`
}

// Author leads back to itself by an ignored field only.
type Author struct {
	Name  string
	Books []*Book
}

// Book belongs to an author.
type Book struct {
	Title string
	Seen  int     `compare:"ignore"`
	By    *Author `compare:"-"`
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
