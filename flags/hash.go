package flags

import "math/bits"

// The hash behind every bucket is rapidhash V3 by Nicolas De Carli, its variant
// Nano (github.com/Nicoshev/rapidhash): published, tested by SMHasher3, and
// defined byte by byte, so that each process, architecture and release comes to
// the same number. A tenant's bucket is
//
//	rapidhashNano_withSeed(tenant, rapidhashNano(salt)) * 10,000 / 2^64
//
// and a key's, with the tenant's hash as its seed,
//
//	rapidhashNano_withSeed(key, rapidhashNano_withSeed(tenant, rapidhashNano(salt + "\x00keys"))) * 10,000 / 2^64
//
// Another hash would move cohorts between stages while a release rolls out: it
// stays as long as there are policies.

// The numbers of rapidhash that Nano uses.
const (
	secret0 uint64 = 0x2d358dccaa6c78a5
	secret1 uint64 = 0x8bb84b93962eacc9
	secret2 uint64 = 0x4b33a62ed433d4a3
	secret7 uint64 = 0xaaaaaaaaaaaaaaaa
)

// unseeded is what [ready] makes of zero, the seed of a hash without one.
const unseeded uint64 = 0x422765567d8fbfd6

// ready prepares a seed for [hashed].
func ready(seed uint64) uint64 { return seed ^ folded(seed^secret2, secret1) }

// hashed is rapidhashNano of a text with a seed that [ready] prepared.
// [ofShare] and [Compiled.ofKey] repeat it.
func hashed(seed uint64, text string) uint64 {
	n := len(text)
	switch {
	case n > 16:
		return hashedLong(seed, text)
	case n >= 8:
		return finished(le64(text), le64(text[n-8:]), seed^uint64(n), n)
	case n >= 4:
		return finished(uint64(le32(text)), uint64(le32(text[n-4:])), seed^uint64(n), n)
	}
	a, b := few(text)
	return finished(a, b, seed, n)
}

// hashedLong is hashed for texts above 16 bytes.
func hashedLong(seed uint64, text string) uint64 {
	end := text[len(text)-16:]
	if len(text) > 48 {
		second, third := seed, seed
		for ; len(text) > 48; text = text[48:] {
			seed = folded(le64(text)^secret0, le64(text[8:])^seed)
			second = folded(le64(text[16:])^secret1, le64(text[24:])^second)
			third = folded(le64(text[32:])^secret2, le64(text[40:])^third)
		}
		seed ^= second ^ third
	}
	if len(text) > 16 {
		seed = folded(le64(text)^secret2, le64(text[8:])^seed)
		if len(text) > 32 {
			seed = folded(le64(text[16:])^secret2, le64(text[24:])^seed)
		}
	}
	return finished(le64(end)^uint64(len(text)), le64(end[8:]), seed, len(text))
}

// few are the numbers that up to three bytes count as.
func few(text string) (a, b uint64) {
	n := len(text)
	if n == 0 {
		return 0, 0
	}
	return uint64(text[0])<<45 | uint64(text[n-1]), uint64(text[n>>1])
}

// finished is the end of the hash, of n bytes that are left.
func finished(a, b, seed uint64, n int) uint64 {
	return closed(a^secret1, b^seed, secret1^uint64(n))
}

// closed is finished where the numbers of rapidhash were put in already.
func closed(a, b, last uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return folded(low^secret7, high^last)
}

// folded is the product of two numbers, its halves laid over each other.
func folded(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// keyHashed is the hash of a key of a tenant; seed is that of the policy's keys.
func keyHashed(seed uint64, tenant, key string) uint64 {
	return hashed(ready(hashed(seed, tenant)), key)
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
