package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Measures of the chart, in pixels.
const (
	chartWidth  = 960.0
	chartMargin = 32.0
	columnsFrom = 322.0 // left of it stand the names
	columnWidth = 268.0
	columnGap   = 42.0
	labelRoom   = 44.0 // of a column, right of the longest bar, for its figure
	rowHeight   = 25.0
	barHeight   = 14.0
	lineHeight  = 17.0
	captionRoom = 150 // letters in a line of the caption
	longestBar  = 6.0 // ratios above it are cut, and say so
)

const chartTitle = "What a call costs through Crossfade, and through its peers"

// chart is the drawing in the making: it grows downwards.
type chart struct {
	strings.Builder
	y     float64
	scale float64 // pixels of a ratio of 1
	ticks int     // the last whole ratio on the axis
}

// Chart returns the SVG: what reads and writes cost in each variant that has a short name, one caller, fsync on, as
// ratios to the direct call, one column for each network. Bars begin at 1, so that their length is what is added. It
// has a background of its own and follows the reader's light or dark theme.
func (r *Report) Chart() []byte {
	r = r.settled()
	shown := slices.DeleteFunc(slices.Clone(r.Measures), func(m Measure) bool {
		return m.Short == "" || m.Kind == Direct || !m.Fsync || m.Connections > 1 || m.Ratio == 0
	})
	longest := 2.0
	for _, m := range shown {
		longest = max(longest, min(m.Ratio, longestBar))
	}
	c := &chart{scale: (columnWidth - labelRoom) / (longest - 1), ticks: int(longest)}
	c.head()
	for _, operation := range []Operation{Read, Write} {
		of := slices.DeleteFunc(slices.Clone(shown), func(m Measure) bool { return m.Operation != operation })
		if len(of) > 0 {
			c.panel(title2(string(operation)), of)
		}
	}
	c.caption(r)
	return c.svg(chartTitle, "Bars of median latency as a multiple of the direct call's, for reads and writes, on loopback and with "+
		"a round trip of 1 ms.")
}

