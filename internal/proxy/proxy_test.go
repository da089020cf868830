package proxy_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/internal/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every line with its own name before it, and tells what came in.
func echo(t *testing.T, name string) (addr string, lines <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	seen := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				scan := bufio.NewScanner(conn)
				for scan.Scan() {
					seen <- scan.Text()
					_, _ = io.WriteString(conn, name+" "+scan.Text()+"\n")
				}
			}()
		}
	}()
	return listener.Addr().String(), seen
}

type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, p *proxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

func (c *client) send(line string) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, line+"\n")
	require.NoError(c.t, err)
}

func (c *client) receive() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSpace(line)
}

func through(t *testing.T, target string) *proxy.Proxy {
	t.Helper()
	p, err := proxy.New(target)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, p.Close())
		assert.NoError(t, p.Close(), "twice is once")
	})
	return p
}

func TestBytesPassInBothDirections(t *testing.T) {
	addr, _ := echo(t, "a")
	p := through(t, addr)
	c := dial(t, p)
	c.send("one")
	assert.Equal(t, "a one", c.receive())
	assert.Equal(t, 1, p.Connections())
	require.NoError(t, c.conn.Close())
	require.Eventually(t, func() bool { return p.Connections() == 0 }, time.Minute, time.Millisecond)
}

func TestHeldBytesArriveAlthoughTheClientIsGone(t *testing.T) {
	addr, lines := echo(t, "a")
	p := through(t, addr)
	c := dial(t, p)
	arrived := p.HoldNext(func(data []byte) bool { return strings.Contains(string(data), "write") })
	c.send("read")
	assert.Equal(t, "a read", c.receive())
	assert.Equal(t, "read", <-lines)
	c.send("write")
	<-arrived
	require.NoError(t, c.conn.Close())
	other := dial(t, p)
	other.send("other")
	assert.Equal(t, "a other", other.receive(), "other connections go on")
	assert.Equal(t, "other", <-lines)
	assert.Empty(t, lines)
	p.Release()
	assert.Equal(t, "write", <-lines)
}

func TestAnswerIsHeldWhileTheQuestionPasses(t *testing.T) {
	addr, lines := echo(t, "a")
	p := through(t, addr)
	c, other := dial(t, p), dial(t, p)
	<-sent(c, p.HoldAnswer(func(data []byte) bool { return strings.Contains(string(data), "ask") }), "ask")
	assert.Equal(t, "ask", <-lines)
	other.send("ask too")
	assert.Equal(t, "a ask too", other.receive(), "only the first")
	require.NoError(t, c.conn.SetReadDeadline(time.Now()))
	_, err := c.in.ReadString('\n')
	require.Error(t, err)
	require.NoError(t, c.conn.SetReadDeadline(time.Time{}))
	p.Release()
	assert.Equal(t, "a ask", c.receive())
}

func sent(c *client, arrived <-chan struct{}, line string) <-chan struct{} {
	c.t.Helper()
	c.send(line)
	return arrived
}

func TestHoldStopsEverybody(t *testing.T) {
	addr, lines := echo(t, "a")
	p := through(t, addr)
	c := dial(t, p)
	p.Hold()
	p.Hold()
	c.send("one")
	assert.Empty(t, lines)
	p.Release()
	assert.Equal(t, "a one", c.receive())
}

func TestDelayedBytesKeepTheirOrder(t *testing.T) {
	addr, _ := echo(t, "a")
	p := through(t, addr)
	p.Delay(20 * time.Millisecond)
	c := dial(t, p)
	began := time.Now()
	c.send("one")
	c.send("two")
	assert.Equal(t, "a one", c.receive())
	assert.Equal(t, "a two", c.receive())
	assert.GreaterOrEqual(t, time.Since(began), 40*time.Millisecond)
}

func TestCutConnectionsAreReset(t *testing.T) {
	addr, _ := echo(t, "a")
	p := through(t, addr)
	c := dial(t, p)
	c.send("one")
	assert.Equal(t, "a one", c.receive())
	assert.Equal(t, 1, p.Cut())
	_, err := c.in.ReadString('\n')
	require.Error(t, err)
	p.Refuse(true)
	_, err = dial(t, p).in.ReadString('\n')
	require.Error(t, err)
	p.Refuse(false)
	again := dial(t, p)
	again.send("two")
	assert.Equal(t, "a two", again.receive())
}

func TestRedirectedProxyLeadsElsewhere(t *testing.T) {
	one, _ := echo(t, "one")
	two, _ := echo(t, "two")
	p := through(t, one)
	before := dial(t, p)
	before.send("x")
	assert.Equal(t, "one x", before.receive())
	p.Redirect(two)
	after := dial(t, p)
	after.send("x")
	assert.Equal(t, "two x", after.receive())
	before.send("y")
	assert.Equal(t, "one y", before.receive(), "what stands stays")
}

func TestURLLeadsThroughTheProxy(t *testing.T) {
	addr, _ := echo(t, "a")
	p, dsn, err := proxy.For("postgres://u:p@" + addr + "/d?sslmode=disable")
	require.NoError(t, err)
	defer p.Close()
	assert.Equal(t, "postgres://u:p@"+p.Addr()+"/d?sslmode=disable", dsn)
	_, _, err = proxy.For("postgres://u:secret@host/d")
	require.ErrorContains(t, err, "no port")
	assert.NotContains(t, err.Error(), "secret")
}
