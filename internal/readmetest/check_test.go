package readmetest

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// programEnv makes this test binary play a program that is asked for its help.
const programEnv = "CROSSFADE_README_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(programEnv) {
	case "cobra":
		if cobraProgram().Execute() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case "flag":
		flags := flag.NewFlagSet("quickstart", flag.ExitOnError)
		flags.Int("customers", 0, "how many")
		_ = flags.Parse(os.Args[1:]) // exits
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func cobraProgram() *cobra.Command {
	root := &cobra.Command{Use: "crossfade", SilenceUsage: true}
	root.PersistentFlags().String("dsn", "", "the ledger's database")
	step := &cobra.Command{Use: "step MIGRATION STAGE", RunE: func(*cobra.Command, []string) error { return errors.New("ran") }}
	step.Flags().Float64("percent", 0, "share of tenants")
	root.AddCommand(step)
	return root
}

// fakeModule is a folder that documents may speak about.
func fakeModule(t *testing.T) *checker {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"Makefile":                 "A := b\ntest lint: deps ## run\n\techo\ndemo:\n\techo\n.PHONY: hidden\n",
		"docs/more.md":             "# More about it\n",
		"docs/with space.md":       "",
		"examples/quickstart/x.go": "package main\n",
		"cmd/crossfade/main.go":    "package main\n",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "scripts"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "scripts/run.sh"), nil, 0o755))
	return &checker{
		root: root, module: "example.com/m",
		help: func(pkg string, args []string) (string, error) {
			env := append(os.Environ(), programEnv+"=flag")
			if pkg == commandPackage {
				env = append(os.Environ(), programEnv+"=cobra")
			}
			return askHelp(os.Args[0], args, env)
		},
		compile: func(dir, source string) error {
			if strings.Contains(source, "undefined") || dir == "nowhere" {
				return errors.New("undefined: undefined")
			}
			return nil
		},
	}
}

func fenced(language, text string) string { return "```" + language + "\n" + text + "\n```\n" }

func TestTrueDocumentHasNoProblems(t *testing.T) {
	text := "# A title, with `code` & [a link](docs/more.md)!\n" +
		"[more](docs/more.md#more-about-it) [space](<docs/with space.md>) [up](#a-title-with-code--a-link) [out](https://example.com/x)\n" +
		"`[not](a/link)` ![image](docs/more.md \"title\") <img src=\"docs/more.md\">\n\n[ref]: docs/more.md\n" +
		fenced("sh", strings.Join([]string{
			"# a comment with make nonsense",
			"make demo && make test lint -j2 V=1  # make comment",
			"$ CROSSFADE_DATABASE_URL='postgres://x?a=1&b=2' make test | tee log > out.txt 2>&1",
			"crossfade step customers-v2 shadow --percent 5 --dsn \"$DSN\"",
			"go run ./cmd/crossfade step <migration> dual",
			"go run example.com/m/cmd/crossfade@latest --help",
			"go run ./examples/quickstart \\",
			"    --customers 10",
			"go get example.com/m@latest; go test ./... ; go install example.com/other@v1",
			"./scripts/run.sh",
			"psql --whatever",
		}, "\n")) +
		fenced("console", "$ make demo\nmake nonsense is output\n") +
		fenced("go", "// Comment.\n\npackage main\n\nfunc main() {}") +
		fenced("go", "x := f()\n// ...\nreturn x") +
		fenced("text", "make nonsense") +
		"    ```go\n    indented by four: text\n"
	assert.Empty(t, fakeModule(t).problems("README.md", text))
}

