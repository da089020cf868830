package control

import (
	"fmt"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
)

func describeAbsent(l *look, b *Block) {
	side := b.From.Plan().Authority
	b.Text = fmt.Sprintf("writes at %s ran without a fence, and what such a write sends may arrive late: run `crossfade capture install %s` for the %s side first, of all tables that it writes, with --complete",
		b.From, l.name(), side)
}

func describeBroken(l *look, b *Block) {
	side := b.From.Plan().Authority
	c := l.state.Capture[side]
	if len(c.Broken) == 0 {
		b.Text = fmt.Sprintf("capture of the %s side is being removed: finish that with `crossfade capture remove %s`, or install it again", side, l.name())
		return
	}
	const shown = 5
	tables := strings.Join(c.Broken[:min(shown, len(c.Broken))], ", ")
	if len(c.Broken) > shown {
		tables += ", ..."
	}
	b.Text = fmt.Sprintf("capture of the %s side lacks triggers on %s: run `crossfade capture install %s` again", side, tables, l.name())
}

func describeOpen(l *look, b *Block) {
	side := b.From.Plan().Authority
	b.Mends = true // the step itself has capture refuse
	if c := l.state.Capture[side]; c.Recording() {
		b.Text = fmt.Sprintf("capture of the %s side lets statements from outside through: the step has it refuse them first", side)
		return
	}
	b.Text = fmt.Sprintf("transactions past the application that wrote the %s side may still run: `crossfade capture status %s` shows them", side, l.name())
}

func describeRefuses(l *look, b *Block) {
	side := b.To.Plan().Authority
	b.Mends = !l.refuses(side)
	b.Text = fmt.Sprintf("capture of the %s side still refuses statements from outside: it records again when nobody stands where the %s side has authority, and the step before is settled",
		side, side.Other())
	if side == flags.NewSide {
		b.Text += ", and no key is stale there"
	}
}

func describeBypassed(l *look, b *Block) {
	c := l.state.Capture[flags.OldSide]
	who := ""
	if len(c.Writers) > 0 {
		const shown = 3
		who = " by " + strings.Join(c.Writers[:min(shown, len(c.Writers))], ", ")
	}
	b.Keys, b.Oldest = 0, c.BypassedAt
	b.Text = fmt.Sprintf("%d statements%s wrote the old side past the application, the last one %s ago, and would be refused at live: have them go through the application, then run `crossfade capture accept %s`",
		c.Bypassed, who, short(l.state.At.Sub(c.BypassedAt)), l.name())
}
