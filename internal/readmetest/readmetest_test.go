package readmetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documents are held to be true; the first must show a complete program and the two commands.
var documents = []string{"README.md", "CONTRIBUTING.md"}

func newChecker(t *testing.T) *checker {
	t.Helper()
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	require.NoError(t, err)
	module, root, found := strings.Cut(strings.TrimSpace(string(output)), " ")
	require.True(t, found, "%s", output)
	p := &programs{root: root, temp: t.TempDir()}
	return &checker{root: root, module: module, help: p.help, compile: p.compile}
}

func TestDocumentsAreTrue(t *testing.T) {
	c := newChecker(t)
	for _, name := range documents {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(c.root, name))
			require.NoError(t, err, "every checkout has it")
			for _, problem := range c.problems(name, string(text)) {
				t.Error(problem)
			}
		})
	}
}

func TestReadmeShowsWhatReadersNeedFirst(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(newChecker(t).root, documents[0]))
	require.NoError(t, err)
	d := parse(string(text))
	assert.True(t, slices.ContainsFunc(d.blocks, isProgram), "a complete Go program")
	var lines []string
	for _, b := range d.blocks {
		if shellLanguages[b.language] {
			for _, c := range b.commands() {
				lines = append(lines, strings.Join(c.words, " "))
			}
		}
	}
	assert.Contains(t, lines, "make demo")
	assert.Contains(t, lines, "make test")
}
