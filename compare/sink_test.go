package compare_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type sinkFunc func(ctx context.Context, records []compare.Record) error

func (f sinkFunc) Record(ctx context.Context, records []compare.Record) error { return f(ctx, records) }

var (
	someRecords = []compare.Record{{
		Migration: "customers-v2", Tenant: "t1", Operation: "Customers.Get", Key: secretText, RequestID: "r1", Stage: "shadow",
		Epoch: 7, Field: "Name", Kind: compare.KindValue, Served: "string(3)#0", Other: "string(4)#1", At: time.Unix(0, 0).UTC(),
	}}
	errSink   = errors.New("disk full")
	panicking = sinkFunc(func(context.Context, []compare.Record) error { panic(secretText) })
	failing   = sinkFunc(func(context.Context, []compare.Record) error { return errSink })
)

func TestLogsHoldEveryFieldAndNoKey(t *testing.T) {
	var log bytes.Buffer
	plain := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	logger := slog.New(slog.NewTextHandler(&log, plain))
	require.NoError(t, compare.Slog(logger).Record(t.Context(), someRecords))
	assert.Equal(t, "level=WARN msg=mismatch migration=customers-v2 tenant=t1 operation=Customers.Get key="+
		compare.RedactKey(nil, secretText)+" field=Name kind=value served=string(3)#0 other=string(4)#1 stage=shadow "+
		"epoch=7 request_id=r1 at=1970-01-01T00:00:00.000Z\n", log.String())
	log.Reset()
	cut := someRecords[0]
	cut.Truncated = true
	require.NoError(t, compare.Slog(logger).Record(t.Context(), []compare.Record{cut}))
	assert.Contains(t, log.String(), "at=1970-01-01T00:00:00.000Z truncated=true\n")
	log.Reset()
	shown := &compare.SlogSink{Logger: logger, ShowKeys: true, Level: slog.LevelInfo}
	require.NoError(t, shown.Record(t.Context(), someRecords))
	assert.Contains(t, log.String(), "level=INFO")
	assert.Contains(t, log.String(), "key="+secretText)
}

func TestLogWithoutALoggerGoesToTheDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	require.NoError(t, (&compare.SlogSink{}).Record(t.Context(), someRecords))
	assert.Contains(t, log.String(), "mismatch")
}

func TestMultiReachesEverySinkWhateverTheOthersDo(t *testing.T) {
	reached := 0
	counting := sinkFunc(func(context.Context, []compare.Record) error { reached++; return nil })
	err := compare.Multi(counting, nil, panicking, failing, counting).Record(t.Context(), someRecords)
	assert.Equal(t, 2, reached)
	require.ErrorIs(t, err, errSink)
	panicked, ok := errors.AsType[*compare.SinkPanicError](err)
	require.True(t, ok)
	assert.Equal(t, "compare: sink panicked with a value of type string", panicked.Error(), "the value may hold data")
	require.NoError(t, compare.Multi().Record(t.Context(), someRecords))
}

func TestSafelyTellsOfPanicsAndPassesErrorsOn(t *testing.T) {
	var told any
	err := compare.Safely(panicking, func(v any) { told = v; panic("again") }).Record(t.Context(), someRecords)
	_, ok := errors.AsType[*compare.SinkPanicError](err)
	assert.True(t, ok)
	assert.Equal(t, secretText, told)
	require.ErrorIs(t, compare.Safely(failing, nil).Record(t.Context(), someRecords), errSink)
	require.Error(t, compare.Safely(panicking, nil).Record(t.Context(), someRecords))
	require.NoError(t, compare.Safely(nil, nil).Record(t.Context(), someRecords))
	require.NoError(t, compare.Safely(panicking, nil).Record(t.Context(), nil), "nothing to record")
}

func TestHangingSinkHoldsNobodyUpAndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sink := compare.Safely(sinkFunc(func(context.Context, []compare.Record) error { <-release; return nil }), nil)
		start := time.Now()
		var group sync.WaitGroup
		for range compare.SinkConcurrent {
			group.Go(func() {
				assert.ErrorIs(t, sink.Record(t.Context(), someRecords), compare.ErrSinkTimeout)
			})
		}
		group.Wait()
		assert.Equal(t, compare.SinkTimeout, time.Since(start))
		require.ErrorIs(t, sink.Record(t.Context(), someRecords), compare.ErrSinkBusy, "no more goroutines than these are lost")
		assert.Equal(t, compare.SinkTimeout, time.Since(start), "and nobody waits for them")
		close(release)
		synctest.Wait()
		require.NoError(t, sink.Record(t.Context(), someRecords), "once they end, the sink is used again")
	})
}

func TestSinkThatMindsItsContextEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		minding := sinkFunc(func(ctx context.Context, _ []compare.Record) error { <-ctx.Done(); return ctx.Err() })
		require.Error(t, compare.Safely(minding, nil).Record(t.Context(), someRecords))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, compare.Safely(minding, nil).Record(ctx, someRecords), context.Canceled)
	})
}

func TestHangingSinkKeepsNothingThatItsCallerUsesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, seen := make(chan struct{}), make(chan string, 1)
		sink := compare.Safely(sinkFunc(func(_ context.Context, records []compare.Record) error {
			<-release
			seen <- records[0].Field
			return nil
		}), nil)
		records := []compare.Record{{Field: "Name"}}
		require.Error(t, sink.Record(t.Context(), records))
		records[0].Field = "overwritten"
		close(release)
		assert.Equal(t, "Name", <-seen)
	})
}
