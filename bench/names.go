package main

import (
	"github.com/crossfade-db/crossfade/bench/report"
)

// Names of variants, as tables show them.
const (
	directV1    = "direct call, sqlc on pgx"
	directAgain = "direct call, once more" // the noise floor
	directV2    = "direct call of version 2, sqlc on pgx"
	directORM   = "direct call, GORM"
	directTxORM = "direct call, GORM with its default transaction"

	readOld      = "routed at old"
	readOldORM   = "routed at old, GORM"
	readDual     = "routed at dual"
	readShadow   = "routed at shadow, all compared"
	readClean    = "routed at live, policy clean, all compared"
	readLive     = "routed at live, stale keys looked up, all compared"
	readRampDown = "routed at rampdown"

	readShadowAfter = "routed at shadow, back to back"
	readCleanAfter  = "routed at live, policy clean, back to back"

	readNew = "routed at new"

	readLDOld      = "LaunchDarkly's migrator at off"
	readLDSerial   = "LaunchDarkly's migrator at shadow, serial"
	readLDParallel = "LaunchDarkly's migrator at shadow, concurrent"
	readScientist  = "Scientist-style experiment"

	writeOld       = "routed at old, unfenced"
	writeOldCap    = "routed at old, unfenced, capture standing"
	writeOldFenced = "routed at old, fenced"
	writeOldORM    = "routed at old, unfenced, GORM"
	writeNew       = "routed at new, unfenced"
	writeNewFenced = "routed at new, fenced"
	writeDual      = "routed at dual, both sides queued"
	writeSplit     = "routed at dual, nothing queueable"
	writeDualORM   = "routed at dual, GORM old side, queued new side"
	writeClean     = "routed at live, policy clean, both sides queued"

	writeSequential = "both sides by hand, one statement after the other in a transaction"
	writeTrigger    = "row trigger in PL/pgSQL that writes twice"
	writeLD         = "LaunchDarkly's migrator at dualwrite, not atomic"
)

// line is one row of the report: a line of the targets table, or a peer. Its value is that of the worst of the variants,
// each measured against its own direct call.
type line struct {
	name     string
	op       report.Operation
	variants []string
	targets  map[string]float64 // by network; none for a peer
}

func targets(loopback, oneMilli float64) map[string]float64 {
	return map[string]float64{report.Loopback: loopback, report.OneMilli: oneMilli}
}

// lines are the rows of reads and writes, with the targets of the design.
var lines = []line{
	{"routed read at old or new / direct call", report.Read, []string{readOld, readNew}, targets(1.02, 1.01)},
	{"routed write at old or new, unfenced, no capture needed / direct call", report.Write, []string{writeOld, writeNew}, targets(1.03, 1.01)},
	{"routed write at old, unfenced, capture standing / direct call", report.Write, []string{writeOldCap}, targets(1.12, 1.03)},
	{"routed write at old or new, fenced / direct call", report.Write, []string{writeOldFenced, writeNewFenced}, targets(1.25, 1.04)},
	{"shadow read as the caller feels it / direct call", report.Read, []string{readShadow, readShadowAfter}, targets(1.15, 1.02)},
	{"dual write, statements that can be queued / single autocommit write", report.Write, []string{writeDual}, targets(1.40, 1.12)},
	{"dual write, nothing queueable on pgx / single autocommit write", report.Write, []string{writeSplit}, targets(2.4, 4.2)},
	{"dual write, GORM old side, queued new side / single autocommit write", report.Write, []string{writeDualORM}, targets(2.0, 2.2)},
	{"read at live, policy clean / direct call", report.Read, []string{readClean, readCleanAfter}, targets(1.15, 1.02)},

	{"read at live, stale keys looked up / direct call", report.Read, []string{readLive}, nil},
	{"read at off, LaunchDarkly's migrator / direct call", report.Read, []string{readLDOld}, nil},
	{"read at shadow, LaunchDarkly's migrator, serial / direct call", report.Read, []string{readLDSerial}, nil},
	{"read at shadow, LaunchDarkly's migrator, concurrent / direct call", report.Read, []string{readLDParallel}, nil},
	{"read, Scientist-style experiment / direct call", report.Read, []string{readScientist}, nil},
	{"dual write at live, policy clean / single autocommit write", report.Write, []string{writeClean}, nil},
	{"dual write, sequential in a transaction / single autocommit write", report.Write, []string{writeSequential}, nil},
	{"dual write, row trigger in PL/pgSQL / single autocommit write", report.Write, []string{writeTrigger}, nil},
	{"dual write, LaunchDarkly's migrator, not atomic / single autocommit write", report.Write, []string{writeLD}, nil},
}
