package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/versions"
)

// VersionError says that a program and a ledger do not fit each other.
type VersionError struct {
	// Have is the ledger's version; zero means that there is no ledger.
	Have int64
	// Want is the version that this program was built for.
	Want int64
	// Err is what a statement met that found no ledger, or nil.
	Err error
}

// Unwrap returns what a statement met.
func (e *VersionError) Unwrap() error { return e.Err }

// Absent reports whether there is no ledger at all.
func (e *VersionError) Absent() bool { return e.Have == 0 }

func (e *VersionError) Error() string {
	switch {
	case e.Absent():
		return "ledger: there is none in this database: run `crossfade init`, or check the DSN"
	case e.Have < e.Want:
		return fmt.Sprintf("ledger: version %d is older than this program, which needs %d: run `crossfade init` to upgrade it", e.Have, e.Want)
	}
	return fmt.Sprintf("ledger: version %d is newer than this program, which knows %d: upgrade the program", e.Have, e.Want)
}

// UnknownMigrationError says that the ledger holds no migration of that name.
type UnknownMigrationError struct {
	Name  string
	Known []string
}

func (e *UnknownMigrationError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("migration %q is not in the ledger, which holds none yet: register it first", e.Name)
	}
	return fmt.Sprintf("migration %q is not in the ledger: known are %s", e.Name, strings.Join(e.Known, ", "))
}

// DefinitionError says that a migration was registered before with another
// definition. Nothing was changed.
type DefinitionError struct {
	Have, Want         versions.Migration
	HaveSalt, WantSalt string
}

func (e *DefinitionError) Error() string {
	var differing []string
	add := func(what, have, want string) {
		if have != want {
			differing = append(differing, fmt.Sprintf("%s is %q in the ledger and %q here", what, have, want))
		}
	}
	add("entity", e.Have.Entity, e.Want.Entity)
	add("from", e.Have.From, e.Want.From)
	add("to", e.Have.To, e.Want.To)
	add("salt", e.HaveSalt, e.WantSalt)
	return fmt.Sprintf("register %s: it was registered with another definition (%s): give the new one another name", e.Want.Name, strings.Join(differing, "; "))
}

// ChainError says that a migration comes too late: another one of the entity
// has gone on from the version that it leads to. Nothing was changed.
type ChainError struct {
	Migration versions.Migration
	Following string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("register %s: it leads from %s to %s, and %s, which goes on from %s, has left old already: register migrations in the order of the versions, or step %s down to old first",
		e.Migration.Name, e.Migration.From, e.Migration.To, e.Following, e.Migration.To, e.Following)
}

// ConflictError says that somebody else changed a migration's policy first.
// Nothing was changed by the caller: look at the other's change and decide again.
type ConflictError struct {
	Migration string
	Expected  int64 // the epoch that the caller's change was made for
	Epoch     int64 // the epoch in force
	Other     Entry // the newest change of the other; zero when history lost it
}

func (e *ConflictError) Error() string {
	text := fmt.Sprintf("%s: somebody else changed the policy first: epoch %d is in force, not %d", e.Migration, e.Epoch, e.Expected)
	if e.Other.Actor == "" {
		return text
	}
	text += fmt.Sprintf(" (%s by %s at %s: %s)", e.Other.Kind, e.Other.Actor, e.Other.At.UTC().Format(time.RFC3339), e.Other.Change())
	if e.Other.Reason != "" {
		text += fmt.Sprintf(", because %q", e.Other.Reason)
	}
	return text
}

// InputError says that an argument cannot be used. Nothing was changed.
type InputError struct {
	Operation string
	Problem   string
}

func (e *InputError) Error() string { return e.Operation + ": " + e.Problem }
