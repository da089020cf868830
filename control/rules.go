package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Rule is one condition of the ladder.
type Rule struct {
	Kind BlockKind
	// Sentence is the rule in words.
	Sentence string
	// Steps are the steps of a tenant that it holds for; none means every step.
	Steps []Transition
	// Forcible says that a change may set the rule aside, with a reason. Rules
	// without which rows would be lost never are.
	Forcible bool

	// broken reports whether the step breaks the rule, and describe fills in
	// what is wrong for all tenants of whom it does.
	broken   func(l *look, m move) bool
	describe func(l *look, b *Block)
}

// Transition is one step of a tenant.
type Transition struct{ From, To flags.Stage }

// rules is the only place that says what a step depends on: the columns "to
// step up into it" and "stepping down out of it" of the ladder, row by row. A
// step that no rule but the first three names is taken at once.
var rules = []Rule{
	{
		Kind:     BlockJump,
		Sentence: "A tenant moves from a rung to an adjacent one only.",
		broken:   func(_ *look, m move) bool { return !m.From.Adjacent(m.To) },
		describe: func(_ *look, b *Block) { b.Text = fmt.Sprintf("go to %s first", b.From.Toward(b.To)) },
	},
	{
		Kind:     BlockUnknownPolicy,
		Sentence: "No process acts on a policy that the ledger does not know.",
		broken:   func(l *look, _ move) bool { return len(l.strangers()) > 0 },
		describe: describeStrangers,
	},
	{
		Kind:     BlockBarrier,
		Sentence: "The rungs of all policies that somebody may still act on, the current rung and the next one lie within two adjacent rungs.",
		broken:   func(l *look, m move) bool { return len(l.blamed(m)) > 0 },
		describe: describeBarrier,
	},
	{
		Kind:     BlockBackfill,
		Sentence: "Into shadow and live, the backfill is complete.",
		Steps:    []Transition{{flags.Dual, flags.Shadow}, {flags.Shadow, flags.Live}},
		broken:   func(l *look, m move) bool { return l.tenant(m).BackfilledAt == nil },
		describe: func(l *look, b *Block) {
			b.Text = fmt.Sprintf("the backfill of %s is not complete: %s", b.who(), l.work("backfill", b))
		},
	},
	{
		Kind:     BlockVerify,
		Sentence: "Into shadow, both sides were verified to be equal after the backfill.",
		Steps:    []Transition{{flags.Dual, flags.Shadow}},
		broken: func(l *look, m move) bool {
			t := l.tenant(m)
			return t.VerifiedAt == nil || t.BackfilledAt != nil && t.VerifiedAt.Before(*t.BackfilledAt)
		},
		describe: func(l *look, b *Block) {
			b.Text = fmt.Sprintf("%s not verified since the backfill: %s", isOrAre(b), l.work("verify", b))
		},
	},
	{
		Kind:     BlockFailing,
		Sentence: "Into live, no key has failed to be copied to the new side, and none waits for more than a minute to be tried.",
		Steps:    []Transition{{flags.Shadow, flags.Live}},
		broken: func(l *look, m move) bool {
			c := l.stale(m, flags.NewSide)
			return c.Failing > 0 || c.Untried > 0
		},
		describe: describeFailing,
	},
	{
		Kind:     BlockStaleNew,
		Sentence: "Into rampdown and new, no key is stale on the new side.",
		Steps:    []Transition{{flags.Live, flags.RampDown}, {flags.RampDown, flags.New}},
		broken:   func(l *look, m move) bool { return l.stale(m, flags.NewSide).Keys > 0 },
		describe: func(l *look, b *Block) { l.describeStale(b, flags.NewSide) },
	},
	{
		Kind:     BlockOldIncomplete,
		Sentence: "From live down, the old side holds every key: after new it does only when a reverse backfill is complete.",
		Steps:    []Transition{{flags.Live, flags.Shadow}},
		broken:   func(l *look, m move) bool { return !l.tenant(m).OldComplete },
		describe: func(l *look, b *Block) {
			b.Text = fmt.Sprintf("the old side of %s missed writes at new: %s", b.who(), l.work("backfill", b))
			b.Mends = l.working("backfill")
		},
	},
	{
		Kind:     BlockStaleOld,
		Sentence: "From live down, no key is stale on the old side.",
		Steps:    []Transition{{flags.Live, flags.Shadow}},
		broken:   func(l *look, m move) bool { return l.stale(m, flags.OldSide).Keys > 0 },
		describe: func(l *look, b *Block) { l.describeStale(b, flags.OldSide) },
	},
	{
		Kind:     BlockCaptureAbsent,
		Sentence: "Where writes ever ran without a fence, old is left upwards, and new downwards, only with capture of all tables standing.",
		Steps:    []Transition{{flags.Old, flags.Dual}, {flags.New, flags.RampDown}},
		broken: func(l *look, m move) bool {
			side := m.From.Plan().Authority
			c := l.state.Capture[side]
			return l.state.RanUnfenced[side] && !(c.Installed && c.Complete)
		},
		describe: describeAbsent,
	},
	{
		Kind:     BlockCaptureBroken,
		Sentence: "Where capture is installed, every table and partition has its triggers, and nobody takes them away.",
		Steps: []Transition{
			{flags.Old, flags.Dual}, {flags.Dual, flags.Shadow}, {flags.Shadow, flags.Live}, {flags.New, flags.RampDown}, {flags.Live, flags.Shadow},
		},
		broken: func(l *look, m move) bool {
			c := l.state.Capture[m.From.Plan().Authority]
			return c.Installed && !c.Stands()
		},
		describe: describeBroken,
	},
	{
		Kind:     BlockCaptureOpen,
		Sentence: "Into live, capture of the old side refuses statements from outside and those under way have ended; out of live downwards, that of the new side.",
		Steps:    []Transition{{flags.Shadow, flags.Live}, {flags.Live, flags.Shadow}},
		broken: func(l *look, m move) bool {
			c := l.state.Capture[m.From.Plan().Authority]
			return c.Installed && (!c.Refusing() || !c.Drained)
		},
		describe: describeOpen,
	},
	{
		Kind:     BlockCaptureRefuses,
		Sentence: "Into old, capture of the old side records again; into new, that of the new side.",
		Steps:    []Transition{{flags.Dual, flags.Old}, {flags.RampDown, flags.New}},
		broken:   func(l *look, m move) bool { return l.state.Capture[m.To.Plan().Authority].Refusing() },
		describe: describeRefuses,
	},
	{
		Kind:     BlockBypassed,
		Sentence: "Into live, nobody was seen to write the old side past the application, or somebody accepted it.",
		Steps:    []Transition{{flags.Shadow, flags.Live}},
		Forcible: true,
		broken:   func(l *look, _ move) bool { return l.state.Capture[flags.OldSide].Bypassed > 0 },
		describe: describeBypassed,
	},
}

