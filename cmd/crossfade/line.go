package main

import (
	"fmt"
	"io"
	"time"
)

// line shows what is going on: on a terminal one line that is rewritten,
// elsewhere lines, but not too many. It is used by one goroutine at a time.
type line struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	every    time.Duration // between two passing lines where there is no terminal

	last    string
	at      time.Time
	written bool // a passing line stands on the terminal
}

func (a *app) line(every time.Duration) *line {
	return &line{out: a.out, terminal: a.terminal, now: a.now, every: every}
}

// Control sequences of ECMA-48 and of the VT100. While a line is written the
// terminal cuts it off instead of wrapping it, so that it can be rewritten.
const (
	clearLine  = "\r\x1b[K"
	clearRest  = "\x1b[K"
	clearBelow = "\x1b[J"
	home       = "\x1b[H"
	cutOff     = "\x1b[?7l"
	wrapAgain  = "\x1b[?7h"
)

// pass shows what is true for now.
func (l *line) pass(text string) {
	text = inLine(text)
	if text == l.last {
		return
	}
	if l.terminal {
		fmt.Fprint(l.out, clearLine+cutOff+text+wrapAgain+"\r") // what the user types is written over it
		l.last, l.written = text, true
		return
	}
	now := l.now()
	if !l.at.IsZero() && now.Sub(l.at) < l.every {
		return
	}
	l.last, l.at = text, now
	fmt.Fprintln(l.out, text)
}

// keep prints lines that stay.
func (l *line) keep(text string) {
	l.clear()
	fmt.Fprintln(l.out, printable(text))
}

// clear takes the passing line away.
func (l *line) clear() {
	if l.written {
		fmt.Fprint(l.out, clearLine)
		l.written = false
	}
	l.last = ""
}
