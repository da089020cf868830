package proxy

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Quiet waits until each connection that stands now has been at rest once, or
// has ended: outside a transaction, with nothing sent that the server has not
// answered. Of one whose client is gone it waits for the server's end. Nothing
// must be held up. It is for PostgreSQL without TLS.
func (p *Proxy) Quiet(ctx context.Context) error { return p.await(ctx, (*link).atRest) }

// Ended waits until each connection that stands now has ended at the server
// too, as it does after its client's end. Nothing must be held up.
func (p *Proxy) Ended(ctx context.Context) error {
	return p.await(ctx, func(*link) bool { return false })
}

func (p *Proxy) await(ctx context.Context, enough func(*link) bool) error {
	p.mu.Lock()
	var all []*link
	for l := range p.links {
		all = append(all, l)
	}
	p.mu.Unlock()
	for _, l := range all {
		for p.stands(l) && !enough(l) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait until a connection is at rest: %w", ctx.Err())
			case <-time.After(time.Millisecond):
			}
		}
	}
	return nil
}

func (p *Proxy) stands(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links[l]
}

// CutSome resets the connections for which choose returns true, and returns how
// many they were. Bytes on their way are lost.
func (p *Proxy) CutSome(choose func() bool) int {
	return p.each(choose, (*link).cut)
}

// Abandon ends the connections for which choose returns true at the client's
// side alone, and returns how many they were: what the client has sent reaches
// the server, and then the end does.
func (p *Proxy) Abandon(choose func() bool) int {
	return p.each(choose, func(l *link) { _ = l.client.Close() })
}

func (p *Proxy) each(choose func() bool, fn func(*link)) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if choose() {
			fn(l)
			n++
		}
	}
	return n
}

// traffic counts what a client asked for and what the server answered.
type traffic struct {
	mu       sync.Mutex
	asked    frames
	answered frames
	open     int  // answers that the server owes
	status   byte // of the transaction, as the last answer says
	left     bool // the client is gone
}

func newTraffic() *traffic {
	return &traffic{asked: frames{start: true}, open: 1} // the start is answered as a query is
}

func (l *link) atRest() bool {
	t := l.traffic
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.left && t.open == 0 && t.status == 'I'
}

func (t *traffic) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = true
}

func (t *traffic) ask(data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked.read(data, func(kind, _ byte) {
		if kind == 'Q' || kind == 'S' || kind == 'F' { // query, sync, function call
			t.open++
		}
	})
}

func (t *traffic) answer(data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answered.read(data, func(kind, first byte) {
		if kind == 'Z' { // ready for a query
			t.open--
			t.status = first
		}
	})
}

// frames finds PostgreSQL's messages in a stream of bytes.
type frames struct {
	start  bool // the next message has no kind
	header []byte
	rest   int  // of the message's body
	first  byte // of the body
	seen   bool // first was
}

// read calls fn with the kind and the body's first byte of each message that
// ends in these bytes.
func (f *frames) read(data []byte, fn func(kind, first byte)) {
	for len(data) > 0 {
		if !f.headed() {
			f.header, data = append(f.header, data[0]), data[1:]
			if !f.headed() {
				continue
			}
			n := f.header[len(f.header)-4:]
			f.rest = int(n[0])<<24 | int(n[1])<<16 | int(n[2])<<8 | int(n[3]) - 4
		}
		if f.rest > 0 && len(data) > 0 {
			if !f.seen {
				f.first, f.seen = data[0], true
			}
			n := min(f.rest, len(data))
			f.rest, data = f.rest-n, data[n:]
		}
		if f.rest <= 0 {
			if !f.start {
				fn(f.header[0], f.first)
			}
			*f = frames{header: f.header[:0]}
		}
	}
}

// headed reports whether the message's length is known.
func (f *frames) headed() bool {
	if f.start {
		return len(f.header) == 4
	}
	return len(f.header) == 5
}
