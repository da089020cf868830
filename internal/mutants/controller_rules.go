package mutants

// controllerRules are the rules of guardrails, ramps, wishes and of the
// controller that acts on them.
var controllerRules = []Mutant{
	{
		Rule: "a guardrail that is violated, inconclusive or not judged holds every step up",
		File: "control/guardrules.go",
		Old:  "broken:   func(l *look, m move) bool { return m.up() && len(l.holding()) > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestStepsUpAreHeld|TestHoldBlocksAManualStepWithAllReasonsAtOnce",
	},
	{
		Rule: "a verdict that is old holds as none does",
		File: "control/guardrules.go",
		Old:  "	case at.Sub(*g.JudgedAt) > judgedFor:", New: "	case false:",
		Package: "./control", Run: "TestStepsUpAreHeld",
	},
	{
		Rule: "inconclusive means hold, never go on",
		File: "control/guardrules.go",
		Old:  "	case g.Verdict == ledger.VerdictOK:", New: "	case g.Verdict != ledger.VerdictViolated:",
		Package: "./control", Run: "TestStepsUpAreHeld",
	},
	{
		Rule: "without the minimum sample of both sides nothing can be said",
		File: "control/guardrail.go",
		Old:  "return calls(int(side), int(role)) >= max(min, 1)", New: "return calls(int(side), int(role)) >= 1",
		Package: "./control", Run: "TestJudge",
	},
	{
		Rule: "nobody moves up during a freeze",
		File: "control/guardrules.go",
		Old:  "broken:   func(l *look, m move) bool { return m.up() && len(l.frozen()) > 0 },", New: "broken: func(*look, move) bool { return false },",
		Package: "./control", Run: "TestStepsUpAreHeld|TestFreezeHoldsARamp|TestWishesNeverOvertakeAFreeze",
	},
	{
		Rule: "nothing that guards ever holds a step down",
		File: "control/guardrules.go",
		Old:  "func (m move) up() bool { return m.To > m.From }", New: "func (m move) up() bool { return true }",
		Package: "./control", Run: "TestStepsUpAreHeld",
	},
	{
		Rule: "into live, no confirmed mismatch is open",
		File: "control/guardrules.go",
		Old:  `return open[m.subject.tenant] > 0 || open[""] > 0`, New: "return open[m.subject.tenant] < 0",
		Package: "./control", Run: "TestStepsUpAreHeld",
	},
	{
		Rule: "one's own approval counts for nothing",
		File: "control/guardrules.go",
		Old:  " && !ledger.SamePerson(a.Actor, g.Asker) {", New: " {",
		Package: "./control", Run: "TestStepsUpAreHeld|TestApprovalLetsAnotherPersonStep",
	},
	{
		Rule: "the author of a ramp cannot approve its steps",
		File: "control/ramp.go",
		Old:  " && !ledger.SamePerson(a.Actor, l.ramp.Author)", New: "",
		Package: "./control", Run: "TestRampWaitsForSamplesAndForAnotherPerson",
	},
	{
		Rule: "force sets aside only what is forcible",
		File: "control/guardrules.go",
		Old:  "		if c.Force && b.Forcible {", New: "		if c.Force {",
		Package: "./control", Run: "TestForceSetsAsideOnlyWhatIsForcible",
	},
	{
		Rule: "a hold counts only the time that a controller looked on",
		File: "control/ramp.go",
		Old:  "gap > 0 && gap <= observedGap*l.tick", New: "gap > 0",
		Package: "./control", Run: "TestRampHoldsOnlyWhileSomebodyLooks|TestRampNeverSkipsAnything",
	},
	{
		Rule: "a ramp waits for its samples",
		File: "control/ramp.go",
		Old:  "	if l.samples < step.MinSamples {", New: "	if false {",
		Package: "./control", Run: "TestRampWaitsForSamplesAndForAnotherPerson|TestRampNeverSkipsAnything",
	},
	{
		Rule: "a ramp whose policy was changed by somebody else does not go on",
		File: "control/ramp.go",
		Old:  "		return l.diverged(m)", New: "		return l.hold(m, step)",
		Package: "./control", Run: "TestRampPausesWhenThePolicyIsNotItsOwn|TestRampStopsWhenAGuardrailTakesItsStepBack",
	},
	{
		Rule: "each action of a controller checks that it still holds its duty",
		File: "ledger/duties.go",
		Old:  "		return fmt.Errorf(\"%s: %w\", d.Name, ErrDutyLost)", New: "		_ = fmt.Errorf(\"%s: %w\", d.Name, ErrDutyLost)\n		return nil",
		Package: "./control", Run: "TestOneControllerAtATimeAndAnotherTakesOver",
	},
	{
		Rule: "one controller at a time",
		File: "ledger/internal/ledgerdb/controllers.sql.go",
		Old:  "where crossfade.controllers.process_id = excluded.process_id or crossfade.controllers.expires_at <= clock_timestamp()\nreturning token", New: "returning token",
		Package: "./control", Run: "TestOneControllerAtATimeAndAnotherTakesOver",
	},
	{
		Rule: "what made a guardrail act does not make it act twice",
		File: "ledger/change.go",
		Old:  "	if len(d.Acted) > 0 {", New: "	if false {",
		Package: "./control", Run: "TestGuardrailStepsTheBadTenantDown",
	},
	{
		Rule: "no guardrail takes anybody below dual, which would lose the backfill",
		File: "control/guarding.go",
		Old:  "const stepDownFloor = flags.Dual", New: "const stepDownFloor = flags.Old",
		Package: "./control", Run: "TestGuardrailStepsTheBadTenantDown",
	},
	{
		Rule: "a flush that may have arrived is sent again under the same number",
		File: "control/meter.go",
		Old:  "		if err := send(ctx, *m.pending); err != nil {\n			return err\n		}", New: "		if err := send(ctx, *m.pending); err != nil {\n			m.pending = nil\n			return err\n		}",
		Package: "./control", Run: "TestFlushesAreNeitherLostNorCountedTwice",
	},
	{
		Rule: "a flag that cannot be read is no wish, and never a default",
		File: "flags/openfeature.go",
		Old:  "	if failed && problem.Cause == nil && details.Reason == openfeature.DisabledReason {", New: "	if failed && problem != nil && details.Value != \"none\" {",
		Package: "./flags", Run: "TestWhatIsNoWishIsAnErrorAndNeverADefault",
	},
	{
		Rule: "who is away from his flag system stays where he is",
		File: "control/wishing.go",
		Old:  "		found.without++\n", New: "		found.without++\n		found.stages[tenant] = flags.Old\n",
		Package: "./control", Run: "TestFlagSystemThatIsAwayMovesNobody",
	},
	{
		Rule: "those who stand furthest up go down, whatever the default says, and nobody goes up",
		File: "control/guarding.go",
		Old:  "	if occupied(unnamed)[top] {\n		c.To = top.Toward(flags.Old)", New: "	if occupied(unnamed)[top] {\n		c.To = p.Default",
		Package: "./control", Run: "TestEverybodyDownTakesNobodyUp",
	},
	{
		Rule: "enough reads do not speak for too few writes",
		File: "control/guardrail.go",
		Old:  "	case len(short) > 0:", New: "	case len(short) > 0 && f.Verdict != ledger.VerdictOK:",
		Package: "./control", Run: "TestJudge",
	},
	{
		Rule: "what is violated is not hidden by what was measured too little",
		File: "control/guardrail.go",
		Old:  "	case f.Verdict == ledger.VerdictOK && f.Value > f.Guardrail.Threshold:", New: "	case len(short) == 0 && f.Verdict == ledger.VerdictOK && f.Value > f.Guardrail.Threshold:",
		Package: "./control", Run: "TestJudge",
	},
	{
		Rule: "one person on two hosts is one person",
		File: "ledger/approvals.go",
		Old:  "	name, _, _ := strings.Cut(actor, \"@\")\n	return strings.TrimSpace(name)", New: "	return strings.TrimSpace(actor)",
		Package: "./ledger", Run: "TestOnePersonOnTwoHostsIsOnePerson",
	},
	{
		Rule: "a ramp's step that somebody took by hand still needs its approval",
		File: "control/ramp.go",
		Old:  "	if step.Approval && !l.approved(m.place.Step) {", New: "	if !stands && step.Approval && !l.approved(m.place.Step) {",
		Package: "./control", Run: "TestRampStepThatSomebodyTookByHandStillNeedsItsApproval|TestRampNeverSkipsAnything",
	},
}
