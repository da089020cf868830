package compare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Sink takes mismatch records. Record may be called concurrently, must not change or keep the slice, and should return
// when ctx ends. Safely makes any sink harmless.
type Sink interface {
	Record(ctx context.Context, records []Record) error
}

// Slog returns a sink that writes one warning per record. Keys are shown as keyed hashes; see SlogSink.
func Slog(logger *slog.Logger) Sink { return &SlogSink{Logger: logger} }

// SlogSink writes one line per record. The zero value writes warnings to slog.Default. Its fields must not change once
// it is in use.
type SlogSink struct {
	Logger *slog.Logger // nil means slog.Default()
	Level  slog.Leveler // nil means slog.LevelWarn
	// ShowKeys writes keys as they are. Without it they are written as RedactKey makes them: keys can be e-mail addresses
	// and the like. The keys themselves are in the ledger.
	ShowKeys bool
	// Secret is the secret of RedactKey. Empty means this process's own.
	Secret []byte
}

// Record writes the records.
func (s *SlogSink) Record(ctx context.Context, records []Record) error {
	logger, level := s.Logger, slog.Leveler(slog.LevelWarn)
	if logger == nil {
		logger = slog.Default()
	}
	if s.Level != nil {
		level = s.Level
	}
	for _, r := range records {
		key := r.Key
		if !s.ShowKeys {
			key = RedactKey(s.Secret, key)
		}
		logger.LogAttrs(ctx, level.Level(), "mismatch",
			slog.String("migration", r.Migration), slog.String("tenant", r.Tenant),
			slog.String("operation", r.Operation), slog.String("key", key), slog.String("field", r.Field),
			slog.String("kind", string(r.Kind)), slog.String("served", r.Served), slog.String("other", r.Other),
			slog.String("stage", r.Stage), slog.Int64("epoch", r.Epoch),
			slog.String("request_id", r.RequestID), slog.Time("at", r.At), truncated(r))
	}
	return nil
}

// truncated is an attribute only where there is something to say; slog leaves out the empty one.
func truncated(r Record) slog.Attr {
	if !r.Truncated {
		return slog.Attr{}
	}
	return slog.Bool("truncated", true)
}

// Multi returns a sink that hands records to each of the sinks in turn. An error or a panic of one does not keep them
// from the others; the errors are joined. Nil sinks are left out.
func Multi(sinks ...Sink) Sink {
	return multiSink(slices.DeleteFunc(slices.Clone(sinks), func(s Sink) bool { return s == nil }))
}

type multiSink []Sink

func (m multiSink) Record(ctx context.Context, records []Record) error {
	var errs []error
	for _, sink := range m {
		errs = append(errs, call(ctx, sink, records, nil))
	}
	return errors.Join(errs...)
}

// Limits of Safely.
const (
	SinkTimeout    = 5 * time.Second // how long one call of a sink may take
	SinkConcurrent = 4               // how many calls of a sink may be in progress
)

// Errors of a sink made by Safely. Records were lost, nothing else.
var (
	ErrSinkTimeout = errors.New("compare: sink did not return in time")
	ErrSinkBusy    = errors.New("compare: sink is still busy with earlier records")
)

// SinkPanicError says that a sink panicked. It does not show the value, which may hold data.
type SinkPanicError struct{ Type string }

func (e *SinkPanicError) Error() string {
	return "compare: sink panicked with a value of type " + e.Type
}

// Safely returns a sink that harms nobody: a call returns after SinkTimeout at the latest, or when its ctx ends, with
// ErrSinkTimeout or the ctx's error, while the call of the sink itself, its own ctx canceled, is left to end alone. While
// SinkConcurrent calls hang, further records are refused with ErrSinkBusy, so that no more goroutines than these can be
// lost. A panic is told to onPanic (nil means nobody) and returned as a *SinkPanicError.
func Safely(sink Sink, onPanic func(any)) Sink {
	return &safeSink{sink: sink, onPanic: onPanic, places: make(chan struct{}, SinkConcurrent)}
}

type safeSink struct {
	sink    Sink
	onPanic func(any)
	places  chan struct{}
}

func (s *safeSink) Record(ctx context.Context, records []Record) error {
	if s.sink == nil || len(records) == 0 {
		return nil
	}
	select {
	case s.places <- struct{}{}:
	default:
		return ErrSinkBusy
	}
	ctx, cancel := context.WithTimeoutCause(ctx, SinkTimeout, ErrSinkTimeout)
	defer cancel()
	records = slices.Clone(records) // a call that is left to itself must not read what the caller uses again
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.places }()
		done <- call(ctx, s.sink, records, s.onPanic)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func call(ctx context.Context, sink Sink, records []Record, onPanic func(any)) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = &SinkPanicError{Type: fmt.Sprintf("%T", recovered)}
			tell(onPanic, recovered)
		}
	}()
	return sink.Record(ctx, records)
}

// tell reports a panic to a function that may panic itself.
func tell(onPanic func(any), recovered any) {
	defer func() { _ = recover() }()
	if onPanic != nil {
		onPanic(recovered)
	}
}
