package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
)

// RampPlan is a way up the ladder that the controller walks by itself, step by
// step, as long as the rules allow.
type RampPlan struct {
	Steps []RampStep `json:"steps"`
	// Windows are when steps may be taken; none means at any time. A step that
	// was taken is held outside of them as well.
	Windows []RampWindow `json:"windows,omitempty"`
	// Zone is the time zone of the windows, such as Europe/Berlin. Defaults to UTC.
	Zone string `json:"zone,omitempty"`
}

// RampStep is one step, and what must have happened before the next one.
type RampStep struct {
	To flags.Stage `json:"to"`
	// Percent moves that share alone; nil means everybody whom no override names.
	Percent *RampShare `json:"percent,omitempty"`
	// Of says of what Percent is a share: tenants, the default, or keys.
	Of string `json:"of,omitempty"`
	// Tenants moves these tenants alone, by overrides.
	Tenants []string `json:"tenants,omitempty"`
	// Hold is how long the step must have held, of the time that a controller
	// looked on, counted from when nobody acted on an older policy any more.
	Hold RampDuration `json:"hold,omitempty"`
	// MinSamples is how many calls of the new side must have been measured since.
	MinSamples int64 `json:"min_samples,omitempty"`
	// Approval says that another person than the ramp's author must approve the
	// step before it is taken.
	Approval bool `json:"approval,omitempty"`
}

// RampWindow is a time of the day on some days of the week.
type RampWindow struct {
	// Days are mon, tue, wed, thu, fri, sat and sun; none means every day.
	Days []string `json:"days,omitempty"`
	// From and To are times of the day such as 09:00; To may be 24:00.
	From string `json:"from"`
	To   string `json:"to"`
}

// RampShare is a share that is written as a percentage, such as 5 or 12.5.
type RampShare flags.Share

// UnmarshalJSON reads a number or a text.
func (s *RampShare) UnmarshalJSON(b []byte) error {
	share, err := flags.ParseShare(strings.Trim(string(b), `"`))
	*s = RampShare(share)
	return err
}

// MarshalJSON writes a number.
func (s RampShare) MarshalJSON() ([]byte, error) { return json.Marshal(float64(s) / 100) }

// RampDuration is a time.Duration that is written as a text, such as 1h30m.
type RampDuration time.Duration

// UnmarshalJSON reads a text.
func (d *RampDuration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("a time is a text such as %q: %w", "1h30m", err)
	}
	parsed, err := time.ParseDuration(text)
	*d = RampDuration(parsed)
	return err
}

// MarshalJSON writes a text.
func (d RampDuration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// RampError says why a plan cannot be walked.
type RampError struct {
	Step    int // counted from one; zero: the whole plan
	Problem string
}

func (e *RampError) Error() string {
	if e.Step == 0 {
		return "ramp: " + e.Problem
	}
	return fmt.Sprintf("ramp: step %d: %s", e.Step, e.Problem)
}

// ParseRampPlan reads a plan from JSON. What is wrong with it whatever the
// policy in force is, an unknown field for one, is a [*RampError].
func ParseRampPlan(data []byte) (RampPlan, error) {
	var plan RampPlan
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&plan); err != nil {
		return plan, &RampError{Problem: "the plan cannot be read: " + err.Error()}
	}
	if len(plan.Steps) == 0 {
		return plan, &RampError{Problem: "the plan has no steps"}
	}
	if _, err := plan.location(); err != nil {
		return plan, err
	}
	for _, w := range plan.Windows {
		if _, _, err := w.times(); err != nil {
			return plan, err
		}
	}
	for i, s := range plan.Steps {
		if problem := s.problem(); problem != "" {
			return plan, &RampError{Step: i + 1, Problem: problem}
		}
	}
	return plan, nil
}

func (s RampStep) problem() string {
	_, err := s.of()
	switch {
	case !s.To.Valid() || s.To == flags.Old:
		return "name the stage to go to, above old"
	case err != nil:
		return err.Error()
	case s.Percent != nil && len(s.Tenants) > 0:
		return "a percentage and tenants by name do not go together"
	case s.Percent != nil && *s.Percent == 0:
		return "a percentage of zero moves nobody"
	case s.Of != "" && s.Percent == nil:
		return "of goes with a percentage only"
	case slices.Contains(s.Tenants, ""):
		return "a tenant's name is empty"
	case s.Hold < 0 || s.MinSamples < 0:
		return "hold and min_samples must not be negative"
	}
	return ""
}

func (s RampStep) of() (flags.ShareOf, error) {
	if s.Of == "" {
		return flags.OfTenants, nil
	}
	return flags.ParseShareOf(s.Of)
}

// change returns the change that takes the step.
func (s RampStep) change(migration string) Change {
	c := Change{Migration: migration, Kind: SetDefault, To: s.To}
	switch {
	case len(s.Tenants) > 0:
		c.Kind, c.Tenants = SetTenants, s.Tenants
	case s.Percent != nil && *s.Percent < flags.Buckets:
		c.Kind, c.Share = SetPercentage, flags.Share(*s.Percent)
		c.Of, _ = s.of() // read by ParseRampPlan
	}
	return c
}

