package crossfadetest_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/crossfadetest"
)

func TestMain(m *testing.M) {
	// For the failures that are planted.
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "20s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	status := crossfadetest.Main(m)
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, "the tests left goroutines behind:", err)
		status = 1
	}
	os.Exit(status)
}
