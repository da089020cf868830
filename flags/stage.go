package flags

import (
	"fmt"
	"strings"
)

// Side is the old or the new version of a migration.
type Side uint8

// The two sides of every migration.
const (
	OldSide Side = iota
	NewSide
)

// Other returns the opposite side.
func (s Side) Other() Side { return 1 - s }

// String returns "old" or "new".
func (s Side) String() string {
	if s == OldSide {
		return "old"
	}
	return "new"
}

// ParseSide returns the side named "old" or "new".
func ParseSide(name string) (Side, error) {
	switch name {
	case "old":
		return OldSide, nil
	case "new":
		return NewSide, nil
	}
	return 0, fmt.Errorf("side %q is neither old nor new", name)
}

// Stage is a rung of the ladder. The zero value is no stage.
type Stage uint8

// The rungs, from bottom to top.
const (
	Old Stage = iota + 1
	Dual
	Shadow
	Live
	RampDown
	New
)

var stageNames = [...]string{"none", "old", "dual", "shadow", "live", "rampdown", "new"}

// String returns the stage's name as flags, ledger and reports write it.
func (s Stage) String() string {
	if int(s) >= len(stageNames) {
		return fmt.Sprintf("stage(%d)", uint8(s))
	}
	return stageNames[s]
}

// Valid reports whether s is one of the six rungs.
func (s Stage) Valid() bool { return s >= Old && s <= New }

// Stages returns the six rungs from bottom to top.
func Stages() []Stage { return []Stage{Old, Dual, Shadow, Live, RampDown, New} }

// StageNames returns the names of the six rungs from bottom to top.
func StageNames() []string { return append([]string(nil), stageNames[1:]...) }

// UnknownStageError says that a name is none of the six stages.
type UnknownStageError struct{ Name string }

func (e *UnknownStageError) Error() string {
	return fmt.Sprintf("unknown stage %q: use one of %s", e.Name, strings.Join(stageNames[1:], ", "))
}

// ParseStage returns the stage with that name, or an [*UnknownStageError].
func ParseStage(name string) (Stage, error) {
	for i, n := range stageNames[1:] {
		if n == name {
			return Stage(i + 1), nil
		}
	}
	return 0, &UnknownStageError{Name: name}
}

// Adjacent reports whether a and b are the same rung or neighbours.
func (s Stage) Adjacent(t Stage) bool {
	return s.Valid() && t.Valid() && (s == t || s+1 == t || t+1 == s)
}

// Toward returns the next rung on the way from s to target, or s when it is
// there or one of them is no stage.
func (s Stage) Toward(target Stage) Stage {
	switch {
	case !s.Valid() || !target.Valid():
		return s
	case target > s:
		return s + 1
	case target < s:
		return s - 1
	}
	return s
}

// Path returns what a stage means to a caller: "old path", "dual path" or
// "new path", or "no path" where s is no stage. It is a display name, never a
// stage of its own.
func (s Stage) Path() string {
	if !s.Valid() {
		return "no path"
	}
	return plans[s].path
}

// MarshalText writes the stage's name.
func (s Stage) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, &UnknownStageError{Name: s.String()}
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads a stage's name.
func (s *Stage) UnmarshalText(text []byte) error {
	parsed, err := ParseStage(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
