package flags

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// The primes of xxHash64 (github.com/Cyan4973/xxHash). They are variables
// because the processor decodes a load faster than a number of 64 bits in the
// code: 0.2 ns of each decision.
var (
	prime1 uint64 = 0x9e3779b185ebca87
	prime2 uint64 = 0xc2b2ae3d27d4eb4f
	prime3 uint64 = 0x165667b19e3779f9
	prime4 uint64 = 0x85ebca77c2b2ae63
	prime5 uint64 = 0x27d4eb2f165667c5
)

// hashed is xxHash64 of the text, seed zero: the same number that
// xxhash.Sum64String gives. Texts below 32 bytes, which names of tenants and
// keys mostly are, are hashed here: the library's assembly takes its arguments
// through memory, and that costs more than the hash.
func hashed(text string) uint64 {
	n := len(text)
	if n >= 32 {
		return xxhash.Sum64String(text)
	}
	h := prime5 + uint64(n)
	if n >= 8 {
		h = stirred(h, le64(text))
		if n >= 16 {
			h = stirred(h, le64(text[8:]))
			if n >= 24 {
				h = stirred(h, le64(text[16:]))
			}
		}
	}
	if n&7 != 0 {
		h = rest(h, text)
	}
	return finished(h)
}

// finished is the end of xxHash64.
func finished(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

// stirred is the step of xxHash64 for eight bytes.
func stirred(h, eight uint64) uint64 {
	return bits.RotateLeft64(h^bits.RotateLeft64(eight*prime2, 31)*prime1, 27)*prime1 + prime4
}

// rest are the steps of xxHash64 for what eight-byte steps leave of a text.
func rest(h uint64, text string) uint64 {
	i := len(text) &^ 7
	if i+4 <= len(text) {
		h = stirred4(h, le32(text[i:i+4]))
		i += 4
	}
	for ; i < len(text); i++ {
		h = stirred1(h, text[i])
	}
	return h
}

func stirred4(h uint64, four uint32) uint64 {
	return bits.RotateLeft64(h^uint64(four)*prime1, 23)*prime2 + prime3
}

func stirred1(h uint64, one byte) uint64 {
	return bits.RotateLeft64(h^uint64(one)*prime5, 11) * prime1
}

// le64 reads the first eight bytes, lowest first; the compiler makes one load of it.
func le64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// le32 reads the first four bytes, lowest first.
func le32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// folded mixes a hash by one wide multiplication, both halves of it folded (as
// wyhash does: github.com/wangyi-fudan/wyhash), so that two salts give
// independent cohorts.
func folded(hash uint64) uint64 {
	high, low := bits.Mul64(hash, 0x9e3779b97f4a7c15)
	return high ^ low
}

// scaled brings a hash down to the buckets.
func scaled(hash uint64) uint64 {
	bucket, _ := bits.Mul64(hash, Buckets)
	return bucket
}

// border returns the first hash that [scaled] brings to a share's bucket or
// above: hashes below it, and no others, are in the share. The share must be
// below [Buckets], whose border no hash reaches.
func border(share Share) uint64 {
	quotient, rest := bits.Div64(uint64(share), 0, Buckets)
	if rest > 0 {
		quotient++
	}
	return quotient
}
