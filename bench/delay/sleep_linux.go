package delay

import (
	"runtime"
	"syscall"
	"time"
)

// prSetTimerslack is PR_SET_TIMERSLACK of prctl(2): by how many nanoseconds the kernel may be late with this thread's
// timers, which is 50,000 unless one says otherwise.
const prSetTimerslack = 29

// sharpen runs fn on a thread of its own whose sleeps end on time.
func sharpen(fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, _ = syscall.Syscall(syscall.SYS_PRCTL, prSetTimerslack, 1, 0) // without it, sleeps are a little longer
	fn()
}

// sleepUntil sleeps in the kernel: the Go scheduler's own timers may be a millisecond late on an idle machine.
func sleepUntil(due time.Time) {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		ts := syscall.NsecToTimespec(int64(wait))
		_ = syscall.Nanosleep(&ts, nil) // a signal ends it early: then again
	}
}
