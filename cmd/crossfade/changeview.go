package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// changing shows how a change goes on.
type changing struct {
	app       *app
	line      *line
	migration string
	// What is waited for: transactions by epoch, and processes.
	draining  map[int64]string
	processes string
	emptying  string // who writes past the application
	blocked   string // why a walk waits
}

func (a *app) changing(migration string) *changing {
	return &changing{app: a, line: a.line(time.Second), migration: migration, draining: map[int64]string{}}
}

type progressJSON struct {
	Event     control.ProgressKind `json:"event"`
	Migration string               `json:"migration"`
	Epoch     int64                `json:"epoch,omitempty"`
	Holders   []holderJSON         `json:"holders,omitempty"`
	Processes []processJSON        `json:"processes,omitempty"`
	Side      string               `json:"side,omitempty"` // of capture
	Blocks    []blockJSON          `json:"blocks,omitempty"`
	Other     *entryJSON           `json:"other,omitempty"`
	Text      string               `json:"text,omitempty"`
}

// progress is a control.Change's Report.
func (c *changing) progress(p control.Progress) {
	if c.app.json {
		c.app.event(toProgress(p))
		return
	}
	c.blocked = ""
	switch p.Kind {
	case control.Committed:
		c.line.keep(fmt.Sprintf("%s: epoch %d is in force", c.migration, p.Epoch))
	case control.Draining:
		c.draining[p.Epoch] = fmt.Sprintf("transactions of epoch %d: %s", p.Epoch, holderTexts(p.Holders, 2))
		c.waiting()
	case control.Terminated:
		what := fmt.Sprintf("acted on epoch %d", p.Epoch)
		if p.Epoch == 0 {
			what = fmt.Sprintf("wrote the %s side past the application", p.Side)
		}
		c.line.keep(fmt.Sprintf("  terminated, as they %s for too long: %s", what, holderTexts(p.Holders, 5)))
	case control.Drained:
		delete(c.draining, p.Epoch)
		c.waiting()
	case control.Waiting:
		texts := make([]string, len(p.Processes))
		for i, process := range p.Processes {
			texts[i] = actingText(process)
		}
		c.processes = fmt.Sprintf("%s: %s", plural(len(texts), "process"), some(texts, 2))
		c.waiting()
	case control.Acknowledged:
	case control.Settled:
		c.processes = ""
	default:
		c.beside(p)
	}
}

// beside shows what goes on beside the waiting for the fleet.
func (c *changing) beside(p control.Progress) {
	switch p.Kind {
	case control.Published:
		c.line.keep(fmt.Sprintf("%s: epoch %d is in force: %s", c.migration, p.Epoch, p.Text))
	case control.Switched:
		c.line.keep("  " + p.Text)
	case control.Emptying:
		c.emptying = fmt.Sprintf("transactions past the application on the %s side: %s", p.Side, holderTexts(p.Holders, 2))
		c.waiting()
	case control.Emptied:
		c.emptying = ""
	case control.Blocked:
		c.blocked = p.Text
		c.waiting()
	case control.LeftBehind:
		c.line.keep("  goes on where it can without whom this stops: " + printable(p.Text))
	case control.Overtaken:
		c.line.keep(fmt.Sprintf("  meanwhile, at epoch %d, %s changed %s: the way down goes on from there", p.Epoch, p.Other.Actor, p.Other.Change()))
	}
}

func toProgress(p control.Progress) progressJSON {
	out := progressJSON{
		Event: p.Kind, Migration: p.Migration, Epoch: p.Epoch, Holders: toHolders(p.Holders), Processes: toProcesses(p.Processes, 0), Text: p.Text,
	}
	if len(p.Blocks) > 0 {
		out.Blocks = toBlocks(p.Blocks)
	}
	if p.Other != nil {
		entry := toEntry(*p.Other)
		out.Other = &entry
	}
	switch p.Kind {
	case control.Switched, control.Emptying, control.Emptied:
		out.Side = p.Side.String()
	}
	return out
}

// waiting shows everything that is waited for.
func (c *changing) waiting() {
	var texts []string
	for _, epoch := range slices.Sorted(maps.Keys(c.draining)) {
		texts = append(texts, c.draining[epoch])
	}
	for _, text := range []string{c.processes, c.emptying, c.blocked} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) > 0 {
		c.line.pass("  waiting for " + strings.Join(texts, "; "))
	}
}