func (c *chart) add(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// text writes words whose class says how they look; anchor is start, middle or end.
func (c *chart) text(x, y float64, class, anchor, words string) {
	c.add(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`, px(x), px(y), class, anchor, escaped(words))
}

func (c *chart) rule(x1, y1, x2, y2 float64, class string) {
	c.add(`<path d="M%s %sL%s %s" class="%s"/>`, px(x1), px(y1), px(x2), px(y2), class)
}

func (c *chart) head() {
	c.y = 46
	c.text(chartMargin, c.y, "title", "start", chartTitle)
	c.y += 24
	c.text(chartMargin, c.y, "muted", "start",
		"Median latency as a multiple of the same library's direct call. Bars begin at the direct call: their length is what is added.")
	c.y += 26
	x := chartMargin
	for _, entry := range []struct{ class, name string }{{string(Routed), "Crossfade"}, {string(Peer), "other ways to the same end"}} {
		c.add(`<rect x="%s" y="%s" width="12" height="12" rx="2" class="%s"/>`, px(x), px(c.y-10), entry.class)
		c.text(x+19, c.y, "label", "start", entry.name)
		x += 110
	}
	c.y += 10
}

// column is where a network's column begins.
func column(i int) float64 { return columnsFrom + float64(i)*(columnWidth+columnGap) }

// panel draws one operation: a row for each variant, Crossfade's own first.
func (c *chart) panel(name string, measures []Measure) {
	c.y += 32
	c.text(chartMargin, c.y, "heading", "start", name)
	for i, network := range networks {
		words := "on loopback"
		if network == OneMilli {
			words = "with a round trip of 1 ms"
		}
		c.text(column(i), c.y, "heading", "start", words)
	}
	c.y += 12
	top := c.y
	variants := distinct(measures, func(m Measure) string { return m.Variant })
	kind := func(variant string) Kind {
		return measures[slices.IndexFunc(measures, func(m Measure) bool { return m.Variant == variant })].Kind
	}
	short := func(variant string) string {
		return measures[slices.IndexFunc(measures, func(m Measure) bool { return m.Variant == variant })].Short
	}
	place := func(variant string) int { // Crossfade's own up the ladder, then the peers as they come
		if kind(variant) == Routed {
			return rung(short(variant))
		}
		return math.MaxInt
	}
	slices.SortStableFunc(variants, func(a, b string) int { return cmp.Compare(place(a), place(b)) })

	gap, rows := 0.0, &chart{scale: c.scale, y: top}
	for i, variant := range variants {
		if i > 0 && kind(variant) != kind(variants[i-1]) {
			gap = 8
		}
		rows.y = top + gap + float64(i)*rowHeight
		rows.row(variant, measures)
	}
	c.y = top + gap + float64(len(variants))*rowHeight + 4
	c.grid(top)
	c.WriteString(rows.String())
}

// rung is where the stage that a short name speaks of stands on the ladder; 0 if it speaks of none.
func rung(short string) int {
	for i, stage := range []string{"old", "dual", "shadow", "live", "rampdown", "new"} {
		if slices.Contains(strings.FieldsFunc(short, func(r rune) bool { return r == ' ' || r == ',' }), stage) {
			return i + 1
		}
	}
	return 0
}

// grid draws the axes of a panel behind its bars, and what they say below.
func (c *chart) grid(top float64) {
	for i := range networks {
		for tick := 1; tick <= c.ticks; tick++ {
			x, class, words := column(i)+float64(tick-1)*c.scale, "grid", fmt.Sprintf("%dx", tick)
			if tick == 1 {
				class, words = "axis", "direct"
			}
			c.rule(x, top, x, c.y, class)
			c.text(x, c.y+15, "tick", "middle", words)
		}
	}
	c.y += 20
}

func (c *chart) row(variant string, measures []Measure) {
	middle := c.y + rowHeight/2
	for i, network := range networks {
		at := slices.IndexFunc(measures, func(m Measure) bool { return m.Variant == variant && m.Network == network })
		if at < 0 {
			c.text(column(i)+7, middle+4, "tick", "start", "not measured")
			continue
		}
		c.bar(column(i), middle, measures[at])
	}
	first := measures[slices.IndexFunc(measures, func(m Measure) bool { return m.Variant == variant })]
	c.text(columnsFrom-14, middle+4, "label", "end", strings.Replace(first.Short, "routed, ", "at ", 1))
}

func (c *chart) bar(x, middle float64, m Measure) {
	shown := max(1, min(m.Ratio, longestBar))
	width := max(1.5, (shown-1)*c.scale) // what costs nothing is still there to be seen
	c.add(`<path d="%s" class="%s"/>`, barPath(x, middle-barHeight/2, width), m.Kind)
	end := x + width
	switch {
	case m.Ratio > longestBar: // cut through, near its end
		c.add(`<path d="M%s %sl6 -%s" class="cut"/>`, px(end-16), px(middle+barHeight/2+2), px(barHeight+4))
	case m.Noise*c.scale >= 3:
		reach := min(m.Noise, longestBar-m.Ratio) * c.scale
		c.rule(end-min(reach, width), middle, end+reach, middle, "spread")
		end += reach
	}
	c.text(end+7, middle+4, "value", "start", fmt.Sprintf("%.2f", m.Ratio))
}

// barPath is a bar that stands on its left side, and is round on its right.
func barPath(x, y, width float64) string {
	r := min(2.5, width)
	return fmt.Sprintf("M%s %sh%sq%s 0 %s %sv%sq0 %s -%s %sh-%sz", px(x), px(y), px(width-r), px(r), px(r), px(r),
		px(barHeight-2*r), px(r), px(r), px(r), px(width-r))
}

func (c *chart) caption(r *Report) {
	c.y += 26
	c.rule(chartMargin, c.y, chartWidth-chartMargin, c.y, "grid")
	c.y += 24
	for _, sentence := range r.captions() {
		for _, line := range wrapped(sentence, captionRoom) {
			c.text(chartMargin, c.y, "caption", "start", line)
			c.y += lineHeight
		}
	}
	c.y += 10
}

func (r *Report) captions() []string {
	spread := map[string]float64{}
	for _, f := range r.Floors {
		if f.Fsync && f.Connections <= 1 {
			spread[f.Network] = max(spread[f.Network], math.Abs(f.Ratio-1), f.Noise)
		}
	}
	how := "One caller, fsync on, variants permuted for every operation, medians of rounds."
	if len(spread) > 0 {
		how += " Equal direct calls differ by"
		for i, network := range networks {
			if value, is := spread[network]; is {
				if i > 0 && len(spread) > 1 {
					how += ","
				}
				how += fmt.Sprintf(" %.1f %% (%s)", 100*value, networkName(network))
			}
		}
		how += "."
	}
	return []string{how, r.Machine.plainSentence(), "Reproduce with: make bench"}
}

// plainSentence is the sentence without Markdown.
func (m Machine) plainSentence() string { return strings.ReplaceAll(m.sentence(), "**", "") }

// wrapped breaks words into lines of at most so many letters.
func wrapped(words string, room int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(words) {
		if line != "" && len(line)+1+len(word) > room {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// px is a length with at most two decimals.
func px(value float64) string {
	text := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", value), "0"), ".")
	if text == "-0" || text == "" {
		return "0"
	}
	return text
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escaped(words string) string { return escapes.Replace(words) }
