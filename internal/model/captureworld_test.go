package model

import (
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// captured is a small world with a writer that bypasses the application on one
// side, whose writers are captured.
func captured(low, high flags.Stage, side flags.Side, ops ...task) config {
	c := narrow(low, high, ops...)
	c.workers = []task{working, bypassing}
	c.processes, c.standing, c.captures, c.fails = 1, true, true, false
	c.bypass, c.bypassOps, c.values = side, []task{save}, 3
	c.starts = c.begin(low)
	return c
}

// standing has capture stand from the beginning.
func (c config) standingCapture(modes ...mode) config {
	for i := range c.starts {
		for side, m := range modes {
			c.starts[i].capture[side].mode = m
		}
	}
	return c
}

// captureMutations break capture. Their worlds have a writer that bypasses the
// application.
func captureMutations() []mutation {
	const oldSide, newSide = flags.OldSide, flags.NewSide
	return []mutation{
		{
			"into live while capture lets bypassing writers through",
			captured(atShadow, atLive, oldSide, save).standingCapture(recording, absent), dropping(control.BlockCaptureOpen),
		},
		{
			"the writers whom capture let through are not waited for",
			captured(atShadow, atLive, oldSide, patch).standingCapture(recording, absent),
			rules{modeUndrained: true},
		},
		{
			"capture is installed without waiting for open writers",
			captured(atOld, atDual, oldSide, read),
			rules{installsAtOnce: true},
		},
		{
			"a bypassing write is not recorded",
			captured(atShadow, atShadow, oldSide, read).standingCapture(recording, absent),
			rules{unrecorded: true},
		},
		{
			"the trigger reads the stage without joining the epoch",
			captured(atOld, atDual, oldSide, read).standingCapture(recording, absent),
			rules{epochNotJoined: true},
		},
		{
			"the trigger takes the key's lock",
			captured(atShadow, atShadow, oldSide, save).standingCapture(recording, absent),
			rules{triggerLocksKey: true},
		},
		{
			"capture refuses rows and not statements",
			captured(atRampDown, atNew, oldSide, save).with(func(c *config) { c.bypassOps = []task{patch} }).standingCapture(refusing, absent),
			rules{refusedByRow: true},
		},
		{
			"into old while capture refuses",
			captured(atOld, atLive, oldSide, read).from(atLive).standingCapture(refusing, absent), dropping(control.BlockCaptureRefuses),
		},
		{
			"old is left with a table that lacks a trigger",
			captured(atOld, atDual, oldSide, read).with(func(c *config) { c.breaks, c.standing = true, false }).standingCapture(recording, absent), dropping(control.BlockCaptureBroken),
		},
		{
			"old is left without capture after writes ran unfenced",
			captured(atOld, atDual, oldSide, save).with(func(c *config) { c.removes, c.leases, c.bypassOps = true, true, nil }), dropping(control.BlockCaptureAbsent),
		},
		{
			"out of live downwards while capture of the new side lets writers through",
			captured(atShadow, atLive, newSide, save).from(atLive).standingCapture(refusing, recording), dropping(control.BlockCaptureOpen),
		},
		{
			"writes run unfenced without capture",
			captured(atOld, atDual, oldSide, save).with(func(c *config) { c.leases, c.bypassOps, c.captures = true, nil, false }),
			rules{unfencedAnyway: true, kinds: []control.BlockKind{control.BlockCaptureAbsent}},
		},
		{
			"a repair deletes records that it has not read",
			captured(atShadow, atShadow, oldSide, read).standingCapture(recording, absent),
			rules{clearLate: true},
		},
	}
}