// Rules returns the conditions of the ladder, for documentation and displays.
func Rules() []Rule { return slices.Concat(rules, chainRules, guardRules) }

func (r *Rule) concerns(m move) bool {
	return len(r.Steps) == 0 || slices.Contains(r.Steps, m.Transition)
}

func isOrAre(b *Block) string {
	if len(b.Tenants) == 1 && !b.Others {
		return b.who() + " is"
	}
	return b.who() + " are"
}

func describeStrangers(l *look, b *Block) {
	b.Processes = l.strangers()
	b.Text = fmt.Sprintf("%s: a policy that the ledger does not know, as after a failover: wait until it has asked again",
		l.actors(b.Processes))
}

func describeBarrier(l *look, b *Block) {
	var reasons []string
	for _, p := range l.state.Outstanding() {
		if !slices.Contains(b.Epochs, p.Epoch) {
			continue
		}
		if p.DrainedAt == nil {
			reasons = append(reasons, fmt.Sprintf("transactions of epoch %d may still run", p.Epoch))
		}
	}
	newest := slices.Max(b.Epochs)
	for _, p := range l.state.Processes {
		if p.Epoch <= newest && !p.Unknown {
			b.Processes = append(b.Processes, p)
		}
	}
	if len(b.Processes) > 0 {
		reasons = append(reasons, l.actors(b.Processes))
	}
	if len(reasons) == 0 {
		reasons = append(reasons, fmt.Sprintf("epoch %d is not yet written down as acknowledged", newest))
	}
	b.Text = "wait for the step before: " + strings.Join(reasons, "; ")
}

