package mutants

// controlRules are the rules of steps, the fence and the fleet.
var controlRules = []Mutant{
	{
		Rule: "a tenant moves to an adjacent rung only (failure 6: a jump loses rows)",
		File: "control/rules.go",
		Old:  "broken:   func(_ *look, m move) bool { return !m.From.Adjacent(m.To) },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestEveryStepOfTwoRungsIsRefused",
	},
	{
		Rule: "the rungs of everybody who still acts lie within two adjacent ones (failure 6, by two quick steps)",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return len(l.blamed(m)) > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestNextStepIsRefusedUntilTheOneBeforeIsDrained",
	},
	{
		Rule: "no tenant ever mixes distant rungs, whatever is asked for",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return len(l.blamed(m)) > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestNoTenantEverMixesDistantRungs",
	},
	{
		Rule: "into shadow and live, the backfill is complete",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return l.tenant(m).BackfilledAt == nil },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "into rampdown and new, no key is stale on the new side (failure 7: old copied over new)",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return l.stale(m, flags.NewSide).Keys > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "after new, live is left downwards only with a complete old side (failure 8)",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return !l.tenant(m).OldComplete },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "live is left downwards only without stale keys of the old side",
		File: "control/rules.go",
		Old:  "broken:   func(l *look, m move) bool { return l.stale(m, flags.OldSide).Keys > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule:    "the fence takes the epoch's lock in its try form",
		File:    "internal/fence/fence.go",
		Old:     `when not pg_try_advisory_xact_lock_shared((1 << 28) | "+migration+", ("+epoch+"::bigint)::integer) then`,
		New:     `when pg_advisory_xact_lock_shared((1 << 28) | "+migration+", ("+epoch+"::bigint)::integer) is null then`,
		Package: "./ledger", Run: "TestFenceUnderAnExclusiveWaiterReturnsAtOnce",
	},
	{
		Rule: "the fence reads the epoch in a snapshot younger than its locks",
		File: "internal/fence/fence.go",
		Old:  "return []Statement{locks, c.checkStatement()}", New: "return []Statement{c.checkStatement(), locks}",
		Package: "./ledger", Run: "TestFenceReadsTheEpochInItsOwnSnapshot",
	},
	{
		Rule: "the fence raises in any isolation level but READ COMMITTED",
		File: "internal/fence/fence.go",
		Old:  "current_setting('transaction_isolation') <> 'read committed' then", New: "false then",
		Package: "./ledger", Run: "TestFenceRefuses",
	},
	{
		Rule: "a drain waits for the transactions of the old epoch",
		File: "ledger/internal/ledgerdb/fleet.sql.go",
		Old:  "select pg_advisory_xact_lock((1 << 28) | $1::integer, $2::integer)", New: "select ($1::integer, $2::integer)::text",
		Package: "./control", Run: "TestDrainWaitsForExactlyTheWritersOfTheOldEpoch",
	},
	{
		Rule: "a step waits for the acknowledgement of every live process",
		File: "ledger/internal/ledgerdb/fleet.sql.go",
		Old:  "where a.migration_id = m.id and r.expires_at > clock_timestamp()\n", New: "where false and a.migration_id = m.id and r.expires_at > clock_timestamp()\n",
		Package: "./ledger", Run: "TestAcknowledgementWaitsForEveryLiveProcess",
	},
	{
		Rule: "a policy is in use until its last use has ended",
		File: "flags/flag.go",
		Old:  "return c.refs.n.Load() == 0 })", New: "return c.refs.n.Load() < 1000 })",
		Package: "./flags", Run: "TestOldest.*",
	},
}
