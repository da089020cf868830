// Package payload reads and writes JSON that carries its version: documents in
// jsonb columns, events, messages.
//
// Each version is a Go struct. A [Schema] is a row of them with a pure function
// from each to the next, so that a reader sees the newest struct whatever was
// stored:
//
//	{"v":1,"name":"Ada Lovelace"}  ->  NameV1  ->  NameV2
//
// What a struct does not know is kept when the payload is written again, in its
// place and letter by letter: a program that does not know the newest version can
// change what it does know without losing the rest. It never writes a payload at
// an older version than it was stored with. Writers can be held at an older
// version until every reader knows the newer one.
//
// The package knows no database and no flags, and it never repairs what it cannot
// read: that is an [*Error], which never shows the payload's values.
package payload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// Config says how payloads carry their version. A nil Config and zero fields are
// useful.
type Config struct {
	// Field is the member of the object that holds the version, as a number.
	// Defaults to "v". No struct may have a member of that name.
	Field string
	// Unversioned is the version of an object without the member. Zero means that
	// such an object is an error.
	Unversioned int
	// MaxDepth bounds how deeply arrays and objects are nested. Defaults to 100.
	MaxDepth int
}

// Schema is a row of versions, from 1 to that of T. Make one with [First] and
// [Next]; it never changes and may be used by any number of goroutines.
type Schema[T any] struct {
	name   string
	cfg    Config
	newest int
	// read makes the newest struct of an object of a version up to newest, and
	// returns what the struct of the stored version is as JSON.
	read func(version int, object []byte) (value T, known []byte, err error)
	// write makes JSON of a value at a version up to newest.
	write func(version int, value T) ([]byte, error)
	err   error
}

// Payload is a value and what it was read from. The zero value is a new payload
// of a zero Value; make one with [New] or [Schema.Decode].
type Payload[T any] struct {
	Value T
	// stored is the version it was read with, 0 for a new one; raw is what was
	// read, and known is as much of it as the struct of that version knew.
	stored     int
	raw, known []byte
}

// New returns a payload that was not stored yet.
func New[T any](value T) Payload[T] { return Payload[T]{Value: value} }

// Stored returns the version that the payload was read with, or 0 for a new one.
func (p Payload[T]) Stored() int { return p.stored }

// First returns the schema of a payload with the one version 1. The name is for
// errors. What is wrong with the configuration says [Schema.Check].
func First[T any](name string, cfg *Config) *Schema[T] {
	s := &Schema[T]{name: name, newest: 1}
	if cfg != nil {
		s.cfg = *cfg
	}
	if s.cfg.Field == "" {
		s.cfg.Field = "v"
	}
	if s.cfg.MaxDepth <= 0 {
		s.cfg.MaxDepth = 100
	}
	s.read = func(_ int, object []byte) (value T, known []byte, err error) { return s.decoded(1, object) }
	s.write = func(_ int, value T) ([]byte, error) { return s.encoded(1, value) }
	switch {
	case name == "":
		s.err = &Error{Kind: KindSchema, Problem: "the payload has no name"}
	case s.cfg.Unversioned < 0:
		s.err = s.bad(KindSchema, 0, "Unversioned is %d: versions begin at 1", s.cfg.Unversioned)
	}
	return s.checked()
}

// Next returns the schema with one version more. up makes the new version of the
// one before and must not be nil; down makes the one before of the new one, for
// writers that are held at an older version, and may be nil where none is. Both are
// pure: they may be called at any time, and more than once.
func Next[A, B any](before *Schema[A], up func(A) (B, error), down func(B) (A, error)) *Schema[B] {
	if before == nil {
		return &Schema[B]{err: &Error{Kind: KindSchema, Problem: "Next has no schema to go on from: begin with First"}}
	}
	s := &Schema[B]{name: before.name, cfg: before.cfg, newest: before.newest + 1, err: before.err}
	if s.err == nil && up == nil {
		s.err = s.bad(KindSchema, s.newest, "no function leads from version %d to version %d", before.newest, s.newest)
	}
	s.read = func(version int, object []byte) (value B, known []byte, err error) {
		if version >= s.newest {
			return s.decoded(version, object)
		}
		old, known, err := before.read(version, object)
		if err != nil {
			return value, nil, err
		}
		if value, err = up(old); err != nil {
			err = s.failed(KindUp, version, err, "make version %d of version %d", s.newest, before.newest)
		}
		return value, known, err
	}
	s.write = func(version int, value B) ([]byte, error) {
		switch {
		case version >= s.newest:
			return s.encoded(version, value)
		case down == nil:
			return nil, s.bad(KindDown, version, "no function leads from version %d back to version %d, at which its writers are held", s.newest, before.newest)
		}
		old, err := down(value)
		if err != nil {
			return nil, s.failed(KindDown, version, err, "make version %d of version %d", before.newest, s.newest)
		}
		return before.write(version, old)
	}
	return s.checked()
}

// checked finds a struct that has the version's member for itself.
func (s *Schema[T]) checked() *Schema[T] {
	var zero T
	if s.err != nil {
		return s
	}
	if s.cfg.Unversioned > s.newest {
		// Not known yet: a later version of the schema may be meant.
		return s
	}
	if _, err := s.encoded(s.newest, zero); err != nil {
		s.err = err
	}
	return s
}

// Check returns what is wrong with the schema itself, as an [*Error]. Ask it when
// the program starts; [Schema.Decode] and [Schema.Encode] return the same error.
func (s *Schema[T]) Check() error {
	if s.err == nil && s.cfg.Unversioned > s.newest {
		return s.bad(KindSchema, s.cfg.Unversioned, "objects without a version are of version %d, and the newest one known is %d", s.cfg.Unversioned, s.newest)
	}
	return s.err
}

