package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// chainRules say what the migrations of one entity, from version to version in a
// row, depend on. There is one idea behind them: a tenant leaves old of a
// migration only when it stands at new of the one before it. Wherever two versions
// are written, the third is then out of play, so that each migration is the
// ladder by itself, and what is known of the ladder holds for each.
var chainRules = []Rule{
	{
		Kind:     BlockChainBelow,
		Sentence: "Upwards, everybody stands at new of the migration that leads to the old version, by every policy that somebody may still act on.",
		broken: func(l *look, m move) bool {
			return m.up() && slices.ContainsFunc(l.state.Previous, func(s *State) bool { return l.elsewhere(s, m.subject, flags.New) != nil })
		},
		describe: func(l *look, b *Block) { l.describeChain(b, l.state.Previous, flags.New) },
	},
	{
		Kind:     BlockChainAbove,
		Sentence: "Out of new, everybody stands at old of the migration that goes on from the new version, by every policy that somebody may still act on.",
		broken: func(l *look, m move) bool {
			return m.From == flags.New && slices.ContainsFunc(l.state.Following, func(s *State) bool { return l.elsewhere(s, m.subject, flags.Old) != nil })
		},
		describe: func(l *look, b *Block) { l.describeChain(b, l.state.Following, flags.Old) },
	},
	{
		Kind:     BlockChainFleet,
		Sentence: "Upwards, every process that acts on the migration that leads to the old version acts on this one, too.",
		Forcible: true,
		broken:   func(l *look, m move) bool { return m.up() && len(l.unaware()) > 0 },
		describe: func(l *look, b *Block) {
			b.Processes = l.unaware()
			names := make([]string, 0, len(b.Processes))
			for _, p := range b.Processes {
				names = append(names, p.String())
			}
			b.Text = fmt.Sprintf("%s: acts on the migration before and does not know %s, so that it would write the %s version alone: replace it by a build that knows both, or set the rule aside for a process that writes nothing",
				few(names), l.name(), l.state.Migration.From)
		},
	},
}

// elsewhere returns the policies of another migration of the entity by which the
// subject stands anywhere but at the stage, and on which somebody may act. The
// buckets of two migrations have nothing to do with each other: tenants whom
// nothing names stand where all of them do.
func (l *look) elsewhere(other *State, s subject, stage flags.Stage) (epochs []int64) {
	for _, c := range l.others[other] {
		p := c.Terms()
		low, high := p.Default, p.Default
		if p.Step.Share > 0 {
			low, high = min(p.Default, p.Step.To), max(p.Default, p.Step.To)
			if p.Step.Share >= flags.Buckets {
				low, high = p.Step.To, p.Step.To
			}
		}
		if s.tenant != "" {
			low, high = c.Range(s.tenant)
		}
		if low != stage || high != stage {
			epochs = append(epochs, p.Epoch)
		}
	}
	return epochs
}

// chain compiles the policies of the other migrations of the entity on which
// somebody may act, the one in force last. Only [Check] needs them: what a step
// does to the states of tenants depends on none of it.
func (l *look) chain() error {
	l.others = map[*State][]*flags.Compiled{}
	for _, other := range slices.Concat(l.state.Previous, l.state.Following) {
		for i, p := range other.Policies {
			if i < len(other.Policies)-1 && !actedOn(other, p) {
				continue
			}
			c, err := p.Compile()
			if err != nil {
				return fmt.Errorf("%s: %w", other.Migration.Name, err)
			}
			l.others[other] = append(l.others[other], c)
		}
	}
	return nil
}

// unaware are the processes that act on a migration before this one, and not on
// this one.
func (l *look) unaware() (all []ledger.Process) {
	for _, s := range l.state.Previous {
		for _, p := range s.Processes {
			if !slices.ContainsFunc(l.state.Processes, func(own ledger.Process) bool { return own.ID == p.ID }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// describeChain says where the other migration has to be first.
func (l *look) describeChain(b *Block, others []*State, stage flags.Stage) {
	var texts []string
	b.Mends = true
	for _, other := range others {
		name, inForce := other.Migration.Name, other.Current().Epoch
		var older []int64
		var stands []string
		for _, s := range b.subjects() {
			for _, epoch := range l.elsewhere(other, s, stage) {
				if epoch != inForce {
					older = append(older, epoch)
					continue
				}
				if at := l.stands(other, s); !slices.Contains(stands, at) {
					stands = append(stands, at)
				}
			}
		}
		slices.Sort(older)
		switch older = slices.Compact(older); {
		case len(stands) > 0:
			b.Mends = false
			texts = append(texts, fmt.Sprintf("%s goes from %s to %s and has %s at %s: go to %s of %s first",
				name, other.Migration.From, other.Migration.To, b.who(), strings.Join(stands, " and "), stage, name))
		case len(older) > 0:
			texts = append(texts, fmt.Sprintf("wait for the step before of %s: somebody may still act on its epoch %d, by which %s not at %s",
				name, older[len(older)-1], isOrAre(b), stage))
		}
	}
	b.Text = strings.Join(texts, "; ")
}

// subjects are those of whom the step is refused.
func (b *Block) subjects() []subject {
	all := make([]subject, 0, len(b.Tenants)+1)
	for _, t := range b.Tenants {
		all = append(all, subject{tenant: t})
	}
	if b.Others {
		all = append(all, subject{})
	}
	return all
}

// stands says where the policy in force of another migration has the subject.
func (l *look) stands(other *State, s subject) string {
	all := l.others[other]
	c := all[len(all)-1]
	if s.tenant != "" {
		return placed(c, s.tenant)
	}
	return describe(c.Terms())
}

// few names the first of many.
func few(names []string) string {
	const shown = 5
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more processes", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}
