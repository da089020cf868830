package peers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/peers"
)

var trigger = peers.Trigger{
	Name: "write_people_twice",
	Old:  peers.Table{Schema: "v1", Name: "people"},
	New:  peers.Table{Name: "people_v2"},
	Key:  []string{"tenant", "id"},
	Columns: []peers.Column{
		{Name: "first", From: "split_part(new.name, ' ', 1)"},
		{Name: "last", From: "split_part(new.name, ' ', 2)"},
	},
}

func TestTheTriggerMakesEachChangeOnBothTables(t *testing.T) {
	w := newWorld(t)
	w.exec("insert into v1.people values ($1, 9, 'Not copied')", tenant)
	require.NoError(t, trigger.Install(t.Context(), w.pool))
	require.NoError(t, trigger.Install(t.Context(), w.pool), "again")

	for i := range 3 {
		require.NoError(t, w.writeOld()(t.Context(), i))
	}
	assert.Equal(t, []string{"0 Ada Lovelace0", "1 Ada Lovelace1", "2 Ada Lovelace2"}, w.new())

	w.exec("update v1.people set name = 'Grace Hopper' where id = 1")
	w.exec("update v1.people set id = 20 where id = 2")
	w.exec("delete from v1.people where id = 0")
	w.exec("update v1.people set name = 'Was there' where id = 9")
	assert.Equal(t, []string{"1 Grace Hopper", "9 Was there", "20 Ada Lovelace2"}, w.new())
	assert.Equal(t, w.old(), w.new())

	require.NoError(t, trigger.Remove(t.Context(), w.pool))
	require.NoError(t, trigger.Remove(t.Context(), w.pool), "again")
	require.NoError(t, w.writeOld()(t.Context(), 30))
	assert.Len(t, w.new(), 3)
	assert.Empty(t, w.list("select proname::text from pg_proc where proname = 'write_people_twice'"))
}

func TestTheTriggerSaysWhatItsErrorsAreAbout(t *testing.T) {
	w := newWorld(t)
	wrong := trigger
	wrong.Old.Name = "nobody"
	require.ErrorContains(t, wrong.Install(t.Context(), w.pool), "install trigger write_people_twice")
}
