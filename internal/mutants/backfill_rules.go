package mutants

// backfillRules are the rules of copying, repairing and verifying.
var backfillRules = []Mutant{
	{
		Rule: "a copy locks its keys first (failure 2: it deletes a row that is being created)",
		File: "backfill/entity.go",
		Old:  `"copy", at, repo.KeyList(keys)), true,`, New: `"copy", at, repo.Keys{}), true,`,
		Package: "./backfill", Run: "TestBackfillDoesNotDeleteARowThatIsBeingCreated",
	},
	{
		Rule: "a copy in SQL locks its keys first (failure 2)",
		File: "backfill/sql.go",
		Old:  `"copy", at, repo.KeyList(keys)), true,`, New: `"copy", at, repo.Keys{}), true,`,
		Package: "./backfill", Run: "TestBackfillDoesNotDeleteARowThatIsBeingCreated",
	},
	{
		Rule: "a backfill waits until nobody's transaction acts on old (failure 4)",
		File: "backfill/standing.go",
		Old:  "if !err.Acknowledged || !err.Drained {", New: "if !err.Acknowledged {",
		Package: "./backfill", Run: "TestBackfillWaitsForTransactionsThatActOnOld",
	},
	{
		Rule: "a backfill waits until every process acknowledged dual",
		File: "backfill/standing.go",
		Old:  "if !err.Acknowledged || !err.Drained {", New: "if !err.Drained {",
		Package: "./backfill", Run: "TestBackfillFailsWhenAProcessStaysOnOld",
	},
	{
		Rule: "a backfill walks the keys of both sides (failure 5: orphans)",
		File: "backfill/run.go",
		Old:  "return r.walkPhases(ctx, phases(r.from), func", New: "return r.walkPhases(ctx, phases(r.from)[:1], func",
		Package: "./backfill", Run: "TestBackfillRemovesOrphans",
	},
	{
		Rule: "a stale key is copied at a stage that allows its record's direction only (failure 7)",
		File: "backfill/chunk.go",
		Old:  "return plan.WritesBoth && (side != plan.Authority || plan.ThroughStale)", New: "return true",
		Package: "./backfill", Run: "TestReconcilerNeverCopiesTheOldSideOverTheNewAtNew",
	},
	{
		Rule: "a repair takes its direction from the record, not from the stage",
		File: "backfill/chunk.go",
		Old:  "source, ok := own[key]", New: "source, ok := r.from, true",
		Package: "./backfill", Run: "TestRepairTakesItsDirectionFromTheRecord",
	},
	{
		Rule: "nothing is copied from a side whose record cannot be repaired",
		File: "backfill/chunk.go",
		Old:  "case !repairable(stage.Plan(), record.Side), forAll", New: "case forAll",
		Package: "./backfill", Run: "TestBackfillDoesNotCopyFromASideThatIsStale",
	},
	{
		Rule: "a checkpoint is written in its chunk's transaction",
		File: "backfill/run.go",
		Old:  "return ledger.SaveCheckpoint(ctx, tx, j.claim, cp)", New: "return ledger.SaveCheckpoint(ctx, j.w.pool, j.claim, cp)",
		Package: "./backfill", Run: "TestCheckpointIsWrittenInItsChunksTransaction",
	},
	{
		Rule: "a tenant that was at old in between is copied from the start (dual, old, dual)",
		File: "backfill/standing.go",
		Old:  "\t\t\t\tr.restart()\n", New: "\t\t\t\t_ = r\n",
		Package: "./backfill", Run: "TestTenantThatWasAtOldInBetweenIsCopiedFromTheStart|TestTenantThatWentToOldAndBackBetweenTwoChunksIsCopiedFromTheStart",
	},
	{
		Rule: "a chunk waits for locks for less than deadlock_timeout",
		File: "backfill/worker.go",
		Old:  "&postgres.Config{LockTimeout: lockTimeout}", New: "nil",
		Package: "./backfill", Run: "TestApplicationThatWaitsFirstIsNeverAborted",
	},
	{
		Rule: "a repair of a whole tenant deletes exactly the record that it read",
		File: "backfill/reconcile.go",
		Old:  "return c.ClearStale(ctx, []repo.StaleKey{{ID: rec.ID, Key: rec.Key, Side: rec.Side}})", New: "return c.ClearStale(ctx, c.Stale())",
		Package: "./backfill", Run: "TestRepairDeletesExactlyTheRecordThatItRead",
	},
	{
		Rule: "a walk ends at the key that was the last one when it began",
		File: "backfill/walk.go",
		Old:  `bound != "" && i >= 0 {`, New: `bound != "" && i >= 0 && limit < 0 {`,
		Package: "./backfill", Run: "TestBackfillEndsAlthoughRowsKeepComing",
	},
	{
		Rule: "a key that cannot be copied blocks the tenant",
		File: "backfill/tenant.go",
		Old:  "case err != nil || failing == 0:", New: "case failing >= 0:",
		Package: "./backfill", Run: "TestTenantThatFailsDoesNotStopTheOthers",
	},
	{
		Rule: "the whole migration is marked only if nobody can stand at old",
		File: "backfill/job.go",
		Old:  "\tfor _, stage := range p.Overrides {\n\t\tif !both(stage) {", New: "\tfor _, stage := range p.Overrides {\n\t\tif !both(stage) && p.Epoch < 0 {",
		Package: "./backfill", Run: "TestWholeMigrationIsMarkedOnlyIfNobodyCanStandAtOld",
	},
	{
		Rule: "a verification's snapshot holds the policy in force",
		File: "backfill/verify.go",
		Old:  "if epoch != at.decision.Epoch || flags.PolicyID(id) != at.decision.PolicyID {", New: "if epoch < 0 {",
		Package: "./backfill", Run: "TestVerificationIsNotFooledByAStepDown",
	},
	{
		Rule: "a verification's snapshot in SQL holds the policy in force",
		File: "backfill/verifysql.go",
		Old:  "\t\t\tif !same {", New: "\t\t\tif !same && at.tenant == \"\" {",
		Package: "./backfill", Run: "TestVerificationIsNotFooledByAStepDown",
	},
	{
		Rule: "a stale key is inconclusive and never a mismatch",
		File: "backfill/verify.go",
		Old:  "case f.stale || verdict == compare.Inconclusive:", New: "case verdict == compare.Inconclusive:",
		Package: "./backfill", Run: "TestStaleKeyThatCannotBeRepairedIsInconclusiveAndNeverAMismatch",
	},
	{
		Rule: "a key that a range shows on one side alone is looked up by itself",
		File: "backfill/verifysql.go",
		Old:  "all[i].unsure = all[i].alone", New: "all[i].unsure = false",
		Package: "./backfill", Run: "TestKeysInDifferentCollations",
	},
}
