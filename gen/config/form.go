package config

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"strings"
)

// form says how a text must look.
type form struct {
	pattern string // for the schema; every text that fits passes it
	check   func(text string) error
}

const namePattern = `^[a-z][a-z0-9_]{0,38}$`

var (
	nameForm   = form{namePattern, checkName}
	folderForm = form{`^\./[^\\]+$|^\.$`, checkFolder}
	goForm     = form{`^[^\s0-9.-][^\s.-]*$`, checkGo}

	nameRule = regexp.MustCompile(namePattern)
	notName  = regexp.MustCompile(`[^a-z0-9]+`)
)

// ValidName returns an error that says how a name of an entity or a version
// must look, and what would do instead; nil for one that does.
func ValidName(text string) error { return checkName(text) }

func checkName(text string) error {
	if nameRule.MatchString(text) {
		return nil
	}
	rule := "a lower-case letter, then up to 38 lower-case letters, digits and underscores"
	better := strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "_"), "_")
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		better = "v" + better
	}
	if nameRule.MatchString(better) {
		return fmt.Errorf("%q cannot be a name, which is %s: write %s", text, rule, better)
	}
	return fmt.Errorf("%q cannot be a name, which is %s", text, rule)
}

func checkFolder(text string) error {
	slashed := strings.ReplaceAll(text, `\`, "/")
	clean := path.Clean(slashed)
	better := written(clean)
	switch {
	case path.IsAbs(clean) || len(clean) > 1 && clean[1] == ':':
		return fmt.Errorf("%q is absolute: name the folder from the one of %s, as in ./internal/customers", text, FileName)
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return fmt.Errorf("%q leads out of the folder of %s: packages lie below it", text, FileName)
	case strings.Contains(clean, ".go") && path.Ext(clean) == ".go":
		return fmt.Errorf("%q is a file: name its folder, %s", text, written(path.Dir(clean)))
	}
	if text != better && text != better+"/" {
		return fmt.Errorf("%q is not written as a folder is here: write %s", text, better)
	}
	return nil
}

// written is how a folder is written in the file.
func written(clean string) string {
	if clean == "." {
		return clean
	}
	return "./" + clean
}

func checkGo(text string) error {
	if token.IsIdentifier(text) {
		return nil
	}
	if _, last, dotted := strings.Cut(text, "."); dotted && token.IsIdentifier(last) {
		return fmt.Errorf("%q is a name with its package: write %s", text, last)
	}
	return fmt.Errorf("%q is no Go name: expected one such as CustomerRow", text)
}
