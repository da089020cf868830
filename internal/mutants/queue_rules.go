package mutants

// queueRules are the rules of writes whose statements wait and travel together.
var queueRules = []Mutant{
	{
		Rule: "queue: a write of which a queued statement failed runs again, so that the side translates the error",
		File: "repo/postgres/sides.go",
		Old:  "!errors.As(err, &failed) || !failed.again:", New: "!errors.As(err, &failed) || failed != nil:",
		Package: "./repo/postgres", Run: "TestErrorOfAQueuedStatementOfTheAuthorityIsTranslatedByTheSide",
	},
	{
		Rule: "queue: that holds at live as well, where the fence was asked before",
		File: "repo/postgres/tx.go",
		Old:  "failed.again && o.queued:", New: "failed.again && o.waits:",
		Package: "./repo/postgres", Run: "TestErrorOfAQueuedStatementThatTravelsWithAnotherIsTranslatedByTheSide",
	},
	{
		Rule:    "queue: a write whose outcome is unknown never runs again",
		File:    "repo/postgres/queue.go",
		Old:     "} else if lost(err) {\n\t\tagain = false",
		New:     "} else if lost(err) {\n\t\tagain = true",
		Package: "./repo/postgres", Run: "TestNetworkThatBreaksAnywhereNeverWritesTwice",
	},
	{
		Rule: "queue: the other side's statements are behind a savepoint, or their failure takes the authority's with it",
		File: "repo/postgres/session.go",
		Old:  `{sql: "savepoint crossfade_other", part: partOther, take:`, New: `{sql: "select 1", part: partOther, take:`,
		Package: "./repo/postgres", Run: "TestFailureOfAQueuedStatementOfTheOtherSideIsRecordedInOneMoreRoundTrip",
	},
	{
		Rule: "queue: the other side's deferred constraints are checked before COMMIT, which would fail for its sake",
		File: "repo/postgres/session.go",
		Old:  `q.add(statement{sql: "set constraints all immediate", part: partOther})`, New: `q.add(statement{sql: "select 1", part: partOther})`,
		Package: "./repo/postgres", Run: "TestFailureOfTheOtherSideInAQueue",
	},
	{
		Rule:    "queue: an error that the other side swallows is recorded",
		File:    "repo/postgres/session.go",
		Old:     "\t\tif err == nil { // the side made nothing of it\n\t\t\terr = q.failed",
		New:     "\t\tif err == nil { // the side made nothing of it\n\t\t\terr = nil",
		Package: "./repo/postgres", Run: "TestErrorThatTheSideWithoutAuthoritySwallowsIsNoSilentDifference",
	},
	{
		Rule: "queue: a batch that pgx refuses and ends the connection for is run again, one statement at a time",
		File: "repo/postgres/session.go",
		Old:  "lost(q.failed.err) || s.tx.conn.Conn().IsClosed())", New: "lost(q.failed.err))",
		Package: "./repo/postgres", Run: "TestArgumentThatCannotBeEncodedIsTheFailureOfItsSide",
	},
	{
		Rule: "queue: a batch that pgx refuses without saying so is no unknown outcome",
		File: "repo/postgres/queue.go",
		Old:  "case i == 0 && errors.Is(cerr, err) && h.unsent(err):", New: "case i < 0 && h.unsent(err):",
		Package: "./repo/postgres", Run: "TestArgumentThatCannotBeEncodedIsTheFailureOfItsSide",
	},
	{
		Rule: "queue: arguments are kept as they were",
		File: "repo/postgres/handle.go",
		Old:  "h.queue.add(statement{sql: sql, args: kept, part: h.queue.part})", New: "h.queue.add(statement{sql: sql, args: append(kept[:0], args...), part: h.queue.part})",
		Package: "./repo/postgres", Run: "TestReusedBufferWritesEachRowAsItWas|TestArgumentsOfQueuedStatementsAreSentAsTheyWere",
	},
	{
		Rule: "queue: a statement with a deadline of its own does not wait",
		File: "repo/postgres/queue.go",
		Old:  "return q.delay && ctx.Done() == q.done", New: "return q.delay",
		Package: "./repo/postgres", Run: "TestStatementWithADeadlineOfItsOwnIsNotDelayed",
	},
	{
		Rule: "queue: a statement whose row count is seen does not wait",
		File: "repo/postgres/queue.go",
		Old:  `return strings.HasSuffix(strings.TrimRight(line, " \r"), " :exec")`, New: `return strings.Contains(line, ":exec")`,
		Package: "./repo/postgres", Run: "TestStatementsWhoseAnswerIsSeenAreNotDelayed",
	},
	{
		Rule: "queue: COMMIT that was answered with ROLLBACK is an error",
		File: "repo/postgres/tx.go",
		Old:  `if err == nil && tag.String() != "COMMIT" {`, New: `if err == nil && tag.String() == "" {`,
		Package: "./repo/postgres", Run: "TestErrorThatTheAuthoritySwallowsCommitsNothing",
	},
	{
		Rule: "queue: the fence travels with the write, and its refusal undoes it",
		File: "repo/postgres/sides.go",
		Old:  "open.then = call.statements(&found)", New: "_, open.then = call, b.db.timeouts()",
		Package: "./repo/postgres", Run: "TestRefusalInAQueuedBatchWritesNothingAndDecidesAnew",
	},
	{
		Rule: "queue: a batch that is its own transaction runs again where its isolation is not READ COMMITTED",
		File: "repo/postgres/queue.go",
		Old:  "(isolation(err) || of == partCommit)", New: "(false && isolation(err) || of == partCommit)",
		Package: "./repo/postgres", Run: "TestDefaultIsolationOfTheDatabaseChangesNothing",
	},
	{
		Rule: "queue: what could commit by itself is in a transaction that forbids it",
		File: "repo/postgres/tx.go",
		Old:  "if !harmless(s.sql) {", New: "if !harmless(s.sql) && false {",
		Package: "./repo/postgres", Run: "TestProcedureThatCommitsIsRefusedInAQueue",
	},
	{
		Rule:    "queue: a deferred constraint that fails in one batch of both sides is the failure of its side",
		File:    "repo/postgres/queue.go",
		Old:     "(isolation(err) || of == partCommit)",
		New:     "(isolation(err) || of > partCommit)",
		Package: "./repo/postgres", Run: "TestFailureOfTheOtherSideInAQueue",
	},
	{
		Rule: "queue: the side without authority that runs at once is behind its savepoint",
		File: "repo/postgres/queue.go",
		Old:  "len(q.waiting) == 0 && len(q.guard.statements) == 0 && q.failed == nil", New: "len(q.waiting) == 0 && q.failed == nil",
		Package: "./repo/postgres", Run: "TestConnectionsThatBringTheTimeouts",
	},
	{
		Rule: "queue: a write that runs again finds the arguments as the caller gave them",
		File: "repo/pristine.go",
		Old:  "if p.runs++; p.runs == 1 {", New: "if p.runs++; p.runs > 0 {",
		Package: "./repo", Run: "TestArgumentsAreTheCallersAgainInEachRun",
	},
	{
		Rule: "queue: memory that no side has changed is not written into",
		File: "repo/pristine.go",
		Old:  "!now.IsValid() || !unchanged(now, it.Value())", New: "true || !unchanged(now, it.Value())",
		Package: "./repo", Run: "TestWritesThatRunAgainWriteIntoNoMemoryThatIsOnlyRead",
	},
	{
		Rule: "queue: what a side changed through any reference of the caller is put back",
		File: "repo/pristine.go",
		Old:  "\t\t\tp.keepEach(v)\n\t\t}\n\tcase reflect.Map:", New: "\t\t}\n\tcase reflect.Map:",
		Package: "./repo", Run: "TestArgumentsAreTheCallersAgainInEachRun",
	},
	{
		Rule: "queue: a meter is not told of a run that the fence refused",
		File: "repo/write.go",
		Old:  "if _, refused := errors.AsType[*RefusedError](err); refused {", New: "if _, refused := errors.AsType[*RefusedError](err); refused && err == nil {",
		Package: "./repo/postgres", Run: "TestWriteThatRunsTwiceIsCountedOnce",
	},
}
