package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

const barWidth = 30

// bar shows a share. Whoever is there at all is seen.
func bar(percent float64, width int) string {
	full := int(math.Round(percent / 100 * float64(width)))
	if percent > 0 {
		full = max(full, 1)
	}
	if percent < 100 {
		full = min(full, width-1)
	}
	return strings.Repeat("#", full) + strings.Repeat(".", width-full)
}

func percentText(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + "%" }

// writeShort shows a migration in two or three lines.
func writeShort(w *strings.Builder, r *report) {
	fmt.Fprintf(w, "%-24s %s %s -> %s, epoch %d: %s\n", r.Name, r.Entity, r.From, r.To, r.Policy.Epoch, standing(r.state.Current().Policy))
	var attention []string
	if !r.Settled {
		attention = append(attention, "not settled")
	}
	for _, s := range r.Stale {
		attention = append(attention, fmt.Sprintf("%s stale on the %s side", plural(s.Keys, "key"), s.Side))
	}
	if r.Mismatches.Open > 0 {
		attention = append(attention, openText(r.Mismatches))
	}
	for _, j := range r.Jobs {
		if j.open() {
			attention = append(attention, fmt.Sprintf("%s %d is %s", j.Kind, j.ID, j.State))
		}
	}
	attention = append(attention, r.Guard.attention()...)
	if len(attention) > 0 {
		fmt.Fprintf(w, "  %s\n", strings.Join(attention, "; "))
	}
}

// writeReport shows all of a migration.
func writeReport(w *strings.Builder, r *report) {
	fmt.Fprintf(w, "%s   %s %s -> %s   epoch %d, in force since %s (%s)\n\n",
		r.Name, r.Entity, r.From, r.To, r.Policy.Epoch, stamp(r.Since), short(r.At.Sub(r.Since)))
	writeRungs(w, r)
	writeNext(w, r)
	writeGuard(w, r)
	writeFleet(w, r)
	writeData(w, r)
	writeRowVersions(w, r)
	writeComparisons(w, r)
	writeMismatches(w, r)
	writeJobs(w, r)
}

func writeRungs(w *strings.Builder, r *report) {
	for _, s := range r.Stages {
		text := fmt.Sprintf("  %-9s %s %6s", s.Stage, bar(s.Percent, barWidth), percentText(s.Percent))
		if s.Known > 0 {
			text += "  " + plural(s.Known, "known tenant")
		}
		if s.Pinned > 0 {
			text += fmt.Sprintf(" (%s pinned)", grouped(int64(s.Pinned)))
		}
		fmt.Fprintln(w, text)
	}
	if step := r.Policy.Step; step != nil {
		fmt.Fprintf(w, "  percentage step: %s\n", stepText(step, r.Policy.Default))
	}
	for _, h := range holdings {
		if slices.Contains(r.Policy.Holds, h.name) {
			fmt.Fprintf(w, "  %s: %s\n", h.name, h.means)
		}
	}
	if len(r.Policy.Pinned) == 0 {
		return
	}
	for _, stage := range slices.Backward(flags.Stages()) {
		var names []string
		for tenant, at := range r.Policy.Pinned {
			if at == stage {
				names = append(names, quoted(tenant))
			}
		}
		if slices.Sort(names); len(names) > 0 {
			fmt.Fprintf(w, "  pinned at %s: %s\n", stage, some(names, 8))
		}
	}
}

// stepText says who is in a percentage step, and who is not.
func stepText(step *stepJSON, others flags.Stage) string {
	if step.Of == flags.OfKeys.String() {
		return fmt.Sprintf("%s of each tenant's keys at %s, the others at %s; operations of several keys go by %s",
			percentText(step.Percent), step.To, others, min(step.To, others))
	}
	return fmt.Sprintf("%s of the tenants at %s, the others at %s", percentText(step.Percent), step.To, others)
}

func writeNext(w *strings.Builder, r *report) {
	fmt.Fprintln(w)
	for _, n := range []struct {
		name string
		step *nextStep
	}{{"up", r.Up}, {"down", r.Down}} {
		if n.step == nil {
			continue
		}
		what := "everybody to " + n.step.To.String()
		if n.step.Ends && r.Policy.Step != nil && n.step.To == r.Policy.Default {
			what = fmt.Sprintf("the %s back to %s", percentText(r.Policy.Step.Percent), n.step.To)
		}
		switch {
		case n.step.Allowed:
			what += ": nothing speaks against it: " + n.step.Command
		case slices.ContainsFunc(n.step.blocks, func(b control.Block) bool { return !b.Kind.Passes() }):
			what += ": refused"
		default:
			what += ": not yet"
		}
		fmt.Fprintf(w, "%-11s %s\n", "Next "+n.name, what)
		for _, b := range n.step.blocks {
			fmt.Fprintf(w, "%-11s - %s\n", "", printable(b.Text))
		}
		if n.step.PointNoReturn {
			fmt.Fprintf(w, "%-11s ! %s\n", "", indented(noReturn(r.Name), 100, 14))
		}
	}
	if r.PassedNoReturn {
		text := "the old side missed writes at new: below live only after a reverse backfill, which runs at rampdown or live:" +
			" `crossfade backfill " + r.Name + "`"
		fmt.Fprintf(w, "%-11s ! %s\n", "Old side", indented(text, 100, 14))
	}
}

