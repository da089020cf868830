package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCompletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("pin", name, "acme", "initech", "--stage", "dual")
	w.exec(`insert into crossfade.tenant_states (migration_id, tenant) select id, 'globex' from crossfade.migrations`)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"step", ""}, []string{"customers-v2\tcustomers from v1 to v2"}},
		{[]string{"step", name, ""}, []string{"old", "dual", "shadow", "live", "rampdown", "new"}},
		{[]string{"step", name, "dual", ""}, nil},
		{[]string{"step", name, "dual", "--tenant", ""}, []string{"acme", "globex", "initech"}},
		{[]string{"status", ""}, []string{"customers-v2\tcustomers from v1 to v2"}},
		{[]string{"status", name, ""}, nil},
		{[]string{"pin", name, ""}, []string{"acme", "globex", "initech"}},
		{[]string{"pin", name, "acme", ""}, []string{"globex", "initech"}},
		{[]string{"pin", name, "acme", "--stage", ""}, []string{"old", "dual", "shadow", "live", "rampdown", "new"}},
		{[]string{"unpin", name, ""}, []string{"acme", "initech"}},
		{[]string{"unpin", "no-such-migration", ""}, nil},
		{[]string{"verify", ""}, []string{"customers-v2\tcustomers from v1 to v2"}},
	} {
		o := w.ok(append([]string{"__complete"}, c.args...)...)
		var got []string
		for line := range strings.Lines(o.out) {
			if !strings.HasPrefix(line, ":") {
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}
		assert.Equal(t, c.want, got, c.args)
	}
	w.env[databaseVariable] = "postgres://ann:hush-hush@127.0.0.1:1/shop"
	o := w.ok("__complete", "step", "")
	assert.Equal(t, ":4\n", o.out, "no answer, no completions")
	assert.NotContains(t, o.err, "hush")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		w.ok("completion", shell).says("crossfade")
	}
}

func TestNearestNames(t *testing.T) {
	names := []string{"acme", "globex", "initech"}
	assert.Equal(t, "acme", nearest("acmee", names))
	assert.Equal(t, "globex", nearest("gloebx", names))
	assert.Empty(t, nearest("umbrella", names))
	assert.Empty(t, nearest("a", names))
	assert.Empty(t, nearest("", names))
}
