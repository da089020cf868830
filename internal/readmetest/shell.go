package readmetest

import "strings"

// command is one simple command of a shell block: its words, without variables set for it and redirections.
type command struct {
	words []string
	line  int
}

// shellLanguages are the names under which blocks of commands go.
var shellLanguages = map[string]bool{"sh": true, "bash": true, "shell": true, "console": true}

// commands returns the commands of a block. In a console block only lines with a prompt are commands; elsewhere a prompt
// may stand before them.
func (b block) commands() []command {
	var all []command
	var pending string
	start := 0
	for i, line := range strings.Split(b.text, "\n") {
		if pending == "" {
			start = b.line + i
			trimmed := strings.TrimSpace(line)
			prompted, hasPrompt := strings.CutPrefix(trimmed, "$ ")
			if b.language == "console" && !hasPrompt {
				continue
			}
			line = prompted
		}
		if more, continues := strings.CutSuffix(strings.TrimRight(line, " "), `\`); continues {
			pending += more + " "
			continue
		}
		for _, words := range simpleCommands(pending + line) {
			all = append(all, command{words, start})
		}
		pending = ""
	}
	return all
}

// simpleCommands splits a line at ; & && | || and leaves out assignments and redirections.
func simpleCommands(line string) [][]string {
	var all [][]string
	var current []string
	redirected := false
	end := func() {
		if len(current) > 0 {
			all = append(all, current)
		}
		current, redirected = nil, false
	}
	for _, w := range shellWords(line) {
		switch {
		case w.operator && strings.ContainsAny(w.text, "<>"):
			redirected = true
		case w.operator:
			end()
		case redirected:
			redirected = false // the file
		case len(current) == 0 && isAssignment(w.text):
		default:
			current = append(current, w.text)
		}
	}
	end()
	return all
}

type word struct {
	text     string
	operator bool
}

// shellWords splits a line into words and operators, with quotes taken away. A word like <stage>, which readers replace,
// stays a word. What follows a # is a comment.
func shellWords(line string) []word {
	var words []word
	var current strings.Builder
	inWord := false
	end := func() {
		if inWord {
			words = append(words, word{text: current.String()})
		}
		current.Reset()
		inWord = false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\'' || c == '"':
			closing := strings.IndexByte(line[i+1:], c)
			if closing < 0 {
				closing = len(line) - i - 1
			}
			current.WriteString(line[i+1 : min(i+1+closing, len(line))])
			i += closing + 1
			inWord = true
		case c == ' ' || c == '\t':
			end()
		case c == '#' && !inWord:
			end()
			return words
		case c == '<' && placeholder(line[i:]) > 0:
			n := placeholder(line[i:])
			current.WriteString(line[i : i+n])
			i += n - 1
			inWord = true
		case strings.IndexByte(";&|<>()", c) >= 0:
			if c == '<' || c == '>' { // 2>file: the number belongs to the operator
				if n := current.String(); n == "1" || n == "2" {
					current.Reset()
					inWord = false
				}
			}
			end()
			n := 1
			for i+n < len(line) && strings.IndexByte(";&|<>", line[i+n]) >= 0 {
				n++
			}
			words = append(words, word{line[i : i+n], true})
			i += n - 1
		default:
			current.WriteByte(c)
			inWord = true
		}
	}
	end()
	return words
}

// placeholder returns the length of a <word> at the start of s, or 0.
func placeholder(s string) int {
	end := strings.IndexAny(s[1:], " <>|&;")
	if end < 1 || s[1+end] != '>' {
		return 0
	}
	return end + 2
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	if !found || name == "" {
		return false
	}
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || '9' < r) {
			return false
		}
	}
	return true
}
