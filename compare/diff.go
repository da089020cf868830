package compare

import (
	"fmt"
	"slices"
)

// Limits of one comparison. A comparison reports differences for people to look at; it is no export of the data.
const (
	// MaxDiffs is the most differences that one comparison reports.
	MaxDiffs = 64
	// MaxDiffsPerField is how many of them may come from one field of a list's elements ("Lines[*].Cents"), so that a
	// noisy field of a long list does not hide the others.
	MaxDiffsPerField = 8
)

// Kind says in which way two values differ. Its text is stored in ledgers and never changes its meaning.
type Kind string

// The kinds of difference.
const (
	KindValue        Kind = "value"        // both sides have the value, and they are not equal
	KindMissing      Kind = "missing"      // the other side lacks what was served
	KindExtra        Kind = "extra"        // the other side has what was not served
	KindLength       Kind = "length"       // two lists are of different length; what is missing or extra follows
	KindType         Kind = "type"         // an interface holds values of different types
	KindError        Kind = "error"        // the two sides' errors are of different classes
	KindUncomparable Kind = "uncomparable" // nothing can be said: functions, unclassified errors, limits exceeded
	KindPanic        Kind = "panic"        // the comparison itself panicked: nothing can be said
	KindTruncated    Kind = "truncated"    // a marker at the end: beneath its path more may differ than is reported
)

// judged reports whether a difference of this kind proves that the two sides differ.
func (k Kind) judged() bool {
	return k != KindUncomparable && k != KindPanic && k != KindTruncated
}

// Diff is one difference between the served answer and the other side's.
type Diff struct {
	// Path leads to the value: "Address.City", "Lines[3].Cents", "error", and "" for the answer itself. The index of an
	// element is its place in the served list, or, where Kind is KindExtra, in the other list. Keys of maps stand in it
	// hashed, since they are data, unless the field is marked safe.
	Path string
	// Kind says in which way the values differ.
	Kind Kind
	// Served and Other are the redacted texts of the two values, or, where Safe is set, the values, cut at MaxText bytes.
	// A value that a side lacks is "absent"; a nil is "nil".
	Served, Other string
	// Safe says that the values may be shown.
	Safe bool
	// Ignored says that the values differ, and that the rules do not count it.
	Ignored bool

	// raw holds the values until Rules.Apply has settled how they are shown. It is a pointer so that printing a Diff
	// never prints them.
	raw *rawPair
}

type rawPair struct{ served, other any }

// absent stands for the value of a side that has none.
type absent struct{}

// weight is how much a difference matters to the verdict: not at all, as a doubt, as a proof.
func (d Diff) weight() int {
	switch {
	case d.Ignored:
		return 0
	case !d.Kind.judged():
		return 1
	}
	return 2
}

// String returns one line with the redacted values, such as
// "Name: value: served string(3)#5d0f31c2a9be, other string(4)#a04be1c5f2d7".
func (d Diff) String() string {
	path := d.Path
	if path == "" {
		path = "(answer)"
	}
	text := fmt.Sprintf("%s: %s", path, d.Kind)
	if d.Served != "" || d.Other != "" {
		text += fmt.Sprintf(": served %s, other %s", d.Served, d.Other)
	}
	if d.Ignored {
		text += " (ignored)"
	}
	return text
}

// Func compares two answers and returns their differences; nil means equal. A Func does not change its arguments, does
// not keep them beyond the differences that it returns, may be called concurrently, and should not panic; Run recovers
// one that does. Funcs are generated, one per type; by hand they are written over a Collector in the same shape.
type Func[T any] func(served, other T) []Diff

// Run calls diff. A panic becomes one difference of KindPanic, so that the comparison counts as inconclusive and never
// as equal. A nil diff compares as Any does.
func Run[T any](diff Func[T], served, other T) (diffs []Diff) {
	defer func() {
		if recovered := recover(); recovered != nil {
			diffs = []Diff{panicked("", recovered)}
		}
	}()
	if diff == nil {
		return Deep(served, other)
	}
	return diff(served, other)
}

// panicked describes a panic by the type of its value alone: its text may hold data.
func panicked(path string, recovered any) Diff {
	return Diff{Path: path, Kind: KindPanic, Served: fmt.Sprintf("panic of type %T", recovered), Other: "unknown"}
}

// Verdict is what a whole comparison came to.
type Verdict uint8

// The verdicts. Each comparison has exactly one.
const (
	Matched      Verdict = iota // no difference at all
	Ignored                     // only differences that the rules ignore
	Inconclusive                // no difference that counts, but a part that could not be judged
	Mismatched                  // at least one difference that counts
)

