package report

import "fmt"

// theme is the colours of a chart.
type theme struct{ back, edge, ink, muted, grid, routed, peer string }

// Light and dark, in the colours of the pages around the chart; blue and grey also differ to those who see no colours.
var (
	light = theme{
		back: "#ffffff", edge: "#d1d9e0", ink: "#1f2328", muted: "#59636e", grid: "#e4e8ec", routed: "#1f6feb", peer: "#a5b0bc",
	}
	dark = theme{
		back: "#0d1117", edge: "#3d444d", ink: "#f0f6fc", muted: "#9198a1", grid: "#262c36", routed: "#4493f8", peer: "#636e7b",
	}
)

func (t theme) css() string {
	return fmt.Sprintf(`.back{fill:%s;stroke:%s}
.title,.heading,.label,.value{fill:%s}
.value{stroke:%s}
.muted,.caption,.tick{fill:%s}
.grid{stroke:%s}
.axis{stroke:%s}
.spread{stroke:%s}
.cut{stroke:%s}
.routed{fill:%s}
.line{stroke:%s}
.peer{fill:%s}
`, t.back, t.edge, t.ink, t.back, t.muted, t.grid, t.muted, t.ink, t.back, t.routed, t.routed, t.peer)
}

// letters say how text and lines look in both themes.
const letters = `text{font:13px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
.title{font-size:20px;font-weight:600}
.heading{font-size:14px;font-weight:600}
.muted{font-size:13.5px}
.value{font-size:12.5px;font-weight:600;font-variant-numeric:tabular-nums;paint-order:stroke;stroke-width:3px}
.tick{font-size:11px}
.caption{font-size:12px}
.grid,.axis,.spread{fill:none;stroke-width:1}
.spread{stroke-opacity:.55}
.cut{fill:none;stroke-width:4}
.line{fill:none;stroke-width:1.5;stroke-linejoin:round}
`

// svg wraps what was drawn.
func (c *chart) svg(title, about string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" role="img">
<title>%[9]s</title>
<desc>%[10]s</desc>
<style>
%[3]s%[4]s@media (prefers-color-scheme:dark){
%[5]s}
</style>
<rect x="0.5" y="0.5" width="%[6]s" height="%[7]s" rx="8" class="back"/>
%[8]s</svg>
`, px(chartWidth), px(c.y), letters, light.css(), dark.css(), px(chartWidth-1), px(c.y-1), c.String(),
		escaped(title), escaped(about))
}
