package main

import "testing"

func TestHistoryTellsWhoDidWhatAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual", "--percent", "5", "--reason", "canary\nof two lines")
	w.ok("pin", name, "acme", "initech", "--stage", "dual", "--actor", "ben")
	w.ok("unpin", name, "initech")
	w.ok("backfill", name, "--tenant", "acme", "--detach")
	golden(t, "history.txt", w.ok("history", name).out)
	golden(t, "history.json", w.ok("history", name, "--limit", "2", "--json").out)

	of := w.ok("history", name, "--tenant", "acme")
	of.says(`override of tenant "acme"`, "percentage: old -> old with 5% at dual")
	if o := of.out; len(o) >= len(w.ok("history", name).out) {
		t.Error("what was done to others is left out")
	}
	w.ok("history", name, "--limit", "2").says("older entries: crossfade history customers-v2 --before 5")
	w.ok("history", name, "--before", "2").says("register: old")
	w.ok("history", name, "--before", "1").says("no entries")
	w.ok("history", name, "--tenant", "acmee").blames(`does not know tenant "acmee" by name; did you mean "acme"?`)
}
