package chaos

import (
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// This program runs itself again as the processes of the application: the role
// says which, and the settings are JSON. Requests and answers are lines of JSON
// on their standard input and output.
const (
	envRole     = "CROSSFADE_CHAOS_ROLE"
	envSettings = "CROSSFADE_CHAOS_SETTINGS"

	roleMigrate     = "migrate" // makes the tables and ends
	roleApplication = "application"
	roleOperator    = "operator"
)

// settings are those of one process.
type settings struct {
	Name     string
	DSN      string
	Seed     uint64
	Lease    time.Duration
	NoWorker bool
	Silent   bool          // about confirmed mismatches
	Targets  []flags.Stage // an operator's
}

// request asks an application for one operation.
type request struct {
	Op     int64
	What   string
	Tenant string
	Seed   uint64
	Keys   int     `json:",omitempty"`
	Made   []int64 `json:",omitempty"`
	// Outside says that the key of the writers outside is used as well.
	Outside bool `json:",omitempty"`
	// Key is what the request to tidy up deletes.
	Key int64 `json:",omitempty"`
	// Pin is the request of a user to which the operation belongs, and Last
	// says that it ends with it.
	Pin     int64         `json:",omitempty"`
	Last    bool          `json:",omitempty"`
	Timeout time.Duration `json:",omitempty"`
	Stay    time.Duration `json:",omitempty"`
	Fault   *sideFault    `json:",omitempty"`
	// Hold has the operation say that it was decided, and wait until Go names it.
	Hold bool  `json:",omitempty"`
	Go   int64 `json:",omitempty"`
}

// sideFault is a failure of the side that has authority when it happens, or of
// the other one.
type sideFault struct {
	Authority bool
	Kind      accounts.FaultKind
}

// reply is what a process says: one of these.
type reply struct {
	Ready   bool    `json:",omitempty"`
	Holding int64   `json:",omitempty"`
	Finding string  `json:",omitempty"` // a confirmed mismatch
	Step    string  `json:",omitempty"` // up or down
	Answer  *answer `json:",omitempty"`
}

type answer struct {
	Op    int64
	Stage string
	accounts.Answer
}
