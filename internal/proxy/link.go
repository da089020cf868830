package proxy

import (
	"net"
	"sync"
	"time"
)

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	traffic        *traffic
	broken         chan struct{}
	once           sync.Once
	up, down       *gate
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{
		proxy: p, client: client, server: server, traffic: newTraffic(),
		broken: make(chan struct{}), up: newGate(), down: newGate(),
	}
}

// gate is open, or shut until somebody opens it.
type gate struct {
	mu     sync.Mutex
	passes chan struct{} // closed while the gate is open
}

func newGate() *gate {
	g := &gate{passes: make(chan struct{})}
	close(g.passes)
	return g
}

func (g *gate) pass() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passes
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.passes:
		g.passes = make(chan struct{})
	default: // it is shut already
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.passes:
	default:
		close(g.passes)
	}
}

// run passes bytes on until both sides have ended, or the link is cut.
func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() { l.carry(l.client, l.server, l.up) })
	both.Go(func() { l.carry(l.server, l.client, l.down) })
	both.Wait()
	_ = l.client.Close()
	_ = l.server.Close()
}

// chunk is what was read at once. The last one has no data.
type chunk struct {
	data []byte
	due  time.Time
}

// queued is how many chunks may be on their way in one direction.
const queued = 4096

// carry passes one direction on. Reading goes on while writing is held up, so
// that whoever sends does not notice.
func (l *link) carry(from, to net.Conn, own *gate) {
	chunks := make(chan chunk, queued)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(chunks)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				if own == l.up {
					l.traffic.ask(data[:n])
					l.proxy.catch(l, data[:n])
				} else {
					l.traffic.answer(data[:n])
				}
				select {
				case chunks <- chunk{data: data[:n], due: time.Now().Add(l.proxy.lateness())}:
				case <-l.broken:
					return
				}
			}
			if err != nil {
				if own == l.up {
					l.traffic.end()
				}
				return
			}
		}
	})
	for c := range chunks {
		if !l.await(c.due, own) {
			break
		}
		if _, err := to.Write(c.data); err != nil && own == l.up {
			l.cut()
			break
		} // a client that is gone takes no answers, and what it sent arrives all the same
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	reading.Wait()
}

// await waits until a chunk may pass, and reports false when the link is cut.
func (l *link) await(due time.Time, own *gate) bool {
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.broken:
			return false
		}
	}
	for _, gate := range []*gate{l.proxy.all, own} {
		select {
		case <-gate.pass():
		case <-l.broken:
			return false
		}
	}
	return true
}

// cut resets both connections.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.broken)
		reset(l.client)
		reset(l.server)
	})
}

// reset ends a connection without a goodbye.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
