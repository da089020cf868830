package plain

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/internal/golden/rig"
	"github.com/crossfade-db/crossfade/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

// memory is a side.
type memory struct {
	rig.Table[uuid.UUID, Customer]
	mangle   func(Customer) Customer // what the side makes of a value, if not nil
	broken   bool
	careless bool // changes its arguments
}

func newMemory() *memory {
	m := &memory{}
	m.Order = func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
	return m
}

func (m *memory) shown(c Customer) Customer {
	if m.mangle != nil {
		c.Tags, c.Lines = slices.Clone(c.Tags), slices.Clone(c.Lines)
		c = m.mangle(c)
	}
	return c
}

func (m *memory) Get(_ context.Context, tenant string, id uuid.UUID) (Customer, error) {
	m.Called("Get")
	c, ok := m.Row(tenant, id)
	if !ok {
		return Customer{}, ErrNotFound
	}
	return m.shown(c), nil
}

func (m *memory) GetMany(_ context.Context, tenant string, ids []uuid.UUID) ([]Customer, error) {
	var found []Customer
	for _, id := range ids {
		if c, ok := m.Row(tenant, id); ok {
			found = append(found, m.shown(c))
		}
	}
	slices.Reverse(ids) // a side may do as it likes with its arguments
	return found, nil
}

func (m *memory) List(_ context.Context, tenant, _ string, limit int) ([]Customer, error) {
	rows := m.Rows(tenant)
	for i := range rows {
		rows[i] = m.shown(rows[i])
	}
	return rows[:min(limit, len(rows))], nil
}

func (m *memory) Page(ctx context.Context, tenant string, _ uuid.UUID, limit int) (customers []Customer, total int, err error) {
	if m.broken {
		return nil, 0, errBroken
	}
	customers, err = m.List(ctx, tenant, "", limit)
	return customers, len(m.Rows(tenant)), err
}

func (m *memory) GetForUpdate(ctx context.Context, tenant string, id uuid.UUID) (Customer, error) {
	return m.Get(ctx, tenant, id)
}

func (m *memory) Save(_ context.Context, tenant string, c Customer) error {
	m.Called("Save")
	if m.broken {
		return errBroken
	}
	kept := c
	kept.Tags = slices.Clone(c.Tags)
	m.Set(tenant, c.ID, kept)
	if m.careless {
		c.Tags[0] = "spoilt"
	}
	return nil
}