// Name returns the payload's name, and Newest its newest version.
func (s *Schema[T]) Name() string { return s.name }

// Newest returns the version of T.
func (s *Schema[T]) Newest() int { return s.newest }

// Decode reads a payload of any version. One that is newer than the schema is read
// as far as its newest struct knows its members. data is copied.
func (s *Schema[T]) Decode(data []byte) (Payload[T], error) {
	if err := s.Check(); err != nil {
		return Payload[T]{}, err
	}
	if problem := wellFormed(data, s.cfg.MaxDepth); problem != "" {
		return Payload[T]{}, s.bad(KindMalformed, 0, "%s", problem)
	}
	raw := bytes.TrimSpace(bytes.Clone(data))
	version, err := s.version(raw)
	if err != nil {
		return Payload[T]{}, err
	}
	value, known, err := s.read(version, raw)
	if err != nil {
		return Payload[T]{}, err
	}
	return Payload[T]{Value: value, stored: version, raw: raw, known: known}, nil
}

// Encode writes a payload at the version at, or the newest one where that is 0. A
// payload that was stored with a higher version keeps it, known or not. What was
// stored and is unknown stays as it is; what did not change keeps its text. Where a
// newer version has no place for something unknown, or another use for its name,
// the error is of [KindLoss], and nothing should be written.
func (s *Schema[T]) Encode(p Payload[T], at int) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	switch {
	case at == 0:
		at = s.newest
	case at < 0 || at > s.newest:
		return nil, s.bad(KindVersion, at, "versions 1 to %d can be written", s.newest)
	}
	at = max(at, p.stored)
	after, err := s.write(at, p.Value)
	if err != nil {
		return nil, err
	}
	text := strconv.Itoa(at)
	if p.stored == 0 {
		return withVersion(after, s.cfg.Field, text), nil
	}
	merged, loss := merge(p.raw, p.known, after, p.stored == at)
	if loss != "" {
		return nil, s.bad(KindLoss, p.stored, "at version %d, %s", at, loss)
	}
	return withVersion(merged, s.cfg.Field, text), nil
}

// Limit says up to which version payloads of a tenant are written now: that of a
// flag, say. It must never exceed what every program that reads them knows.
type Limit func(ctx context.Context, tenant string) (version int, err error)

// Until holds writers at a version until allowed says otherwise, and lets them
// write the newest one then. Safe in a fleet of mixed builds is: the stage new of
// the migration that brings the version, which nobody reaches before every process
// knows it; or a flag that somebody turns when the last build that does not is gone.
func Until(held, newest int, allowed func(ctx context.Context, tenant string) (bool, error)) Limit {
	return func(ctx context.Context, tenant string) (int, error) {
		is, err := allowed(ctx, tenant)
		if err != nil || !is {
			return held, err
		}
		return newest, nil
	}
}

// EncodeFor is [Schema.Encode] at the version that the limit says. Where that
// cannot be told nothing is written, and the error wraps the limit's.
func (s *Schema[T]) EncodeFor(ctx context.Context, p Payload[T], tenant string, limit Limit) ([]byte, error) {
	at, err := limit(ctx, tenant)
	if err != nil {
		return nil, s.failed(KindVersion, 0, err, "ask which version may be written")
	}
	if at < 1 {
		return nil, s.bad(KindVersion, at, "the limit says no version: versions 1 to %d can be written", s.newest)
	}
	return s.Encode(p, min(at, s.newest))
}

// version reads the version of an object.
func (s *Schema[T]) version(raw []byte) (int, error) {
	text, ok := find(raw, s.cfg.Field)
	if !ok {
		if s.cfg.Unversioned == 0 {
			return 0, s.bad(KindVersion, 0, "the object has no member %q", s.cfg.Field)
		}
		return s.cfg.Unversioned, nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || strconv.Itoa(n) != string(text) {
		return 0, s.bad(KindVersion, 0, "member %q is not a version: it must be a whole number from 1 up", s.cfg.Field)
	}
	return n, nil
}

// decoded reads an object into the struct of a version.
func (s *Schema[T]) decoded(version int, object []byte) (value T, known []byte, err error) {
	if err = json.Unmarshal(object, &value); err != nil {
		return value, nil, s.unread(version, err)
	}
	known, err = s.encoded(version, value)
	return value, known, err
}

// encoded writes a struct as an object without its version.
func (s *Schema[T]) encoded(version int, value T) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, s.failed(KindUnwritable, version, err, "write the struct as JSON")
	}
	object := bytes.TrimSpace(text.Bytes())
	if object[0] != '{' {
		return nil, s.bad(KindSchema, version, "%T does not become a JSON object", value)
	}
	if _, ok := find(object, s.cfg.Field); ok {
		return nil, s.bad(KindSchema, version, "%T has a member %q, which holds the version: name one of them otherwise", value, s.cfg.Field)
	}
	return object, nil
}

func (s *Schema[T]) bad(kind Kind, version int, format string, args ...any) error {
	return &Error{Payload: s.name, Kind: kind, Version: version, Problem: fmt.Sprintf(format, args...)}
}

func (s *Schema[T]) failed(kind Kind, version int, cause error, format string, args ...any) error {
	return &Error{Payload: s.name, Kind: kind, Version: version, Problem: fmt.Sprintf(format, args...), Cause: cause}
}