// stands reports whether a policy is as the step leaves it.
func (s RampStep) stands(p flags.Policy) bool {
	c := s.change(p.Migration)
	switch c.Kind {
	case SetTenants:
		return !slices.ContainsFunc(s.Tenants, func(t string) bool { return p.Overrides[t] != s.To })
	case SetPercentage:
		return p.Step == flags.Step{To: c.To, Share: c.Share, Of: c.Of}
	default:
		return p.Default == s.To && p.Step.Share == 0
	}
}

// String says where the step leads.
func (s RampStep) String() string {
	switch {
	case len(s.Tenants) > 0:
		return fmt.Sprintf("%d tenants to %s", len(s.Tenants), s.To)
	case s.Percent != nil && *s.Percent < flags.Buckets:
		of, _ := s.of() // read by ParseRampPlan
		return fmt.Sprintf("%s of the %s to %s", flags.Share(*s.Percent), of, s.To)
	}
	return "everybody to " + s.To.String()
}

// Validate returns a [*RampError] unless every step of the plan leads to an
// adjacent rung, and up, when the plan begins with the policy.
func (p RampPlan) Validate(policy flags.Policy) error {
	for i, s := range p.Steps {
		if problem := s.down(policy); problem != "" {
			return &RampError{Step: i + 1, Problem: problem}
		}
		c := s.change(policy.Migration)
		next, _, err := c.next(policy)
		if err != nil {
			return &RampError{Step: i + 1, Problem: err.Error()}
		}
		low, high, _, err := flags.Span(policy, next)
		if err != nil || !low.Adjacent(high) {
			return &RampError{Step: i + 1, Problem: fmt.Sprintf("%s leads further than to an adjacent rung (%s to %s)", s, low, high)}
		}
		policy = next
	}
	return nil
}

// down says whom the step would take down.
func (s RampStep) down(p flags.Policy) string {
	c := s.change(p.Migration)
	reached := p.Default // by those who are furthest up
	if p.Step.Share > 0 {
		reached = max(reached, p.Step.To)
	}
	switch c.Kind {
	case SetPercentage:
		same := p.Step.Share > 0 && p.Step.To == c.To && p.Step.Of == c.Of
		if c.To <= p.Default || p.Step.Share > 0 && (!same || c.Share < p.Step.Share) {
			return fmt.Sprintf("%s is no step up from %s: a ramp only goes up", s, describe(p))
		}
	case SetDefault:
		if c.To < reached {
			return fmt.Sprintf("%s is no step up from %s: a ramp only goes up", s, describe(p))
		}
	case SetTenants:
		compiled, err := p.Compile()
		if err != nil {
			return err.Error()
		}
		for _, t := range s.Tenants {
			if _, high := compiled.Range(t); high > c.To {
				return fmt.Sprintf("tenant %q stands at %s already: a ramp only goes up", t, high)
			}
		}
	case Unpin, SetEach: // no step of a ramp
	}
	return ""
}

func (p RampPlan) location() (*time.Location, error) {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, &RampError{Problem: fmt.Sprintf("zone %q is not known: use a name such as Europe/Berlin", p.Zone)}
	}
	return zone, nil
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// times returns the minutes of the day between which the window is open.
func (w RampWindow) times() (from, to int, err error) {
	for _, day := range w.Days {
		if _, ok := weekdays[day]; !ok {
			return 0, 0, &RampError{Problem: fmt.Sprintf("day %q is not known: use mon, tue, wed, thu, fri, sat, sun", day)}
		}
	}
	if from, err = minutes(w.From); err == nil {
		to, err = minutes(w.To)
	}
	if err == nil && to <= from {
		err = &RampError{Problem: fmt.Sprintf("the window from %s to %s ends before it begins", w.From, w.To)}
	}
	return from, to, err
}

func minutes(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, &RampError{Problem: fmt.Sprintf("time %q cannot be read: it looks like 09:00", text)}
	}
	return t.Hour()*60 + t.Minute(), nil
}

// opens returns when a window is open next: at itself, when one is open then.
func (p RampPlan) opens(at time.Time) time.Time {
	zone, err := p.location()
	if err != nil || len(p.Windows) == 0 {
		return at
	}
	local := at.In(zone)
	var best time.Time
	for day := range 8 {
		for _, w := range p.Windows {
			from, to, err := w.times()
			begin := time.Date(local.Year(), local.Month(), local.Day()+day, 0, from, 0, 0, zone)
			end := time.Date(local.Year(), local.Month(), local.Day()+day, 0, to, 0, 0, zone)
			onDay := len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d string) bool { return weekdays[d] == begin.Weekday() })
			if err != nil || !onDay || !at.Before(end) {
				continue
			}
			if begin.Before(at) {
				begin = at
			}
			if best.IsZero() || begin.Before(best) {
				best = begin
			}
		}
		if !best.IsZero() {
			break
		}
	}
	return best.In(at.Location())
}
