package mutants

// keysRules are the rules of a share of keys inside a tenant.
var keysRules = []Mutant{
	{
		Rule:    "an operation of several keys goes by the lower of their two rungs",
		File:    "flags/compiled.go",
		Old:     "return min(c.base, c.to), max(c.base, c.to), ReasonPercentage",
		New:     "return max(c.base, c.to), max(c.base, c.to), ReasonPercentage",
		Package: "./repo/postgres", Run: "TestAWriteOfOneKeyFollowsItsKeyAndOneOfSeveralTheLowerStage",
	},
	{
		Rule: "the buckets of keys have nothing to do with each other from tenant to tenant",
		File: "flags/hash.go",
		Old:  "hashed(ready(hashed(seed, tenant)), key)", New: "hashed(seed+0*uint64(len(tenant)), key)",
		Package: "./flags", Run: "TestKeyBucketsHaveNothingToDoWithOtherBuckets",
	},
	{
		Rule: "raising a share of keys moves no key out",
		File: "flags/compiled.go",
		Old:  "hash = keyHashed(c.keySeed, tenant, key)", New: "hash = keyHashed(c.keySeed+c.share, tenant, key)",
		Package: "./flags", Run: "TestAKeyStandsWhereItsBucketSaysAndSeveralKeysAtTheLowerRung",
	},
	{
		Rule: "reads under a share of keys look for stale keys, whatever the policy says of itself",
		File: "flags/flag.go",
		Old:  "standing.Clean && (!c.ofKeys() || reason == ReasonOverride)", New: "standing.Clean",
		Package: "./flags", Run: "TestReadsUnderAShareOfKeysAreNeverClean",
	},
	{
		Rule: "a pin holds one policy for all keys of a tenant",
		File: "flags/pin.go",
		Old:  "return use.of(s), nil", New: "return use, nil",
		Package: "./flags", Run: "TestAPinHoldsOnePolicyForAllKeysOfATenant",
	},
	{
		Rule: "a share of keys has every tenant at both rungs (span)",
		File: "flags/span.go",
		Old:  "case c.ofKeys():", New: "case false:",
		Package: "./flags", Run: "TestSpanNamesTheWidestGapThatOneTenantCanMeet",
	},
	{
		Rule: "a share of keys has every tenant at both rungs (step up)",
		File: "control/subject.go",
		Old:  "case nextHigh > low+1:", New: "case false:",
		Package: "./control", Run: "TestCheckAgreesWithAnIndependentPredicate",
	},
	{
		Rule: "a share of keys has every tenant at both rungs (step down)",
		File: "control/subject.go",
		Old:  "case high > nextLow+1:", New: "case false:",
		Package: "./control", Run: "TestCheckAgreesWithAnIndependentPredicate",
	},
	{
		Rule: "an older share of keys has every tenant at both rungs",
		File: "control/subject.go",
		Old:  "elsewhere(low) || elsewhere(high)", New: "elsewhere(low) && elsewhere(high)",
		Package: "./control", Run: "TestAnOlderShareOfKeysHoldsTheNextStepUp",
	},
	{
		Rule: "keys that step need what the step of all needs",
		File: "control/subject.go",
		Old:  "if key < int(p.Step.Share) {", New: "if key < 0 {",
		Package: "./control", Run: "TestAShareOfKeysNeedsWhatTheStepOfAllNeeds",
	},
	{
		Rule: "a share of tenants never takes the place of one of keys",
		File: "control/change.go",
		Old:  "s.Share > 0 && s.Of != c.Of", New: "false && s.Of != c.Of",
		Package: "./control", Run: "TestSharesOfKeysAndOfTenantsAreNotMistakenForEachOther",
	},
	{
		Rule: "a mixed list reads both sides in one snapshot",
		File: "repo/postgres/sides.go",
		Old:  `isolation: "repeatable read read only"`, New: `isolation: "read committed"`,
		Package: "./repo/postgres", Run: "TestAMixedListIsOfOneMoment",
	},
	{
		Rule: "in a transaction of the application a mixed list counts only when nobody committed meanwhile",
		File: "repo/postgres/session.go",
		Old:  "return before == after, err", New: "return before == after || true, err",
		Package: "./repo/postgres", Run: "TestAMixedListIsOfOneMoment",
	},
	{
		Rule: "in a mixed list a stale row is the old side's",
		File: "repo/mix.go",
		Old:  "return !missed[key] && use.KeyStage", New: "return use.KeyStage",
		Package: "./repo/postgres", Run: "TestRowsThatMissedAWriteComeFromTheOldSide",
	},
	{
		Rule: "in a mixed list every row is the old side's where the whole tenant is stale",
		File: "repo/mix.go",
		Old:  "if missed[StaleAll] {", New: "if false {",
		Package: "./repo/postgres", Run: "TestRowsThatMissedAWriteComeFromTheOldSide",
	},
	{
		Rule: "an operation of one key is decided by that key",
		File: "repo/route.go",
		Old:  "Key: keys.Only()}", New: "Key: keys.Only()[:0]}",
		Package: "./repo/postgres", Run: "TestAWriteOfOneKeyFollowsItsKeyAndOneOfSeveralTheLowerStage",
	},
}
