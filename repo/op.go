package repo

import "fmt"

// GeneratedV1 is the contract between generated code and this package. Code
// generated for another contract does not compile.
const GeneratedV1 = 1

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	KindRead   Kind = iota + 1 // reads the rows of named keys
	KindList                   // reads rows by predicate
	KindLock                   // reads and locks named keys until the transaction ends
	KindWrite                  // writes named keys, or by predicate
	KindCreate                 // inserts rows whose keys the database makes
	KindStream                 // hands out rows while it reads them
)

var kindNames = [...]string{"none", "read", "list", "lock", "write", "create", "stream"}

// String returns the kind's name as directives write it.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Op describes one method of a repository. Generated code holds one per method.
type Op struct {
	Entity string
	Method string
	Kind   Kind
	// Queue says that a write returns nothing but an error, so that the statements
	// of the side with authority may wait and travel with the fence, the other
	// side's and COMMIT. Those of the side without authority may in any case: its
	// result is not looked at.
	Queue bool
	// CloneArgs says that the arguments hold memory that a side could change:
	// a second call gets a deep copy.
	CloneArgs bool
	// CloneResult says the same of the result, which the caller may change
	// while it is still to be compared.
	CloneResult bool
}

// String returns "Entity.Method".
func (o Op) String() string { return o.Entity + "." + o.Method }

// Keys names the keys that an operation touches, by their canonical text. The
// zero value names none.
type Keys struct {
	one  string
	many []string
	form keysForm
}

type keysForm uint8

const (
	keysNone keysForm = iota
	keysOne
	keysMany
	keysAll
)

// Key names one key.
func Key(text string) Keys { return Keys{one: text, form: keysOne} }

// KeyList names several keys. The slice must not change while the operation runs.
func KeyList(texts []string) Keys { return Keys{many: texts, form: keysMany} }

// AllKeys names every key of the tenant: lists and writes by predicate.
func AllKeys() Keys { return Keys{form: keysAll} }

// All reports whether every key of the tenant is meant.
func (k Keys) All() bool { return k.form == keysAll }

// List returns the named keys; nil where all or none are meant.
func (k Keys) List() []string {
	switch k.form {
	case keysOne:
		return []string{k.one}
	case keysMany:
		return k.many
	}
	return nil
}

// Only returns the key where just one is named, and else "".
func (k Keys) Only() string {
	if list := k.many; k.form == keysMany && len(list) == 1 {
		return list[0]
	}
	return k.one
}

// Text returns the keys as one line for records of mismatches.
func (k Keys) Text() string {
	switch {
	case k.form == keysOne:
		return k.one
	case k.form == keysMany && len(k.many) == 1:
		return k.many[0]
	case k.form == keysMany && len(k.many) > 1:
		return fmt.Sprintf("%s and %d more", k.many[0], len(k.many)-1)
	}
	return "*"
}

// NoArgs is the argument of operations that have none besides ctx and tenant.
type NoArgs struct{}

// SoleTenant is the tenant of entities that have no tenant parameter.
const SoleTenant = "default"
