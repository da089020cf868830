package mutants

// captureRules are the rules of capture: of writers that bypass the application.
var captureRules = []Mutant{
	{
		Rule: "who recorded nothing at old joins the epoch, so that a step to dual waits for it",
		File: "ledger/migrations/00003_capture.sql",
		Old:  "if pg_catalog.pg_try_advisory_xact_lock_shared((1 << 28) | migration, e::integer) then", New: "if true then",
		Package: "./backfill", Run: "TestStepToDualWaitsForPlainWritersThatRecordedNothing",
	},
	{
		Rule: "who is let through holds the lock of the mode, so that a switch waits for it (failure 11)",
		File: "ledger/migrations/00003_capture.sql",
		Old:  "exit when pg_catalog.pg_try_advisory_xact_lock_shared((5 << 28) | migration, (value * 2 + n)::integer)\n            and", New: "exit when",
		Package: "./backfill", Run: "TestRefusalWaitsForRecorders",
	},
	{
		Rule: "the stage is read anew only where the snapshot is: elsewhere everything is recorded",
		File: "ledger/migrations/00003_capture.sql",
		Old:  "if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then\n        return e;", New: "if false then\n        return e;",
		Package: "./backfill", Run: "TestCaptureRecordsAtEveryIsolationLevel",
	},
	{
		Rule: "a refusal drains the transactions that were let through before",
		File: "ledger/capture.go",
		Old:  "for _, number := range lockNumbers(side, row.DrainedValue, row.Value) {", New: "for _, number := range lockNumbers(side, row.Value, row.Value) {",
		Package: "./backfill", Run: "TestRefusalWaitsForRecorders",
	},
	{
		Rule: "the mark covers its migration alone",
		File: "backfill/capturefunction.go",
		Old:  "if starts_with(current_setting('crossfade.mark', true), '{<migration>,') then", New: "if starts_with(current_setting('crossfade.mark', true), '{') then",
		Package: "./backfill", Run: "TestCaptureOfTwoMigrationsKeepsThemApart",
	},
	{
		Rule: "the mark covers the keys that were locked, and no other row of the statement",
		File: "backfill/capturefunction.go",
		Old:  `+f.tenantOf("r")+" = v_tenant and "+f.keyOf("r")+" = v_key) is not true)")`, New: `+f.tenantOf("r")+" = v_tenant) is not true)")`,
		Package: "./backfill", Run: "TestCaptureRecordsPlainWritesBesideTheApplicationsOwnInOneTransaction",
	},
	{
		Rule: "a cascade within an operation is recorded",
		File: "backfill/capturefunction.go",
		Old:  "v_deep := v_deep or strpos(v_noted, ' ' || tg_relid || ' ') > 0;", New: "v_deep := v_deep;",
		Package: "./backfill", Run: "TestCaptureRecordsCascadesAndUsersTriggersOfTheApplicationsOwnWrites",
	},
	{
		Rule: "statements of users' triggers within an operation are recorded",
		File: "backfill/capturefunction.go",
		Old:  "v_deep   boolean := pg_trigger_depth() > 1;", New: "v_deep   boolean := false;",
		Package: "./backfill", Run: "TestCaptureRecordsCascadesAndUsersTriggersOfTheApplicationsOwnWrites",
	},
	{
		Rule: "the mark ends with the operation, before the application's next statement",
		File: "repo/postgres/mark.go",
		Old:  "if !tx.marked || tx.closed.Load() {", New: "if !tx.adopted || !tx.marked || tx.closed.Load() {",
		Package: "./backfill", Run: "TestCaptureRecordsPlainWritesBesideTheApplicationsOwnInOneTransaction",
	},
	{
		Rule: "in a transaction that the application opened, the mark ends with the operation",
		File: "repo/postgres/sides.go",
		Old:  "if tx.adopted && tx.marked {", New: "if false && tx.adopted && tx.marked {",
		Package: "./backfill", Run: "TestCaptureRecordsPlainWritesBesideTheApplicationsOwnInOneTransaction",
	},
	{
		Rule: "a refusal is by statement: one that matches no row is refused as well",
		File: "backfill/capturefunction.go",
		Old:  "if coalesce(pg_sequence_last_value('<sequence>'), 0) % 2 = 0\n", New: "if false and coalesce(pg_sequence_last_value('<sequence>'), 0) % 2 = 0\n",
		Package: "./backfill", Run: "TestCaptureRefusesPlainWrites",
	},
	{
		Rule: "the keys that rows had before are recorded too",
		File: "backfill/capturefunction.go",
		Old:  "\"update\": {\"crossfade_old\", \"crossfade_new\"},", New: "\"update\": {\"crossfade_new\"},",
		Package: "./backfill", Run: "TestCaptureRecordsPlainWrites",
	},
	{
		Rule: "rows that a subscription applies are recorded",
		File: "backfill/capturefunction.go",
		Old:  `" for each row", "replica"`, New: `" for each row", ""`,
		Package: "./backfill", Run: "TestCaptureOfRowsThatASubscriptionApplies",
	},
	{
		Rule: "triggers fire for replicated statements too, and cannot be switched off in a session",
		File: "backfill/capturefunction.go",
		Old:  `enable := "always"`, New: `enable := ""`,
		Package: "./backfill", Run: "TestCaptureCannotBeSwitchedOffBySessions",
	},
	{
		Rule: "every partition has triggers of its own",
		File: "backfill/capture.go",
		Old:  "for _, relation := range found.relations {", New: "for _, relation := range found.relations[:1] {",
		Package: "./backfill", Run: "TestCaptureOfPartitions",
	},
	{
		Rule: "install waits for open writers before it counts (failure 10)",
		File: "backfill/capture.go",
		Old:  "		timeout = c.cfg.LockTimeout\n", New: "		return nil\n",
		Package: "./backfill", Run: "TestInstallWaitsForAnUncommittedWriter",
	},
	{
		Rule: "what was written before capture stood is copied by a new backfill",
		File: "backfill/capture.go",
		Old:  "if side == flags.OldSide && done.Changed {", New: "if side == flags.OldSide && done.Changed && epoch < 0 {",
		Package: "./backfill", Run: "TestCaptureBegins|TestCaptureOfPartitions",
	},
	{
		Rule: "capture of the old side begins by refusing where somebody is at live",
		File: "backfill/capture.go",
		Old:  "func(s flags.Stage) bool { return s >= flags.Live }", New: "func(s flags.Stage) bool { return s > flags.New }",
		Package: "./backfill", Run: "TestCaptureBegins",
	},
	{
		Rule: "capture goes only where nothing needs it",
		File: "backfill/capture.go",
		Old:  "if reasons := needed(state, side); len(reasons) > 0 {", New: "if reasons := needed(state, side); len(reasons) > 99 {",
		Package: "./backfill", Run: "TestCaptureIsRemovedOnlyWhereNothingNeedsIt",
	},
	{
		Rule: "capture of a side whose writes once ran without a fence stays where the other side is written alone",
		File: "backfill/capture.go",
		Old:  "case everybody(other) && !ran:", New: "case everybody(other):",
		Package: "./backfill", Run: "TestCaptureIsRemovedOnlyWhereNothingNeedsIt",
	},
	{
		Rule: "nobody but the owner makes triggers of the function that writes into the ledger",
		File: "backfill/capture.go",
		Old:  `run(f.create(), "revoke all on function "+f.name()+"() from public")`, New: `run(f.create())`,
		Package: "./backfill", Run: "TestCaptureByRolesThatAreNoSuperusers",
	},
	{
		Rule: "an insert whose key the database makes deletes exactly the records that it made",
		File: "repo/write.go",
		Old:  "if k.Side == side && k.Key != StaleAll {", New: "if false && k.Side == side {",
		Package: "./backfill", Run: "TestCaptureLeavesTheApplicationsOwnWritesOut",
	},
	{
		Rule: "capture that refuses the side without authority fails that side alone",
		File: "repo/postgres/errors.go",
		Old:  "side.Side != scope.Decision.Plan().Authority", New: "side.Side > 1",
		Package: "./backfill", Run: "TestCaptureOfTheSideWithoutAuthorityFailsThatSide",
	},
}
