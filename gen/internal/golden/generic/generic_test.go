package generic

import (
	"cmp"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory[T any, K cmp.Ordered] struct {
	rig.Table[K, T]
	key  func(T) K
	next string
}

func newMemory[T any, K cmp.Ordered](key func(T) K) *memory[T, K] {
	m := &memory[T, K]{key: key}
	m.Order = cmp.Compare[K]
	return m
}

func (m *memory[T, K]) Get(_ context.Context, tenant string, key K) (T, error) {
	row, ok := m.Row(tenant, key)
	if !ok {
		return row, ErrNone
	}
	return row, nil
}

func (m *memory[T, K]) Pages(_ context.Context, tenant string, _ Opt[K], size int) (Page[T], error) {
	rows := m.Rows(tenant)
	return Page[T]{Items: rows[:min(size, len(rows))], Next: Opt[string]{m.next, true}}, nil
}

func (m *memory[T, K]) Keys(_ context.Context, tenant string, after *K, limit int) ([]K, error) {
	return m.After(tenant, after, limit), nil
}

func (m *memory[T, K]) Delete(_ context.Context, tenant string, key K) error {
	m.Remove(tenant, key)
	return nil
}

func (m *memory[T, K]) Save(_ context.Context, tenant string, row T) error {
	m.Set(tenant, m.key(row), row)
	return nil
}

func TestGenericTypesAreComparedInside(t *testing.T) {
	ctx := t.Context()
	key := func(u User) UserID { return u.ID }
	v1, v2 := newMemory(key), newMemory(key)
	r, cfg := rig.New[Users](t, v1, v2)
	users, err := NewRoutedUsers(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	u := User{ID: -5, Team: Opt[*Team]{&Team{"x"}, true}, Seen: Pair[string, []int]{"s", []int{1}}}
	require.NoError(t, users.Save(ctx, "t", u))
	u.Team.Value, u.Seen.Second = &Team{"y"}, []int{2}
	v2.Set("t", u.ID, u)
	v2.next = "2"
	page, err := users.Pages(ctx, "t", Opt[UserID]{}, 10)
	require.NoError(t, err)
	assert.Len(t, page.Items, 1)
	assert.Equal(t, []string{
		"Users.Pages Items[0].Seen.Second[0]", "Users.Pages Items[0].Team.Value.Name", "Users.Pages Next.Value",
	}, r.Mismatches())
	copier := users.Route().Copier()
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", "-5"))
	assert.Equal(t, v1.Rows("t"), v2.Rows("t"))
	require.Error(t, copier.Copy(ctx, v1, v2, "t", "99999999999"), "a UserID has 32 bits")
}

func TestInstantiatedInterfaceIsRouted(t *testing.T) {
	ctx := t.Context()
	v1, v2 := newMemory(Team.Key), newMemory(Team.Key)
	r, cfg := rig.New[Teams](t, v1, v2)
	teams, err := NewRoutedTeams(cfg)
	require.NoError(t, err)
	r.At(flags.Dual)
	require.NoError(t, teams.Save(ctx, "t", Team{"a"}))
	require.NoError(t, teams.Save(ctx, "t", Team{"b"}))
	require.NoError(t, teams.Delete(ctx, "t", "a"))
	assert.Equal(t, []Team{{"b"}}, v2.Rows("t"))
	r.At(flags.New)
	got, err := teams.Get(ctx, "t", "b")
	require.NoError(t, err)
	assert.Equal(t, Team{"b"}, got)
}
