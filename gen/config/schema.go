package config

import (
	"bytes"
	"encoding/json"
)

// SchemaURL is where the file's JSON Schema is published. The first line of a
// crossfade.yaml names it to editors:
//
//	# yaml-language-server: $schema=...
const SchemaURL = "https://raw.githubusercontent.com/crossfade-db/crossfade/main/docs/crossfade.schema.json"

// schema is the part of JSON Schema, draft 7, that is needed here.
type schema struct {
	Schema       string              `json:"$schema,omitempty"`
	ID           string              `json:"$id,omitempty"`
	Title        string              `json:"title,omitempty"`
	Description  string              `json:"description,omitempty"`
	Type         any                 `json:"type,omitempty"` // one or several
	Const        int                 `json:"const,omitempty"`
	Pattern      string              `json:"pattern,omitempty"`
	Required     []string            `json:"required,omitempty"`
	Properties   map[string]*schema  `json:"properties,omitempty"`
	Additional   any                 `json:"additionalProperties,omitempty"` // false, or what they are
	Names        *schema             `json:"propertyNames,omitempty"`
	Items        *schema             `json:"items,omitempty"`
	Not          *schema             `json:"not,omitempty"`
	Dependencies map[string][]string `json:"dependencies,omitempty"`
}

// Schema returns the JSON Schema of the file, for editors: what keys there are,
// what they mean and how their values look. [Load] finds more.
func Schema() []byte {
	s := fileKeys.schema()
	s.Schema, s.ID, s.Title = "http://json-schema.org/draft-07/schema#", SchemaURL, FileName
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		panic("crossfade: " + err.Error()) // types of this package marshal
	}
	return text.Bytes()
}

func (o *object) schema() *schema {
	s := &schema{Description: o.doc, Type: "object", Properties: map[string]*schema{}, Additional: false}
	for _, k := range o.keys {
		s.Properties[k.name] = k.schema()
		if k.required {
			s.Required = append(s.Required, k.name)
		}
	}
	if o == &versionKeys {
		s.Not = &schema{Required: []string{"gorm", "sqlc"}}
		s.Dependencies = map[string][]string{"methods": {"sqlc"}}
	}
	return s
}

func (k key) schema() *schema {
	var s *schema
	switch v := k.value; {
	case v.object != nil:
		s = v.object.schema()
	case v.list != nil:
		s = &schema{Type: []string{"array", "null"}, Items: v.list.schema()}
	case v.pairs:
		s = &schema{Type: "object", Names: &schema{Pattern: goForm.pattern}, Additional: &schema{Type: "string", Pattern: goForm.pattern}}
	case v.form != nil:
		s = &schema{Type: "string", Pattern: v.form.pattern}
	default:
		s = &schema{Type: "integer", Const: v.constant}
	}
	s.Description = k.doc
	return s
}
