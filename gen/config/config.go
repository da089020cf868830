package config

import (
	"go/token"
	"path/filepath"
)

// FileName is what the file is called.
const FileName = "crossfade.yaml"

// Config is a crossfade.yaml that was read. It is never changed afterwards, and
// may be used by any number of goroutines.
type Config struct {
	// Path is the file as it was named to [Load].
	Path string `yaml:"-"`
	// Entities are in the order of the file.
	Entities []Entity `yaml:"entities"`

	// Version is the version of the file's format, 1.
	Version int `yaml:"version"`

	source []byte
}

// Entity is what the application reads and writes.
type Entity struct {
	// Pos is where the entity begins.
	Pos token.Position `yaml:"-"`
	// Name is what the ledger calls it.
	Name Text `yaml:"name"`
	// Package is the folder with the annotated interface.
	Package Text `yaml:"package"`
	// Interface is the interface's name; not set where the package has one.
	Interface Text `yaml:"interface"`
	// Versions are in the order of the file, oldest first. There may be none.
	Versions []Version `yaml:"versions"`
}

// Version is one representation of an entity in the database. It is over sqlc,
// or over GORM, or, with neither, written by hand.
type Version struct {
	// Pos is where the version begins.
	Pos token.Position `yaml:"-"`
	// Name is the version's, such as v2.
	Name Text `yaml:"name"`
	// Package is the folder of the version's Go package, which no other version
	// shares.
	Package Text `yaml:"package"`
	// GORM is nil unless the version is over a GORM model.
	GORM *GORM `yaml:"gorm"`
	// SQLC is nil unless the version is over sqlc's queries.
	SQLC *SQLC `yaml:"sqlc"`
	// Methods are the pairs that names alone do not find, in the order of the
	// file. There are none unless SQLC is set.
	Methods []Pair `yaml:"methods"`
}

// GORM says which model a version is over.
type GORM struct {
	Pos token.Position `yaml:"-"`
	// Model is a type of the version's package.
	Model Text `yaml:"model"`
}

// SQLC says which queries a version is over.
type SQLC struct {
	Pos token.Position `yaml:"-"`
	// Package is the folder that sqlc generates.
	Package Text `yaml:"package"`
}

// Pair is a method of the interface and the query that answers it.
type Pair struct{ Method, Query Text }

// Text is a value and where it stands.
type Text struct {
	Value string
	// Pos is where the value begins. Its file name is [Config.Path].
	Pos token.Position
}

// Set tells whether the file has the value.
func (t Text) Set() bool { return t.Value != "" }

// String returns the value.
func (t Text) String() string { return t.Value }

// Dir is the folder of the file, from which packages are named.
func (c *Config) Dir() string { return filepath.Dir(c.Path) }

// Folder returns where the folder of a package is: as [Config.Path] is
// relative or absolute, so is the folder.
func (c *Config) Folder(pkg Text) string {
	return filepath.Join(c.Dir(), filepath.FromSlash(pkg.Value))
}

// Entity returns the entity with a name.
func (c *Config) Entity(name string) (Entity, bool) {
	for _, e := range c.Entities {
		if e.Name.Value == name {
			return e, true
		}
	}
	return Entity{}, false
}

// Version returns the version with a name.
func (e Entity) Version(name string) (Version, bool) {
	for _, v := range e.Versions {
		if v.Name.Value == name {
			return v, true
		}
	}
	return Version{}, false
}

// Query returns the query that the file pairs with a method.
func (v Version) Query(method string) (Text, bool) {
	for _, pair := range v.Methods {
		if pair.Method.Value == method {
			return pair.Query, true
		}
	}
	return Text{}, false
}
