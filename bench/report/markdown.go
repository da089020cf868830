package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// networks are shown in this order.
var networks = []string{Loopback, OneMilli}

// networkName is how texts call a network.
func networkName(network string) string {
	if network == OneMilli {
		return "1 ms"
	}
	return network
}

// Markdown returns the tables of docs/performance.md: targets beside figures, peers, and what lies behind them.
func (r *Report) Markdown() string {
	r = r.settled()
	b := &document{}
	b.line("%s", r.Machine.sentence())
	b.rows("Targets and figures", "reached (noise)", r.Rows, true)
	b.rows("Peers and other figures, in the same run", "measured (noise)", r.Rows, false)
	b.facts(r.Facts)
	b.floors(r.Floors)
	b.details("Latency, allocations and the database's work: one caller, fsync on", r.Measures, func(m Measure) bool {
		return m.Fsync && m.Connections <= 1
	})
	b.crowds(r.Measures)
	b.details("With fsync off: one caller", r.Measures, func(m Measure) bool { return !m.Fsync && m.Connections <= 1 })
	return b.String()
}

func (m Machine) sentence() string {
	var parts []string
	add := func(format string, arg any, known bool) {
		if known {
			parts = append(parts, fmt.Sprintf(format, arg))
		}
	}
	add("Measured on %s", m.Date, m.Date != "")
	add("%s", m.CPU, m.CPU != "")
	add("%d cores", m.Cores, m.Cores > 0)
	add("%s", m.System, m.System != "")
	add("%s", m.Go, m.Go != "")
	add("PostgreSQL %s", m.PostgreSQL, m.PostgreSQL != "")
	add("%s rows", grouped(float64(m.Rows)), m.Rows > 0)
	if len(parts) == 0 {
		return "Nothing was measured yet."
	}
	text := strings.Join(parts, ", ") + "."
	if m.Quick {
		text += " **A quick run: its figures are for trying, not for publishing.**"
	}
	return text
}

// document is Markdown in the making.
type document struct{ strings.Builder }

func (b *document) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// heading begins a part.
func (b *document) heading(text string) {
	if !strings.HasSuffix(b.String(), "\n\n") {
		b.line("")
	}
	b.line("### %s\n", text)
}

// table begins one: columns whose name begins with a blank are of figures, and stand right.
func (b *document) table(columns ...string) {
	rule := make([]string, len(columns))
	for i, c := range columns {
		rule[i] = "---"
		if strings.HasPrefix(c, " ") {
			rule[i] = "--:"
		}
		columns[i] = strings.TrimSpace(c)
	}
	b.cells(columns)
	b.line("|%s|", strings.Join(rule, "|"))
}

func (b *document) cells(cells []string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	line := "|"
	for _, c := range cells {
		line += strings.TrimRight(" "+c, " ") + " |"
	}
	b.line("%s", line)
}

// fold hides what follows until unfold.
func (b *document) fold(text string) { b.line("\n<details>\n<summary>%s</summary>\n", text) }

func (b *document) unfold() { b.line("\n</details>") }

// rows writes those rows that have a target, or those that have none: one line for each name and unit, both networks
// beside each other.
func (b *document) rows(title, column string, rows []Row, targeted bool) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return (r.Target != nil) != targeted })
	if len(rows) == 0 {
		return
	}
	b.heading(title)
	header := []string{""}
	for _, network := range networks {
		header = append(header, " "+networkName(network)+": "+column)
		if targeted {
			header = append(header, " target", "")
		}
	}
	b.table(header...)
	for _, of := range distinct(rows, func(r Row) Row { return Row{Name: r.Name, Unit: r.Unit} }) {
		cells := []string{of.title()}
		for _, network := range networks {
			i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == of.Name && r.Unit == of.Unit && r.Network == network })
			switch {
			case i >= 0 && targeted:
				cells = append(cells, rows[i].reached(), rows[i].wanted(), rows[i].verdict())
			case i >= 0:
				cells = append(cells, rows[i].reached())
			case targeted:
				cells = append(cells, "", "", "")
			default:
				cells = append(cells, "")
			}
		}
		b.cells(cells)
	}
}

// title is the row's name; what is counted is added where the name alone does not tell.
func (r Row) title() string {
	if r.Unit == Allocs && !strings.Contains(r.Name, "alloc") {
		return r.Name + ", allocations"
	}
	return r.Name
}

func (r Row) reached() string {
	value := figure(r.Unit, r.Value)
	if r.Target != nil && !*r.Met && r.Unit == Ratio && value == ratio(*r.Target) {
		value = fmt.Sprintf("%.4f", r.Value) // the difference that was missed by
	}
	if r.Noise != 0 {
		value += " (" + figure(r.Unit, r.Noise) + ")"
	}
	return value
}

func (r Row) wanted() string {
	text := strings.NewReplacer(".00 ", " ", ".0 ", " ").Replace(figure(r.Unit, *r.Target))
	if r.Unit == Ratio {
		text = fmt.Sprintf("%.2f", *r.Target)
	}
	if r.minimum() {
		return "min " + text
	}
	return "max " + text
}

