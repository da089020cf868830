package main

import (
	"context"
	"errors"

	"github.com/crossfade-db/crossfade/bench/peers"
	"github.com/crossfade-db/crossfade/bench/workload"
	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/flags"
)

// rivals are the peers on the tables of the workload.
type rivals struct {
	counts  peers.Counts
	clients []*peers.LaunchDarkly

	readOff, readSerial, readParallel, readScientist, writeBoth workload.Do
}

// rivalTenant is the tenant of LaunchDarkly's context, which its flag does not look at.
const rivalTenant = "tenant-0"

func newRivals(a *workload.App) (_ *rivals, err error) {
	r := &rivals{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	same := func(x, y items.Item) bool { return len(items.DiffItem(x, y)) == 0 }
	before, after := a.Read(a.V1()), a.Read(a.V2())
	read := func(stage flags.Stage, parallel bool) (workload.Do, error) {
		l, err := r.client(stage)
		if err != nil {
			return nil, err
		}
		do, err := peers.LaunchDarklyRead(l, rivalTenant, parallel, before, after, same)
		return do, err
	}
	if r.readOff, err = read(flags.Old, false); err != nil {
		return nil, err
	}
	if r.readSerial, err = read(flags.Shadow, false); err != nil {
		return nil, err
	}
	if r.readParallel, err = read(flags.Shadow, true); err != nil {
		return nil, err
	}
	dual, err := r.client(flags.Dual)
	if err != nil {
		return nil, err
	}
	if r.writeBoth, err = peers.LaunchDarklyWrite(dual, rivalTenant, peers.Write(a.SetStock(a.V1())), peers.Write(a.SetStock(a.V2()))); err != nil {
		return nil, err
	}
	r.readScientist = peers.ScientistRead(&r.counts, before, after, same)
	return r, nil
}

func (r *rivals) client(stage flags.Stage) (*peers.LaunchDarkly, error) {
	l, err := peers.NewLaunchDarkly(stage)
	if err == nil {
		r.clients = append(r.clients, l)
	}
	return l, err
}

func (r *rivals) close() error {
	var errs []error
	for _, l := range r.clients {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// errDiffer says that a comparison of equal sides found a difference, so that what was measured is not what was meant.
var errDiffer = errors.New("comparisons found differences between sides that are equal: the figures are of something else")

// check returns errDiffer if a peer or Crossfade found a difference.
func (r *rivals) check(_ context.Context, a *workload.App) error {
	differing := r.counts.Mismatched.Load()
	for _, l := range r.clients {
		_, n := l.Consistency()
		differing += n
	}
	if c := a.Compared(); c.Mismatched+differing > 0 {
		return errDiffer
	}
	return nil
}
