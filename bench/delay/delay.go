// Package delay is a network that takes its time: a TCP relay, in a process of its own, that holds every chunk of bytes
// up for the same time in each direction without limiting how much is on its way.
//
// It never changes, drops or reorders bytes. It is a process of its own so that neither its scheduler nor its memory is
// the measured program's.
package delay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"time"
)

// queued is how many chunks may be on their way in one direction of one connection.
const queued = 1024

// Serve relays connections of the listener to the target until ctx ends, and returns when all are closed. Each direction
// is delayed by eachWay.
func Serve(ctx context.Context, listener net.Listener, target string, eachWay time.Duration) error {
	var links sync.WaitGroup
	defer links.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		client, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept a connection: %w", err)
		}
		links.Go(func() { relay(ctx, client, target, eachWay) })
	}
}

// relay carries one connection until both directions have ended.
func relay(ctx context.Context, client net.Conn, target string, eachWay time.Duration) {
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
	if err != nil {
		_ = client.Close() // which is how the client learns of it
		return
	}
	end := func() {
		_ = client.Close()
		_ = server.Close()
	}
	defer end()
	stop := context.AfterFunc(ctx, end)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, eachWay) })
	both.Go(func() { carry(client, server, eachWay) })
	both.Wait()
}

// chunk is what was read at once.
type chunk struct {
	data *[]byte // of which the first n count
	n    int
	due  time.Time
}

// buffers keep the garbage collector out of the delays.
var buffers = sync.Pool{New: func() any {
	data := make([]byte, 16<<10)
	return &data
}}

// carry passes one direction on, and then says that nothing more comes.
func carry(to, from net.Conn, eachWay time.Duration) {
	chunks := make(chan chunk, queued)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(chunks)
		for {
			data := buffers.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in it
			n, err := from.Read(*data)
			chunks <- chunk{data: data, n: n, due: time.Now().Add(eachWay)}
			if err != nil {
				return
			}
		}
	})
	sharpen(func() {
		broken := false
		for c := range chunks { // to its end, so that the reader is never stuck
			if !broken && c.n > 0 {
				sleepUntil(c.due)
				if _, err := to.Write((*c.data)[:c.n]); err != nil {
					broken = true
					_ = from.Close()
				}
			}
			buffers.Put(c.data)
		}
	})
	reading.Wait()
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// errNoTarget is a mistake of whoever starts the relay.
var errNoTarget = errors.New("usage: delay host:port duration")

// sleepers is how many threads may sleep at once without being in another's way: two for each connection.
const sleepers = 128

// Main is the relay as a process: it prints the address on which it listens, and ends when stdin does.
func Main(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 2 {
		return errNoTarget
	}
	eachWay, err := time.ParseDuration(args[1])
	if err != nil {
		return fmt.Errorf("read the delay: %w", err)
	}
	runtime.GOMAXPROCS(sleepers) // sleeping in the kernel must keep nobody from running
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // whoever started us is gone
		cancel()
	}()
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return err
	}
	return Serve(ctx, listener, args[0], eachWay)
}