func (m *memory) SaveAll(ctx context.Context, tenant string, cs []Customer) error {
	for _, c := range cs {
		if err := m.Save(ctx, tenant, c); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Transfer(_ context.Context, tenant string, from, to uuid.UUID, cents int64) (int64, error) {
	a, _ := m.Row(tenant, from)
	b, _ := m.Row(tenant, to)
	a.Balance -= cents
	b.Balance += cents
	m.Set(tenant, from, a)
	m.Set(tenant, to, b)
	return a.Balance, nil
}

func (m *memory) DeleteInactive(_ context.Context, tenant string, since time.Time) (int, error) {
	deleted := 0
	for _, c := range m.Rows(tenant) {
		if c.UpdatedAt.Before(since) {
			m.Remove(tenant, c.ID)
			deleted++
		}
	}
	return deleted, nil
}

func (m *memory) Delete(_ context.Context, tenant string, id uuid.UUID) error {
	m.Remove(tenant, id)
	return nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *uuid.UUID, limit int) ([]uuid.UUID, error) {
	return m.After(tenant, after, limit), nil
}

func customer(n byte) Customer {
	return Customer{
		ID: uuid.UUID{15: n}, Name: "Ada", Address: &Address{City: "Turin"}, Tags: []string{"a"},
		Lines: []Line{{1, 10}, {2, 20}}, Labels: map[string]string{"k": "v"}, Balance: 100,
		UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func start(t *testing.T) (v1, v2 *memory, r *rig.Rig, customers *RoutedCustomers) {
	v1, v2 = newMemory(), newMemory()
	r, cfg := rig.New[Customers](t, v1, v2)
	customers, err := NewRoutedCustomers(cfg)
	require.NoError(t, err)
	return v1, v2, r, customers
}

func TestEveryMethodReachesTheSidesOfItsStage(t *testing.T) {
	ctx := t.Context()
	v1, v2, r, customers := start(t)
	require.NoError(t, customers.Save(ctx, "t", customer(1)))
	assert.Len(t, v1.Rows("t"), 1)
	assert.Empty(t, v2.Rows("t"))

	r.At(flags.Dual)
	require.NoError(t, customers.SaveAll(ctx, "t", []Customer{customer(1), customer(2), customer(3)}))
	balance, err := customers.Transfer(ctx, "t", customer(1).ID, customer(2).ID, 5)
	require.NoError(t, err)
	assert.Equal(t, int64(95), balance)
	assert.Equal(t, v1.Rows("t"), v2.Rows("t"))
	assert.Len(t, v2.Rows("t"), 3)

	r.At(flags.Live)
	page, total, err := customers.Page(ctx, "t", uuid.Nil, 2)
	require.NoError(t, err)
	assert.Len(t, page, 2)
	assert.Equal(t, 3, total)
	locked, err := customers.GetForUpdate(ctx, "t", customer(2).ID)
	require.NoError(t, err)
	assert.Equal(t, int64(105), locked.Balance)
	deleted, err := customers.DeleteInactive(ctx, "t", customer(1).UpdatedAt.Add(time.Second))
	require.NoError(t, err)
	assert.Equal(t, 3, deleted)

	r.At(flags.New)
	require.NoError(t, customers.Save(ctx, "t", customer(9)))
	assert.Empty(t, v1.Rows("t"))
	assert.Len(t, v2.Rows("t"), 1)
	require.NoError(t, customers.Delete(ctx, "t", customer(9).ID))
	_, err = customers.Get(ctx, "t", customer(9).ID)
	require.ErrorIs(t, err, ErrNotFound)
	assert.Empty(t, r.Mismatches())
}

func TestSecondSideGetsArgumentsOfItsOwn(t *testing.T) {
	_, v2, r, customers := start(t)
	r.At(flags.Dual)
	v2.careless = true
	c := customer(1)
	require.NoError(t, customers.Save(t.Context(), "t", c))
	assert.Equal(t, []string{"a"}, c.Tags)
}

func TestEqualAnswersAreNoMismatch(t *testing.T) {
	ctx := t.Context()
	_, v2, r, customers := start(t)
	r.At(flags.Shadow)
	require.NoError(t, customers.SaveAll(ctx, "t", []Customer{customer(1), customer(2)}))
	v2.mangle = func(c Customer) Customer {
		slices.Reverse(c.Lines)                                   // unordered
		c.UpdatedAt = c.UpdatedAt.Add(900 * time.Microsecond)     // within=1ms
		c.UpdatedAt = c.UpdatedAt.In(time.FixedZone("east", 900)) // the same instant
		return c
	}
	ids := []uuid.UUID{customer(2).ID, customer(1).ID}
	many, err := customers.GetMany(ctx, "t", slices.Clone(ids))
	require.NoError(t, err)
	assert.Equal(t, ids[0], many[0].ID)
	assert.Equal(t, ids[1], many[1].ID)
	_, err = customers.Get(ctx, "t", ids[0])
	require.NoError(t, err)
	_, err = customers.List(ctx, "t", "", 10)
	require.NoError(t, err)
	keys, err := customers.Keys(ctx, "t", nil, 10)
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	_, err = customers.Get(ctx, "t", uuid.New()) // not found on both
	require.ErrorIs(t, err, ErrNotFound)
	assert.Empty(t, r.Mismatches())
}

func TestDifferencesAreNamedByField(t *testing.T) {
	ctx := t.Context()
	_, v2, r, customers := start(t)
	r.At(flags.Shadow)
	require.NoError(t, customers.SaveAll(ctx, "t", []Customer{customer(1), customer(2)}))
	v2.mangle = func(c Customer) Customer {
		c.Name, c.noted = "Bob", true
		c.Address = &Address{City: "Rome"}
		c.Lines[1].Cents++
		return c
	}
	v2.broken = true
	_, err := customers.Get(ctx, "t", customer(1).ID)
	require.NoError(t, err)
	_, _, err = customers.Page(ctx, "t", uuid.Nil, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"Customers.Get Address.City", "Customers.Get Lines[1].Cents", "Customers.Get Name", "Customers.Get noted",
		"Customers.Page error",
	}, r.Mismatches())
}

func TestFailedSideIsRepairedByTheGeneratedCopier(t *testing.T) {
	ctx := t.Context()
	v1, v2, r, customers := start(t)
	r.At(flags.Dual)
	v2.broken = true
	require.NoError(t, customers.Save(ctx, "t", customer(1)), "a lenient stage")
	assert.Empty(t, v2.Rows("t"))
	assert.Equal(t, int64(1), customers.Route().Stats().StaleRecorded)

	v2.broken = false
	copier := customers.Route().Copier()
	keys, err := copier.Keys(ctx, v1, "t", "", 10)
	require.NoError(t, err)
	require.Equal(t, []string{customer(1).ID.String()}, keys)
	diffs, err := copier.Diff(ctx, v1, v2, "t", keys[0])
	require.NoError(t, err)
	require.Len(t, diffs, 1)
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", keys[0]))
	_, ok := v2.Row("t", customer(1).ID)
	assert.True(t, ok)

	v1.Remove("t", customer(1).ID)
	require.NoError(t, copier.Copy(ctx, v1, v2, "t", keys[0]))
	_, ok = v2.Row("t", customer(1).ID)
	assert.False(t, ok, "what the source lacks is deleted")
}

func TestConstructorSaysWhatIsMissing(t *testing.T) {
	_, err := NewRoutedCustomers(repo.Config[Customers]{})
	var config *repo.ConfigError
	require.ErrorAs(t, err, &config)
	assert.NotContains(t, config.Problem, "Copier")
}

func TestTransactionOfAnotherKindIsAnError(t *testing.T) {
	_, _, _, customers := start(t)
	_, err := customers.InTx(nil).Get(t.Context(), "t", uuid.Nil)
	assert.ErrorContains(t, err, "share no transaction")
}
