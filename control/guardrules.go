package control

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// judgedFor is how long the controller's verdict on a guardrail counts. After
// that nobody knows, and not knowing holds.
const judgedFor = 2 * time.Minute

// guardRules say what holds a step up although no row would be lost by it. All
// of them may be forced with a reason, and none of them ever holds a step down.
var guardRules = []Rule{
	{
		Kind:     BlockMismatches,
		Sentence: "Into live, no confirmed mismatch is open.",
		Steps:    []Transition{{flags.Shadow, flags.Live}},
		Forcible: true,
		broken: func(l *look, m move) bool {
			open := l.state.Guard.Mismatches
			return open[m.subject.tenant] > 0 || open[""] > 0
		},
		describe: describeMismatches,
	},
	{
		Kind:     BlockGuardrail,
		Sentence: "Nobody moves up while a guardrail is violated, inconclusive or not judged.",
		Forcible: true,
		broken:   func(l *look, m move) bool { return m.up() && len(l.holding()) > 0 },
		describe: func(l *look, b *Block) {
			b.Text = strings.Join(l.holding(), "; ")
		},
	},
	{
		Kind:     BlockFreeze,
		Sentence: "Nobody moves up during a freeze.",
		Forcible: true,
		broken:   func(l *look, m move) bool { return m.up() && len(l.frozen()) > 0 },
		describe: func(l *look, b *Block) {
			var texts []string
			for _, f := range l.frozen() {
				texts = append(texts, f.String())
			}
			b.Text = strings.Join(texts, "; ")
		},
	},
	{
		Kind:     BlockApproval,
		Sentence: "Into a protected stage, another person than who asks approved the step.",
		Forcible: true,
		broken:   func(l *look, m move) bool { return m.up() && l.protected(m.To) && !l.approved(m.To) },
		describe: func(l *look, b *Block) {
			b.Text = fmt.Sprintf("%s is protected: another person runs `crossfade approve %s %s`", b.To, l.name(), b.To)
			if who := l.state.Guard.Asker; who != "" {
				b.Text = fmt.Sprintf("%s is protected: another person than %s runs `crossfade approve %s %s`", b.To, who, l.name(), b.To)
			}
		},
	},
}

func (m move) up() bool { return m.To > m.From }

func describeMismatches(l *look, b *Block) {
	open := l.state.Guard.Mismatches
	b.Keys = open[""]
	for _, t := range b.Tenants {
		b.Keys += open[t]
	}
	b.Text = fmt.Sprintf("%d confirmed mismatches of %s are open: see `crossfade mismatches %s`, mend them and resolve them",
		b.Keys, b.who(), l.name())
}

// holding says of every guardrail that holds why it does.
func (l *look) holding() []string {
	var texts []string
	for _, g := range l.state.Guard.Guardrails {
		if why := holds(g, l.state.Current().Policy, l.state.At); why != "" {
			texts = append(texts, why)
		}
	}
	return texts
}

// Holding returns why guardrails hold steps up by the policy in force, one text
// each.
func Holding(state *State) []string {
	l := &look{state: state}
	return l.holding()
}

// holds says why a guardrail holds; empty when it does not.
func holds(g ledger.Guardrail, p flags.Policy, at time.Time) string {
	head := fmt.Sprintf("guardrail %d (%s)", g.ID, describeGuardrail(g))
	switch {
	case !measurable(g.Measure, p):
		return ""
	case g.JudgedAt == nil || g.Verdict == "" || g.Verdict == ledger.VerdictIdle:
		return head + " was not judged yet: does a controller run (`crossfade controller status`)?"
	case at.Sub(*g.JudgedAt) > judgedFor:
		return fmt.Sprintf("%s was judged %s ago: does a controller run (`crossfade controller status`)?", head, short(at.Sub(*g.JudgedAt)))
	case g.Verdict == ledger.VerdictOK:
		return ""
	}
	return fmt.Sprintf("%s is %s: %s", head, g.Verdict, g.Numbers)
}

// frozen returns the freezes in force.
func (l *look) frozen() []ledger.Freeze {
	var all []ledger.Freeze
	for _, f := range l.state.Guard.Freezes {
		if f.InForce(l.state.At) {
			all = append(all, f)
		}
	}
	return all
}

func (l *look) protected(stage flags.Stage) bool {
	for _, p := range l.state.Guard.Protections {
		if p.Stage == stage {
			return true
		}
	}
	return false
}

// approved reports whether another person than the asker approved the stage.
func (l *look) approved(stage flags.Stage) bool {
	g := &l.state.Guard
	for _, a := range g.Approvals {
		if a.Stage == stage && (a.Ramp == 0 || a.Ramp == g.ForRamp) && !ledger.SamePerson(a.Actor, g.Asker) {
			return true
		}
	}
	return false
}

// occupied are the stages at which a policy lets anybody stand.
func occupied(p flags.Policy) map[flags.Stage]bool {
	at := map[flags.Stage]bool{}
	if p.Step.Share < flags.Buckets {
		at[p.Default] = true
	}
	if p.Step.Share > 0 {
		at[p.Step.To] = true
	}
	for _, s := range p.Overrides {
		at[s] = true
	}
	return at
}

// measurable reports whether anybody stands where a measure can be taken:
// comparisons are made where the stage compares, and the sides' calls meet
// where both are written. Stale keys can always be counted.
func measurable(measure string, p flags.Policy) bool {
	if measure == ledger.MeasureStaleAge {
		return true
	}
	for stage := range occupied(p) {
		plan := stage.Plan()
		if plan.Compares || measure == ledger.MeasureErrorRate && plan.WritesBoth {
			return true
		}
	}
	return false
}

// describeGuardrail says what a guardrail demands.
func describeGuardrail(g ledger.Guardrail) string {
	return fmt.Sprintf("%s above %s, over %s", g.Measure, Amount(g.Measure, g.Threshold), g.Window)
}

// Amount writes a value of a measure as people read it.
func Amount(measure string, value float64) string {
	switch measure {
	case ledger.MeasureLatencyP50, ledger.MeasureLatencyP99:
		return fmt.Sprintf("%.3gx", value)
	case ledger.MeasureStaleAge:
		return time.Duration(value * float64(time.Second)).Round(time.Second).String()
	}
	return fmt.Sprintf("%.4g%%", value*100)
}

// forced returns the blocks that force does not set aside, and what the
// history says of the others.
func (c *Change) forced(blocks []Block) (left []Block, note string) {
	var aside []string
	for _, b := range blocks {
		if c.Force && b.Forcible {
			aside = append(aside, b.Text)
		} else {
			left = append(left, b)
		}
	}
	if len(aside) > 0 {
		note = " (forced past: " + strings.Join(aside, "; ") + ")"
	}
	return left, note
}
