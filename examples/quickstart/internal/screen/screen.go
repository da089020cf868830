// Package screen shows the walk while it goes on: as a picture that is drawn again in place where there is a terminal,
// as a line every few seconds where there is none. It only shows what it is given.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Screen is where a run shows itself. Its methods may be called concurrently.
type Screen struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	drawn    int // lines of the picture that stand on the terminal
	last     time.Time
	now      func() time.Time
	closed   bool
}

// plainEvery is the time between two lines where there is no terminal.
const plainEvery = 3 * time.Second

// New returns a screen on the file: Close it, or a terminal stays without its cursor.
func New(file *os.File) *Screen {
	info, err := file.Stat()
	term := os.Getenv("TERM")
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && term != "" && term != "dumb"
	return newScreen(file, terminal, time.Now)
}

func newScreen(out io.Writer, terminal bool, now func() time.Time) *Screen {
	s := &Screen{out: out, terminal: terminal, now: now}
	if terminal {
		fmt.Fprint(out, hideCursor+noWrap)
	}
	return s
}

// Control sequences of ECMA-48 and of the VT100 that every terminal knows.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	noWrap     = "\x1b[?7l"
	wrap       = "\x1b[?7h"
	clearDown  = "\x1b[J"
	clearLine  = "\x1b[K"
)

// Say prints a line that stays.
func (s *Screen) Say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	s.erase(&text)
	fmt.Fprintf(&text, format+"\n", args...)
	fmt.Fprint(s.out, text.String())
}

// Show draws the picture, in place of the one before.
func (s *Screen) Show(p Picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if !s.terminal {
		if now := s.now(); now.Sub(s.last) >= plainEvery {
			s.last = now
			fmt.Fprintln(s.out, p.line())
		}
		return
	}
	var text strings.Builder
	s.erase(&text)
	lines := p.lines()
	for _, line := range lines {
		text.WriteString(line + clearLine + "\n")
	}
	s.drawn = len(lines)
	fmt.Fprint(s.out, text.String())
}

// erase takes the picture off the terminal.
func (s *Screen) erase(text *strings.Builder) {
	if s.drawn > 0 {
		fmt.Fprintf(text, "\x1b[%dA\r%s", s.drawn, clearDown)
		s.drawn = 0
	}
}

// Close takes the picture away and gives the terminal back as it was. It may be called more than once.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	if s.terminal {
		var text strings.Builder
		s.erase(&text)
		fmt.Fprint(s.out, text.String()+wrap+showCursor)
	}
}
