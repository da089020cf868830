package repo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// CompositeKey joins the texts of a key's parts into one, each with its length
// in bytes in front: "2:eu3:a-7". No two lists of parts have the same text.
// In SQL, for columns a and b: octet_length(a) || ':' || a || octet_length(b)
// || ':' || b, where a and b are the texts of the parts.
func CompositeKey(parts ...string) string {
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(strconv.Itoa(len(part)))
		text.WriteByte(':')
		text.WriteString(part)
	}
	return text.String()
}

// SplitKey takes the text of a [CompositeKey] of n parts apart. Any other text
// is an error, which does not show the text.
func SplitKey(text string, n int) ([]string, error) {
	parts := make([]string, 0, n)
	for rest := text; rest != ""; {
		part, after, err := cutPart(rest)
		if err != nil {
			return nil, fmt.Errorf("split a composite key: part %d: %w", len(parts)+1, err)
		}
		parts, rest = append(parts, part), after
	}
	if len(parts) != n {
		return nil, fmt.Errorf("split a composite key: it has %d parts and not %d", len(parts), n)
	}
	return parts, nil
}

func cutPart(text string) (part, rest string, err error) {
	prefix, rest, ok := strings.Cut(text, ":")
	size, err := strconv.Atoi(prefix)
	switch {
	case !ok || err != nil || strconv.Itoa(size) != prefix || size < 0:
		return "", "", errors.New("no length in front")
	case size > len(rest):
		return "", "", errors.New("shorter than its length says")
	}
	return rest[:size], rest[size:], nil
}

// KeyTexts returns the canonical texts of several keys in a slice of their own.
func KeyTexts[S ~[]E, E any](from S, text func(E) string) []string {
	texts := make([]string, len(from))
	for i, key := range from {
		texts[i] = text(key)
	}
	return texts
}

// KeyError says that the key or the tenant of a call cannot be read from its
// arguments, as a pointer on the way is nil. No side was called.
type KeyError struct {
	Op   Op
	Path string // as the directive has it, such as "c.ID"
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: %s cannot be read: a pointer in the arguments is nil", e.Op, e.Path)
}