func holderTexts(holders []ledger.Holder, shown int) string {
	if len(holders) == 0 {
		return "they are just ending"
	}
	texts := make([]string, len(holders))
	for i, h := range holders {
		texts[i] = h.String()
	}
	return some(texts, shown)
}

type resultJSON struct {
	Event      string       `json:"event"`
	Migration  string       `json:"migration"`
	Changed    bool         `json:"changed"`
	DryRun     bool         `json:"dry_run"`
	Before     policyJSON   `json:"before"`
	After      policyJSON   `json:"after"`
	Changes    []string     `json:"changes"`
	Notes      []string     `json:"notes"`
	Settled    bool         `json:"settled"`
	Waited     float64      `json:"waited_seconds"`
	Terminated []holderJSON `json:"terminated,omitempty"`
}

// result shows what became of a change. settle says whether it was waited for
// the fleet to the end.
func (c *changing) result(r control.Result, settled bool) {
	changes := changesOf(r.Before, r.After)
	if c.app.json {
		c.app.event(resultJSON{
			Event: "result", Migration: r.Migration, Changed: r.Changed, DryRun: r.DryRun, Before: toPolicy(r.Before, true),
			After: toPolicy(r.After, !r.DryRun || !r.Changed), Changes: list(changes), Notes: list(r.Notes),
			Settled: r.Settled, Waited: r.Waited.Seconds(), Terminated: toHolders(r.Terminated),
		})
		return
	}
	switch {
	case !r.Changed:
		c.line.keep(fmt.Sprintf("%s: nothing to change at epoch %d: %s", r.Migration, r.Before.Epoch, standing(r.Before)))
	case r.DryRun:
		c.line.keep(fmt.Sprintf("%s: nothing speaks against the step from epoch %d; nothing was changed", r.Migration, r.Before.Epoch))
	}
	for _, text := range changes {
		c.line.keep("  " + text)
	}
	for _, note := range r.Notes {
		c.line.keep("  note: " + note)
	}
	if r.Changed && !r.DryRun && settled {
		c.line.keep(fmt.Sprintf("  settled after %s: nobody acts on an older policy any more", short(r.Waited)))
	}
}

// standing says where a policy puts tenants.
func standing(p flags.Policy) string {
	text := defaultOf(p)
	if len(p.Overrides) > 0 {
		text += fmt.Sprintf(", %s pinned", plural(len(p.Overrides), "tenant"))
	}
	return text
}

func defaultOf(p flags.Policy) string {
	if p.Step.Share == 0 {
		return "default " + p.Default.String()
	}
	return fmt.Sprintf("default %s, %s%s at %s", p.Default, p.Step.Share, ofKeys(p.Step), p.Step.To)
}

// ofKeys says what a share is one of, unless that is usual.
func ofKeys(s flags.Step) string {
	if s.Of == flags.OfKeys {
		return " of the keys"
	}
	return ""
}

// changesOf says what differs between two policies, some of many tenants.
func changesOf(before, after flags.Policy) []string {
	var texts []string
	if from, to := defaultOf(before), defaultOf(after); from != to {
		texts = append(texts, from+" -> "+to)
	}
	tenants := map[string]bool{}
	for _, p := range []flags.Policy{before, after} {
		for t := range p.Overrides {
			tenants[t] = before.Overrides[t] != after.Overrides[t]
		}
	}
	maps.DeleteFunc(tenants, func(_ string, differs bool) bool { return !differs })
	was, err := before.Compile()
	if err != nil {
		return texts
	}
	is, err := after.Compile()
	if err != nil {
		return texts
	}
	const shown = 10
	for i, t := range slices.Sorted(maps.Keys(tenants)) {
		if i == shown {
			return append(texts, fmt.Sprintf("and %s more", plural(len(tenants)-shown, "tenant")))
		}
		texts = append(texts, fmt.Sprintf("tenant %q: %s -> %s", t, placeOf(was, t), placeOf(is, t)))
	}
	return texts
}

func placeOf(c *flags.Compiled, tenant string) string {
	stage, reason := c.Stage(tenant)
	if reason == flags.ReasonOverride {
		return stage.String() + " (pinned)"
	}
	if low, high := c.Range(tenant); low != high {
		return fmt.Sprintf("%s and %s, by key", low, high)
	}
	return stage.String()
}
