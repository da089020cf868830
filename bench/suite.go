package main

import (
	"slices"

	"github.com/crossfade-db/crossfade/bench/measure"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/bench/workload"
)

// variant is one way to do an operation, and how it is shown.
type variant struct {
	name  string
	short string // in the chart
	kind  report.Kind
	base  string // the variant that its ratio is to
	do    workload.Do
}

// group is measured side by side. Groups are small, as everything that stands in one makes the caches cold for the rest.
type group struct {
	name     string
	op       report.Operation
	compares bool    // some variants leave comparisons to be done in the background: each turn begins when they are done
	block    int     // operations in a turn, see [measure.Plan]
	share    float64 // of pace.group
	variants []variant
}

// suite returns what is measured on one network.
func suite(a *workload.App, r *rivals) []group {
	reads, writes := readGroups(a, r), writeGroups(a, r)
	return append(reads, writes...)
}

// blockOf is how many reads make a turn where they are back to back.
const blockOf = 20

func readGroups(a *workload.App, r *rivals) []group {
	direct := func(name string) variant {
		return variant{name, "", report.Direct, directV1, a.Get(a.V1())}
	}
	second := variant{directV2, "", report.Direct, directV1, a.Get(a.V2())}
	orm := variant{directORM, "", report.Direct, directORM, a.Get(a.V1ORM())}
	routed := func(name, short, base string, state workload.State) variant {
		return variant{name, short, report.Routed, base, a.Get(a.Routed(state))}
	}
	peer := func(name, short string, do workload.Do) variant {
		return variant{name, short, report.Peer, directV1, do}
	}
	return []group{
		{"reads of one side", report.Read, false, 1, 1, []variant{
			direct(directV1), direct(directAgain), second,
			routed(readOld, "routed, old", directV1, workload.OldUnfenced),
			routed(readNew, "routed, new", directV2, workload.NewUnfenced),
		}},
		{"other reads", report.Read, false, 1, 0.5, []variant{
			direct(directV1), second, orm,
			routed(readOldORM, "routed, old, GORM", directORM, workload.OldORM),
			routed(readDual, "routed, dual", directV1, workload.Dual),
			routed(readRampDown, "routed, rampdown", directV2, workload.RampDown),
			peer(readLDOld, "", r.readOff),
		}},
		{"compared reads", report.Read, true, 1, 1.2, []variant{
			direct(directV1), direct(directAgain), second,
			routed(readShadow, "routed, shadow", directV1, workload.Shadow),
			routed(readClean, "routed, live, clean", directV2, workload.LiveClean),
			routed(readLive, "routed, live", directV2, workload.Live),
			peer(readLDSerial, "LaunchDarkly, serial", r.readSerial),
			peer(readLDParallel, "LaunchDarkly, concurrent", r.readParallel),
			peer(readScientist, "Scientist-style", r.readScientist),
		}},
		// As in an application that does nothing but read: each read meets the comparison that the one before it left.
		{"compared reads, back to back", report.Read, true, blockOf, 0.8, []variant{
			direct(directV1), direct(directAgain), second,
			routed(readShadowAfter, "", directV1, workload.Shadow),
			routed(readCleanAfter, "", directV2, workload.LiveClean),
		}},
	}
}

func writeGroups(a *workload.App, r *rivals) []group {
	direct := func(name string) variant {
		return variant{name, "", report.Direct, directV1, a.SetStock(a.V1())}
	}
	second := variant{directV2, "", report.Direct, directV1, a.SetStock(a.V2())}
	routed := func(name, short, base string, state workload.State) variant {
		return variant{name, short, report.Routed, base, a.SetStock(a.Routed(state))}
	}
	peer := func(name, short string, do workload.Do) variant {
		return variant{name, short, report.Peer, directV1, do}
	}
	return []group{
		{"writes of one side", report.Write, false, 1, 1, []variant{
			direct(directV1), direct(directAgain), second,
			routed(writeOld, "routed, old, unfenced", directV1, workload.OldUnfenced),
			routed(writeNew, "routed, new, unfenced", directV2, workload.NewUnfenced),
			routed(writeOldCap, "routed, old, captured", directV1, workload.OldCaptured),
			routed(writeOldFenced, "routed, old, fenced", directV1, workload.OldFenced),
			routed(writeNewFenced, "routed, new, fenced", directV2, workload.NewFenced),
		}},
		{"writes of both sides", report.Write, false, 1, 1, []variant{
			direct(directV1),
			routed(writeDual, "routed, dual, queued", directV1, workload.Dual),
			routed(writeClean, "", directV1, workload.LiveClean),
			routed(writeSplit, "routed, dual, not queueable", directV1, workload.DualSplit),
			peer(writeSequential, "by hand, in a transaction", a.Sequential()),
			peer(writeTrigger, "PL/pgSQL trigger", a.Triggered()),
			peer(writeLD, "LaunchDarkly, not atomic", r.writeBoth),
		}},
		{"writes by GORM", report.Write, false, 1, 0.7, []variant{
			direct(directV1),
			{directORM, "", report.Direct, directORM, a.SetStock(a.V1ORM())},
			{directTxORM, "", report.Direct, directORM, a.SetStock(a.V1TxORM())},
			routed(writeOldORM, "routed, old, GORM", directORM, workload.OldORM),
			routed(writeDualORM, "routed, dual, GORM and queued", directORM, workload.DualORM),
		}},
	}
}

// only leaves what is wanted, by the name of the variant or of a line that shows it, and what it is measured against.
func only(groups []group, wanted func(string) bool) []group {
	var left []group
	for _, g := range groups {
		var own []variant
		some := false
		for _, v := range g.variants {
			asked := wanted(v.name) || slices.ContainsFunc(lines, func(l line) bool {
				return l.op == g.op && slices.Contains(l.variants, v.name) && wanted(l.name)
			})
			some = some || asked
			if asked || v.kind == report.Direct {
				own = append(own, v)
			}
		}
		if some {
			g.variants = own
			left = append(left, g)
		}
	}
	return left
}

// timed returns the variants for package measure.
func (g group) timed() []measure.Variant {
	all := make([]measure.Variant, len(g.variants))
	for i, v := range g.variants {
		all[i] = measure.Variant{Name: v.name, Do: v.do}
	}
	return all
}
