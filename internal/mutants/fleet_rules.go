package mutants

// fleetRules are further rules of steps, of the fleet and of the ledger.
var fleetRules = []Mutant{
	{
		Rule: "the fence takes the epoch's lock, so that a drain waits for writers",
		File: "ledger/migrations/00001_ledger.sql",
		Old:  "if not pg_try_advisory_xact_lock_shared((1 << 28) | migration, acting_epoch::integer) then", New: "if false then",
		Package: "./control", Run: "TestDrainWaitsForExactlyTheWritersOfTheOldEpoch",
	},
	{
		Rule: "a transaction locks its keys in the order of their numbers",
		File: "ledger/migrations/00001_ledger.sql",
		Old:  "from unnest(keys) k order by n", New: "from unnest(keys) k order by n desc",
		Package: "./ledger", Run: "TestKeysAreLockedInTheOrderOfTheirNumbers",
	},
	{
		Rule: "a policy is over only when it is acknowledged too",
		File: "control/interlock.go",
		Old:  "return p.DrainedAt == nil || p.AcknowledgedAt == nil ||", New: "return p.DrainedAt == nil ||",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "a policy is over only when it is drained too",
		File: "control/interlock.go",
		Old:  "return p.DrainedAt == nil || p.AcknowledgedAt == nil ||", New: "return p.AcknowledgedAt == nil ||",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "who comes back from beyond its lease is waited for",
		File: "control/interlock.go",
		Old:  "func(r ledger.Process) bool { return r.Epoch <= p.Epoch }", New: "func(ledger.Process) bool { return false }",
		Package: "./control", Run: "TestProcessThatCameBackIsWaitedFor",
	},
	{
		Rule: "into shadow both sides were verified",
		File: "control/rules.go",
		Old:  "return t.VerifiedAt == nil ||", New: "return t.VerifiedAt != nil &&",
		Package: "./control", Run: "TestLadder",
	},
	{
		Rule: "backfill-complete is cleared on entering old or new",
		File: "control/effects.go",
		Old:  "return from != to && !(from.Plan().WritesBoth && to.Plan().WritesBoth)", New: "return false",
		Package: "./control", Run: "TestStepsDoToTenantsStatesWhatTheLadderSays",
	},
	{
		Rule: "of two people who change at once one is refused",
		File: "ledger/change.go",
		Old:  "if row.Epoch != expect {", New: "if false {",
		Package: "./control", Run: "TestOfManyPeopleAtOnceOneWins",
	},
	{
		Rule: "a fact counts only under the policy in force",
		File: "ledger/tenants.go",
		Old:  "if row.Epoch != acting.Epoch || policyID(row.PolicyID) != acting.PolicyID {", New: "if false {",
		Package: "./ledger", Run: "TestMarkIsRefused",
	},
	{
		Rule: "backfilled is nobody of whom one side may not be written (failure 4)",
		File: "ledger/tenants.go",
		Old:  "if !stage.Plan().WritesBoth {", New: "if false {",
		Package: "./ledger", Run: "TestMarkIsRefused",
	},
	{
		Rule: "the epoch in force is never drained",
		File: "ledger/drain.go",
		Old:  "if epoch >= row.Epoch {", New: "if epoch > row.Epoch {",
		Package: "./ledger", Run: "TestEpochInForceIsNeverDrained",
	},
	{
		Rule:    "a process is waited for until its lease runs out, not less",
		File:    "ledger/internal/ledgerdb/fleet.sql.go",
		Old:     "r.expires_at > clock_timestamp()\n      and (a.epoch <= p.epoch",
		New:     "r.expires_at > clock_timestamp() + interval '1 hour'\n      and (a.epoch <= p.epoch",
		Package: "./control", Run: "TestKilledProcessLeavesTheBarrierWhenItsLeaseRunsOut",
	},
	{
		Rule: "a policy that the ledger does not know acknowledges nothing",
		File: "ledger/internal/ledgerdb/fleet.sql.go",
		Old:  "(a.epoch <= p.epoch or not exists (", New: "(a.epoch <= p.epoch or false and not exists (",
		Package: "./ledger", Run: "TestPolicyThatTheLedgerDoesNotKnowAcknowledgesNothing",
	},
	{
		Rule: "the lease is counted from before the heartbeat was sent",
		File: "control/lease.go",
		Old:  "ends := sent.Add(l.ttl)", New: "ends := time.Now().Add(l.ttl)",
		Package: "./control", Run: "TestLeaseRunsOutCountedFromWhenTheHeartbeatWasSent",
	},
	{
		Rule: "the ledger knows what a process acts on before it does",
		File: "control/heartbeat.go",
		Old:  "fresh || !valid {", New: "fresh && !valid {",
		Package: "./control", Run: "TestLedgerKnowsWhatAProcessActsOnBeforeItDoes",
	},
	{
		Rule: "a process acknowledges the oldest policy of its pins and operations",
		File: "flags/flag.go",
		Old:  "oldest = f.retired[0]", New: "_ = f.retired[0]",
		Package: "./control", Run: "TestStepWaitsForEveryProcessAndItsPins",
	},
	{
		Rule: "past its lease a process does not decide from memory",
		File: "control/member.go",
		Old:  "	m.set.Expire(cause)\n}", New: "	_ = cause\n}",
		Package: "./control", Run: "TestServerGoneInTheMiddle",
	},
	{
		Rule: "the mismatches of a migration are bounded",
		File: "ledger/sink.go",
		Old:  "if int64(i) >= room {", New: "if int64(i) > 1000 {",
		Package: "./ledger", Run: "TestSinkIsBoundedAndCountsTheRest",
	},
}