func TestEachProblemIsFound(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a target that does not exist":    {fenced("sh", "make dmeo"), "README.md:2: make dmeo"},
		"a later target":                  {fenced("bash", "make test hidden"), "make hidden"},
		"after an operator":               {fenced("sh", "cd x && make nonsense"), "make nonsense"},
		"behind a prompt":                 {fenced("console", "$ make nonsense"), "make nonsense"},
		"on a line of its own":            {fenced("sh", "make test\n\nmake nonsense"), "README.md:4:"},
		"a subcommand":                    {fenced("sh", "crossfade setp customers-v2"), `unknown command "setp"`},
		"a subcommand's flag":             {fenced("sh", "crossfade step a b --share 5"), "unknown flag: --share"},
		"a flag's value":                  {fenced("sh", "crossfade step a b --percent many"), "not accepted"},
		"a flag on a continued line":      {fenced("sh", "crossfade step a b \\\n  --share 5"), "README.md:2: crossfade step a b --share 5"},
		"run through go":                  {fenced("sh", "go run ./cmd/crossfade setp"), `unknown command "setp"`},
		"as a tool":                       {fenced("sh", "go tool crossfade setp"), `unknown command "setp"`},
		"an example that does not exist":  {fenced("sh", "go run ./examples/shop"), "there is no such package"},
		"an example's flag":               {fenced("sh", "go run ./examples/quickstart --rows 5"), "not accepted"},
		"a package of the module":         {fenced("sh", "go install example.com/m/cmd/fade@latest"), "there is no such package"},
		"a script":                        {fenced("sh", "scripts/missing.sh"), "does not exist"},
		"a script that cannot be run":     {fenced("sh", "./Makefile"), "cannot be run"},
		"a program that does not compile": {fenced("go", "package main\n\nvar _ = undefined"), "README.md:2: does not compile"},
		"a folder to compile in":          {"<!-- compiled in: nowhere -->\n" + fenced("go", "package main"), "does not compile"},
		"a snippet that is no Go":         {fenced("go", "x := ..."), "is no Go"},
		"a link":                          {"see\n[this](docs/gone.md)", "README.md:2: link docs/gone.md"},
		"an image":                        {"![this](gone.png)", "link gone.png"},
		"a reference":                     {"[this]: gone.md", "link gone.md"},
		"an attribute":                    {`<a href="gone.md">`, "link gone.md"},
		"an anchor here":                  {"[this](#nowhere)", "no such heading"},
		"an anchor there":                 {"[this](docs/more.md#nowhere)", "no such heading"},
		"a fence that nobody closed":      {"```sh\nmake nonsense", "make nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := fakeModule(t).problems("README.md", c.text)
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0], c.want)
		})
	}
}

func TestHelpOfAnotherCommandDoesNotCount(t *testing.T) {
	c := fakeModule(t)
	c.help = func(string, []string) (string, error) { return "Usage:\n  crossfade [command]\n", nil }
	require.ErrorContains(t, c.ourCommand([]string{"setp"}), "there is no subcommand setp")
	require.NoError(t, c.ourCommand([]string{"--version"}))
	c.help = func(string, []string) (string, error) { return "", nil }
	require.ErrorContains(t, c.ourCommand([]string{"step"}), "prints no usage")
}

func TestCompile(t *testing.T) {
	c := newChecker(t)
	good := "package main\n\nimport \"github.com/crossfade-db/crossfade/versions\"\n\nvar _ = versions.New\n\nfunc main() {}\n"
	require.NoError(t, c.compile(".", good))
	require.ErrorContains(t, c.compile(".", strings.ReplaceAll(good, "versions.New", "versions.Nwe")), "Nwe")
	require.ErrorContains(t, c.compile(".", "package main\n\nimport _ \"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb\"\n\nfunc main() {}\n"),
		"use of internal package", "a program is compiled as a reader's would be")
	assert.NoDirExists(t, filepath.Join(c.root, "readmeprogram"), "nothing is written into the module")
}

func TestAskHelp(t *testing.T) {
	env := append(os.Environ(), programEnv+"=cobra")
	output, err := askHelp(os.Args[0], []string{"step", "a", "--", "-x"}, env)
	require.NoError(t, err)
	assert.Contains(t, output, "crossfade step MIGRATION STAGE")
	_, err = askHelp(filepath.Join(t.TempDir(), "gone"), nil, env)
	require.Error(t, err)
}
