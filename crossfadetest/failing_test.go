package crossfadetest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// failing is a test whose failure is no failure of the test that runs it.
type failing struct {
	testing.TB

	mu     sync.Mutex
	failed bool
	lines  []string
}

func (f *failing) note(failed bool, line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = f.failed || failed
	f.lines = append(f.lines, line)
}

func (f *failing) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *failing) said() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.lines, "\n")
}

func (f *failing) Log(args ...any)                   { f.note(false, fmt.Sprint(args...)) }
func (f *failing) Logf(format string, args ...any)   { f.note(false, fmt.Sprintf(format, args...)) }
func (f *failing) Error(args ...any)                 { f.note(true, fmt.Sprint(args...)) }
func (f *failing) Errorf(format string, args ...any) { f.note(true, fmt.Sprintf(format, args...)) }
func (f *failing) Fail()                             { f.note(true, "") }

func (f *failing) FailNow() {
	f.note(true, "")
	runtime.Goexit()
}

func (f *failing) Fatal(args ...any) {
	f.note(true, fmt.Sprint(args...))
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) {
	f.note(true, fmt.Sprintf(format, args...))
	runtime.Goexit()
}
