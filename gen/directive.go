package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// The verbs of directives.
const (
	verbEntity = "entity"
	verbRead   = "read"
	verbList   = "list"
	verbLock   = "lock"
	verbWrite  = "write"
	verbCreate = "create"
	verbStream = "stream"
)

// grammar says which words each verb takes: "name=" with a value, "name" without.
var grammar = map[string][]string{
	verbEntity: {"name=", "notfound=", "tenant=", "get=", "put=", "delete=", "keys="},
	verbRead:   {"key=", "keys=", "tenant=", "unordered", "by="},
	verbList:   {"tenant=", "unordered", "by="},
	verbLock:   {"key=", "keys=", "all", "tenant="},
	verbWrite:  {"key=", "keys=", "all", "tenant="},
	verbCreate: {"key=", "keys=", "tenant="},
	verbStream: {"tenant="},
}

var verbs = []string{verbEntity, verbRead, verbList, verbLock, verbWrite, verbCreate, verbStream}

const marker = "//crossfade:"

// almostMarker matches comments that were meant as directives and are none.
var almostMarker = regexp.MustCompile(`^(//\s+|/\*\s*)crossfade:\w`)

// directive is one //crossfade: line.
type directive struct {
	verb string
	args []arg
	pos  token.Position
	used bool // it stands where a directive of its verb belongs
}

type arg struct{ name, value string }

// get returns the value of the named argument.
func (d *directive) get(name string) (string, bool) {
	for _, a := range d.args {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

func (d *directive) has(name string) bool {
	_, ok := d.get(name)
	return ok
}

// parseDirective reads one comment; ok is false where it is no directive.
func parseDirective(text string, pos token.Position) (d *directive, ok bool, err error) {
	if almostMarker.MatchString(text) {
		return nil, false, fmt.Errorf("this comment is no directive: write %s without a space before it", marker)
	}
	rest, ok := strings.CutPrefix(text, marker)
	if !ok {
		return nil, false, nil
	}
	rest, _, _ = strings.Cut(rest, " //")
	words := strings.Fields(rest)
	if len(words) == 0 || strings.HasPrefix(rest, " ") {
		return nil, false, fmt.Errorf("%s without a verb: use one of %s", marker, strings.Join(verbs, ", "))
	}
	d = &directive{verb: words[0], pos: pos}
	allowed, known := grammar[d.verb]
	if !known {
		return nil, false, fmt.Errorf("unknown directive %s%s: use one of %s", marker, d.verb, strings.Join(verbs, ", "))
	}
	for _, word := range words[1:] {
		a, err := parseArg(d, word, allowed)
		if err != nil {
			return nil, false, err
		}
		d.args = append(d.args, a)
	}
	return d, true, nil
}

func parseArg(d *directive, word string, allowed []string) (arg, error) {
	name, value, valued := strings.Cut(word, "=")
	form := name
	if valued {
		form += "="
	}
	other := name + "="
	if valued {
		other = name
	}
	repeats := (name == "key" || name == "keys") && d.verb != verbEntity
	switch {
	case slices.Contains(allowed, other) && !valued:
		return arg{}, fmt.Errorf("%s%s: %s needs a value, as in %s=VALUE", marker, d.verb, name, name)
	case slices.Contains(allowed, other):
		return arg{}, fmt.Errorf("%s%s: %s takes no value", marker, d.verb, name)
	case !slices.Contains(allowed, form):
		return arg{}, fmt.Errorf("%s%s: unknown word %q: it takes %s", marker, d.verb, word, listWords(allowed))
	case valued && value == "":
		return arg{}, fmt.Errorf("%s%s: %s= is empty", marker, d.verb, name)
	case d.has(name) && !repeats:
		return arg{}, fmt.Errorf("%s%s: %s is there twice", marker, d.verb, name)
	}
	return arg{name, value}, nil
}

func listWords(words []string) string {
	shown := make([]string, len(words))
	for i, w := range words {
		if strings.HasSuffix(w, "=") {
			w += "..."
		}
		shown[i] = w
	}
	return strings.Join(shown, ", ")
}

// directives holds the directives of one package by the position of their comments.
type directives map[token.Pos]*directive

// scanDirectives reads every comment of a file.
func (ds directives) scan(fset *token.FileSet, file *ast.File, ps *problems) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			pos := fset.Position(c.Pos())
			d, ok, err := parseDirective(c.Text, pos)
			switch {
			case err != nil:
				ps.add(pos, "", "%v", err)
			case ok:
				ds[c.Pos()] = d
			}
		}
	}
}

// of returns the directives in a doc comment.
func (ds directives) of(doc *ast.CommentGroup) []*directive {
	if doc == nil {
		return nil
	}
	var found []*directive
	for _, c := range doc.List {
		if d := ds[c.Pos()]; d != nil {
			found = append(found, d)
		}
	}
	return found
}

// use marks the directives between two positions as read.
func (ds directives) use(from, to token.Pos) {
	for pos, d := range ds {
		if from <= pos && pos < to {
			d.used = true
		}
	}
}

// strays reports the directives that stand where nothing reads them.
func (ds directives) strays(ps *problems) {
	for _, d := range ds {
		switch {
		case d.used:
		case d.verb == verbEntity:
			ps.add(d.pos, "", "%s%s stands above no interface: put it into the comment directly above a type declaration", marker, d.verb)
		default:
			ps.add(d.pos, "", "%s%s belongs to no method of an annotated interface: put it directly above the method, and %s%s above the interface",
				marker, d.verb, marker, verbEntity)
		}
	}
}
