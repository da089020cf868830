// Package proxy puts a bad network between a test and its server: a TCP proxy
// on this machine that delays, holds up, cuts and redirects connections.
//
// What the proxy has taken from a client reaches the server also when the
// client is gone by then, as it would on a real network. It never changes,
// drops or reorders bytes of a connection that it did not cut, and is no proxy
// for production.
package proxy

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// dialTimeout bounds a connection to the target.
const dialTimeout = 10 * time.Second

// Proxy listens on a port of its own and passes connections on. Its methods
// may be called concurrently.
type Proxy struct {
	listener net.Listener
	stopped  chan struct{}
	work     sync.WaitGroup

	mu      sync.Mutex
	target  string
	refuses bool
	delay   time.Duration
	all     *gate
	match   func(data []byte) bool
	answer  bool // what follows match is held: the answer, not the question
	matched chan struct{}
	links   map[*link]bool
	closed  bool
}

// New listens on 127.0.0.1 and passes connections on to the target, a host and
// a port. Close it.
func New(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{
		listener: listener, target: target, stopped: make(chan struct{}),
		all: newGate(), links: map[*link]bool{},
	}
	p.work.Add(1)
	go p.accept()
	return p, nil
}

// For is New for the server of a PostgreSQL URL; dsn leads through the proxy.
func For(server string) (p *Proxy, dsn string, err error) {
	target, err := Host(server)
	if err != nil {
		return nil, "", err
	}
	if p, err = New(target); err != nil {
		return nil, "", err
	}
	u, _ := url.Parse(server) // Host has parsed it
	u.Host = p.Addr()
	return p, u.String(), nil
}

// Host returns the host and port in a PostgreSQL URL.
func Host(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Port() == "" {
		return "", errors.New("the server's URL is malformed or names no port") // err would show the password
	}
	return u.Host, nil
}

// Addr returns the host and port on which the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Redirect sends new connections to another target. Those that stand stay.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Delay holds every chunk of bytes up for d in each direction, without limiting
// how much is on its way. Zero ends it for what arrives later.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Hold stops all bytes, in both directions, until Release.
func (p *Proxy) Hold() { p.all.shut() }

// HoldNext stops the first connection whose client sends a chunk for which
// match holds: that chunk and what follows reach the server after Release. The
// channel is closed when it has arrived at the proxy.
func (p *Proxy) HoldNext(match func(data []byte) bool) (arrived <-chan struct{}) {
	return p.stopAt(match, false)
}

// HoldAnswer is HoldNext for what the server answers: the chunk itself passes,
// and the server's bytes on that connection reach the client after Release. The
// channel is closed when the chunk has arrived at the proxy.
func (p *Proxy) HoldAnswer(match func(data []byte) bool) (arrived <-chan struct{}) {
	return p.stopAt(match, true)
}

func (p *Proxy) stopAt(match func(data []byte) bool, answer bool) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.match, p.answer, p.matched = match, answer, make(chan struct{})
	return p.matched
}

// Release lets everything go that Hold, HoldNext and HoldAnswer have stopped.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.match = nil
	for l := range p.links {
		l.up.open()
		l.down.open()
	}
	p.all.open()
}

// Refuse ends new connections at once, until it is called with false.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = refuse
}

// Cut resets all connections. Bytes on their way are lost. It returns how many
// there were.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
	return len(p.links)
}

// Connections returns how many connections stand.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Close cuts everything and waits until nothing of the proxy is left. It may
// be called more than once.
func (p *Proxy) Close() error {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return nil
	}
	close(p.stopped)
	err := p.listener.Close()
	p.Cut()
	p.work.Wait()
	return err
}

func (p *Proxy) accept() {
	defer p.work.Done()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.work.Add(1)
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer p.work.Done()
	p.mu.Lock()
	target, refuses := p.target, p.refuses || p.closed
	p.mu.Unlock()
	if refuses {
		reset(client)
		return
	}
	server, err := net.DialTimeout("tcp", target, dialTimeout)
	if err != nil {
		reset(client)
		return
	}
	l := newLink(p, client, server)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		l.cut()
		return
	}
	p.links[l] = true
	p.mu.Unlock()
	l.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) lateness() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

// catch stops a link if a chunk of its client's is the one to stop at, before
// anybody learns of it.
func (p *Proxy) catch(l *link, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.match == nil || !p.match(data) {
		return
	}
	p.match = nil
	if p.answer {
		l.down.shut()
	} else {
		l.up.shut()
	}
	close(p.matched)
}
