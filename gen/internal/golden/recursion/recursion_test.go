package recursion

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/compare"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newNode() *Node {
	n := &Node{ID: 1, Parts: []Node{{ID: 2, Parts: []Node{{ID: 3}}}}, Tree: Tree{Tree{}, Tree{Tree{}}}, Leaf: &Leaf{"l"}}
	n.Parent = n // it contains itself
	n.Left = &Left{"l", &Right{Name: "r"}}
	n.Left.Right.Left = n.Left
	n.Kids = []*Node{n, {ID: 4, Parent: n}}
	n.Links = map[string]*Node{"self": n}
	n.Edges = []Edge{{1, n}}
	n.Named = map[string]Node{"copy": {ID: 5, Parent: n}}
	return n
}

func paths(diffs []compare.Diff) []string {
	var all []string
	for _, d := range diffs {
		if !d.Ignored {
			all = append(all, d.Path)
		}
	}
	return all
}

func TestValuesThatContainThemselvesComeToAnEnd(t *testing.T) {
	assert.Empty(t, diffNodePointer(newNode(), newNode()))
	other := newNode()
	other.Kids[1].ID = 9
	assert.NotEmpty(t, diffNodePointer(newNode(), other))
}

func TestTagsAreReadWhereOnlyAnIgnoredFieldLeadsBack(t *testing.T) {
	library := func(seen int) *Node {
		a := &Author{Name: "a"}
		a.Books = []*Book{{Title: "b", Seen: seen, By: a}}
		return &Node{Author: a}
	}
	assert.Empty(t, paths(diffNodePointer(library(1), library(2))))
	other := library(1)
	other.Author.Books[0].Title = "z"
	assert.Equal(t, []string{"Author.Books[0].Title"}, paths(diffNodePointer(library(1), other)))
}

func TestListsOfTheOwnTypeAreComparedByFields(t *testing.T) {
	served, other := newNode(), newNode()
	other.Parts[0].Parts[0].ID, other.Parts[0].Noise = 9, 9
	other.Edges[0].Weight = 9
	other.Parent, other.Kids, other.Links, other.Named = nil, nil, nil, nil
	served.Parent, served.Kids, served.Links, served.Named = nil, nil, nil, nil
	served.Edges[0].To, other.Edges[0].To = nil, nil
	assert.Equal(t, []string{"Parts[0].Parts[0].ID", "Edges[0].Weight"}, paths(diffNodePointer(served, other)))
	assert.Empty(t, DiffTree(served.Tree, other.Tree))
	other.Tree[1][0] = Tree{{}}
	assert.NotEmpty(t, DiffTree(served.Tree, other.Tree))
}
