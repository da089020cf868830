package crossfadetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/crossfade-db/crossfade/compare"
)

// FailOnMismatch returns a sink for comparers and workers that fails the test
// with every mismatch: the operation, the key, and the fields that differ, with
// values where they are marked safe. Records go on to next, if there are any.
// What arrives after the test's end is dropped.
//
//	comparer := repo.NewComparer(&repo.ComparerConfig{Sink: crossfadetest.FailOnMismatch(t)})
func FailOnMismatch(t testing.TB, next ...compare.Sink) compare.Sink {
	s := &failingSink{t: t, next: compare.Multi(next...)}
	t.Cleanup(s.end)
	return s
}

type failingSink struct {
	t    testing.TB
	next compare.Sink

	mu    sync.Mutex
	ended bool
}

func (s *failingSink) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// Record implements [compare.Sink].
func (s *failingSink) Record(ctx context.Context, records []compare.Record) error {
	s.fail(records)
	return s.next.Record(ctx, records)
}

func (s *failingSink) fail(records []compare.Record) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(records) == 0 {
		return
	}
	var text strings.Builder
	for i, r := range records {
		if first := records[0]; i == 0 || r.Operation != first.Operation || r.Key != first.Key || r.Tenant != first.Tenant {
			fmt.Fprintf(&text, "\n%s: %s of tenant %q, key %q, at %s: the sides differ", r.Migration, r.Operation, r.Tenant, r.Key, r.Stage)
		}
		diff := compare.Diff{Path: r.Field, Kind: r.Kind, Served: r.Served, Other: r.Other}
		fmt.Fprintf(&text, "\n  %s", diff)
	}
	s.t.Errorf("crossfadetest: a mismatch:%s", text.String())
}
