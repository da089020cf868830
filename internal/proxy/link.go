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

	mu   sync.Mutex
	pass chan struct{} // closed while the client's bytes may pass
}

func newLink(p *Proxy, client, server net.Conn) *link {
	l := &link{proxy: p, client: client, server: server, traffic: newTraffic(), broken: make(chan struct{}), pass: make(chan struct{})}
	close(l.pass)
	return l
}

// run passes bytes on until both sides have ended, or the link is cut.
func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() { l.carry(l.client, l.server, true) })
	both.Go(func() { l.carry(l.server, l.client, false) })
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
func (l *link) carry(from, to net.Conn, upstream bool) {
	chunks := make(chan chunk, queued)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(chunks)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				if upstream {
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
				if upstream {
					l.traffic.end()
				}
				return
			}
		}
	})
	for c := range chunks {
		if !l.await(c.due, upstream) {
			break
		}
		if _, err := to.Write(c.data); err != nil && upstream {
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
func (l *link) await(due time.Time, upstream bool) bool {
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.broken:
			return false
		}
	}
	gates := []<-chan struct{}{l.proxy.gate()}
	if upstream {
		gates = append(gates, l.gate())
	}
	for _, gate := range gates {
		select {
		case <-gate:
		case <-l.broken:
			return false
		}
	}
	return true
}

func (l *link) gate() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pass
}

func (l *link) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.pass:
		l.pass = make(chan struct{})
	default:
	}
}

func (l *link) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.pass:
	default:
		close(l.pass)
	}
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
