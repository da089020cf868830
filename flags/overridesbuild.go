package flags

import (
	"slices"
	"unsafe"
)

// OverridesBuilder makes a table of overrides of many tenants, as when a policy
// is loaded for the first time: all of them are put in, then the table is made
// at once. Meanwhile it holds each name once, and 20 bytes beside. The zero
// value is ready to use. It is for one goroutine.
type OverridesBuilder struct {
	names   []byte
	places  []placed
	problem string
}

// placed is where the builder keeps an override.
type placed struct {
	hash uint64
	at   uint64 // where the name begins, its length (16 bits) and the stage (8 bits)
}

// Put names a tenant. The name is copied. Of a tenant that is put twice, the
// later stage counts.
func (b *OverridesBuilder) Put(tenant []byte, stage Stage) {
	b.put(unsafe.String(unsafe.SliceData(tenant), len(tenant)), stage) // read, and not kept
}

// grow makes room for tenants, whose names must not be long.
func (b *OverridesBuilder) grow(n int) {
	b.places = slices.Grow(b.places, n)
	b.names = slices.Grow(b.names, 16*n)
}

func (b *OverridesBuilder) put(tenant string, stage Stage) {
	if problem := checkNamed(tenant, stage); problem != "" {
		b.problem = problem
		return
	}
	at := uint64(len(b.names))<<24 | uint64(len(tenant))<<8 | uint64(stage)
	b.names = append(b.names, tenant...)
	b.places = append(b.places, placed{hash: hashed(unseeded, tenant), at: at})
}

// Done returns the table, or a [*PolicyError] when a tenant without a name or
// an unknown stage was put. The builder cannot be used any more.
func (b *OverridesBuilder) Done() (*Overrides, error) {
	if b.problem != "" {
		return nil, &PolicyError{Problem: b.problem}
	}
	if len(b.places) == 0 {
		return &Overrides{}, nil
	}
	leaves := (len(b.places) + perLeaf - 1) / perLeaf
	o := &Overrides{leaves: uint64(leaves), mask: maskOf(uint64(leaves))}
	o.chunks = make([]*chunk, (leaves+chunkLeaves-1)/chunkLeaves)
	for i := range o.chunks {
		o.chunks[i] = &chunk{}
	}
	order, ends := b.byLeaf(o)
	names := unsafe.String(unsafe.SliceData(b.names), len(b.names)) // not written any more
	var entries []named
	var scratch []byte
	first := uint32(0)
	for i, end := range ends {
		entries = entries[:0]
		for _, k := range order[first:end] {
			entries = withNamed(entries, b.places[k].named(names))
		}
		scratch = appendLeaf(scratch[:0], entries)
		*o.leaf(uint64(i)) = leaf(scratch) //nolint:gosec // never negative
		o.n += len(entries)
		first = end
	}
	return o, nil
}

// byLeaf returns the numbers of the overrides, leaf by leaf in the order in
// which they were put, and where each leaf ends.
func (b *OverridesBuilder) byLeaf(o *Overrides) (order, ends []uint32) {
	next := make([]uint32, o.leaves+1)
	for _, p := range b.places {
		next[o.index(p.hash)+1]++
	}
	for i := range o.leaves {
		next[i+1] += next[i]
	}
	order = make([]uint32, len(b.places))
	for k, p := range b.places {
		i := o.index(p.hash)
		order[next[i]] = uint32(k) //nolint:gosec // a table of four billion tenants does not fit
		next[i]++
	}
	return order, next[:o.leaves]
}

func (p placed) named(names string) named {
	at := p.at >> 24
	return named{hash: p.hash, name: names[at : at+p.at>>8&maxTenant], stage: Stage(p.at & 0xff)} //nolint:gosec // one byte
}

// withNamed adds an override to those of a leaf; the later one of a tenant counts.
func withNamed(all []named, n named) []named {
	for i := range all {
		if all[i].hash == n.hash && all[i].name == n.name {
			all[i].stage = n.stage
			return all
		}
	}
	return append(all, n)
}
