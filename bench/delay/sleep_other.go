//go:build !linux

package delay

import "time"

func sharpen(fn func()) { fn() }

func sleepUntil(due time.Time) { time.Sleep(time.Until(due)) }
