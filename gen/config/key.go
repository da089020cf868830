package config

import (
	"slices"
	"strings"
)

// object says which keys a mapping takes, and what each means. The reader and
// the JSON Schema both go by it.
type object struct {
	what string // as in "unknown key of an entity"
	doc  string
	keys []key
}

type key struct {
	name     string
	required bool
	doc      string
	example  string // the smallest right line
	value    value
}

// value is what stands behind a key.
type value struct {
	constant int     // a number that it must be; otherwise:
	form     *form   // a text
	object   *object // a mapping
	list     *object // a list of mappings
	pairs    bool    // a mapping from methods to queries
}

var fileKeys = object{
	what: "crossfade.yaml", doc: "The entities of an application and the versions of each, read by crossfade gen.",
	keys: []key{
		{"version", true, "The version of this file's format: 1.", "version: 1", value{constant: 1}},
		{"entities", true, "What the application reads and writes through annotated interfaces.", "entities: []", value{list: &entityKeys}},
	},
}

var entityKeys = object{
	what: "an entity", doc: "What the application reads and writes: a domain struct and its annotated interface.",
	keys: []key{
		{"name", true, "What the ledger calls the entity: the name= of its //crossfade:entity line. Migrations are named after it, such as customers-v2.", "name: customers", value{form: &nameForm}},
		{"package", true, "The folder of the package with the annotated interface, from this file's folder.", "package: ./internal/customers", value{form: &folderForm}},
		{"interface", false, "The annotated interface. May be left out where the package has one.", "interface: Customers", value{form: &goForm}},
		{"versions", true, "The schema versions of the entity, oldest first. Each next to its neighbour is a migration: customers-v2 leads from v1 to v2.", "versions: []", value{list: &versionKeys}},
	},
}

var versionKeys = object{
	what: "a version", doc: "One representation of the entity in the database: over sqlc's queries, over a GORM model, or, with neither, written by hand.",
	keys: []key{
		{"name", true, "The version's name, such as v2.", "name: v2", value{form: &nameForm}},
		{"package", true, "The folder of the version's own Go package, from this file's folder: customers_version.go is generated there.", "package: ./internal/customers/v2", value{form: &folderForm}},
		{"gorm", false, "Get, put, delete and keys are generated over a GORM model of the version's package.", "gorm: {model: CustomerRow}", value{object: &gormKeys}},
		{"sqlc", false, "Methods are generated over the queries of a package that sqlc generates.", "sqlc: {package: ./internal/customers/v2/queries}", value{object: &sqlcKeys}},
		{"methods", false, "Which query answers a method, where names alone do not say so: Get is answered by Get or GetCustomer without being named here.", "methods: {Get: GetCustomerByID}", value{pairs: true}},
	},
}

var gormKeys = object{
	what: "gorm", doc: "The GORM model that holds the entity.",
	keys: []key{
		{"model", true, "A GORM model, a type of the version's package.", "model: CustomerRow", value{form: &goForm}},
	},
}

var sqlcKeys = object{
	what: "sqlc", doc: "The queries that hold the entity.",
	keys: []key{
		{"package", true, "The folder that sqlc generates (out in sqlc.yaml), from this file's folder.", "package: ./internal/customers/v2/queries", value{form: &folderForm}},
	},
}

// find returns a key by its name.
func (o *object) find(name string) (key, bool) {
	at := slices.IndexFunc(o.keys, func(k key) bool { return k.name == name })
	if at < 0 {
		return key{}, false
	}
	return o.keys[at], true
}

// names lists the keys.
func (o *object) names() []string {
	names := make([]string, len(o.keys))
	for i, k := range o.keys {
		names[i] = k.name
	}
	return names
}

// Nearest returns the one of the names that was probably meant by a word, or "".
func Nearest(word string, names []string) string {
	best, least := "", len(word)/2+1
	for _, name := range names {
		d := distance(strings.ToLower(word), strings.ToLower(name))
		if d < least && d <= 3 {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters are put in, left out, replaced or swapped with
// their neighbour between two words (Levenshtein's, with Damerau's swap).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range t {
		d[0][j+1] = j + 1
	}
	for i := range s {
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			d[i+1][j+1] = min(d[i][j+1]+1, d[i+1][j]+1, d[i][j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}
