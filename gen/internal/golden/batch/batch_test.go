package batch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
	"github.com/crossfade-db/crossfade/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct {
	rig.Table[ID, Item]
	backwards bool
	broken    bool
}

func newMemory() *memory {
	m := &memory{}
	m.Order = cmp.Compare[ID]
	return m
}

func (m *memory) Get(_ context.Context, tenant string, id ID) (Item, error) {
	item, ok := m.Row(tenant, id)
	if !ok {
		return item, ErrNone
	}
	return item, nil
}

func (m *memory) GetAll(_ context.Context, tenant string, ids IDs) ([]Item, error) {
	var items []Item
	for _, id := range ids {
		if item, ok := m.Row(tenant, id); ok {
			items = append(items, item)
		}
	}
	if m.backwards {
		slices.Reverse(items)
	}
	return items, nil
}

func (m *memory) GetMap(_ context.Context, tenant string, ids ...ID) (map[ID]Item, error) {
	items := map[ID]Item{}
	for _, id := range ids {
		if item, ok := m.Row(tenant, id); ok {
			items[id] = item
		}
	}
	return items, nil
}

func (m *memory) Tagged(_ context.Context, tenant string, tags ...string) ([]Item, error) {
	return slices.DeleteFunc(m.Rows(tenant), func(item Item) bool { return !slices.Equal(item.Tags, tags) }), nil
}

func (m *memory) LockAll(context.Context, string, []ID) error { return nil }

func (m *memory) LockTenant(_ context.Context, tenant string) (int, error) {
	return len(m.Rows(tenant)), nil
}

func (m *memory) SaveAll(_ context.Context, tenant string, items ...Item) error {
	if m.broken {
		return errors.New("broken")
	}
	for _, item := range items {
		m.Set(tenant, item.ID, item)
	}
	return nil
}

func (m *memory) SaveBox(ctx context.Context, tenant string, b *Box, extra ID) error {
	for _, item := range b.Items {
		m.Set(tenant, item.ID, *item)
	}
	return m.SaveAll(ctx, tenant, *b.Lid, Item{ID: b.Owner.ID}, Item{ID: extra})
}

func (m *memory) Tag(ctx context.Context, tenant string, id ID, tags ...string) (int, error) {
	item, err := m.Get(ctx, tenant, id)
	if err != nil {
		return 0, err
	}
	item.Tags = slices.Concat(item.Tags, tags)
	m.Set(tenant, id, item)
	return len(tags), nil
}

func (m *memory) Save(_ context.Context, tenant string, item Item) error {
	m.Set(tenant, item.ID, item)
	return nil
}

func (m *memory) Delete(_ context.Context, tenant string, id ID) error {
	m.Remove(tenant, id)
	return nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *ID, limit int) ([]ID, error) {
	return m.After(tenant, after, limit), nil
}

func start(t *testing.T) (v1, v2 *memory, r *rig.Rig, items *RoutedItems) {
	v1, v2 = newMemory(), newMemory()
	r, cfg := rig.New[Items](t, v1, v2)
	items, err := NewRoutedItems(cfg)
	require.NoError(t, err)
	return v1, v2, r, items
}

func TestBatchesAndVariadicParameters(t *testing.T) {
	ctx := t.Context()
	v1, v2, r, items := start(t)
	r.At(flags.Shadow)
	require.NoError(t, items.SaveAll(ctx, "t", Item{ID: 1}, Item{ID: 2}))
	require.NoError(t, items.SaveAll(ctx, "t"))
	added, err := items.Tag(ctx, "t", 1, "a", "b")
	require.NoError(t, err)
	assert.Equal(t, 2, added)
	box := &Box{Lid: &Item{ID: 3}, Items: []*Item{{ID: 4}, {ID: 5}}, Owner: &struct{ ID ID }{6}}
	require.NoError(t, items.SaveBox(ctx, "t", box, 7))
	assert.Len(t, v2.Rows("t"), 7)
	assert.Equal(t, v1.Rows("t"), v2.Rows("t"))

	v2.backwards = true // which does not count
	all, err := items.GetAll(ctx, "t", IDs{2, 1, 99})
	require.NoError(t, err)
	assert.Equal(t, ID(2), all[0].ID)
	byID, err := items.GetMap(ctx, "t", 1, 2)
	require.NoError(t, err)
	assert.Len(t, byID, 2)
	tagged, err := items.Tagged(ctx, "t", "a", "b")
	require.NoError(t, err)
	assert.Len(t, tagged, 1)
	require.NoError(t, items.LockAll(ctx, "t", []ID{1, 2}))
	n, err := items.LockTenant(ctx, "t")
	require.NoError(t, err)
	assert.Equal(t, 7, n)
	assert.Empty(t, r.Mismatches())
}

func TestNilOnTheWayToAKeyIsRefused(t *testing.T) {
	ctx := t.Context()
	v1, _, _, items := start(t)
	whole := Box{Lid: &Item{ID: 3}, Items: []*Item{{ID: 4}}, Owner: &struct{ ID ID }{6}}
	for path, spoil := range map[string]func(*Box) *Box{
		"b.Items[].ID": func(*Box) *Box { return nil },
		"b.Lid.ID":     func(b *Box) *Box { b.Lid = nil; return b },
		"b.Owner.ID":   func(b *Box) *Box { b.Owner = nil; return b },
	} {
		box := whole
		var key *repo.KeyError
		require.ErrorAs(t, items.SaveBox(ctx, "t", spoil(&box), 1), &key)
		assert.Equal(t, path, key.Path)
	}
	box := whole
	box.Items = []*Item{{ID: 1}, nil}
	require.Error(t, items.SaveBox(ctx, "t", &box, 1))
	assert.Empty(t, v1.Rows("t"))
}

func TestEveryKeyOfABatchIsRecordedWhenTheOtherSideFails(t *testing.T) {
	ctx := t.Context()
	_, v2, r, items := start(t)
	r.At(flags.Dual)
	v2.broken = true
	box := &Box{Lid: &Item{ID: 3}, Items: []*Item{{ID: 4}, {ID: 5}}, Owner: &struct{ ID ID }{6}}
	require.NoError(t, items.SaveBox(ctx, "t", box, 7))
	assert.Equal(t, int64(5), items.Route().Stats().StaleRecorded)
	assert.Equal(t, []ID{4, 5}, v2.After("t", nil, 9), "plain values undo nothing")
}
