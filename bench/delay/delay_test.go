package delay_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/bench/delay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// through starts a relay for the test and connects through it.
func through(t *testing.T, target string, eachWay time.Duration) *net.TCPConn {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- delay.Serve(ctx, listener, target, eachWay) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

func TestNothingArrivesBeforeItsTime(t *testing.T) {
	const eachWay = 5 * time.Millisecond
	conn := through(t, echo(t), eachWay)
	answer := make([]byte, 4)
	for range 3 {
		began := time.Now()
		_, err := conn.Write([]byte("ping"))
		require.NoError(t, err)
		_, err = io.ReadFull(conn, answer)
		require.NoError(t, err)
		assert.Equal(t, "ping", string(answer))
		assert.GreaterOrEqual(t, time.Since(began), 2*eachWay)
	}
}

func TestManyChunksAreOnTheirWayAtOnceAndKeepTheirOrder(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	conn := through(t, echo(t), time.Millisecond)
	go func() {
		_, _ = conn.Write(sent)
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	require.NoError(t, err, "the end is passed on too")
	assert.True(t, bytes.Equal(sent, got))
}

func TestAConnectionToNobodyIsClosed(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	conn := through(t, gone.Addr().String(), 0)
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestTheRelayEndsWithItsInput(t *testing.T) {
	in, end := io.Pipe()
	out, said := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- delay.Main([]string{"127.0.0.1:1", "1ms"}, in, said) }()
	line := make([]byte, 64)
	n, err := out.Read(line)
	require.NoError(t, err)
	_, _, err = net.SplitHostPort(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)
	require.NoError(t, end.Close())
	require.NoError(t, <-done)
	require.Error(t, delay.Main(nil, in, said))
	require.Error(t, delay.Main([]string{"127.0.0.1:1", "soon"}, in, said))
}

func TestTargetsOfURLs(t *testing.T) {
	host, err := delay.Target("postgres://u:p@127.0.0.1:5432/db")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:5432", host)
	_, err = delay.Target("postgres://u:secret@127.0.0.1/db")
	require.ErrorContains(t, err, "no port")
	assert.NotContains(t, err.Error(), "secret")
}
