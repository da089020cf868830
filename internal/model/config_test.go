package model

import "github.com/crossfade-db/crossfade/flags"

// ladder is a world of two processes and a worker between two rungs.
func ladder(name string, low, high flags.Stage, ops ...task) config {
	c := config{
		name: name, processes: 2, workers: []task{working}, ops: ops,
		low: low, high: high, values: 3, older: 2, fails: true, leases: true, crashes: true, split: true, standing: true,
	}
	c.starts = c.begin(low)
	return c
}

// begin are the states in which a world may be found at a rung.
func (c *config) begin(stage flags.Stage) []state {
	one, two := whole(1), whole(2)
	switch {
	case stage == flags.New:
		return []state{c.initial(stage, 0, two, one), c.initial(stage, 0, one, none)}
	case stage == flags.Dual:
		return []state{c.initial(stage, oldComplete, one, none), c.initial(stage, oldComplete, none, two), c.initial(stage, oldComplete, one, two)}
	case stage > flags.Old:
		const all = backfilled | verified | oldComplete
		return []state{c.initial(stage, all, one, one), c.initial(stage, all, none, none)}
	}
	return []state{c.initial(stage, oldComplete, one, none), c.initial(stage, oldComplete, none, two)}
}

func (c config) with(change func(*config)) config {
	change(&c)
	c.starts = c.begin(c.low)
	return c
}

// from has the world begin at a rung above its lowest one.
func (c config) from(stage flags.Stage) config {
	c.starts = c.begin(stage)
	return c
}

// Ways to make a world smaller. alone leaves one process, and unaided no worker.
func alone(c *config)   { c.processes = 1 }
func unaided(c *config) { c.workers, c.fails = nil, false }
func steady(c *config) {
	c.leases, c.crashes, c.split, c.standing, c.joint = false, false, false, false, true
}

func named(name string, c config) config {
	c.name = name
	return c
}

// small are the worlds that every run of the tests explores, completely.
func small() []config {
	return []config{
		named("one process, all rungs", ladder("", flags.Old, flags.New, read, patch, erase, create).with(alone).with(steady)),
		named("one process that pauses, all rungs", ladder("", flags.Old, flags.New, read, save).with(alone).with(steady).with(func(c *config) { c.leases = true })),
		named("one process that crashes, all rungs", ladder("", flags.Old, flags.New, save, erase).with(alone).with(steady).with(func(c *config) { c.crashes = true })),
		named("steps that take time, all rungs", ladder("", flags.Old, flags.New, save).with(alone).with(steady).with(func(c *config) { c.split, c.standing, c.joint = true, true, false })),
		named("old to dual", ladder("", flags.Old, flags.Dual, patch, create).with(steady)),
		named("old to shadow", ladder("", flags.Old, flags.Shadow, read, save, erase).with(steady)),
		named("dual to live", ladder("", flags.Dual, flags.Live, read, patch).with(steady)),
		named("shadow to rampdown", ladder("", flags.Shadow, flags.RampDown, read, patch).with(steady)),
		named("live to new", ladder("", flags.Live, flags.New, read, save).with(steady).with(unaided).with(func(c *config) { c.fails = true })),
		named("shadow and live, with pauses", ladder("", flags.Shadow, flags.Live, read, patch).with(steady).with(unaided).with(func(c *config) { c.leases, c.fails = true, true })),
		named("shadow and live, what stands is published", ladder("", flags.Shadow, flags.Live, read, patch).with(steady).with(func(c *config) { c.standing = true })),
		named("locking reads", ladder("", flags.Shadow, flags.Live, modify, patch).with(steady)),
		named("a lost policy", ladder("", flags.Old, flags.Live, read, save).with(steady).with(func(c *config) { c.failover, c.workers = true, nil }).from(flags.Shadow)),
		named("plain SQL on the old side, captured", captured(flags.Old, flags.Shadow, flags.OldSide, save)),
		named("plain SQL on the old side, refused at live", captured(flags.Shadow, flags.RampDown, flags.OldSide, patch).failing().standingCapture(recording, absent)),
		named("plain SQL on the new side, captured", captured(flags.RampDown, flags.New, flags.NewSide, save).standingCapture(refusing, recording)),
		named("plain SQL on the new side, refused below live", captured(flags.Shadow, flags.Live, flags.NewSide, patch).failing().standingCapture(recording, refusing)),
		named("unfenced writes that arrive late", captured(flags.Old, flags.Dual, flags.OldSide, save).with(func(c *config) { c.leases, c.bypassOps = true, nil })),
	}
}

// failing has the side without authority fail.
func (c config) failing() config {
	c.fails = true
	return c
}

// large are the worlds that are explored at length: as far as limit states each.
func large() []config {
	everything := func(c *config) { c.anyTime = true }
	return []config{
		named("one process, all rungs, everything", ladder("", flags.Old, flags.New, read, patch, erase, create, modify).with(alone).with(everything)),
		named("old to shadow, everything", ladder("", flags.Old, flags.Shadow, read, patch, erase, create, modify)),
		named("dual to live, everything", ladder("", flags.Dual, flags.Live, read, patch, erase, save, modify)),
		named("shadow to rampdown, everything", ladder("", flags.Shadow, flags.RampDown, read, patch, erase, save)),
		named("live to new, everything", ladder("", flags.Live, flags.New, read, patch, erase, save)),
		named("two processes, all rungs", ladder("", flags.Old, flags.New, read, patch, erase, create).with(steady).with(func(c *config) { c.values = 4 })),
		named("every statement by itself", ladder("", flags.Old, flags.Live, read, patch, save).with(steady).with(func(c *config) { c.everyStatement = true })),
		named("two workers", ladder("", flags.Dual, flags.RampDown, read, patch, save).with(steady).with(func(c *config) { c.workers = []task{backfilling, reconciling} })),
		named("three unsettled policies", ladder("", flags.Old, flags.Live, read, save).with(func(c *config) { c.older, c.crashes = 3, false })),
		named("a lost policy, all rungs", ladder("", flags.Old, flags.New, read, save).with(steady).with(func(c *config) { c.failover, c.leases = true, true })),
		named("old to dual, with pauses", ladder("", flags.Old, flags.Dual, save).with(steady).with(func(c *config) { c.leases, c.values = true, 2 })),
		named("plain SQL on the old side, two processes", captured(flags.Old, flags.Live, flags.OldSide, read, patch, erase).with(func(c *config) {
			c.processes, c.fails, c.removes, c.bypassOps = 2, true, true, []task{save, erase}
		})),
		named("plain SQL on the new side, all rungs", captured(flags.Old, flags.New, flags.NewSide, read, save, erase).with(func(c *config) {
			c.captureBoth, c.fails, c.leases = true, true, true
		}).standingCapture(recording, refusing)),
		named("plain SQL on the new side, live to new", captured(flags.Live, flags.New, flags.NewSide, save).standingCapture(refusing, refusing)),
		named("writes by predicate", ladder("", flags.Old, flags.Live, patch, sweep, modify).with(steady)),
	}
}
