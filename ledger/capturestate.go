package ledger

import "time"

// CaptureState is what stands of capture on one side, as the steps of the
// ladder see it. The zero value means that it is not installed.
type CaptureState struct {
	// Installed says that tables are registered and carry their triggers since.
	Installed bool
	// Leaving says that its removal was asked for: nothing may rely on it.
	Leaving bool
	// Mode is the number of the mode in force: odd means that statements from
	// outside are recorded, even that they are refused. Each switch adds one.
	Mode int64
	// Drained says that no transaction acts on an earlier mode.
	Drained bool
	// Broken are the tables, or partitions, that lack a trigger.
	Broken []string
	// Bypassed counts the statements from outside that were recorded since they
	// were last accepted; Writers names some of their roles and applications,
	// and BypassedAt is when the last one was recorded.
	Bypassed   int64
	Writers    []string
	BypassedAt time.Time
}

// Stands reports whether every registered table has its triggers, for as long
// as nobody takes them away.
func (c CaptureState) Stands() bool { return c.Installed && !c.Leaving && len(c.Broken) == 0 }

// Recording reports whether the mode in force is to record.
func (c CaptureState) Recording() bool { return c.Installed && c.Mode%2 == 1 }

// Refusing reports whether the mode in force is to refuse. Statements that were
// let through before may be about unless Drained is true.
func (c CaptureState) Refusing() bool { return c.Installed && c.Mode%2 == 0 }
