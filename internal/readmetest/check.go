package readmetest

import (
	"fmt"
	"go/format"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// checker checks documents against the module in a folder.
type checker struct {
	root   string // the module's folder
	module string // its path
	// help runs the program of a package of the module (by its path in the module) with arguments and --help, and
	// returns what it prints. An error means that it does not accept them.
	help func(pkg string, args []string) (string, error)
	// compile builds a Go file as if it lay in a folder of its own below dir, which is a path in the module.
	compile func(dir, source string) error
}

// commandPackage is where the command line lives.
const commandPackage = "cmd/crossfade"

// problems returns what is wrong with a document: one sentence each, with the line.
func (c *checker) problems(name, text string) []string {
	d := parse(text)
	var broken []string
	report := func(line int, err error) {
		if err != nil {
			broken = append(broken, fmt.Sprintf("%s:%d: %v", name, line, err))
		}
	}
	for _, b := range d.blocks {
		switch {
		case b.language == "go":
			report(b.line, c.goBlock(b))
		case shellLanguages[b.language]:
			for _, command := range b.commands() {
				report(command.line, c.command(command.words))
			}
		}
	}
	for _, l := range d.links {
		report(l.line, c.link(name, l.target, d))
	}
	return broken
}

var (
	program   = regexp.MustCompile(`(?m)\A(?:\s*//.*\n|\s*\n)*package\s+\w+`)
	compileIn = regexp.MustCompile(`^compiled in:? *(\S+)$`)
)

// goBlock compiles a complete file; of anything less it asks that it is Go. A comment "compiled in: examples/shop" on
// the line before the block says below which folder, so that it may use that folder's internal packages.
func (c *checker) goBlock(b block) error {
	if !isProgram(b) {
		if _, err := format.Source([]byte(b.text)); err != nil {
			return fmt.Errorf("is no Go (leave out by comments, not by dots): %w", err)
		}
		return nil
	}
	dir := "."
	if m := compileIn.FindStringSubmatch(b.note); m != nil {
		dir = m[1]
	}
	if err := c.compile(dir, b.text); err != nil {
		return fmt.Errorf("does not compile: %w", err)
	}
	return nil
}

func isProgram(b block) bool { return b.language == "go" && program.MatchString(b.text) }

// command checks one simple command. Programs that are not ours are taken to exist.
func (c *checker) command(words []string) error {
	name, args := words[0], words[1:]
	switch {
	case name == "make":
		return c.makeCommand(args)
	case name == "go":
		return c.goCommand(args)
	case name == "crossfade" || name == "bin/crossfade" || name == "./bin/crossfade":
		return c.ourCommand(args)
	case strings.HasPrefix(name, "./") || strings.HasPrefix(name, "scripts/") || strings.HasPrefix(name, ".ci/"):
		return c.script(name)
	}
	return nil
}

func (c *checker) script(name string) error {
	info, err := os.Stat(filepath.Join(c.root, name))
	if err != nil {
		return fmt.Errorf("%s does not exist", name)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s cannot be run", name)
	}
	return nil
}

var makeTarget = regexp.MustCompile(`(?m)^([A-Za-z0-9][A-Za-z0-9_ -]*):(?:[^=]|$)`)

func (c *checker) makeCommand(args []string) error {
	makefile, err := os.ReadFile(filepath.Join(c.root, "Makefile"))
	if err != nil {
		return fmt.Errorf("make: %w", err)
	}
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, strings.Fields(m[1])...)
	}
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") || isAssignment(arg) {
			continue
		}
		if !slices.Contains(targets, arg) {
			return fmt.Errorf("make %s: the Makefile has no such target", arg)
		}
	}
	return nil
}

// goCommand checks go run with all arguments, and the packages that other go commands name.
func (c *checker) goCommand(args []string) error {
	if len(args) == 0 {
		return nil
	}
	verb, rest := args[0], args[1:]
	if verb == "tool" && len(rest) > 0 && rest[0] == "crossfade" {
		return c.ourCommand(rest[1:])
	}
	for i, arg := range rest {
		pkg, ours := c.packageOf(arg)
		if !ours {
			continue
		}
		if info, err := os.Stat(filepath.Join(c.root, pkg)); err != nil || !info.IsDir() && !strings.HasSuffix(pkg, ".go") {
			return fmt.Errorf("go %s %s: there is no such package", verb, arg)
		}
		if verb != "run" {
			continue
		}
		if pkg == commandPackage {
			return c.ourCommand(rest[i+1:])
		}
		if _, err := c.help(pkg, rest[i+1:]); err != nil {
			return fmt.Errorf("go run %s: %w", strings.Join(rest[i:], " "), err)
		}
		return nil
	}
	return nil
}

// packageOf returns the path in the module of a package or pattern that a go command names.
func (c *checker) packageOf(arg string) (string, bool) {
	arg = strings.TrimSuffix(strings.TrimSuffix(arg, "..."), "/")
	if pkg, relative := strings.CutPrefix(arg, "./"); relative {
		return filepath.ToSlash(filepath.Clean(pkg)), true
	}
	path, _, _ := strings.Cut(arg, "@")
	if path == c.module {
		return ".", true
	}
	return strings.CutPrefix(path, c.module+"/")
}

var usageLine = regexp.MustCompile(`(?m)^Usage:\s*\n\s*crossfade\b *(.*)$`)

// ourCommand checks a call of crossfade: its help for these arguments must be that of the subcommand that they name.
func (c *checker) ourCommand(args []string) error {
	called := "crossfade " + strings.Join(args, " ")
	output, err := c.help(commandPackage, args)
	if err != nil {
		return fmt.Errorf("%s: %w", called, err)
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return nil
	}
	usage := usageLine.FindStringSubmatch(output)
	if usage == nil {
		return fmt.Errorf("%s --help prints no usage", called)
	}
	if sub, _, _ := strings.Cut(usage[1], " "); sub != args[0] {
		return fmt.Errorf("%s: there is no subcommand %s", called, args[0])
	}
	return nil
}

// link checks that a relative link leads to a file, and an anchor to a heading.
func (c *checker) link(from, target string, d document) error {
	u, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("link %s: %w", target, err)
	}
	if u.Scheme != "" || u.Host != "" {
		return nil // elsewhere
	}
	if u.Path != "" {
		path := filepath.Join(c.root, filepath.Dir(from), filepath.FromSlash(u.Path))
		if strings.HasPrefix(u.Path, "/") {
			path = filepath.Join(c.root, filepath.FromSlash(u.Path))
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("link %s: there is no such file", target)
		}
		if u.Fragment == "" || !strings.HasSuffix(u.Path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("link %s: %w", target, err)
		}
		d = parse(string(text))
	}
	if u.Fragment != "" && !slices.Contains(d.headings, u.Fragment) {
		return fmt.Errorf("link %s: there is no such heading", target)
	}
	return nil
}
