package postgres

import (
	"strings"
	"unicode/utf8"
)

// ControlError says that a statement would begin, commit, roll back or prepare
// a transaction that belongs to somebody else. It was not sent.
type ControlError struct {
	// Statement is the statement's first words: COMMIT, START TRANSACTION.
	Statement string
}

func (e *ControlError) Error() string {
	return e.Statement + " refused: the transaction ends with whoever opened it: " +
		"return an error to have it rolled back, use a SAVEPOINT for a part of it"
}

// RefuseControl returns a [*ControlError] if a statement in sql begins or ends
// a transaction: locks and fence would be gone, and what follows would commit
// by itself. Savepoints pass. A handle asks this before it sends anything.
func RefuseControl(sql string) error {
	for {
		word, rest := firstWord(sql)
		if statement := controls(word, rest); statement != "" {
			return &ControlError{Statement: statement}
		}
		next, more := nextStatement(rest)
		if !more {
			return nil
		}
		sql = next
	}
}

// harmless reports whether sql is one statement that cannot end a transaction that
// was not begun by BEGIN, and needs none: not a procedure, a DO block or VACUUM.
func harmless(sql string) bool {
	word, rest := firstWord(sql)
	for _, p := range [...]string{"insert", "update", "delete", "select", "with", "merge", "values"} {
		if strings.EqualFold(word, p) {
			_, more := nextStatement(rest)
			return !more
		}
	}
	return false
}

// controls names the statement if it controls a transaction.
func controls(word, rest string) string {
	if len(word) < len("end") || len(word) > len("rollback") {
		return ""
	}
	switch word = strings.ToUpper(word); word {
	case "BEGIN", "COMMIT", "END", "ABORT":
		return word
	case "START", "PREPARE":
		if next, _ := firstWord(rest); strings.EqualFold(next, "transaction") {
			return word + " TRANSACTION"
		}
	case "ROLLBACK":
		next, rest := firstWord(rest)
		if strings.EqualFold(next, "work") || strings.EqualFold(next, "transaction") {
			next, _ = firstWord(rest)
		}
		if !strings.EqualFold(next, "to") {
			return word
		}
	}
	return ""
}

// firstWord returns the first word of sql, past white space and comments, and
// what follows it. What is no word, such as a parenthesis, is an empty one.
func firstWord(sql string) (word, rest string) {
	sql = skipSpace(sql)
	n := 0
	for n < len(sql) && isLetter(sql[n]) {
		n++
	}
	return sql[:n], sql[n:]
}

func isLetter(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}

func skipSpace(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f\v")
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			sql = skipComment(sql)
		default:
			return sql
		}
	}
}

// skipComment skips a block comment; PostgreSQL's nest.
func skipComment(sql string) string {
	depth := 0
	for i := 0; i+1 < len(sql); i++ {
		switch sql[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return sql[i+1:]
		}
	}
	return ""
}

// nextStatement returns what follows the statement that sql is in the middle
// of, and whether anything does. Most statements have no semicolon at all.
func nextStatement(sql string) (rest string, more bool) {
	if strings.IndexByte(sql, ';') < 0 {
		return "", false
	}
	for sql != "" {
		switch c := sql[0]; {
		case c == ';':
			rest = skipSpace(sql[1:])
			return rest, rest != ""
		case c == '\'':
			sql = skipQuoted(sql, false)
		case c == '"':
			sql = skipQuoted(sql, false)
		case (c == 'e' || c == 'E') && len(sql) > 1 && sql[1] == '\'':
			sql = skipQuoted(sql[1:], true)
		case c == '$':
			sql = skipDollarQuoted(sql)
		case strings.HasPrefix(sql, "--"), strings.HasPrefix(sql, "/*"):
			sql = skipSpace(sql)
		case isLetter(c):
			sql = skipIdentifier(sql)
		default:
			sql = sql[1:]
		}
	}
	return "", false
}

// skipIdentifier skips a name or key word, in which a dollar quotes nothing.
func skipIdentifier(sql string) string {
	n := 1
	for n < len(sql) && (isLetter(sql[n]) || sql[n] == '$' || sql[n] >= '0' && sql[n] <= '9') {
		n++
	}
	return sql[n:]
}

// skipQuoted skips what stands between two quotes of the kind that sql begins
// with; a doubled one closes and opens again, which comes to the same.
func skipQuoted(sql string, escapes bool) string {
	quote := sql[0]
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == quote:
			return sql[i+1:]
		case sql[i] == '\\' && escapes:
			i++
		}
	}
	return ""
}

// skipDollarQuoted skips $tag$ ... $tag$, or the dollar of a parameter.
func skipDollarQuoted(sql string) string {
	n := 1
	for n < len(sql) && (isLetter(sql[n]) || n > 1 && sql[n] >= '0' && sql[n] <= '9') {
		n++
	}
	if n == len(sql) || sql[n] != '$' {
		return sql[1:]
	}
	tag := sql[:n+1]
	if end := strings.Index(sql[len(tag):], tag); end >= 0 {
		return sql[len(tag)+end+len(tag):]
	}
	return ""
}
