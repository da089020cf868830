package mutants

import "slices"

// All is every mutant.
var All = slices.Concat(repoRules, controlRules, fleetRules, backfillRules, keysRules, controllerRules, keeperRules, captureRules, queueRules)

// repoRules are the rules of reads, writes and transactions.
var repoRules = []Mutant{
	{
		Rule: "every write takes the key's lock first (failure 1: the switch deadlocks)",
		File: "internal/fence/fence.go",
		Old:  `"pg_advisory_xact_lock"+numbered(3,`, New: `"concat"+numbered(3,`,
		Package: "./repo/postgres", Run: "TestSwitchFromShadowToLiveDoesNotDeadlock",
	},
	{
		Rule: "every copy takes the key's lock first (failure 2: a row being created is deleted)",
		File: "internal/fence/fence.go",
		Old:  `"pg_advisory_xact_lock"+numbered(3,`, New: `"concat"+numbered(3,`,
		Package: "./repo/postgres", Run: "TestCopyWaitsForARowThatIsBeingCreated",
	},
	{
		Rule: "a locking read takes the key's lock, not only a side's row",
		File: "internal/fence/fence.go",
		Old:  `"pg_advisory_xact_lock"+numbered(3,`, New: `"concat"+numbered(3,`,
		Package: "./repo/postgres", Run: "TestLockingReadExcludesWritersAcrossTheSwitch",
	},
	{
		Rule: "live reads through stale keys (failure 3: the write is gone)",
		File: "flags/plan.go",
		Old:  "Compares: true, ThroughStale: true, Fallback: true", New: "Compares: true, Fallback: true",
		Package: "./repo/postgres", Run: "TestLiveReadsThroughStaleKeys",
	},
	{
		Rule: "at live a write by predicate first copies every stale key of the tenant",
		File: "repo/write.go",
		Old:  "case k.Key != StaleAll:", New: "case k.Key != StaleAll && !keys.All():",
		Package: "./repo/postgres", Run: "TestWriteByPredicateAtLiveFirstCopiesStaleKeys",
	},
	{
		Rule: "the stale key is recorded when the side without authority fails",
		File: "repo/write.go",
		Old:  "if rerr := s.RecordStale(ctx, side, stale, err); rerr != nil {", New: "if rerr := error(nil); rerr != nil {",
		Package: "./repo/postgres", Run: "TestFailureOfTheSideWithoutAuthority",
	},
	{
		Rule: "live is strict: the failure of the old side fails the write",
		File: "flags/plan.go",
		Old:  "WritesBoth: true, Strict: true,", New: "WritesBoth: true,",
		Package: "./repo/postgres", Run: "TestFailureOfTheSideWithoutAuthority",
	},
	{
		Rule: "the old side answers as a fallback only while it is complete (failure 8)",
		File: "repo/read.go",
		Old:  "if !s.Complete(side) || staleOn(s.Stale(), side) {", New: "if staleOn(s.Stale(), side) {",
		Package: "./repo/postgres", Run: "TestFallbackAtLive",
	},
	{
		Rule: "the fence compares the epoch with the ledger's",
		File: "internal/fence/fence.go",
		Old:  `where += " and m.epoch = " + epoch + " and m.policy_id = " + policy`, New: `where += " and (m.epoch > 0 or " + epoch + "::bigint = 0 or m.policy_id = " + policy + ")"`,
		Package: "./repo/postgres", Run: "TestFenceRefusesAnOldDecisionAndTheRouterDecidesAgain",
	},
	{
		Rule: "the policy id guards against a standby that lost a policy",
		File: "internal/fence/fence.go",
		Old:  `" and m.policy_id = " + policy`, New: `" and (m.epoch > 0 or m.policy_id = " + policy + ")"`,
		Package: "./repo/postgres", Run: "TestFenceRefusesTheSameEpochOfAnotherPolicy",
	},
	{
		Rule:    "several keys are locked in the order of their numbers",
		File:    "ledger/migrations/00001_ledger.sql",
		Old:     "select distinct crossfade.key_hash(migration, tenant, k) & 1152921504606846975 as n from unnest(keys) k order by n",
		New:     "select crossfade.key_hash(migration, tenant, k) & 1152921504606846975 as n from unnest(keys) k",
		Package: "./repo/postgres", Run: "TestBatchesOfKeysInOppositeOrderDoNotDeadlock",
	},
	{
		Rule: "a copy of several keys never waits for one while it holds another",
		File: "repo/postgres/tx.go",
		Old:  "select set_config('crossfade.yield', 'on', true)", New: "select set_config('crossfade.yield', 'off', true)",
		Package: "./repo/postgres", Run: "TestCopyOfSeveralKeysGivesWay",
	},
	{
		Rule: "a read at live inside a transaction is of one moment",
		File: "repo/postgres/sides.go",
		Old:  "		if same {", New: "		if same || true {",
		Package: "./repo/postgres", Run: "TestListAtLiveIsOfOneMoment|TestRecordThatCameAndWentIsNoticedInsideATransaction",
	},
	{
		Rule: "a list at live and its stale keys are read in one snapshot",
		File: "repo/postgres/sides.go",
		Old:  `isolation: "repeatable read read only",`, New: `isolation: "read committed read only",`,
		Package: "./repo/postgres", Run: "TestListAtLiveIsOfOneMoment",
	},
	{
		Rule: "both sides of a confirmation are read in one snapshot",
		File: "repo/postgres/sides.go",
		Old:  `isolation: "repeatable read read only",`, New: `isolation: "read committed read only",`,
		Package: "./repo/postgres", Run: "TestConfirmationReadsBothSidesInOneSnapshot",
	},
	{
		Rule: "a key that the database made is locked before it is copied",
		File: "repo/write.go",
		Old:  "if err = s.Lock(ctx, keys); err != nil {", New: "if err != nil {",
		Package: "./repo/postgres", Run: "TestKeyThatTheDatabaseMadeIsLockedBeforeItIsCopied",
	},
	{
		Rule: "a transaction of a frozen process is ended by the server",
		File: "internal/fence/fence.go",
		Old:  `"lock_timeout", "idle_in_transaction_session_timeout"}`, New: `"lock_timeout", "lock_timeout"}`,
		Package: "./repo/postgres", Run: "TestTransactionOfAFrozenProcessIsEndedByTheServer",
	},
	{
		Rule: "the fence comes with every use in a transaction",
		File: "repo/postgres/sides.go",
		Old:  "	tx.queue.add(fenceCall{migration: id, scope: scope, lock: lock, look: lock && look, joined: true}.statements(&found)...)", New: "	if tx.sent == 0 {\n\t\ttx.queue.add(fenceCall{migration: id, scope: scope, lock: lock, look: lock && look, joined: true}.statements(&found)...)\n\t}",
		Package: "./repo/postgres", Run: "TestFenceComesWithEveryUseInATransaction",
	},
	{
		Rule: "more than 256 keys take the tenant's lock",
		File: "internal/fence/fence.go",
		Old:  "case c.All || len(c.Keys) > MaxKeys:", New: "case c.All:",
		Package: "./repo/postgres", Run: "TestManyKeysTakeTheTenantsLock",
	},
	{
		Rule: "only READ COMMITTED transactions are adopted",
		File: "repo/postgres/tx.go",
		Old:  `if level != "read committed" {`, New: `if level == "" {`,
		Package: "./repo/postgres", Run: "TestAdoptJoinsTheApplicationsTransaction",
	},
	{
		Rule: "the timeouts of the side without authority are put back",
		File: "repo/postgres/session.go",
		Old:  "shut.Queue(back.sql, back.args...)", New: "_ = back",
		Package: "./repo/postgres", Run: "TestTimeoutsOfTheOtherSideArePutBack",
	},
	{
		Rule: "deferred constraints of the other side are checked inside its savepoint",
		File: "repo/postgres/session.go",
		Old:  `s.queueConstraints(shut, "immediate")`, New: "",
		Package: "./repo/postgres", Run: "TestDeferredConstraintOfTheOtherSideNeverFailsTheCommit",
	},
	{
		Rule: "in the application's transaction only the side's own constraints are checked",
		File: "repo/postgres/session.go",
		Old:  "if s.owned {\n\t\tif mode", New: "if true {\n\t\tif mode",
		Package: "./repo/postgres", Run: "TestDeferredConstraintOfTheOtherSideNeverFailsTheCommit",
	},
	{
		Rule: "the tag of COMMIT is checked",
		File: "repo/postgres/tx.go",
		Old:  `tag.String() != "COMMIT"`, New: `tag.String() == ""`,
		Package: "./repo/postgres", Run: "TestSwallowedFailureIsNotReportedAsCommitted",
	},
	{
		Rule: "a difference is confirmed in one snapshot before it counts",
		File: "repo/judge.go",
		Old:  "return q.confirm(ctx, scope, authority)", New: "return q.judge(served, other)",
		Package: "./repo/postgres", Run: "TestRaceWithAWriterIsNoMismatch",
	},
	{
		Rule: "a stale key makes a comparison inconclusive",
		File: "repo/judge.go",
		Old:  "if len(s.Stale()) > 0 || s.Missed", New: "if s.Missed",
		Package: "./repo/postgres", Run: "TestStaleKeyIsInconclusive",
	},
	{
		Rule: "a comparison keeps its epoch alive",
		File: "repo/read.go",
		Old:  "if !handed {", New: "if !handed || true {",
		Package: "./repo/postgres", Run: "TestTheProcessActsOnItsEpochUntilTheComparisonEnds",
	},
	{
		Rule: "a write by predicate after a write by key is declared",
		File: "repo/postgres/tx.go",
		Old:  "if known && exclusive && !held {", New: "if known && exclusive && !held && false {",
		Package: "./repo/postgres", Run: "TestWriteByPredicateAfterAWriteByKeyMustBeDeclared",
	},
	{
		Rule: "the other side's arguments are a copy",
		File: "repo/write.go",
		Old:  "again = Clone(args)", New: "again = args",
		Package: "./repo", Run: "TestCandidateThatChangesItsArgumentsHarmsNobody",
	},
	{
		Rule: "a partial write of a key that the other side lacks copies it",
		File: "repo/write.go",
		Old:  "if err != nil && r.copier.NotFound(err) && !keys.All() {", New: "if false {",
		Package: "./repo/postgres", Run: "TestPartialWriteOfAKeyThatTheOtherSideLacksCopiesIt",
	},
	{
		Rule: "what an authority wrote by predicate before its error is not forgotten by the application's transaction",
		File: "repo/write.go",
		Old:  "	case keys.All():\n		missed = []string{StaleAll}\n", New: "	case keys.All() && scope.Op.Kind != KindCreate:\n		return\n	case keys.All():\n		missed = []string{StaleAll}\n",
		Package: "./repo/postgres", Run: "TestSwallowedErrorOfAnAuthorityWhoseKeysAreNotKnownLeavesNoSilentDifference",
	},
	{
		Rule: "what an authority inserted before its error is not forgotten by the application's transaction",
		File: "repo/write.go",
		Old:  "authority(ctx, r, s, plan, scope, AllKeys(), args, &run, call)", New: "authority(ctx, r, s, plan, scope, KeyList(nil), args, &run, call)",
		Package: "./repo/postgres", Run: "TestSwallowedErrorOfAnAuthorityWhoseKeysAreNotKnownLeavesNoSilentDifference",
	},
	{
		Rule: "a record is made also when the operation's ctx has ended, and the transaction has not",
		File: "repo/postgres/session.go",
		Old:  "	if s.owned {\n		return ctx, func() {}", New: "	if true {\n		return ctx, func() {}",
		Package: "./repo/postgres", Run: "TestSwallowedErrorOfAnAuthorityWhoseKeysAreNotKnownLeavesNoSilentDifference",
	},
	{
		Rule: "an unfenced write in the application's transaction takes the mark before it away, and says what it is",
		File: "repo/postgres/mark.go",
		Old:  "	if tx.unfenced == migration {", New: "	if tx.unfenced != migration || true {",
		Package: "./repo/postgres", Run: "TestUnfencedWriteInATransactionOfTheApplicationSaysWhatItIs|TestUnfencedWriteInAnAdoptedTransactionSaysWhatItIs",
	},
	{
		Rule: "a panic of an operation on an adopted transaction leaves no mark",
		File: "repo/postgres/sides.go",
		Old:  "	defer func() {\n		if repo.Retryable(err) {", New: "	defer func() {\n		if p := recover(); p != nil {\n			panic(p)\n		}\n		if repo.Retryable(err) {",
		Package: "./repo/postgres", Run: "TestMarkEndsWithAnOperationThatPanicsOrWhoseContextEnds",
	},
}