// actors says which processes act on which policies, and since when these are old.
func (l *look) actors(processes []ledger.Process) string {
	const shown = 5
	var texts []string
	for i, p := range processes {
		if i == shown {
			texts = append(texts, fmt.Sprintf("and %d more processes", len(processes)-shown))
			break
		}
		text := fmt.Sprintf("%s acts on epoch %d", p, p.Epoch)
		if since, ok := l.replaced(p.Epoch); ok {
			text += fmt.Sprintf(", which was replaced %s ago", short(l.state.At.Sub(since)))
		}
		texts = append(texts, fmt.Sprintf("%s (last heartbeat %s ago)", text, short(l.state.At.Sub(p.HeartbeatAt))))
	}
	return strings.Join(texts, ", ")
}

// replaced returns when the policy after an epoch came into force.
func (l *look) replaced(epoch int64) (time.Time, bool) {
	for _, p := range l.state.Policies {
		if p.Epoch > epoch {
			return p.CreatedAt, true
		}
	}
	return time.Time{}, false
}

// working reports whether a job of the kind is requested or running.
func (l *look) working(kind string) bool {
	return slices.ContainsFunc(l.state.Jobs, func(j ledger.Job) bool { return j.Kind == kind })
}

// work says how to get a job done, or that it is being done.
func (l *look) work(kind string, b *Block) string {
	for _, j := range l.state.Jobs {
		if j.Kind == kind {
			return fmt.Sprintf("%s %d is %s, %d of %d tenants done: wait for it", kind, j.ID, j.State, j.TenantsDone, j.TenantsAll)
		}
	}
	command := "crossfade " + kind + " " + l.name()
	if len(b.Tenants) == 1 && !b.Others {
		command += fmt.Sprintf(" --tenant %q", b.Tenants[0])
	}
	return "run `" + command + "`"
}

func (l *look) describeStale(b *Block, side flags.Side) {
	l.count(b, side, func(c ledger.StaleCount) int64 { return c.Failing })
	failing := b.Keys
	b.Keys, b.Mends = 0, failing == 0
	l.count(b, side, func(c ledger.StaleCount) int64 { return c.Keys })
	b.Text = fmt.Sprintf("%d keys of %s are stale on the %s side, the oldest for %s: run `crossfade reconcile %s`",
		b.Keys, b.who(), side, short(l.state.At.Sub(b.Oldest)), l.name())
	if failing > 0 {
		b.Text += fmt.Sprintf(" (%d of them could not be copied: `crossfade status %s` shows why)", failing, l.name())
	}
}

// describeFailing tells keys that the new side cannot take from those of which
// nobody knows: a worker that runs tries these, and they may still fail.
func describeFailing(l *look, b *Block) {
	l.count(b, flags.NewSide, func(c ledger.StaleCount) int64 { return c.Failing })
	failing := b.Keys
	l.count(b, flags.NewSide, func(c ledger.StaleCount) int64 { return c.Untried })
	untried := b.Keys - failing
	b.Mends = failing == 0
	var texts []string
	if failing > 0 {
		texts = append(texts, fmt.Sprintf("%d keys of %s cannot be copied to the new side: `crossfade status %s` shows why", failing, b.who(), l.name()))
	}
	if untried > 0 {
		texts = append(texts, fmt.Sprintf("nobody tried to copy %d keys of %s to the new side within a minute of their record: see that a worker runs",
			untried, b.who()))
	}
	b.Text = strings.Join(texts, "; ")
}

// count adds up the stale keys of the block's tenants.
func (l *look) count(b *Block, side flags.Side, keys func(ledger.StaleCount) int64) {
	for _, t := range b.Tenants {
		c := l.staleOf(t, side)
		b.Keys += keys(c)
		if b.Oldest.IsZero() || c.Oldest.Before(b.Oldest) {
			b.Oldest = c.Oldest
		}
	}
}

func short(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
