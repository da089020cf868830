package flags

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"unsafe"
)

// Overrides are the stages of tenants that are named one by one: an immutable
// table, of which any number of policies may share what did not change. A nil
// or zero Overrides names nobody. Any number of goroutines may use it.
//
// It is a linear hash table (Litwin 1980) whose buckets, called leaves here,
// are strings of bytes without pointers: about 20 bytes for a tenant of 16,
// and next to nothing for the garbage collector to look at. A change copies the
// leaf of each tenant that it names and the chunk of 256 leaves around it.
type Overrides struct {
	chunks []*chunk
	leaves uint64 // in use; zero where nobody is named
	mask   uint64 // one less than the power of two that holds all leaves
	n      int
}

const (
	chunkBits   = 8
	chunkLeaves = 1 << chunkBits
	// perLeaf is how many overrides a leaf has on average, at most; half as
	// many before leaves are joined again.
	perLeaf = 6
	// maxTenant bounds the names of tenants, in bytes. The ledger's own bound
	// is far below.
	maxTenant = 1<<16 - 1
)

type chunk struct{ leaves [chunkLeaves]leaf }

// leaf holds the overrides of one hash bucket. An empty string holds none;
// otherwise, with n of them:
//
//	n      4 bytes, lowest first, as all numbers here
//	width  4 bytes: how long each name is, or 0 where they differ
//	tags   n bytes, the highest of each hash, and zeros up to a multiple of 8
//	stages n bytes
//	ends   4 bytes for each name, where it ends among the names; none where all
//	       are of one width
//	names
type leaf string

const leafHead = 8

// Len returns how many tenants are named.
func (o *Overrides) Len() int {
	if o == nil {
		return 0
	}
	return o.n
}

// Stage returns the stage of a tenant, or false when it is not named. It
// allocates nothing.
func (o *Overrides) Stage(tenant string) (Stage, bool) {
	if o.Len() == 0 {
		return 0, false
	}
	stage := o.find(hashed(unseeded, tenant), tenant)
	return stage, stage != 0
}

// All returns the tenants that are named and their stages, in no order.
func (o *Overrides) All() iter.Seq2[string, Stage] {
	return func(yield func(string, Stage) bool) {
		if o == nil {
			return
		}
		for i := range o.leaves {
			l := *o.leaf(i)
			for j := range l.len() {
				if name, stage := l.entry(j); !yield(name, stage) {
					return
				}
			}
		}
	}
}

// Bytes returns how much memory the table takes. Tables that came out of one
// another share most of it.
func (o *Overrides) Bytes() int64 {
	if o == nil {
		return 0
	}
	total := int64(unsafe.Sizeof(*o)) + int64(cap(o.chunks))*int64(unsafe.Sizeof(o.chunks[0])) +
		int64(len(o.chunks))*int64(unsafe.Sizeof(chunk{}))
	for i := range o.leaves {
		total += int64(len(*o.leaf(i)))
	}
	return total
}

// index returns the number of the leaf of a hash.
func (o *Overrides) index(hash uint64) uint64 {
	i := hash & o.mask
	beyond := (o.leaves - 1 - i) >> 63 // 1 where there is no such leaf yet; a branch would be guessed wrong
	return i & (o.mask >> beyond)
}

func (o *Overrides) leaf(i uint64) *leaf { return &o.chunks[i>>chunkBits].leaves[i%chunkLeaves] }

// find returns the stage of the tenant with a hash, or zero. The table must
// not be empty.
func (o *Overrides) find(hash uint64, tenant string) Stage {
	l := *o.leaf(o.index(hash))
	if len(l) < leafHead {
		return 0
	}
	head := le64(string(l[:leafHead]))
	n, width := int(uint32(head)), int(head>>32)
	switch width {
	case len(tenant):
	case 0:
		return l.findMany(hash, tenant)
	default:
		return 0
	}
	stages := leafHead + padded(n)
	for first := 0; first < n; first += 8 {
		for m := marked(l.eight(leafHead+first), hash); m != 0; m &= m - 1 {
			j := first + bits.TrailingZeros64(m)>>3
			at := stages + n + j*width
			if j < n && string(l[at:at+width]) == tenant {
				return Stage(l[stages+j])
			}
		}
	}
	return 0
}

