package flags

// usualLengths is how many lengths of tenants' names from usualFrom on are
// decided by [Compiled.ofKey] itself: two calls of [hashed] cost a nanosecond more.
const (
	usualFrom    = 4
	usualLengths = 48 - usualFrom + 1
)

// ofAny decides for a tenant by any policy that has not everybody at one stage.
func ofAny(c *Compiled, tenant string) (Stage, Reason) {
	stage, _, why := c.placeAny(tenant, "")
	return stage, why
}

// ofShare decides for a tenant where a share of tenants stands at another stage
// and nobody is named, by the number that [hashed] gives. It repeats that code
// and calls nothing, so that it needs no frame: 0.3 ns of 4.
func ofShare(c *Compiled, tenant string) (Stage, Reason) {
	n, seed := len(tenant), c.seed
	var a, b uint64
	switch {
	case uint(n-8) <= 8: //nolint:gosec // 8 to 16
		seed ^= uint64(n)
		a, b = le64(tenant), le64(tenant[n-8:])
	case n > 48:
		end, second, third := tenant[n-16:], seed, seed
		for ; len(tenant) > 48; tenant = tenant[48:] {
			seed = folded(le64(tenant)^secret0, le64(tenant[8:])^seed)
			second = folded(le64(tenant[16:])^secret1, le64(tenant[24:])^second)
			third = folded(le64(tenant[32:])^secret2, le64(tenant[40:])^third)
		}
		seed ^= second ^ third
		if len(tenant) > 16 {
			seed = folded(le64(tenant)^secret2, le64(tenant[8:])^seed)
			if len(tenant) > 32 {
				seed = folded(le64(tenant[16:])^secret2, le64(tenant[24:])^seed)
			}
		}
		n = len(tenant)
		a, b = le64(end)^uint64(n), le64(end[8:])
	case n > 16:
		seed = folded(le64(tenant)^secret2, le64(tenant[8:])^seed)
		if n > 32 {
			seed = folded(le64(tenant[16:])^secret2, le64(tenant[24:])^seed)
		}
		a, b = le64(tenant[n-16:])^uint64(n), le64(tenant[n-8:])
	case n >= 4:
		seed ^= uint64(n)
		a, b = uint64(le32(tenant)), uint64(le32(tenant[n-4:]))
	case n > 1:
		a, b = uint64(tenant[0])<<45|uint64(tenant[n-1]), uint64(tenant[1])
	case n == 1:
		a, b = uint64(tenant[0])<<45|uint64(tenant[0]), uint64(tenant[0])
	}
	if finished(a, b, seed, n) > c.last { // as in at, whose results would be moved about
		return c.base, ReasonDefault
	}
	return c.to, ReasonPercentage
}

// ofKey decides for one key of a tenant. A share of keys, by names of usual
// length, is decided right here, and by the number that [keyHashed] gives: the
// hash of the tenant is the seed of that of the key.
func (c *Compiled) ofKey(tenant, key string) (Stage, Reason) {
	if uint(len(tenant)-usualFrom) >= c.usualKeys || uint(len(key)-1) >= 48 { //nolint:gosec // as above
		stage, _, why := c.placeAny(tenant, key)
		return stage, why
	}
	text, seed := tenant, c.keySeed
	for both := false; ; both = true {
		n := len(text)
		var a, b uint64
		last := uint64(n) ^ secret1
		switch {
		case n > 16:
			seed = folded(le64(text)^secret2, le64(text[8:])^seed)
			if n > 32 {
				seed = folded(le64(text[16:])^secret2, le64(text[24:])^seed)
			}
			a, b = le64(text[n-16:])^last, le64(text[n-8:])^seed
		case n >= 8:
			a, b = le64(text)^secret1, le64(text[n-8:])^seed^uint64(n)
		case n >= 4:
			a, b = uint64(le32(text))^secret1, uint64(le32(text[n-4:]))^seed^uint64(n)
		default:
			a, b = few(text)
			a, b = a^secret1, b^seed
		}
		hash := closed(a, b, last)
		switch {
		case !both:
		case hash > c.last:
			return c.base, ReasonDefault
		default:
			return c.to, ReasonPercentage
		}
		text, seed = key, ready(hash)
	}
}

// at is the stage of whose hash this is: its bucket is below the share up to
// the last hash, see [border].
func (c *Compiled) at(hash uint64) (Stage, Reason) {
	if hash > c.last {
		return c.base, ReasonDefault
	}
	return c.to, ReasonPercentage
}
