package server

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Processor tells how much time of processors the server's processes have used.
type Processor struct{ postmaster int }

// Processor finds the server's processes.
func (s *Server) Processor(ctx context.Context) (*Processor, error) {
	var file string
	if err := s.one(ctx, "select pg_read_file('postmaster.pid')", &file); err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(file, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return nil, fmt.Errorf("read the server's process number: %w", err)
	}
	return &Processor{postmaster: pid}, nil
}

// Used is the time used so far by the postmaster and its children that live now, to the nanosecond, as Linux keeps it in
// /proc. It is zero where that is not to be had.
func (p *Processor) Used() (time.Duration, error) {
	own := strconv.Itoa(p.postmaster)
	children, err := os.ReadFile("/proc/" + own + "/task/" + own + "/children")
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the server's processes: %w", err)
	}
	var sum time.Duration
	for _, pid := range append(strings.Fields(string(children)), own) {
		stat, err := os.ReadFile("/proc/" + pid + "/schedstat")
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(stat))
		if len(fields) == 0 {
			continue
		}
		nanos, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the processor time of the server: %w", err)
		}
		sum += time.Duration(nanos)
	}
	return sum, nil
}