func (r Row) verdict() string {
	if *r.Met {
		return "met"
	}
	return "**missed**"
}

func (b *document) facts(facts []Fact) {
	if len(facts) == 0 {
		return
	}
	b.heading("Also measured")
	b.table("", " ", "unit")
	for _, f := range facts {
		b.cells([]string{f.Name, plain(f.Value), f.Unit})
	}
}

func (b *document) floors(floors []Floor) {
	if len(floors) == 0 {
		return
	}
	b.heading("Noise floor")
	b.line("The direct call measured a second time in the same rounds, divided by the first.\n")
	b.table("", "network", " callers", "fsync", " ratio", " spread between rounds")
	for _, f := range floors {
		b.cells([]string{
			f.Group, networkName(f.Network), fmt.Sprint(max(1, f.Connections)), onOff(f.Fsync),
			ratio(f.Ratio), ratio(f.Noise),
		})
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// details writes a table for each operation on each network, folded.
func (b *document) details(title string, measures []Measure, keep func(Measure) bool) {
	measures = slices.DeleteFunc(slices.Clone(measures), func(m Measure) bool { return !keep(m) })
	if len(measures) == 0 {
		return
	}
	b.fold(title)
	for _, operation := range distinct(measures, func(m Measure) Operation { return m.Operation }) {
		for _, network := range networks {
			some := slices.DeleteFunc(slices.Clone(measures), func(m Measure) bool {
				return m.Operation != operation || m.Network != network
			})
			if len(some) > 0 {
				b.heading(fmt.Sprintf("%s, %s", title2(string(operation)), networkName(network)))
				b.measures(some)
			}
		}
	}
	b.unfold()
}

// title2 is a word with a capital, in plural: read is Reads.
func title2(word string) string { return strings.ToUpper(word[:1]) + word[1:] + "s" }

func (b *document) measures(measures []Measure) {
	b.table("", " ratio (noise)", " p50", " p99", " calls/s", " allocations", " bytes", " database CPU")
	for _, m := range measures {
		b.cells([]string{
			m.Variant, known(m.Ratio, ratio) + noise(m.Noise), known(m.P50, nanos), known(m.P99, nanos),
			known(m.PerSecond, grouped), known(m.Allocs, plain), known(m.Bytes, grouped), known(m.DatabaseCPU, nanos),
		})
	}
}

func noise(value float64) string {
	if value == 0 {
		return ""
	}
	return " (" + ratio(value) + ")"
}

// known shows a figure that was measured.
func known(value float64, show func(float64) string) string {
	if value == 0 {
		return ""
	}
	return show(value)
}

// crowds writes what happens with more callers: a column of each number of them, a table of each operation on each
// network with fsync on and off.
func (b *document) crowds(measures []Measure) {
	type load struct {
		operation Operation
		network   string
		fsync     bool
	}
	of := func(m Measure) load { return load{m.Operation, m.Network, m.Fsync} }
	loads := distinct(measures, of)
	slices.SortStableFunc(loads, func(a, c load) int {
		return cmp.Or(yesFirst(a.fsync, c.fsync), cmp.Compare(a.operation, c.operation),
			cmp.Compare(slices.Index(networks, a.network), slices.Index(networks, c.network)))
	})
	open := false
	for _, l := range loads {
		some := slices.DeleteFunc(slices.Clone(measures), func(m Measure) bool { return of(m) != l })
		crowd := distinct(some, func(m Measure) int { return max(1, m.Connections) })
		if slices.Max(crowd) == 1 {
			continue
		}
		if !open {
			b.fold("More callers at once: ratio to the direct call at the same load, p99, calls per second")
			open = true
		}
		slices.Sort(crowd)
		b.heading(fmt.Sprintf("%s, %s, fsync %s", title2(string(l.operation)), networkName(l.network), onOff(l.fsync)))
		b.crowd(some, crowd)
	}
	if open {
		b.unfold()
	}
}

func yesFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func (b *document) crowd(measures []Measure, crowd []int) {
	header := []string{""}
	for _, n := range crowd {
		header = append(header, fmt.Sprintf(" %d: ratio", n), " p99", " calls/s")
	}
	b.table(header...)
	for _, variant := range distinct(measures, func(m Measure) string { return m.Variant }) {
		cells := []string{variant}
		for _, n := range crowd {
			i := slices.IndexFunc(measures, func(m Measure) bool { return m.Variant == variant && max(1, m.Connections) == n })
			if i < 0 {
				cells = append(cells, "", "", "")
				continue
			}
			m := measures[i]
			cells = append(cells, known(m.Ratio, ratio), known(m.P99, nanos), known(m.PerSecond, grouped))
		}
		b.cells(cells)
	}
}

// distinct returns what of says of the items, each once, in the order in which it appears.
func distinct[T any, K comparable](items []T, of func(T) K) []K {
	var all []K
	for _, item := range items {
		if k := of(item); !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}
