package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Timeline is how figures of one run went over time, below each other.
type Timeline struct {
	Title, Subtitle string
	Lasted          time.Duration
	// Bands are the parts of the run, each from its beginning to that of the next.
	Bands    []Band
	Panels   []Panel
	Captions []string
}

// Band is a part of a run that has a name, and a Level: the higher, the stronger its colour, 0 to 1.
type Band struct {
	From  time.Duration
	Name  string
	Level float64
}

// Panel is one figure over time; its axis begins at nothing.
type Panel struct {
	Name, Note string // Note is what is said about it, at the right
	Points     []Point
}

// Point is a figure at a time.
type Point struct {
	At    time.Duration
	Value float64
}

// Measures of the timeline, in pixels.
const (
	timeFrom    = chartMargin + 40
	timeWidth   = chartWidth - chartMargin - timeFrom
	panelHeight = 78.0
	bandHeight  = 16.0
)

// Chart returns the SVG, in the manner of [Report.Chart].
func (t *Timeline) Chart() []byte {
	c := &chart{}
	c.y = 46
	c.text(chartMargin, c.y, "title", "start", t.Title)
	c.y += 24
	for _, line := range wrapped(t.Subtitle, captionRoom-15) {
		c.text(chartMargin, c.y, "muted", "start", line)
		c.y += 19
	}
	c.y += 8
	t.bands(c)
	for _, p := range t.Panels {
		t.panel(c, p)
	}
	c.y += 4
	t.hours(c)
	c.y += 18
	for _, sentence := range t.Captions {
		for _, line := range wrapped(sentence, captionRoom) {
			c.text(chartMargin, c.y, "caption", "start", line)
			c.y += lineHeight
		}
	}
	c.y += 8
	return c.svg(t.Title, t.Subtitle)
}

// x is where a time is.
func (t *Timeline) x(at time.Duration) float64 {
	return timeFrom + timeWidth*float64(min(at, t.Lasted))/math.Max(1, float64(t.Lasted))
}

// bands draws a strip of the parts, and names each as often as there is room.
func (t *Timeline) bands(c *chart) {
	for i, b := range t.Bands {
		end := t.Lasted
		if i+1 < len(t.Bands) {
			end = t.Bands[i+1].From
		}
		from, width := t.x(b.From), t.x(end)-t.x(b.From)
		if width <= 0 {
			continue
		}
		c.add(`<rect x="%s" y="%s" width="%s" height="%s" class="routed" fill-opacity="%s"><title>%s</title></rect>`,
			px(from), px(c.y), px(width), px(bandHeight), px(0.08+0.92*b.Level), escaped(b.Name))
	}
	c.text(timeFrom-8, c.y+12, "tick", "end", "stage")
	c.y += bandHeight + 16
	x := timeFrom
	for _, b := range distinct(t.Bands, func(b Band) Band { return Band{Name: b.Name, Level: b.Level} }) {
		c.add(`<rect x="%s" y="%s" width="10" height="10" class="routed" fill-opacity="%s"/>`, px(x), px(c.y-9), px(0.08+0.92*b.Level))
		c.text(x+15, c.y, "tick", "start", b.Name)
		x += 26 + 6.5*float64(len(b.Name))
	}
	c.y += 14
}

func (t *Timeline) panel(c *chart, p Panel) {
	c.y += 22
	c.text(timeFrom, c.y, "label", "start", p.Name)
	c.text(timeFrom+timeWidth, c.y, "tick", "end", p.Note)
	c.y += 9
	most := 0.0
	for _, point := range p.Points {
		most = math.Max(most, point.Value)
	}
	top := niceTop(most)
	bottom := c.y + panelHeight
	y := func(value float64) float64 { return bottom - panelHeight*value/top }
	for _, value := range []float64{0, top / 2, top} {
		class := "grid"
		if value == 0 {
			class = "axis"
		}
		c.rule(timeFrom, y(value), timeFrom+timeWidth, y(value), class)
		c.text(timeFrom-8, y(value)+4, "tick", "end", plain(value))
	}
	var line strings.Builder
	for i, point := range p.Points {
		step := "L"
		if i == 0 {
			step = "M"
		}
		fmt.Fprintf(&line, "%s%s %s", step, px(t.x(point.At)), px(y(point.Value)))
	}
	if line.Len() > 0 {
		c.add(`<path d="%s" class="line"/>`, line.String())
	}
	c.y = bottom
}

// niceTop is the end of an axis: twice a round number, so that its half is round too.
func niceTop(most float64) float64 {
	if most <= 0 {
		return 2
	}
	size := math.Pow(10, math.Floor(math.Log10(most)))
	for _, step := range []float64{1, 2, 3, 4, 6, 8, 10, 20} {
		if most <= step*size {
			return step * size
		}
	}
	return 20 * size
}

// hours writes the axis of time: about six ticks.
func (t *Timeline) hours(c *chart) {
	step := t.Lasted
	for _, s := range []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute,
		30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if t.Lasted/s <= 8 {
			step = s
			break
		}
	}
	if step <= 0 {
		return
	}
	c.y += 14
	for at := time.Duration(0); at <= t.Lasted; at += step {
		anchor, words := "middle", strings.TrimSuffix(strings.TrimSuffix(at.String(), "0s"), "0m")
		if at == 0 {
			anchor, words = "start", "0"
		}
		if step >= time.Minute && at > 0 && at < time.Hour {
			words = fmt.Sprintf("%d min", at/time.Minute)
		}
		if t.Lasted-at < t.Lasted/50 {
			anchor = "end"
		}
		c.text(t.x(at), c.y, "tick", anchor, words)
	}
	c.y += 8
}
