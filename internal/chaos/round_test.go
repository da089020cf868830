package chaos

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/ledger"
)

// round has every client do some operations among all faults, and then asks
// whether all of them can have happened.
func (w *world) round(n int) {
	w.mu.Lock()
	w.timeline = nil
	w.mu.Unlock()
	h, m := &accounts.History{}, &accounts.Made{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var faults sync.WaitGroup
	faults.Go(func() { w.sabotage(ctx, n) })
	var outside sync.WaitGroup
	w.outsiders(ctx, n, h, &outside)
	w.clients(n, h, m)
	cancel()
	w.await("the end of all faults", &faults)
	w.await("the writers outside", &outside)
	if w.settle(); w.missing() {
		return // which is a violation, and nobody is left to be asked
	}
	for _, e := range h.Events {
		if e.Outcome == accounts.Unknown {
			w.count("unknown outcomes")
		}
	}
	journal := w.journal()
	for _, wrong := range h.Resolve(journal) {
		w.violate("%s", wrong)
	}
	for _, e := range h.Events {
		delete(journal, e.Op)
	}
	for op := range journal {
		w.violate("operation %d took effect after its round had ended", op)
	}
	last := w.readBack(h)
	for _, tenant := range accounts.Tenants {
		if wrong := h.Check(tenant, w.from[tenant]); wrong != "" {
			w.violate("%s", wrong)
		}
	}
	for _, e := range h.Events {
		w.count("operations")
		if e.Outcome != accounts.Happened { // those of unknown outcome that are left were committed
			w.count([...]string{"", "failed", "committed in silence"}[e.Outcome])
		}
		if e.Lost {
			w.count("never answered")
		}
	}
	w.compareSides()
	for _, tenant := range accounts.Tenants {
		w.tidy(tenant, last[tenant])
	}
}

// await waits for what nothing prevents from ending. Where it does not, the
// processes show what they are at.
func (w *world) await(what string, group *sync.WaitGroup) {
	w.t.Helper()
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-time.After(patience):
	}
	for _, p := range w.places() {
		i := p.current()
		i.mu.Lock()
		i.killed = true
		i.mu.Unlock()
		i.signal(syscall.SIGQUIT)
		<-i.gone
	}
	require.Fail(w.t, what+" do not come", w.report())
}

// settle returns when no operation of this round can take effect any more.
func (w *world) settle() {
	for _, p := range w.applications {
		i := p.current()
		select {
		case <-i.ready:
		case <-i.gone:
		case <-time.After(patience):
			require.Fail(w.t, "a process does not come", "%s\n%s", i.stderr, w.report())
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.mu.Lock()
	graves := w.graves
	w.graves = nil
	w.mu.Unlock()
	for _, i := range graves {
		i.proxy.Release()
		require.NoError(w.t, i.proxy.Ended(ctx))
		_ = i.proxy.Close()
	}
	w.insist("wait for writers outside", w.outsidersEnded)
	for range 3 { // bytes may be between a socket and its proxy
		for _, p := range w.applications {
			require.NoError(w.t, p.current().proxy.Quiet(ctx))
		}
		pause(ctx, 2*time.Millisecond)
	}
}

// missing reports whether an application has ended by itself.
func (w *world) missing() bool {
	return slices.ContainsFunc(w.applications, func(p *process) bool {
		select {
		case <-p.current().gone:
			return true
		default:
			return false
		}
	})
}

func (w *world) journal() (lines map[int64][]accounts.Line) {
	w.insist("take the journal", func(ctx context.Context) (err error) {
		lines, err = accounts.TakeJournal(ctx, w.keeper)
		return err
	})
	return lines
}

// ask has an application do one more operation until it succeeds.
func (w *world) ask(p *process, r request) (e *accounts.Event) {
	w.insist(r.What, func(context.Context) error {
		r.Op, r.Seed = w.ops.Add(1), w.plan.seed
		e = &accounts.Event{Client: -1, Op: r.Op, Tenant: r.Tenant, What: r.What + " at the end", Call: w.now()}
		waiting, err := p.current().send(r)
		if err != nil {
			return err
		}
		got := <-waiting.answer
		e.End = w.now()
		if got == nil {
			return errGone
		}
		e.Stage, e.Answer = got.Stage, got.Answer
		if got.Outcome != accounts.Happened {
			return errors.New(got.Err)
		}
		return nil
	})
	return e
}

// readBack lists every tenant through every process: the last operations of
// the round. It returns what the last process saw.
func (w *world) readBack(h *accounts.History) map[string][]accounts.Account {
	last := map[string][]accounts.Account{}
	for _, p := range w.applications {
		for _, tenant := range accounts.Tenants {
			e := w.ask(p, request{What: "list", Tenant: tenant})
			h.Add(e)
			last[tenant] = e.Acts[0].List
		}
	}
	return last
}

// tidy deletes what the database made in this round.
func (w *world) tidy(tenant string, all []accounts.Account) {
	w.from[tenant] = nil
	for _, a := range all {
		if !accounts.MadeByDatabase(a.ID) {
			w.from[tenant] = append(w.from[tenant], a)
			continue
		}
		w.ask(w.applications[0], request{What: "tidy up", Tenant: tenant, Key: a.ID})
	}
}

// compareSides holds both sides against each other, where the ledger says that
// they are equal.
func (w *world) compareSides() (compared int) {
	var all []accounts.Compared
	w.insist("compare both sides", func(ctx context.Context) (err error) {
		all, err = accounts.CompareSides(ctx, w.keeper)
		if errors.Is(err, accounts.ErrMoved) {
			err = nil // somebody was quicker
		}
		return err
	})
	for _, c := range all {
		w.count("ended at " + c.Stage.String())
		if c.Equal {
			compared++
			w.count("sides compared")
		}
		if len(c.Different) > 0 {
			w.violate("keys of %s differ at %s without a record: %q", c.Tenant, c.Stage, c.Different)
		}
	}
	return compared
}

// end walks to shadow, which must be possible from wherever the tenants stand,
// repairs all stale keys, and holds both sides against each other without any
// excuse.
func (w *world) end() {
	for _, p := range w.operators {
		p.current().kill()
	}
	o := accounts.NewOperator(w.keeper, w.random(0))
	w.insist("walk to shadow", func(ctx context.Context) error {
		for _, tenant := range accounts.Tenants {
			o.Step(ctx, []string{tenant}, flags.Shadow)
		}
		policy, err := o.Store.Policy(ctx, accounts.MigrationName)
		if err == nil && !accounts.AllAt(policy, flags.Shadow) {
			err = errors.New("not everybody has arrived")
		}
		return err
	})
	w.insist("repair stale keys", func(ctx context.Context) error {
		o.Job(ctx, ledger.JobReconcile, nil)
		var stale int
		err := w.keeper.QueryRow(ctx, "select count(*) from crossfade.stale_keys").Scan(&stale)
		if err == nil && stale > 0 {
			err = errors.New("some are left")
		}
		return err
	})
	require.Equal(w.t, len(accounts.Tenants), w.compareSides())
	for _, tenant := range accounts.Tenants {
		h := &accounts.History{}
		h.Add(w.ask(w.applications[0], request{What: "list", Tenant: tenant}))
		if wrong := h.Check(tenant, w.from[tenant]); wrong != "" {
			w.violate("%s", wrong)
		}
	}
	var differing int64
	w.insist("ask the jobs", func(ctx context.Context) error {
		return w.keeper.QueryRow(ctx, "select coalesce(sum(differing), 0) from crossfade.jobs").Scan(&differing)
	})
	if differing > 0 {
		w.violate("verification found %d differences", differing)
	}
}
