package compare

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/imports/a/v1"
	other "github.com/crossfade-db/crossfade/gen/internal/golden/imports/b/v1"
	strange "github.com/crossfade-db/crossfade/gen/internal/golden/imports/odd-name"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory struct{ rig.Table[strange.ID, Parcel] }

func newMemory() *memory {
	m := &memory{}
	m.Order = cmp.Compare[strange.ID]
	return m
}

func (m *memory) Get(_ context.Context, shop string, id strange.ID) (Parcel, error) {
	p, ok := m.Row(shop, id)
	if !ok {
		return p, strange.ErrNone
	}
	return p, nil
}

func (m *memory) Sent(_ context.Context, shop string, to other.Address, from v1.Address, at *time.Time) ([]Parcel, error) {
	if to.CityB != "Bern" || from.CityA != "Aarau" || at.Year() != 2026 {
		panic("arguments are mixed up")
	}
	return m.Rows(shop), nil
}

func (m *memory) Save(_ context.Context, shop string, p Parcel) error {
	m.Set(shop, p.ID, p)
	return nil
}

func (m *memory) Delete(_ context.Context, shop string, id strange.ID) error {
	m.Remove(shop, id)
	return nil
}

func (m *memory) Keys(_ context.Context, shop string, after *strange.ID, limit int) ([]strange.ID, error) {
	return m.After(shop, after, limit), nil
}

func TestPackagesOfOneNameStayApart(t *testing.T) {
	ctx := t.Context()
	v1side, v2side := newMemory(), newMemory()
	r, cfg := rig.New[Parcels](t, v1side, v2side)
	parcels, err := NewRoutedParcels(cfg)
	require.NoError(t, err)
	r.At(flags.Shadow)
	p := Parcel{
		ID: "p", From: v1.Address{CityA: "Aarau"}, To: &other.Address{CityB: "Bern"},
		Stops: map[strange.ID][]v1.Address{"x": {{CityA: "Olten"}}},
	}
	require.NoError(t, parcels.Save(ctx, "shop", p))
	p.From = p.From.Hide(1) // what a package does not export does not count
	p.To = &other.Address{CityB: "Basel"}
	v2side.Set("shop", "p", p)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list, err := parcels.Sent(ctx, "shop", other.Address{CityB: "Bern"}, v1.Address{CityA: "Aarau"}, &at)
	require.NoError(t, err)
	assert.Len(t, list, 1)
	_, err = parcels.Get(ctx, "shop", "none")
	require.ErrorIs(t, err, strange.ErrNone)
	assert.Equal(t, []string{"Parcels.Sent [0].To.CityB"}, r.Mismatches())
	assert.Equal(t, "repo", used())
}
