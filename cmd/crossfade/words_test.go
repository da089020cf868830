package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0ms", 31 * time.Millisecond: "31ms", 1234 * time.Millisecond: "1.2s", 59 * time.Second: "59s",
		200 * time.Second: "3m20s", 5 * time.Hour: "5h00m", 76 * time.Hour: "3d04h",
	} {
		assert.Equal(t, want, short(d))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -12345: "-12,345"} {
		assert.Equal(t, want, grouped(n))
	}
	assert.Equal(t, "1 process", plural(1, "process"))
	assert.Equal(t, "2 processes", plural(2, "process"))
	assert.Equal(t, "0 open mismatches", plural(0, "open mismatch"))
	assert.Equal(t, `a\x1b[2Jb`+"\n", printable("a\x1b[2Jb\n"))
	assert.Equal(t, `a\nb`, inLine("a\nb"))
	assert.Equal(t, "Jürgen 王", inLine("Jürgen 王"))
	assert.Equal(t, "a, b and 2 more", some([]string{"a", "b", "c", "d"}, 2))
	assert.Equal(t, "one two\nthree", wrapped(" one two three ", 8))
}

func TestBarsNeverHideAnybody(t *testing.T) {
	for share, want := range map[float64]string{0: "..........", 0.01: "#.........", 50: "#####.....", 99.99: "#########.", 100: "##########"} {
		assert.Equal(t, want, bar(share, 10), share)
	}
}

func TestEveryErrorHasItsExitCode(t *testing.T) {
	ctx := context.Background()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, exitOK},
		{errors.New("anything"), exitFailure},
		{&usageError{errors.New("x")}, exitInput},
		{&ledger.ServerError{Problem: ledger.BadDSN, Err: errors.New("x")}, exitInput},
		{&ledger.ServerError{Problem: ledger.Lost, Err: errors.New("x")}, exitServer},
		{&ledger.ServerError{Problem: ledger.TimedOut, Err: errors.New("x")}, exitServer},
		{&control.UnsettledError{Err: &ledger.ServerError{Problem: ledger.Lost, Err: errors.New("x")}}, exitUnsettled},
		{&control.StepError{}, exitRefused},
		{&ledger.ConflictError{}, exitConflict},
		{&ledger.JobOpenError{}, exitConflict},
		{&ledger.VersionError{}, exitLedger},
		{&differsError{}, exitDiffers},
		{&waitingError{}, exitUnsettled},
	} {
		assert.Equal(t, c.code, codeOf(ctx, c.err), "%T", c.err)
		if c.err != nil {
			assert.Equal(t, c.code, codeOf(ctx, fmt.Errorf("wrapped: %w", c.err)), "%T", c.err)
			assert.Equal(t, exitInterrupted, codeOf(ended, c.err), "%T", c.err)
		}
		assert.NotEmpty(t, kindOf(c.code))
	}
}
