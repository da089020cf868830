package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/gen/internal/yamllist"
)

// NewEntity is an entity as it is added to a file.
type NewEntity struct{ Name, Package, Interface string }

// NewVersion is a version as it is added to a file. Model or Queries is empty,
// or both are.
type NewVersion struct {
	Name, Package string
	// Model is a GORM model of the package.
	Model string
	// Queries is the folder that sqlc generates.
	Queries string
}

// Element is the entity as an element of the list of entities.
func (e NewEntity) Element() string {
	text := fmt.Sprintf("- name: %s\n  package: %s\n", e.Name, e.Package)
	if e.Interface != "" {
		text += fmt.Sprintf("  interface: %s\n", e.Interface)
	}
	return text + "  versions: # oldest first\n"
}

// Element is the version as an element of a list of versions.
func (v NewVersion) Element() string {
	text := fmt.Sprintf("- name: %s\n  package: %s\n", v.Name, v.Package)
	if v.Model != "" {
		text += fmt.Sprintf("  gorm: {model: %s}\n", v.Model)
	}
	if v.Queries != "" {
		text += fmt.Sprintf("  sqlc: {package: %s}\n", v.Queries)
	}
	return text
}

// AddEntity returns the file's text with one more entity, at the end. All else
// stays byte for byte as it is.
func (c *Config) AddEntity(e NewEntity) ([]byte, error) {
	after, err := yamllist.Append(c.source, e.Element(), "entities")
	return c.edited(after, err, "entities", e.Element())
}

// AddVersion returns the file's text with one more version of an entity, behind
// those that it has. All else stays byte for byte as it is.
func (c *Config) AddVersion(entity string, v NewVersion) ([]byte, error) {
	at := slices.IndexFunc(c.Entities, func(e Entity) bool { return e.Name.Value == entity })
	if at < 0 {
		return nil, fmt.Errorf("%s has no entity %s", FileName, entity)
	}
	after, err := yamllist.Append(c.source, v.Element(), "entities", at, "versions")
	return c.edited(after, err, "versions of "+entity, v.Element())
}

// edited checks a text that was made of the file's.
func (c *Config) edited(after []byte, err error, list, element string) ([]byte, error) {
	if errors.Is(err, yamllist.ErrForm) {
		return nil, fmt.Errorf("%s: the %s cannot be added to, since %w: add this yourself:\n\n%s", c.Path, list, err, strings.TrimRight(element, "\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	if _, err := Parse(c.Path, after); err != nil {
		return nil, err
	}
	return after, nil
}

// Source returns the text that was read.
func (c *Config) Source() []byte { return slices.Clone(c.source) }
