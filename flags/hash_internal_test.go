package flags

import (
	"math"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHashIsTheLibrarysForEveryLength(t *testing.T) {
	long := strings.Repeat("tenant-0123456789-\u00e4\u20ac\xff\x00", 10)
	for n := range len(long) {
		for from := range min(8, len(long)-n) {
			require.Equal(t, xxhash.Sum64String(long[from:from+n]), hashed(long[from:from+n]), "%d bytes", n)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(rt, "text"))
		require.Equal(rt, xxhash.Sum64String(text), hashed(text))
	})
}

func TestBorderOfAShareIsWhereItsBucketBegins(t *testing.T) {
	for share := Share(1); share < Buckets; share++ {
		first := border(share)
		assert.Equal(t, uint64(share), scaled(first), "the first of the bucket")
		assert.Equal(t, uint64(share)-1, scaled(first-1), "the last of the one before")
	}
	assert.Zero(t, border(0))
	assert.Equal(t, uint64(Buckets-1), scaled(math.MaxUint64))
}

func BenchmarkHash(b *testing.B) {
	for _, text := range []string{"acme", "tenant-000000500", "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10"} {
		b.Run("ours/"+text, func(b *testing.B) {
			for b.Loop() {
				hashed(text)
			}
		})
		b.Run("library/"+text, func(b *testing.B) {
			for b.Loop() {
				xxhash.Sum64String(text)
			}
		})
	}
}
