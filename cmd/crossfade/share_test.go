package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestShareOfKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.backfilled()
	w.ok("step", name, "live", "--percent", "5", "--of", "keys", "--reason", "canary").says("default shadow -> default shadow, 5% of the keys at live")
	w.ok("status", name).says("percentage step: 5% of each tenant's keys at live, the others at shadow; operations of several keys go by shadow",
		"the 5% back to shadow: nothing speaks against it: crossfade step customers-v2 live --percent 0",
		"everybody to live: nothing speaks against it: crossfade step customers-v2 live")
	w.ok("history", name).says("shadow with 5% of the keys at live")

	var doc struct{ Migrations []report }
	require.NoError(t, json.Unmarshal([]byte(w.ok("status", name, "--json").out), &doc))
	assert.Equal(t, &stepJSON{To: flags.Live, Percent: 5, Of: "keys"}, doc.Migrations[0].Policy.Step)

	w.run("step", name, "live", "--percent", "10").is(exitInput).blames("a share of the keys stands (5% at live)")
	w.ok("step", name, "live", "--percent", "10", "--of", "keys").says("10% of the keys at live")
	w.ok("pin", name, "acme", "--stage", "live").says(`tenant "acme": shadow and live, by key -> live (pinned)`)
	w.ok("step", name, "live", "--percent", "0").says("-> default shadow")
}

func TestStatusExplainsATenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.backfilled()
	w.ok("status", name, "--tenant", "acme").says(`tenant "acme" stands at shadow: it is the default`, "Stale keys  none")
	w.ok("step", name, "live", "--percent", "50", "--of", "keys")
	w.ok("pin", name, "globex", "--stage", "shadow")
	w.ok("status", name, "--tenant", "globex", "--key", "1").says(`key "1" of tenant "globex" stands at shadow: it is pinned there`)
	w.ok("status", name, "--tenant", "acme").says(`tenant "acme" stands at shadow and live, by key: 50% of each tenant's keys at live`)
	policy, err := w.store.Policy(t.Context(), name)
	require.NoError(t, err)
	c, err := policy.Compile()
	require.NoError(t, err)
	for _, key := range []string{"1", "2", "3", "4"} {
		stage, reason := c.KeyStage("acme", key)
		says := map[flags.Stage]string{flags.Live: "below the 5000", flags.Shadow: "not below the 5000"}[stage]
		w.ok("status", name, "--tenant", "acme", "--key", key).says(`key "`+key+`" of tenant "acme" stands at `+stage.String(), says)
		var e explanation
		require.NoError(t, json.Unmarshal([]byte(w.ok("status", name, "--tenant", "acme", "--key", key, "--json").out), &e))
		assert.Equal(t, []any{stage, reason, c.KeyBucket("acme", key), ""}, []any{e.Stage, e.Reason, e.Bucket, e.Mixed})
	}
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'new', '1', 1, '' from crossfade.migrations`)
	w.ok("status", name, "--tenant", "acme").says("new side: 1 key, 0 of them cannot be copied")

	for _, wrong := range [][]string{
		{"status", "--tenant", "acme"},
		{"status", name, "--tenant", ""},
		{"status", name, "--key", "1"},
		{"status", name, "--tenant", "acme", "--watch"},
		{"step", name, "live", "--of", "keys"},
		{"step", name, "live", "--percent", "5", "--of", "rows"},
	} {
		w.run(wrong...).is(exitInput)
	}
}
