package main

import (
	"strings"

	"github.com/crossfade-db/crossfade/gen/scaffold"
)

// files is what became, or would become, of a module's files.
type files struct {
	Files   []scaffold.File `json:"files"`
	Notes   []string        `json:"notes,omitempty"`
	Next    []scaffold.Step `json:"next"`
	dryRun  bool
	nothing bool
}

func toFiles(p *scaffold.Plan, dryRun bool) *files {
	return &files{Files: p.Files, Notes: p.Notes, Next: p.Next, dryRun: dryRun, nothing: p.Nothing()}
}

// showFound says what the module was recognised by.
func (a *app) showFound(f scaffold.Found) {
	a.printf("module %s: %s\n", inLine(f.Module), f)
	for _, e := range f.Entities {
		a.printf("  %s\n", inLine(e.String()))
	}
	for _, line := range f.Elsewhere {
		a.printf("  %s\n", inLine(line))
	}
}

// showFiles says what became of each file, and what is to be done by hand. With
// --dry-run it shows what would be written.
func (a *app) showFiles(f *files) {
	verbs := map[scaffold.Change]string{}
	if f.dryRun {
		verbs = map[scaffold.Change]string{scaffold.Written: "would write", scaffold.Changed: "would change"}
	}
	for _, file := range f.Files {
		verb := verbs[file.Change]
		if verb == "" {
			verb = string(file.Change)
		}
		a.printf("%-13s%s\n", verb, inLine(file.Path))
		if f.dryRun && file.Content != nil {
			a.printf("%s", "    "+strings.ReplaceAll(strings.TrimSuffix(printable(string(file.Content)), "\n"), "\n", "\n    ")+"\n")
		}
	}
	if f.nothing {
		a.printf("nothing to do\n")
	}
	for _, note := range f.Notes {
		a.printf("note: %s\n", printable(note))
	}
}

// showSteps says how to go on.
func (a *app) showSteps(f *files) {
	if f.dryRun || len(f.Next) == 0 {
		return
	}
	width := 0
	for _, step := range f.Next {
		if len(step.Command) <= 60 {
			width = max(width, len(step.Command))
		}
	}
	a.printf("\nNext:\n")
	for _, step := range f.Next {
		a.printf("  %-*s   %s\n", width, step.Command, step.Text)
	}
}
