package mutants

// keeperRules are the rules of what policies say to hold, and of the order in
// which capture is switched.
var keeperRules = []Mutant{
	{
		Rule: "clean is said only behind the barrier: nobody at live acts on a lower rung any more",
		File: "control/keeper.go",
		Old:  "	anybody := false\n	policies := append(l.acting(), l.next)", New: "	anybody := false\n	policies := []*flags.Compiled{l.next}",
		Package: "./control", Run: "TestCleanIsSaidOnlyWhereNoKeyOfALiveTenantCanBeStale",
	},
	{
		Rule: "clean is not said while a key of who stands at live is stale on the new side",
		File: "control/keeper.go",
		Old:  "		if l.staleOf(s.tenant, flags.NewSide).Keys > 0 {", New: "		if false {",
		Package: "./control", Run: "TestCleanIsSaidOnlyWhereNoKeyOfALiveTenantCanBeStale|TestOfManyKeepersOnePublishes",
	},
	{
		Rule: "clean is not said while capture of the old side makes stale keys",
		File: "control/keeper.go",
		Old:  "	if l.state.Capture[flags.OldSide].Recording() {", New: "	if false {",
		Package: "./control", Run: "TestCleanIsSaidOnlyWhereNoKeyOfALiveTenantCanBeStale",
	},
	{
		Rule: "shadow is strict after a clean live (failure 12: a clean reader misses a write)",
		File: "control/keeper.go",
		Old:  "			if s.mayStand(c, flags.Live) && s.mayStand(l.next, flags.Shadow) {", New: "			if s.mayStand(c, flags.Live) && false {",
		Package: "./control", Run: "TestAWriteAtShadowIsNotMissedByAReaderWhoIsStillClean",
	},
	{
		Rule: "a policy is acted on until it is acknowledged and drained",
		File: "control/keeper.go",
		Old:  "		if p.DrainedAt == nil || p.AcknowledgedAt == nil {", New: "		if p.DrainedAt == nil {",
		Package: "./control", Run: "TestACleanPolicyIsFollowedByAStrictShadowUntilItsReadersAreGone",
	},
	{
		Rule: "writes run unfenced only while capture stands and records",
		File: "control/keeper.go",
		Old:  "	if !capture.Stands() || !capture.Recording() {", New: "	if !capture.Installed {",
		Package: "./control", Run: "TestWritesRunUnfencedOnlyWhereEverybodyStandsThereAndCaptureRecords",
	},
	{
		Rule: "writes run unfenced only while everybody stands there",
		File: "control/keeper.go",
		Old:  "		if uniform, ok := c.Policy().Uniform(); !ok || uniform != stage {", New: "		if uniform, ok := c.Policy().Uniform(); ok && uniform > stage+9 {",
		Package: "./control", Run: "TestWritesRunUnfencedOnlyWhereEverybodyStandsThereAndCaptureRecords",
	},
	{
		Rule: "until everybody acts on the policy in force, the keeper only takes away",
		File: "control/keeper.go",
		Old:  "		if *have == want || !settled && want != a.careful {", New: "		if *have == want || false && settled {",
		Package: "./control", Run: "TestUntilItIsSettledTheKeeperOnlyTakesAway",
	},
	{
		Rule: "capture refuses as long as its side may be without authority for anybody",
		File: "control/keeper.go",
		Old:  "			if stage.Plan().Authority != side {", New: "			if stage.Plan().Authority != side && c == l.current {",
		Package: "./control", Run: "TestCaptureRecordsAndRefusesAsTheLadderWantsIt",
	},
	{
		Rule: "capture of the new side records only when no key is stale there",
		File: "control/keeper.go",
		Old:  "	return side == flags.NewSide &&\n", New: "	return false &&\n",
		Package: "./control", Run: "TestCaptureRecordsAndRefusesAsTheLadderWantsIt",
	},
	{
		Rule: "a fenced policy comes before another mode of capture",
		File: "control/keeper.go",
		Old:  " && !l.relied(side) {", New: " {",
		Package: "./control", Run: "TestCaptureRecordsAndRefusesAsTheLadderWantsIt",
	},
	{
		Rule: "into live, capture of the old side refuses first (failures 9 and 11)",
		File: "control/plane.go",
		Old:  "	case needs != nil && !c.DryRun:", New: "	case needs != nil && c.NoWait && !c.DryRun:",
		Package: "./control", Run: "TestCaptureIsSwitchedInTheOrderOfTheLadder|TestAStepIntoLiveWaitsForWhoWritesPastTheApplication",
	},
	{
		Rule: "into live, recorders of the old side are drained (failure 11: a straggler's write is lost)",
		File: "control/rules.go",
		Old:  "			return c.Installed && (!c.Refusing() || !c.Drained)", New: "			return c.Installed && !c.Refusing()",
		Package: "./control", Run: "TestLadderWithCapture",
	},
	{
		Rule: "capture records again when the step that had it refuse is refused",
		File: "control/keepercapture.go",
		Old:  "	return after, errors.Join(err, p.switchDue(back, m, c.Report))", New: "	_ = back\n	return after, err",
		Package: "./control", Run: "TestAStepIntoLiveWaitsForWhoWritesPastTheApplication",
	},
	{
		Rule: "old and new are granted only when capture there records again",
		File: "control/rules.go",
		Old:  "		broken:   func(l *look, m move) bool { return l.state.Capture[m.To.Plan().Authority].Refusing() },", New: "		broken:   func(*look, move) bool { return false },",
		Package: "./control", Run: "TestLadderWithCapture",
	},
	{
		Rule: "after unfenced writes, a stage is left only with capture",
		File: "control/rules.go",
		Old:  "			return l.state.RanUnfenced[side] && !(c.Installed && c.Complete)", New: "			return l.state.RanUnfenced[side] && c.Installed && !c.Complete",
		Package: "./control", Run: "TestAfterUnfencedWritesTheStageIsLeftOnlyWithCapture",
	},
	{
		Rule: "capture that is relied on stands in every table and partition",
		File: "control/rules.go",
		Old:  "			return c.Installed && !c.Stands()", New: "			return c.Installed && c.Leaving",
		Package: "./control", Run: "TestLadderWithCapture",
	},
	{
		Rule: "no rule of the ladder is forcible",
		File: "control/rules.go",
		Old:  "		Kind:     BlockStaleOld,\n", New: "		Kind:     BlockStaleOld,\n		Forcible: true,\n",
		Package: "./control", Run: "TestNoRuleOfTheLadderIsForcible",
	},
	{
		Rule: "a walk down waits for stale keys that are being repaired, and for nothing else",
		File: "control/rules.go",
		Old:  "	b.Keys, b.Mends = 0, failing == 0", New: "	b.Keys = 0",
		Package: "./control", Run: "TestWalkDownWaitsForStaleKeysThatAreBeingRepaired",
	},
	{
		Rule: "a walk down goes on over another person's step up",
		File: "control/walk.go",
		Old:  "	case err == nil, errors.As(err, &conflict) && w.down:", New: "	case err == nil, errors.As(err, &conflict) && false:",
		Package: "./control", Run: "TestWalkDownLooksAgainAfterAConflict",
	},
	{
		Rule: "reads look for stale keys unless the policy is clean, and only then",
		File: "flags/plan.go",
		Old:  "			plan.ThroughStale = plan.ThroughStale && !clean", New: "			plan.ThroughStale = plan.ThroughStale || clean && false",
		Package: "./repo/postgres", Run: "TestReadsUnderACleanPolicyDoNotLookForStaleKeys",
	},
	{
		Rule: "at strict shadow a failing new side fails the write",
		File: "flags/plan.go",
		Old:  "			plan.Strict = plan.Strict || strict && stage == Shadow", New: "			_ = strict",
		Package: "./repo/postgres", Run: "TestAtStrictShadowAFailingNewSideFailsTheWrite",
	},
	{
		Rule: "locking reads are fenced always",
		File: "repo/postgres/sides.go",
		Old:  "	return (kind == repo.KindWrite || kind == repo.KindCreate) &&", New: "	return kind != repo.KindRead &&",
		Package: "./repo/postgres", Run: "TestUnfencedWritesTakeNoLockAndLockingReadsAreFenced",
	},
	{
		Rule: "a write that capture refused is decided anew",
		File: "repo/postgres/errors.go",
		Old:  "	if err == nil || !errors.As(err, &pg) || pg.Code != stateCaptured {", New: "	if err == nil || !errors.As(err, &pg) || pg.Code != stateRefused {",
		Package: "./repo/postgres", Run: "TestAWriteThatCaptureRefusesIsDecidedAnew",
	},
	{
		Rule: "a write that capture refused is fenced the next time",
		File: "repo/route.go",
		Old:  "t.fenced = t.fenced || refused.Captured", New: "t.fenced = false",
		Package: "./repo/postgres", Run: "TestAWriteThatCaptureRefusesIsDecidedAnew",
	},
}
