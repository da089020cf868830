// Package versions names the schema versions of an entity and the migrations
// between them.
//
// It holds names and checks them; it knows no database, no flags and no
// generated code.
package versions

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Registry is the ordered list of an entity's versions. Make one with [New];
// it never changes and may be used by any number of goroutines.
type Registry struct {
	entity   string
	versions []string
}

// Migration is one named move of one entity from one version to the next.
type Migration struct {
	// Name is the flag's key and the ledger's name, such as "customers-v2".
	Name   string
	Entity string
	From   string
	To     string
}

// Kind is what is wrong with a registry.
type Kind string

// The kinds of errors.
const (
	KindName      Kind = "name"      // a name that cannot be one, or none
	KindUnknown   Kind = "unknown"   // a version that is not registered
	KindDuplicate Kind = "duplicate" // named twice, or two ways from one version or to one
	KindGap       Kind = "gap"       // a version is skipped, or no migration leads on
	KindCycle     Kind = "cycle"     // a way back
	KindMissing   Kind = "missing"   // a version that nothing makes
)

// Error names the entity and what is wrong with its versions.
type Error struct {
	Entity string
	Kind   Kind
	// From and To are the ends of the move that is wrong, where there is one.
	From, To string
	Problem  string
}

func (e *Error) Error() string { return fmt.Sprintf("versions of %s: %s", e.Entity, e.Problem) }

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,38}$`)

// New returns the registry of an entity with its versions from oldest to
// newest. Names begin with a lower-case letter and go on with lower-case
// letters, digits and underscores, 39 characters at most; a bad or repeated
// name, or fewer than one version, is an [*Error].
func New(entity string, versions ...string) (*Registry, error) {
	bad := func(format string, args ...any) error {
		return &Error{Entity: entity, Kind: KindName, Problem: fmt.Sprintf(format, args...)}
	}
	if !nameForm.MatchString(entity) {
		return nil, bad("the entity's name must match %s", nameForm)
	}
	if len(versions) == 0 {
		return nil, bad("name at least one version")
	}
	for i, v := range versions {
		if !nameForm.MatchString(v) {
			return nil, bad("version %q must match %s", v, nameForm)
		}
		if slices.Contains(versions[:i], v) {
			return nil, &Error{Entity: entity, Kind: KindDuplicate, From: v, To: v, Problem: fmt.Sprintf("version %q is named twice", v)}
		}
	}
	return &Registry{entity: entity, versions: slices.Clone(versions)}, nil
}

// Must returns r, and panics when err is not nil: for registries written down
// in a program's source.
func Must(r *Registry, err error) *Registry {
	if err != nil {
		panic(err)
	}
	return r
}

// Entity returns the entity's name.
func (r *Registry) Entity() string { return r.entity }

// Versions returns the versions from oldest to newest.
func (r *Registry) Versions() []string { return slices.Clone(r.versions) }

// Migration returns the move from one version to the next one in the list. A
// move that is unknown, backwards or skips a version is an [*Error].
func (r *Registry) Migration(from, to string) (Migration, error) {
	i, j := slices.Index(r.versions, from), slices.Index(r.versions, to)
	bad := func(kind Kind, format string, args ...any) (Migration, error) {
		return Migration{}, &Error{Entity: r.entity, Kind: kind, From: from, To: to, Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case i < 0:
		return bad(KindUnknown, "version %q is not registered: known are %s", from, strings.Join(r.versions, ", "))
	case j < 0:
		return bad(KindUnknown, "version %q is not registered: known are %s", to, strings.Join(r.versions, ", "))
	case j <= i:
		return bad(KindCycle, "a migration leads from one version to the next: %s to %s does not, the order is %s", from, to, strings.Join(r.versions, ", "))
	case j != i+1:
		return bad(KindGap, "a migration leads from one version to the next: %s to %s does not, the order is %s", from, to, strings.Join(r.versions, ", "))
	}
	return Migration{Name: r.entity + "-" + to, Entity: r.entity, From: from, To: to}, nil
}

// Migrations returns the moves from version to version, oldest first: none for
// one version alone.
func (r *Registry) Migrations() []Migration {
	var all []Migration
	for i := 1; i < len(r.versions); i++ {
		m, _ := r.Migration(r.versions[i-1], r.versions[i]) // they are next to each other
		all = append(all, m)
	}
	return all
}

// Last returns the move from the newest version but one to the newest. With
// one version there is none, which is an [*Error].
func (r *Registry) Last() (Migration, error) {
	n := len(r.versions)
	if n < 2 {
		return Migration{}, &Error{Entity: r.entity, Kind: KindMissing, Problem: "one version alone has no migration: register the next one"}
	}
	return r.Migration(r.versions[n-2], r.versions[n-1])
}
