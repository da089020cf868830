package versions_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/versions"
)

func move(from, to string) versions.Migration {
	return versions.Migration{Name: "customers-" + to, Entity: "customers", From: from, To: to}
}

func TestMigrationsMakeOneRow(t *testing.T) {
	r, err := versions.Row("customers", move("v2", "v3"), move("v1", "v2"), move("v3", "v4"))
	require.NoError(t, err)
	assert.Equal(t, []string{"v1", "v2", "v3", "v4"}, r.Versions())
	assert.Equal(t, []versions.Migration{move("v1", "v2"), move("v2", "v3"), move("v3", "v4")}, r.Migrations())
	assert.Empty(t, versions.Must(versions.New("customers", "v1")).Migrations())
}

func TestRowThatIsNoneNamesBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		migrations []versions.Migration
		kind       versions.Kind
		from, to   string
		says       string
	}{
		"none":            {nil, versions.KindName, "", "", "name at least one migration"},
		"another entity":  {[]versions.Migration{{Name: "orders-v2", Entity: "orders", From: "v1", To: "v2"}}, versions.KindName, "v1", "v2", "orders-v2 is a migration of orders"},
		"twice":           {[]versions.Migration{move("v1", "v2"), move("v1", "v2")}, versions.KindDuplicate, "v1", "v2", "customers-v2 and customers-v2 both go on from v1"},
		"fork":            {[]versions.Migration{move("v1", "v2"), move("v1", "v3")}, versions.KindDuplicate, "v1", "v3", "customers-v2 and customers-v3 both go on from v1: to v2 and to v3"},
		"join":            {[]versions.Migration{move("v1", "v3"), move("v2", "v3")}, versions.KindDuplicate, "v2", "v3", "both lead to v3: from v1 and from v2"},
		"gap":             {[]versions.Migration{move("v1", "v2"), move("v3", "v4")}, versions.KindGap, "v2", "v3", "no migration leads from v2 to v3"},
		"to itself":       {[]versions.Migration{move("v1", "v1")}, versions.KindCycle, "v1", "v1", "leads from v1 to itself"},
		"back":            {[]versions.Migration{move("v1", "v2"), move("v2", "v1")}, versions.KindCycle, "v2", "v1", "they lead back: v1 to v2 to v1"},
		"round":           {[]versions.Migration{move("v1", "v2"), move("v2", "v3"), move("v3", "v1")}, versions.KindCycle, "v3", "v1", "v1 to v2 to v3 to v1"},
		"a row, a circle": {[]versions.Migration{move("v1", "v2"), move("v3", "v4"), move("v4", "v3")}, versions.KindCycle, "v4", "v3", "v3 to v4 to v3"},
		"all at once":     {[]versions.Migration{move("v1", "v2"), move("v1", "v9"), move("v5", "v6")}, versions.KindDuplicate, "v1", "v9", "; no migration leads from v2 to v5"},
		"bad name":        {[]versions.Migration{move("V1", "v2")}, versions.KindName, "", "", "must match"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := versions.Row("customers", c.migrations...)
			var bad *versions.Error
			require.ErrorAs(t, err, &bad)
			assert.Nil(t, r)
			assert.Equal(t, []string{string(c.kind), c.from, c.to}, []string{string(bad.Kind), bad.From, bad.To}, err)
			assert.ErrorContains(t, err, "versions of customers: ")
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestRowTakesAnyOrderAndRefusesEveryMigrationLeftOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"v1", "v2", "v3", "v4", "v5", "v6"}[:rapid.IntRange(2, 6).Draw(t, "versions")]
		all := versions.Must(versions.New("customers", names...)).Migrations()
		mixed := rapid.Permutation(all).Draw(t, "order")
		r, err := versions.Row("customers", mixed...)
		require.NoError(t, err)
		require.Equal(t, names, r.Versions())
		if len(all) < 3 {
			return
		}
		out := rapid.IntRange(1, len(all)-2).Draw(t, "left out")
		var rest []versions.Migration
		for _, m := range mixed {
			if m != all[out] {
				rest = append(rest, m)
			}
		}
		_, err = versions.Row("customers", rest...)
		var bad *versions.Error
		require.ErrorAs(t, err, &bad)
		require.Equal(t, versions.KindGap, bad.Kind)
	})
}

func TestEveryVersionHasWhatMakesIt(t *testing.T) {
	r := versions.Must(versions.New("customers", "v1", "v2", "v3"))
	factory := func(name string) func() string { return func() string { return name } }
	b, err := versions.Bind(r, map[string]func() string{"v1": factory("a"), "v2": factory("b"), "v3": factory("c")})
	require.NoError(t, err)
	moves := b.Moves()
	require.Len(t, moves, 2)
	assert.Equal(t, "customers-v3 b c", moves[0].Name+" "+moves[0].Old()+" "+moves[0].New(), "newest first")
	assert.Equal(t, "customers-v2 a b", moves[1].Name+" "+moves[1].Old()+" "+moves[1].New())

	for name, c := range map[string]struct {
		made     map[string]func() string
		kind     versions.Kind
		from, to string
		says     string
	}{
		"none":    {nil, versions.KindMissing, "v1", "v2", "nothing makes version v1, the old side of the migration to v2; nothing makes version v2"},
		"nil":     {map[string]func() string{"v1": factory("a"), "v2": factory("b"), "v3": nil}, versions.KindMissing, "v2", "v3", "nothing makes version v3, the new side of the migration from v2"},
		"unknown": {map[string]func() string{"v1": factory("a"), "v2": factory("b"), "v3": factory("c"), "v4": factory("d")}, versions.KindUnknown, "v4", "v4", `version "v4" is not registered`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := versions.Bind(r, c.made)
			var bad *versions.Error
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, []string{string(c.kind), c.from, c.to}, []string{string(bad.Kind), bad.From, bad.To})
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err = versions.Bind(versions.Must(versions.New("customers", "v1")), map[string]any{"v1": nil})
	assert.ErrorContains(t, err, "nothing makes version v1")
}
