package proxy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func message(kind string, body string) string {
	n := len(body) + 4
	return kind + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

func TestTrafficIsAtRestWhenEverythingIsAnsweredOutsideATransaction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &link{traffic: newTraffic()}
		feed := func(fn func([]byte), text string) {
			for text != "" {
				n := rapid.IntRange(1, len(text)).Draw(t, "bytes at once")
				fn([]byte(text[:n]))
				text = text[n:]
			}
		}
		feed(l.traffic.ask, message("", "\x00\x03\x00\x00user\x00me\x00\x00"))
		assert.False(t, l.atRest(), "the start is not answered")
		feed(l.traffic.answer, message("R", "\x00\x00\x00\x00")+message("S", "name\x00")+message("Z", "I"))
		assert.True(t, l.atRest())
		feed(l.traffic.ask, message("P", "\x00begin\x00\x00\x00")+message("S", ""))
		assert.False(t, l.atRest(), "a sync is not answered")
		feed(l.traffic.answer, message("1", "")+message("Z", "T"))
		assert.False(t, l.atRest(), "a transaction is open")
		feed(l.traffic.ask, message("Q", "commit\x00")+message("S", ""))
		feed(l.traffic.answer, message("C", "COMMIT\x00")+message("Z", "I"))
		assert.False(t, l.atRest(), "one of two is not answered")
		feed(l.traffic.answer, message("Z", "I"))
		assert.True(t, l.atRest())
		l.traffic.end()
		assert.False(t, l.atRest(), "the client is gone")
	})
}
