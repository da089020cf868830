package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
)

// docs/commands.md is what --help says of every command.
func TestCommandsAreDocumented(t *testing.T) {
	t.Parallel()
	root := newApp(nil, nil, func(string) string { return "" }).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var text strings.Builder
	fmt.Fprintf(&text, "# crossfade\n\nWhat `crossfade COMMAND --help` says of each command."+
		" This file is generated: `go test ./cmd/crossfade -update` writes it again.\n\n")
	fmt.Fprintf(&text, "%s\n\n```\n%s\n```\n", root.Short, root.Long)
	fmt.Fprintf(&text, "\n```sh\n%s\n```\n", unindented(root.Example))
	for _, group := range root.Groups() {
		fmt.Fprintf(&text, "\n## %s\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID && cmd.Name() != "help" {
				documented(&text, cmd)
			}
		}
	}
	for _, cmd := range root.Commands() {
		if cmd.IsAdditionalHelpTopicCommand() {
			fmt.Fprintf(&text, "\n## %s\n\n```\n%s\n```\n", cmd.Short, cmd.Long)
		}
	}
	goldenFile(t, filepath.Join("..", "..", "docs", "commands.md"), text.String())
}

func documented(text *strings.Builder, cmd *cobra.Command) {
	heading := "###"
	if cmd.Parent() != cmd.Root() {
		heading = "####"
	}
	fmt.Fprintf(text, "\n%s %s\n\n%s.\n\n```\n%s\n", heading, strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), cmd.Short, cmd.UseLine())
	if cmd.Name() != "completion" && cmd.Long != "" {
		fmt.Fprintf(text, "\n%s\n", cmd.Long)
	}
	if flags := cmd.LocalFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(text, "\n%s", flags)
	}
	fmt.Fprintf(text, "```\n")
	if cmd.Example != "" {
		fmt.Fprintf(text, "\n```sh\n%s\n```\n", unindented(cmd.Example))
	}
	if cmd.Name() == "completion" {
		return
	}
	for _, sub := range cmd.Commands() {
		documented(text, sub)
	}
}

func unindented(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n  ", "\n"), "  ")
}

func TestHelp(t *testing.T) {
	t.Parallel()
	w := &world{t: t}
	for _, args := range [][]string{{"help"}, {"help", "step"}, {"help", "exit-codes"}, {"help", "verify"}} {
		goldenFile(t, filepath.Join("testdata", strings.Join(args, "-")+".txt"), w.ok(args...).out)
	}
	assert.Equal(t, w.ok("help").out, w.ok().out)
	assert.Equal(t, w.ok("help", "step").out, w.ok("step", "--help").out)
	w.ok("exit-codes").says("130")
}

func TestEveryCommandHasExamplesThatAreItsOwn(t *testing.T) {
	t.Parallel()
	root := newApp(nil, nil, func(string) string { return "" }).root()
	for _, cmd := range root.Commands() {
		if cmd.Runnable() {
			assert.NotEmpty(t, cmd.GroupID, cmd.Name())
		}
		exampled(t, root, cmd)
	}
}

// exampled checks the examples of a command and of those below it. A command
// that has others below it may show how they are used.
func exampled(t *testing.T, root, cmd *cobra.Command) {
	t.Helper()
	for _, below := range cmd.Commands() {
		exampled(t, root, below)
	}
	if !cmd.Runnable() || cmd.Name() == "completion" || cmd.Parent().Name() == "completion" {
		return
	}
	name := cmd.CommandPath()
	assert.NotEmpty(t, cmd.Short, name)
	assert.NotEmpty(t, cmd.Example, name)
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		_, line, found := strings.Cut(line, "crossfade ")
		if !assert.True(t, found, name) {
			continue
		}
		line, _, _ = strings.Cut(line, "|")
		line = strings.TrimPrefix(strings.TrimPrefix(line, "run github.com/crossfade-db/crossfade/cmd/"), "crossfade ")
		words := strings.Fields(line)
		meant, _, err := root.Find(words)
		assert.NoError(t, err, line)
		assert.True(t, meant == cmd || meant.Parent() == cmd, line)
		assert.LessOrEqual(t, len(line), 100)
		for _, word := range words {
			if flag, isLong := strings.CutPrefix(word, "--"); isLong && flag != "json" {
				assert.NotNil(t, meant.Flags().Lookup(flag), "%s: %s", name, word)
			}
		}
	}
}
