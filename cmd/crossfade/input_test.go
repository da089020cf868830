package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/flags"
)

func TestBadInputNamesTheThingAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual")
	before := w.policy()
	for _, c := range []struct {
		title string
		args  []string
		code  int
		want  string
	}{
		{"unknown command", []string{"steq", name}, exitInput, "Did you mean this?\n\tstep"},
		{"unknown flag", []string{"status", "--bogus"}, exitInput, "unknown flag: --bogus"},
		{"flag of another type", []string{"step", name, "shadow", "--timeout", "soon"}, exitInput, `invalid argument "soon" for "--timeout"`},
		{"missing argument", []string{"step", name}, exitInput, "STAGE is missing"},
		{"missing tenant", []string{"pin", name, "--stage", "dual"}, exitInput, "TENANT is missing"},
		{"too many arguments", []string{"history", name, "more"}, exitInput, `unexpected argument "more"`},
		{"unknown stage", []string{"step", name, "shadwo"}, exitInput, `unknown stage "shadwo": use one of old, dual, shadow, live, rampdown, new`},
		{"unknown stage of a pin", []string{"pin", name, "acme", "--stage", "top"}, exitInput, `unknown stage "top"`},
		{"pin without a stage", []string{"pin", name, "acme"}, exitInput, "--stage is one of old, dual"},
		{"unknown migration", []string{"step", "orders-v9", "dual"}, exitInput, `migration "orders-v9" is not in the ledger: known are customers-v2`},
		{"unknown migration in status", []string{"status", "orders-v9"}, exitInput, "known are customers-v2"},
		{"unknown migration in history", []string{"history", "orders-v9"}, exitInput, "known are customers-v2"},
		{"unknown migration in mismatches", []string{"mismatches", "orders-v9"}, exitInput, "known are customers-v2"},
		{"unknown migration of a job", []string{"backfill", "orders-v9"}, exitInput, "known are customers-v2"},
		{"unknown migration of a walk", []string{"step", "orders-v9", "old", "--walk"}, exitInput, "known are customers-v2"},
		{"jump of two rungs", []string{"step", name, "live"}, exitRefused, "dual -> live: go to shadow first"},
		{"jump of a percentage", []string{"step", name, "live", "--percent", "5"}, exitRefused, "a percentage step joins a rung to the next one only"},
		{"jump of a tenant", []string{"pin", name, "acme", "--stage", "live"}, exitRefused, "dual -> live: go to shadow first"},
		{"percentage above 100", []string{"step", name, "shadow", "--percent", "100.01"}, exitInput, `percentage "100.01": use 0 to 100`},
		{"percentage below 0", []string{"step", name, "shadow", "--percent=-1"}, exitInput, `percentage "-1": use 0 to 100`},
		{"percentage too fine", []string{"step", name, "shadow", "--percent", "0.005"}, exitInput, "with at most two decimals"},
		{"percentage that is no number", []string{"step", name, "shadow", "--percent", "half"}, exitInput, `percentage "half"`},
		{"percentage and tenants", []string{"step", name, "shadow", "--percent", "5", "--tenant", "acme"}, exitInput, "cannot go together"},
		{"walk by percentage", []string{"step", name, "old", "--walk", "--percent", "5"}, exitInput, "--walk and --percent"},
		{"dry walk", []string{"step", name, "old", "--walk", "--dry-run"}, exitInput, "--walk takes no --dry-run"},
		{"walk at an epoch", []string{"step", name, "old", "--walk", "--expect-epoch", "3"}, exitInput, "--walk takes no --expect-epoch"},
		{"negative timeout", []string{"step", name, "old", "--timeout", "-1s"}, exitInput, "must not be negative"},
		{"negative epoch", []string{"step", name, "old", "--expect-epoch", "-1"}, exitInput, "must not be negative"},
		{"tenant without a name", []string{"pin", name, "", "--stage", "dual"}, exitInput, "a tenant's name is empty"},
		{"nothing to unpin", []string{"unpin", name, "acme"}, exitInput, `no override names tenant "acme"`},
		{"stale epoch", []string{"step", name, "old", "--expect-epoch", "1"}, exitConflict, "epoch 2 is in force, not 1"},
		{"interlock", []string{"step", name, "shadow"}, exitRefused, "is not complete: run `crossfade backfill customers-v2`"},
		{"unknown job", []string{"backfill", name, "--resume", "99"}, exitInput, "job 99 is not in the ledger"},
		{"no job to cancel", []string{"verify", name, "--cancel"}, exitInput, "no verify job is open"},
		{"no job to follow", []string{"verify", name, "--follow"}, exitInput, "no verify job is open"},
		{"two things at once", []string{"verify", name, "--follow", "--cancel"}, exitInput, "cannot go together"},
		{"tenants of an open job", []string{"verify", name, "--follow", "--tenant", "acme"}, exitInput, "--tenant goes with a new job only"},
		{"detached and followed", []string{"verify", name, "--follow", "--detach"}, exitInput, "--detach goes with"},
		{"tenant of a job without a name", []string{"backfill", name, "--tenant", ""}, exitInput, "a tenant has no name"},
		{"unknown mismatch", []string{"mismatches", name, "--resolve", "12"}, exitInput, "mismatch 12 is not in the ledger"},
		{"mismatch that is no number", []string{"mismatches", name, "--resolve", "x"}, exitInput, "invalid argument"},
		{"both ways to resolve", []string{"mismatches", name, "--resolve", "1", "--resolve-all"}, exitInput, "cannot go together"},
		{"limit of nothing", []string{"mismatches", name, "--limit", "0"}, exitInput, "--limit must be 1 or more"},
		{"limit of no history", []string{"history", name, "--limit", "-5"}, exitInput, "--limit must be 1 or more"},
		{"no time between looks", []string{"status", name, "--watch", "--every", "0s"}, exitInput, "--every must be more than zero"},
		{"half a migration", []string{"init", "--entity", "orders"}, exitInput, "give --entity, --from and --to"},
		{"salt without a migration", []string{"init", "--salt", "x"}, exitInput, "--salt goes with"},
		{"entity with a bad name", []string{"init", "--entity", "Orders!", "--from", "v1", "--to", "v2"}, exitInput, "the entity's name must match"},
		{"one version", []string{"init", "--entity", "orders", "--from", "v1", "--to", "v1"}, exitInput, `version "v1" is named twice`},
		{"another definition", []string{"init", "--entity", "customers", "--from", "v0", "--to", "v2"}, exitInput, "it was registered with another definition"},
	} {
		t.Run(c.title, func(t *testing.T) {
			o := w.run(c.args...)
			assert.Equal(t, c.code, o.code, o.err)
			assert.Contains(t, o.err, c.want)
			assert.Empty(t, o.out, "results only")
			failure := w.run(append(c.args, "--json")...)
			assert.Equal(t, c.code, failure.code)
			assert.EqualValues(t, c.code, failure.failure()["code"])
			assert.Equal(t, kindOf(c.code), failure.failure()["kind"])
		})
	}
	assert.Equal(t, before, w.policy())
	history, err := w.store.Migrations(t.Context())
	assert.NoError(t, err)
	assert.Len(t, history, 1)
}

func TestTenantThatTheLedgerDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("pin", name, "acme", "--stage", "dual")
	w.ok("pin", name, "initech", "--stage", "dual")
	o := w.ok("pin", name, "acmee", "--stage", "dual")
	o.blames(`the ledger does not know tenant "acmee" by name; did you mean "acme"?`)

	w.ok("step", name, "dual")
	w.exec(`insert into crossfade.tenant_states (migration_id, tenant) select id, unnest(array['acme', 'globex']) from crossfade.migrations on conflict do nothing`)
	w.backfilled() // of the whole migration: from now on the ledger knows every tenant
	for _, args := range [][]string{
		{"pin", name, "glubex", "--stage", "shadow"},
		{"step", name, "shadow", "--tenant", "glubex"},
		{"step", name, "shadow", "--walk", "--tenant", "glubex"},
	} {
		w.run(args...).is(exitInput).blames(`tenant "glubex" is none of the 4 tenants that the ledger knows; did you mean "globex"?`, "--new-tenant")
	}
	assert.Equal(t, flags.Stage(0), w.policy().Overrides["glubex"])
	w.ok("pin", name, "glubex", "--stage", "dual", "--new-tenant")
	assert.Equal(t, flags.Dual, w.policy().Overrides["glubex"])
}

func TestActorIsNeverEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["USER"] = ""
	w.run("step", name, "dual").is(exitInput).blames("say who asks for this: --actor or CROSSFADE_ACTOR")
	w.run("backfill", name, "--detach").is(exitInput).blames("say who asks for this")
	assert.EqualValues(t, 1, w.policy().Epoch)
	w.env["LOGNAME"] = "ben"
	w.ok("step", name, "dual")
	w.env[actorVariable] = "deployer"
	w.ok("step", name, "old", "--reason", "not yet")
	w.ok("step", name, "dual", "--actor", "cleo")
	w.ok("history", name).says("by ben@laptop", "by deployer: not yet", "by cleo")
}