// indented wraps text so that further lines begin below the first.
func indented(text string, width, margin int) string {
	return strings.ReplaceAll(wrapped(text, width-margin), "\n", "\n"+strings.Repeat(" ", margin))
}

func writeFleet(w *strings.Builder, r *report) {
	fmt.Fprintln(w)
	said := 0
	for _, p := range r.Processes {
		if *p.Acknowledged {
			said++
		}
	}
	if len(r.Processes) == 0 {
		fmt.Fprintf(w, "%-11s none acts on this migration\n", "Processes")
	} else {
		fmt.Fprintf(w, "%-11s %d of %d acknowledged epoch %d\n", "Processes", said, len(r.Processes), r.Policy.Epoch)
	}
	const shown = 20
	for i, p := range r.state.Processes {
		if i == shown {
			fmt.Fprintf(w, "%-11s   and %d more\n", "", len(r.state.Processes)-shown)
			break
		}
		text := fmt.Sprintf("acknowledged, heartbeat %s ago", short(r.At.Sub(p.HeartbeatAt)))
		if !acknowledged(p, r.Policy.Epoch) {
			text = fmt.Sprintf("acts on epoch %d, heartbeat %s ago, lease of %s left", p.Epoch, short(r.At.Sub(p.HeartbeatAt)), short(p.ExpiresAt.Sub(r.At)))
		}
		if p.Unknown {
			text = "acts on a policy that the ledger does not know, as after a failover"
		}
		fmt.Fprintf(w, "%-11s   %-30s %s\n", "", inLine(p.String()), text)
	}
	for _, e := range r.Outstanding {
		var missing []string
		if !e.Drained {
			missing = append(missing, "drained of its transactions")
		}
		acting := slices.ContainsFunc(r.state.Processes, func(p ledger.Process) bool { return !acknowledged(p, e.Epoch+1) })
		switch {
		case !e.Acknowledged && acting:
			missing = append(missing, "given up by every process")
		case !e.Acknowledged:
			missing = append(missing, "written down as acknowledged, which the next step does")
		}
		if len(missing) > 0 {
			fmt.Fprintf(w, "%-11s   epoch %d is not yet %s\n", "", e.Epoch, strings.Join(missing, " nor "))
		}
	}
}

func writeData(w *strings.Builder, r *report) {
	fmt.Fprintln(w)
	others := "not backfilled"
	switch whole := r.Tenants.Whole; {
	case whole.Verified && whole.Backfilled:
		others = "backfilled and verified"
	case whole.Backfilled:
		others = "backfilled, not verified"
	}
	if t := r.Tenants; t.Known > 0 {
		fmt.Fprintf(w, "%-11s of %s %d backfilled, %d verified; tenants not known by name: %s\n", "Data", plural(t.Known, "known tenant"), t.Backfilled, t.Verified, others)
	} else {
		fmt.Fprintf(w, "%-11s %s\n", "Data", others)
	}
	if len(r.Stale) == 0 {
		fmt.Fprintf(w, "%-11s none\n", "Stale keys")
	}
	for i, s := range r.Stale {
		head := "Stale keys"
		if i > 0 {
			head = ""
		}
		text := fmt.Sprintf("%s side: %s of %s, the oldest for %s", s.Side, plural(s.Keys, "key"), plural(s.Tenants, "tenant"), short(r.At.Sub(s.Oldest)))
		if s.Failing > 0 {
			text += fmt.Sprintf("; %s cannot be copied:", grouped(s.Failing))
		}
		fmt.Fprintf(w, "%-11s %s\n", head, text)
		for _, why := range s.Reasons {
			fmt.Fprintf(w, "%-11s   %s: %s\n", "", plural(why.Keys, "key"), inLine(why.Text))
		}
	}
}

func openText(m mismatchesJSON) string {
	more := ""
	if m.More {
		more = "more than "
	}
	return more + plural(m.Open, "open mismatch")
}

func writeMismatches(w *strings.Builder, r *report) {
	m := r.Mismatches
	if m.Open == 0 && len(m.Fields) == 0 {
		fmt.Fprintf(w, "%-11s none open\n", "Mismatches")
		return
	}
	fmt.Fprintf(w, "%-11s %s, seen %s: crossfade mismatches %s\n", "Mismatches", openText(m), plural(m.Count, "time"), r.Name)
	for i, f := range m.Fields {
		if i == 5 {
			fmt.Fprintf(w, "%-11s   and %s\n", "", plural(len(m.Fields)-i, "more field"))
			break
		}
		text := plural(f.Open, "key")
		if f.Open == 0 {
			text = "seen " + plural(f.Count, "time")
		}
		fmt.Fprintf(w, "%-11s   %s %s: %s\n", "", inLine(f.Operation), inLine(fieldName(f.Field, f.Open == 0)), text)
	}
}

// fieldName names a field; without a path the whole answer is meant.
func fieldName(field string, overflow bool) string {
	switch {
	case field != "":
		return field
	case overflow:
		return "(counted only)"
	}
	return "(the whole answer)"
}

func writeJobs(w *strings.Builder, r *report) {
	if len(r.Jobs) == 0 {
		fmt.Fprintf(w, "%-11s none\n", "Jobs")
		return
	}
	for i, j := range r.Jobs {
		head := "Jobs"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(w, "%-11s %s\n", head, inLine(jobText(j.detail)))
	}
}
