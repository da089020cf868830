package flags

import (
	"math/bits"
	"slices"
)

// OverridesEdit makes another table of overrides out of one, which stays as it
// is. What it costs depends on the changes alone, not on how many tenants are
// named. It is for one goroutine.
type OverridesEdit struct {
	to      Overrides
	owned   []bool  // the chunks that are no other table's
	scratch []byte  // for one leaf
	entries []named // of one leaf
	problem string
}

// Edit begins a change of the table.
func (o *Overrides) Edit() *OverridesEdit {
	e := &OverridesEdit{}
	if o != nil {
		e.to = *o
		e.to.chunks = slices.Clone(o.chunks)
		e.owned = make([]bool, len(o.chunks))
	}
	return e
}

// Put names a tenant, or gives one that is named another stage. The name is copied.
func (e *OverridesEdit) Put(tenant string, stage Stage) {
	if problem := checkNamed(tenant, stage); problem != "" {
		e.problem = problem
		return
	}
	if e.to.leaves == 0 {
		e.addLeaf()
	}
	hash := hashed(unseeded, tenant)
	i := e.to.index(hash)
	all := e.read(i)
	for j := range all {
		if all[j].name == tenant {
			if all[j].stage != stage {
				all[j].stage = stage
				e.write(i, all)
			}
			return
		}
	}
	all = append(all, named{hash, tenant, stage})
	e.entries = all[:0]
	e.write(i, all)
	e.to.n++
	if e.to.n > perLeaf*int(e.to.leaves) { //nolint:gosec // as many as there are strings in memory
		e.split()
	}
}

// Remove takes a tenant's override away, if there is one.
func (e *OverridesEdit) Remove(tenant string) {
	if e.to.n == 0 {
		return
	}
	i := e.to.index(hashed(unseeded, tenant))
	all := e.read(i)
	j := slices.IndexFunc(all, func(n named) bool { return n.name == tenant })
	if j < 0 {
		return
	}
	e.write(i, slices.Delete(all, j, j+1))
	e.to.n--
	if e.to.leaves > 1 && e.to.n < perLeaf/2*int(e.to.leaves) { //nolint:gosec // as above
		e.join()
	}
}

// Done returns the changed table, or a [*PolicyError] when a tenant without a
// name or an unknown stage was put. The edit cannot be used any more.
func (e *OverridesEdit) Done() (*Overrides, error) {
	if e.problem != "" {
		return nil, &PolicyError{Problem: e.problem}
	}
	if e.to.n == 0 {
		return &Overrides{}, nil
	}
	return &e.to, nil
}

// read returns the overrides of a leaf, valid until the next reading.
func (e *OverridesEdit) read(i uint64) []named {
	l := *e.to.leaf(i)
	e.entries = e.entries[:0]
	for j := range l.len() {
		name, stage := l.entry(j)
		e.entries = append(e.entries, named{uint64(l[leafHead+j]) << 56, name, stage})
	}
	return e.entries
}

func (e *OverridesEdit) write(i uint64, all []named) {
	e.scratch = appendLeaf(e.scratch[:0], all)
	c := i >> chunkBits
	if !e.owned[c] {
		own := *e.to.chunks[c]
		e.to.chunks[c], e.owned[c] = &own, true
	}
	*e.to.leaf(i) = leaf(e.scratch)
}

// addLeaf adds an empty leaf.
func (e *OverridesEdit) addLeaf() {
	if e.to.leaves%chunkLeaves == 0 {
		e.to.chunks = append(e.to.chunks, &chunk{})
		e.owned = append(e.owned, true)
	}
	e.to.leaves++
	e.to.mask = maskOf(e.to.leaves)
}

// split adds a leaf, and divides the one that it comes from.
func (e *OverridesEdit) split() {
	added := e.to.leaves
	e.addLeaf()
	from := added & (e.to.mask >> 1)
	var stay, go_ []named
	for _, n := range e.read(from) {
		if n.hash = hashed(unseeded, n.name); e.to.index(n.hash) == added {
			go_ = append(go_, n)
		} else {
			stay = append(stay, n)
		}
	}
	e.write(from, stay)
	e.write(added, go_)
}

// join takes the last leaf away, and gives what it holds to the one that it
// came from.
func (e *OverridesEdit) join() {
	last := e.to.leaves - 1
	into := last & (e.to.mask >> 1)
	all := slices.Clone(e.read(last))
	all = append(all, e.read(into)...)
	e.write(into, all)
	e.write(last, nil)
	e.to.leaves--
	e.to.mask = maskOf(e.to.leaves)
	if e.to.leaves%chunkLeaves == 0 {
		end := len(e.to.chunks) - 1
		e.to.chunks[end] = nil
		e.to.chunks, e.owned = e.to.chunks[:end], e.owned[:end]
	}
}

func maskOf(leaves uint64) uint64 { return 1<<bits.Len64(leaves-1) - 1 }
