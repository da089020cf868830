package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestSchemaIsPublishedAsItIs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "crossfade.schema.json")
	if *update {
		require.NoError(t, os.WriteFile(path, Schema(), 0o600))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(Schema()), string(have), "write it again with `go test ./gen/config -update`")
	assert.True(t, strings.HasSuffix(SchemaURL, "/docs/crossfade.schema.json"))
}

// The structs that callers see and the keys that the file takes are the same.
func TestKeysAreTheFieldsOfTheStructs(t *testing.T) {
	for _, c := range []struct {
		structure any
		keys      *object
	}{
		{Config{}, &fileKeys},
		{Entity{}, &entityKeys},
		{Version{}, &versionKeys},
		{GORM{}, &gormKeys},
		{SQLC{}, &sqlcKeys},
	} {
		var fields []string
		for _, field := range reflect.VisibleFields(reflect.TypeOf(c.structure)) {
			if name := field.Tag.Get("yaml"); field.IsExported() && name != "-" {
				fields = append(fields, name)
			}
		}
		assert.ElementsMatch(t, c.keys.names(), fields, c.keys.what)
		for _, k := range c.keys.keys {
			assert.Regexp(t, `^[A-Z].*\.$`, k.doc, k.name)
			assert.True(t, strings.HasPrefix(k.example, k.name+":"), k.name)
		}
	}
}

// What the schema refuses, Load refuses too, and a right file passes both.
func TestSchemaAndLoadAgree(t *testing.T) {
	var s map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &s))
	const entity = "version: 1\nentities:\n  - name: a\n    package: ./a\n    versions:\n      - "
	for _, c := range []struct {
		text         string
		schema, load bool // accepted
	}{
		{shop, true, true},
		{"version: 1\nentities:\n", true, true},
		{"version: 1\nentities: []\n", true, true},
		{"version: 2\nentities: []\n", false, false},
		{"version: 1\n", false, false},
		{"version: 1\nentities: {}\n", false, false},
		{"version: 1\nentities: []\nextra: 1\n", false, false},
		{entity + "{name: v1, package: ./b}\n", true, true},
		{entity + "{name: v1, package: ./b, gorm: {model: A}, sqlc: {package: ./c}}\n", false, false},
		{entity + "{name: v1, package: ./b, methods: {Get: A}}\n", false, false},
		{entity + "{name: v1, package: ./b, sqlc: {package: ./c}, methods: {Get: A}}\n", true, true},
		{entity + "{name: v1, package: ./b, sqlc: {package: ./c}, methods: {Get: a-b}}\n", false, false},
		{entity + "{name: v1, package: ./b, sqlc: {package: ./c}, methods: {0: A}}\n", false, false},
		{entity + "{name: V1, package: ./b}\n", false, false},
		{entity + "{name: v1, package: b}\n", false, false},
		{entity + "{name: v1, package: /b}\n", false, false},
		{entity + "{name: v1, package: ./../b}\n", true, false},
		{entity + "{name: 1, package: ./b}\n", false, false},
		{entity + "{name: v1}\n", false, false},
		{entity + "{name: v1, package: ./b}\n      - {name: v1, package: ./c}\n", true, false},
	} {
		var document any
		require.NoError(t, yaml.Unmarshal([]byte(c.text), &document))
		complaint := violated(s, document)
		assert.Equal(t, c.schema, complaint == "", "schema: %s\n%s", c.text, complaint)
		_, err := Parse(FileName, []byte(c.text))
		assert.Equal(t, c.load, err == nil, "load: %s\n%v", c.text, err)
	}
}

// violated checks a value against those words of JSON Schema that ours uses,
// and returns the first that it violates.
func violated(s map[string]any, value any) string {
	known := []string{
		"$schema", "$id", "title", "description", "type", "const", "pattern", "required", "properties", "additionalProperties",
		"propertyNames", "items", "not", "dependencies",
	}
	for word := range s {
		if !slices.Contains(known, word) {
			return "the test does not know the word " + word
		}
	}
	if want, there := s["type"]; there && !isOf(want, value) {
		return fmt.Sprintf("%v is not of type %v", value, want)
	}
	if want, there := s["const"]; there && fmt.Sprint(want) != fmt.Sprint(value) {
		return fmt.Sprintf("%v is not %v", value, want)
	}
	if pattern, there := s["pattern"].(string); there && !regexp.MustCompile(pattern).MatchString(fmt.Sprint(value)) {
		return fmt.Sprintf("%v does not match %s", value, pattern)
	}
	if not, there := s["not"].(map[string]any); there && violated(not, value) == "" {
		return "what must not be is"
	}
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if complaint := violated(s["items"].(map[string]any), element); complaint != "" {
				return complaint
			}
		}
	case map[string]any:
		return violatedBy(s, value)
	case map[any]any:
		return "a key is no text"
	}
	return ""
}

func violatedBy(s, value map[string]any) string {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, there := value[name.(string)]; !there {
			return fmt.Sprintf("%v is missing", name)
		}
	}
	dependencies, _ := s["dependencies"].(map[string]any)
	for name, needed := range dependencies {
		if _, there := value[name]; !there {
			continue
		}
		if complaint := violatedBy(map[string]any{"required": needed}, value); complaint != "" {
			return complaint
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, element := range value {
		property, there := properties[name].(map[string]any)
		if names, restricted := s["propertyNames"].(map[string]any); restricted {
			if complaint := violated(names, name); complaint != "" {
				return complaint
			}
		}
		if !there {
			switch additional := s["additionalProperties"].(type) {
			case bool:
				return name + " is unknown"
			case map[string]any:
				property = additional
			}
		}
		if complaint := violated(property, element); complaint != "" {
			return complaint
		}
	}
	return ""
}

func isOf(want, value any) bool {
	if several, ok := want.([]any); ok {
		return slices.ContainsFunc(several, func(one any) bool { return isOf(one, value) })
	}
	switch value.(type) {
	case nil:
		return want == "null"
	case string:
		return want == "string"
	case int:
		return want == "integer"
	case []any:
		return want == "array"
	case map[string]any, map[any]any:
		return want == "object"
	}
	return false
}
