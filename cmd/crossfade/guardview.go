package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// guardJSON is what holds steps up, and what walks by itself; absent where
// there is none of it.
type guardJSON struct {
	// Holding says of each guardrail that holds why it does.
	Holding    []string        `json:"holding,omitempty"`
	Guardrails []guardrailJSON `json:"guardrails,omitempty"`
	Freezes    []freezeJSON    `json:"freezes,omitempty"`
	Protected  []flags.Stage   `json:"protected,omitempty"`
	Ramp       *rampJSON       `json:"ramp,omitempty"`
	Wishes     *wishesJSON     `json:"wishes,omitempty"`
}

type freezeJSON struct {
	Actor   string     `json:"actor"`
	Reason  string     `json:"reason"`
	From    time.Time  `json:"from"`
	Until   *time.Time `json:"until,omitempty"`
	InForce bool       `json:"in_force"`

	text string
}

type wishesJSON struct {
	At      time.Time  `json:"at"`
	Tenants int64      `json:"tenants"`
	Arrived int64      `json:"arrived"`
	Walking int64      `json:"walking"`
	Without int64      `json:"without"` // whose wish cannot be read
	Problem string     `json:"problem,omitempty"`
	Waiting []wishJSON `json:"waiting"`
}

type wishJSON struct {
	Tenant     string      `json:"tenant"`
	Stage      flags.Stage `json:"stage"`
	Wish       flags.Stage `json:"wish"`
	WaitingFor string      `json:"waiting_for,omitempty"`
}

// guardOf returns what holds or walks; nil where there is none of it.
func guardOf(ctx context.Context, store *ledger.Store, state *ledger.State) (*guardJSON, error) {
	g := &guardJSON{Holding: control.Holding(state)}
	for _, rule := range state.Guard.Guardrails {
		g.Guardrails = append(g.Guardrails, toGuardrail(rule))
	}
	for _, f := range state.Guard.Freezes {
		g.Freezes = append(g.Freezes, freezeJSON{f.Actor, f.Reason, f.From, f.Until, f.InForce(state.At), f.String()})
	}
	for _, p := range state.Guard.Protections {
		g.Protected = append(g.Protected, p.Stage)
	}
	if r := state.Guard.Ramp; r != nil {
		shown, err := toRamp(*r, state.At)
		if err != nil {
			return nil, err
		}
		g.Ramp = &shown
	}
	const named = 20
	look, looked, err := store.LastLook(ctx, state.Migration, named)
	if err != nil {
		return nil, err
	}
	if looked {
		w := &wishesJSON{At: look.At, Tenants: look.Tenants, Arrived: look.Arrived, Walking: look.Walking, Without: look.Without, Problem: look.Problem, Waiting: []wishJSON{}}
		for _, t := range look.Waiting {
			w.Waiting = append(w.Waiting, wishJSON{t.Tenant, t.Stage, t.Wish, t.WaitingFor})
		}
		g.Wishes = w
	}
	if g.Guardrails == nil && g.Freezes == nil && g.Protected == nil && g.Ramp == nil && g.Wishes == nil {
		return nil, nil
	}
	return g, nil
}

// attention says in short what somebody should look at.
func (g *guardJSON) attention() []string {
	var texts []string
	if g == nil {
		return nil
	}
	if len(g.Holding) > 0 {
		texts = append(texts, plural(len(g.Holding), "guardrail")+" holding")
	}
	for _, f := range g.Freezes {
		if f.InForce {
			texts = append(texts, "frozen")
			break
		}
	}
	if g.Ramp != nil {
		texts = append(texts, fmt.Sprintf("ramp %s at step %d of %d", g.Ramp.State, g.Ramp.Step, g.Ramp.Steps))
	}
	if g.Wishes != nil && g.Wishes.Walking > 0 {
		texts = append(texts, plural(g.Wishes.Walking, "wish")+" not granted yet")
	}
	return texts
}

// writeGuard shows what holds and what walks.
func writeGuard(w *strings.Builder, r *report) {
	g := r.Guard
	if g == nil {
		return
	}
	line := func(head, text string) { fmt.Fprintf(w, "%-11s %s\n", head, inLine(text)) }
	if len(g.Guardrails) > 0 {
		line("Guardrails", fmt.Sprintf("%d of %d hold steps up: crossfade guardrail list %s", len(g.Holding), len(g.Guardrails), r.Name))
		for _, text := range g.Holding {
			line("", "- "+text)
		}
	}
	for _, f := range g.Freezes {
		text := f.text
		if !f.InForce {
			text = fmt.Sprintf("from %s: %s", stamp(f.From), text)
		}
		line("Freeze", text)
	}
	if len(g.Protected) > 0 {
		names := make([]string, len(g.Protected))
		for i, stage := range g.Protected {
			names[i] = stage.String()
		}
		line("Protected", strings.Join(names, ", "))
	}
	if g.Ramp != nil {
		line("Ramp", g.Ramp.text())
	}
	g.Wishes.write(line, r.At)
}

func (g *wishesJSON) write(line func(head, text string), now time.Time) {
	if g == nil {
		return
	}
	text := fmt.Sprintf("%s looked at %s ago: %d arrived, %d not yet", plural(g.Tenants, "tenant"), short(now.Sub(g.At)), g.Arrived, g.Walking)
	if g.Without > 0 {
		text += fmt.Sprintf(", %d stay as their wish cannot be read: %s", g.Without, g.Problem)
	}
	line("Wishes", text)
	for i, t := range g.Waiting {
		if i == 5 {
			line("", fmt.Sprintf("  and %d more", g.Walking-5))
			break
		}
		what := fmt.Sprintf("  tenant %q: %s -> %s", t.Tenant, t.Stage, t.Wish)
		if t.WaitingFor != "" {
			what += ": " + t.WaitingFor
		}
		line("", what)
	}
}