// String returns the verdict's name in small letters.
func (v Verdict) String() string {
	switch v {
	case Matched:
		return "matched"
	case Ignored:
		return "ignored"
	case Inconclusive:
		return "inconclusive"
	case Mismatched:
		return "mismatched"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Judge returns the verdict over the differences of one comparison, after Rules.Apply if there are rules.
func Judge(diffs []Diff) Verdict {
	verdict := Matched
	for _, d := range diffs {
		switch d.weight() {
		case 0:
			verdict = max(verdict, Ignored)
		case 1:
			verdict = Inconclusive
		default:
			return Mismatched
		}
	}
	return verdict
}

// Collector is what comparisons of fields write into: make one per comparison, hand its address to the functions of
// this package, return Diffs. The zero value is ready. It is not safe for concurrent use. It keeps MaxDiffs differences
// and MaxDiffsPerField of each field, those that matter to the verdict before the others.
type Collector struct {
	diffs     []Diff
	truncated bool
	beneath   string // the path beneath which differences were left out
}

// Diffs returns what was found, in the order in which it was found; nil means equal. If something had to be left out, a
// last entry of KindTruncated says so.
func (c *Collector) Diffs() []Diff {
	if c.truncated {
		return c.marked()
	}
	return c.diffs
}

//go:noinline
func (c *Collector) marked() []Diff {
	return append(slices.Clip(c.diffs), Diff{Path: c.beneath, Kind: KindTruncated})
}

// truncate notes that beneath this path differences were left out.
func (c *Collector) truncate(path string) {
	if c.truncated && c.beneath != path {
		path = ""
	}
	c.truncated, c.beneath = true, path
}

// Truncated reports whether differences were left out that may matter to the verdict.
func (c *Collector) Truncated() bool { return c.truncated }

// Add adds a difference that was found by other means. Its Path is taken as it is.
func (c *Collector) Add(d Diff) {
	switch {
	case d.Kind == KindTruncated:
		c.truncate(d.Path)
	case c.crowded(d):
		// The verdict is the same without it: others of this field, kind and fate are kept.
	case len(c.diffs) < MaxDiffs:
		c.diffs = append(c.diffs, d)
	default:
		c.replace(d)
	}
}

func (c *Collector) crowded(d Diff) bool {
	if len(c.diffs) < MaxDiffsPerField {
		return false
	}
	pattern, same := Pattern(d.Path), 0
	for _, have := range c.diffs {
		if have.Kind == d.Kind && have.Ignored == d.Ignored && Pattern(have.Path) == pattern {
			same++
		}
	}
	return same >= MaxDiffsPerField
}

// addAll adds what another collector found.
func (c *Collector) addAll(other *Collector) {
	for _, d := range other.diffs {
		c.Add(d)
	}
	if other.truncated {
		c.truncate(other.beneath)
	}
}

// replace makes room for a difference by dropping one that matters less to the verdict.
func (c *Collector) replace(d Diff) {
	at := slices.IndexFunc(c.diffs, func(have Diff) bool { return have.weight() < d.weight() })
	lost := d
	if at >= 0 {
		lost = c.diffs[at]
		c.diffs = append(slices.Delete(c.diffs, at, at+1), d)
	}
	if !lost.Ignored {
		c.truncate("")
	}
}

// report adds the difference of two values under the options of their field.
func (c *Collector) report(path string, kind Kind, served, other any, opt Option) {
	if opt.ignored() && !kind.judged() {
		return // neither equal nor different, and not to be counted: nothing to say
	}
	d := Diff{Path: path, Kind: kind, Safe: opt.safe(), Ignored: opt.ignored()}
	if !d.Ignored {
		d.raw = &rawPair{served, other}
		d.show(redactDefault)
	}
	c.Add(d)
}

// absorb adds what a Func found inside the value called name.
func (c *Collector) absorb(name string, found []Diff, opt Option) {
	if len(found) == 0 {
		return
	}
	if opt.ignored() {
		if at := slices.IndexFunc(found, func(d Diff) bool { return d.Kind.judged() }); at >= 0 {
			c.Add(Diff{Path: name, Kind: found[at].Kind, Ignored: true})
		}
		return
	}
	for _, d := range found {
		d.Path = join(name, d.Path)
		if opt.safe() && !d.Safe {
			d.Safe = true
			d.show(redactDefault)
		}
		c.Add(d)
	}
}
