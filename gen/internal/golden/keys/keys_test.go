package keys

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
	"github.com/crossfade-db/crossfade/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tenant = uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

type contracts struct {
	rig.Table[ContractKey, Contract]
}

func newContracts() *contracts {
	m := &contracts{}
	m.Order = func(a, b ContractKey) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Number, b.Number))
	}
	return m
}

func (m *contracts) Get(_ context.Context, tenant uuid.UUID, region string, number int64) (Contract, error) {
	c, ok := m.Row(tenant.String(), ContractKey{region, number})
	if !ok {
		return c, ErrNone
	}
	return c, nil
}

func (m *contracts) GetAll(ctx context.Context, tenant uuid.UUID, keys []ContractKey) ([]Contract, error) {
	var all []Contract
	for _, key := range keys {
		c, err := m.Get(ctx, tenant, key.Region, key.Number)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (m *contracts) Save(_ context.Context, tenant uuid.UUID, c Contract) error {
	m.Set(tenant.String(), ContractKey{c.Region, c.Number}, c)
	return nil
}

func (m *contracts) SaveAll(ctx context.Context, tenant uuid.UUID, cs []*Contract) error {
	for _, c := range cs {
		if err := m.Save(ctx, tenant, *c); err != nil {
			return err
		}
	}
	return nil
}

func (m *contracts) Delete(_ context.Context, tenant uuid.UUID, key ContractKey) error {
	m.Remove(tenant.String(), key)
	return nil
}

func (m *contracts) Keys(_ context.Context, tenant uuid.UUID, after *ContractKey, limit int) ([]ContractKey, error) {
	return m.After(tenant.String(), after, limit), nil
}

func TestCompositeKeysAreWalkedAndCopied(t *testing.T) {
	ctx := t.Context()
	v1, v2 := newContracts(), newContracts()
	r, cfg := rig.New[Contracts](t, v1, v2)
	routed, err := NewRoutedContracts(cfg)
	require.NoError(t, err)
	require.NoError(t, routed.SaveAll(ctx, tenant, []*Contract{{"a", 1, ""}, {"a", 11, ""}, {"a1", 1, ""}}))
	err = routed.SaveAll(ctx, tenant, []*Contract{{"b", 1, ""}, nil})
	var key *repo.KeyError
	require.ErrorAs(t, err, &key)
	assert.Equal(t, "cs[].Region", key.Path)
	assert.Len(t, v1.Rows(tenant.String()), 3, "nothing of a refused call was done")

	copier := routed.Route().Copier()
	after := ""
	for range 3 {
		keys, err := copier.Keys(ctx, v1, tenant.String(), after, 1)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		after = keys[0]
		require.NoError(t, copier.Copy(ctx, v1, v2, tenant.String(), after))
	}
	assert.Equal(t, v1.Rows(tenant.String()), v2.Rows(tenant.String()))
	keys, err := copier.Keys(ctx, v1, tenant.String(), after, 1)
	require.NoError(t, err)
	assert.Empty(t, keys)
	r.At(flags.Shadow)
	all, err := routed.GetAll(ctx, tenant, []ContractKey{{"a", 11}})
	require.NoError(t, err)
	assert.Equal(t, []Contract{{"a", 11, ""}}, all)
	assert.Empty(t, r.Mismatches())
}

func TestTextThatIsNoKeyOrTenantIsAnError(t *testing.T) {
	v1, v2 := newContracts(), newContracts()
	_, cfg := rig.New[Contracts](t, v1, v2)
	routed, err := NewRoutedContracts(cfg)
	require.NoError(t, err)
	copier := routed.Route().Copier()
	good := contractsKeyText("a", 1)
	require.NoError(t, copier.Copy(t.Context(), v1, v2, tenant.String(), good))
	for _, bad := range []string{"", "a", "1:a", "1:a1:x", good + "1:z"} {
		require.Error(t, copier.Copy(t.Context(), v1, v2, tenant.String(), bad), bad)
	}
	require.Error(t, copier.Copy(t.Context(), v1, v2, "no uuid", good))
	_, err = copier.Keys(t.Context(), v1, "no uuid", "", 1)
	require.Error(t, err)
}

type vouchers struct{ rig.Table[Code, Voucher] }

func (m *vouchers) Get(_ context.Context, code Code) (Voucher, error) {
	v, ok := m.Row(repo.SoleTenant, code)
	if !ok {
		return v, ErrNone
	}
	return v, nil
}
func (m *vouchers) Count(context.Context) (int, error) { return len(m.Rows(repo.SoleTenant)), nil }
func (m *vouchers) Between(_ context.Context, from, to int) ([]Voucher, error) {
	return m.Rows(repo.SoleTenant)[from:to], nil
}

func (m *vouchers) Save(_ context.Context, v Voucher) error {
	m.Set(repo.SoleTenant, v.Code, v)
	return nil
}

func (m *vouchers) Delete(_ context.Context, code Code) error {
	m.Remove(repo.SoleTenant, code)
	return nil
}

func (m *vouchers) Keys(_ context.Context, after *Code, limit int) ([]Code, error) {
	return m.After(repo.SoleTenant, after, limit), nil
}

func TestEntityWithoutTenants(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &vouchers{}, &vouchers{}
	v1.Order = func(a, b Code) int { return bytes.Compare(a[:], b[:]) }
	v2.Order = v1.Order
	r, cfg := rig.New[Vouchers](t, v1, v2)
	routed, err := NewRoutedVouchers(cfg)
	require.NoError(t, err)
	r.At(flags.Dual)
	require.NoError(t, routed.Save(ctx, Voucher{Code{1, 2}, 3}))
	require.NoError(t, routed.Save(ctx, Voucher{Code{1, 3}, 3}))
	r.At(flags.Live)
	n, err := routed.Count(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	some, err := routed.Between(ctx, 1, 2)
	require.NoError(t, err)
	assert.Equal(t, []Voucher{{Code{1, 3}, 3}}, some)
	v1.Remove(repo.SoleTenant, Code{1, 3})
	require.NoError(t, routed.Route().Copier().Copy(ctx, v1, v2, repo.SoleTenant, "0103"))
	assert.Len(t, v2.Rows(repo.SoleTenant), 1)
}

type devices struct{ rig.Table[Serial, *Device] }

func (m *devices) Get(_ context.Context, id TenantID, serial Serial) (*Device, error) {
	d, _ := m.Row(strconv.Itoa(int(id)), serial)
	return d, nil
}

func (m *devices) Save(_ context.Context, d *Device) error {
	m.Set(strconv.Itoa(int(d.Owner.Tenant)), d.Serial, d)
	return nil
}

func (m *devices) Delete(_ context.Context, serial Serial, id TenantID) error {
	m.Remove(strconv.Itoa(int(id)), serial)
	return nil
}

func (m *devices) Keys(_ context.Context, id TenantID, after *Serial, limit int) ([]Serial, error) {
	return m.After(strconv.Itoa(int(id)), after, limit), nil
}

func TestTenantAndKeyInsideOfPointers(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &devices{}, &devices{}
	v1.Order, v2.Order = cmp.Compare[Serial], cmp.Compare[Serial]
	r, cfg := rig.New[Devices](t, v1, v2)
	routed, err := NewRoutedDevices(cfg)
	require.NoError(t, err)
	r.At(flags.Dual)
	require.NoError(t, routed.Save(ctx, NewDevice(-7, 12, "d")))
	for _, bad := range []*Device{nil, {}, {Owner: &Owner{1}}} {
		var key *repo.KeyError
		require.ErrorAs(t, routed.Save(ctx, bad), &key)
	}
	copier := routed.Route().Copier()
	keys, err := copier.Keys(ctx, v2, "-7", "", 9)
	require.NoError(t, err)
	require.Equal(t, []string{"12"}, keys, "the basic value, and not what String says to people")
	v1.Remove("-7", 12)
	require.NoError(t, copier.Copy(ctx, v1, v2, "-7", "12"))
	assert.Empty(t, v2.Rows("-7"))
	d, err := routed.Get(ctx, -7, 12)
	require.NoError(t, err)
	assert.Nil(t, d)
	require.Error(t, copier.Copy(ctx, v1, v2, "-7", "70000"))
}

type settings struct{ rig.Table[string, Settings] }

func (m *settings) Get(_ context.Context, tenant string) (Settings, error) {
	s, ok := m.Row("", tenant)
	if !ok {
		return s, ErrNone
	}
	return s, nil
}

func (m *settings) Save(_ context.Context, tenant string, s Settings) error {
	m.Set("", tenant, s)
	return nil
}

func (m *settings) Delete(_ context.Context, tenant string) error {
	m.Remove("", tenant)
	return nil
}

func (m *settings) Keys(_ context.Context, tenant string, after *string, _ int) ([]string, error) {
	if after != nil {
		return nil, nil
	}
	return []string{tenant}, nil
}

func TestTenantIsTheKey(t *testing.T) {
	ctx := t.Context()
	v1, v2 := &settings{}, &settings{}
	_, cfg := rig.New[AllSettings](t, v1, v2)
	routed, err := NewRoutedAllSettings(cfg)
	require.NoError(t, err)
	require.NoError(t, routed.Save(ctx, "acme", Settings{"acme", true}))
	copier := routed.Route().Copier()
	keys, err := copier.Keys(ctx, v1, "acme", "", 1)
	require.NoError(t, err)
	require.Equal(t, []string{"acme"}, keys)
	require.NoError(t, copier.Copy(ctx, v1, v2, "acme", keys[0]))
	s, err := v2.Get(ctx, "acme")
	require.NoError(t, err)
	assert.True(t, s.Dark)
}

func TestEveryKindOfPartComesBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := FlagKey{
			On: rapid.Bool().Draw(t, "on"), ID: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
			Code: Code(rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(t, "code")), N: rapid.Uint8().Draw(t, "n"),
			S: Serial(rapid.Uint16().Draw(t, "s")), T: TenantID(rapid.Int32().Draw(t, "t")), Name: FlagName(rapid.String().Draw(t, "name")),
		}
		text := flagsKeyText(key.On, key.ID, key.Code, key.N, key.S, key.T, key.Name)
		back, err := flagsKeyOf(text)
		require.NoError(t, err)
		require.Equal(t, key, back)
	})
	_, err := flagsKeyOf("1:x")
	require.Error(t, err)
	require.NotErrorIs(t, err, errors.ErrUnsupported)
}