// findMany is find in a leaf of names that differ in width.
func (l leaf) findMany(hash uint64, tenant string) Stage {
	n, width := l.head()
	for first := 0; first < n; first += 8 {
		for m := marked(l.eight(leafHead+first), hash); m != 0; m &= m - 1 {
			j := first + bits.TrailingZeros64(m)>>3
			if j < n && l.name(j, n, width) == tenant {
				return Stage(l[leafHead+padded(n)+j])
			}
		}
	}
	return 0
}

// marked sets the highest bit of each of eight tags that is that of the hash. A
// tag above such a one may be marked as well, which costs a comparison of names.
func marked(tags, hash uint64) uint64 {
	x := tags ^ hash>>56*lows
	return (x - lows) &^ x & highs
}

const (
	lows  uint64 = 0x0101010101010101
	highs uint64 = 0x8080808080808080
)

// head returns how many overrides the leaf holds, and the width of their names.
func (l leaf) head() (n, width int) {
	head := l.eight(0)
	return int(uint32(head)), int(head >> 32)
}

func (l leaf) len() int {
	if len(l) == 0 {
		return 0
	}
	n, _ := l.head()
	return n
}

func (l leaf) eight(at int) uint64 { return le64(string(l[at : at+8])) }

// name returns a name in the leaf.
func (l leaf) name(j, n, width int) string {
	at := leafHead + padded(n) + n
	if width != 0 {
		at += j * width
		return string(l[at : at+width])
	}
	return l.nameOfMany(j, at, at+4*n)
}

// nameOfMany returns a name where their widths differ.
func (l leaf) nameOfMany(j, ends, names int) string {
	ends += 4 * j
	from := uint32(0)
	if j > 0 {
		from = le32(string(l[ends-4 : ends]))
	}
	return string(l[names+int(from) : names+int(le32(string(l[ends:ends+4])))])
}

// entry returns an override of the leaf.
func (l leaf) entry(j int) (name string, stage Stage) {
	n, width := l.head()
	return l.name(j, n, width), Stage(l[leafHead+padded(n)+j])
}

func padded(n int) int { return (n + 7) &^ 7 }

// named is one override on its way into a leaf.
type named struct {
	hash  uint64
	name  string
	stage Stage
}

// appendLeaf writes a leaf.
func appendLeaf(to []byte, all []named) []byte {
	if len(all) == 0 {
		return to
	}
	width := len(all[0].name)
	for _, e := range all {
		if len(e.name) != width {
			width = 0
			break
		}
	}
	start := len(to)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(all))) //nolint:gosec // four billion overrides do not fit
	to = binary.LittleEndian.AppendUint32(to, uint32(width))    //nolint:gosec // names are bounded
	for _, e := range all {
		to = append(to, byte(e.hash>>56))
	}
	for len(to)-start < leafHead+padded(len(all)) {
		to = append(to, 0)
	}
	for _, e := range all {
		to = append(to, byte(e.stage))
	}
	end := 0
	for _, e := range all {
		if end += len(e.name); width == 0 {
			to = binary.LittleEndian.AppendUint32(to, uint32(end)) //nolint:gosec // as above
		}
	}
	for _, e := range all {
		to = append(to, e.name...)
	}
	return to
}

// checkNamed returns what is wrong with an override, or "".
func checkNamed(tenant string, stage Stage) string {
	switch {
	case tenant == "":
		return "an override names no tenant"
	case len(tenant) > maxTenant:
		return fmt.Sprintf("an override names a tenant of %d bytes: %d are the most", len(tenant), maxTenant)
	case !stage.Valid():
		return fmt.Sprintf("the override of tenant %q is no stage", tenant)
	}
	return ""
}
