package chaos

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// plan says what a run is made of.
type plan struct {
	seed    uint64
	length  time.Duration // rounds begin until then
	program string        // the application's; none means this one

	applications int
	calm         int // further ones that do the jobs of all and have no clients; none means that all do jobs
	clients      int // of each
	operators    int
	outside      int // writers outside the application, whom capture records or refuses; none means no capture
	turns        int // of each client in a round
	lease        time.Duration

	mix     accounts.Mix
	keys    int            // how many of those that clients name; none means all
	targets []flags.Stage  // of the operators; none means all
	faults  map[string]int // what is done to processes and connections, by weight; see faultsOf
	every   time.Duration  // the time between two of them is up to twice as long
	longest time.Duration  // of the few long stops; none means that there are none

	sideFaults int // one operation in so many meets a failing side; none means never
	authority  int // and of these one in so many a failing authority
	kinds      []accounts.FaultKind
	hold       int           // one operation in so many is stopped between decision and use
	late       time.Duration // then always past the lease, by so much at most; none means only some of them, and not by much
	heldFails  bool          // only others are, and then the side without authority fails
	silent     bool          // confirmed mismatches are not told
}

// whole is the plan of a run with everything in it.
func whole(t *testing.T) plan {
	t.Helper()
	p := plan{
		seed: uint64(time.Now().UnixNano()), length: 20 * time.Second, applications: 3, clients: 3, operators: 2, turns: 40,
		lease: time.Second, mix: accounts.Operations, every: 220 * time.Millisecond,
		faults: map[string]int{
			"kill": 12, "kill operator": 6, "stop": 16, "stop past the lease": 5, "stop operator": 4, "cut": 16, "abandon": 8,
			"delay": 10, "hold up": 10, "terminate": 16, "crash": 2, "long stop": 0,
		},
		sideFaults: 5, authority: 4, hold: 60,
	}
	for kind := range accounts.FaultKinds {
		p.kinds = append(p.kinds, kind)
	}
	if os.Getenv("CI") != "" {
		p.length = 2 * time.Minute
	}
	if text := os.Getenv("CROSSFADE_CHAOS"); text != "" {
		var err error
		p.length, err = time.ParseDuration(text)
		require.NoError(t, err, "CROSSFADE_CHAOS")
	}
	if p.length >= 10*time.Minute {
		p.longest, p.faults["long stop"] = time.Minute, 1
	}
	if text := os.Getenv("CROSSFADE_SEED"); text != "" {
		var err error
		p.seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "CROSSFADE_SEED")
	}
	if p.seed%4 > 0 { // without capture everything is fenced, also at old and new
		p.outside = 2
	}
	return p
}
