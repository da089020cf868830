package create

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

// memory makes keys, each side from numbers of its own.
type memory struct {
	rig.Table[int64, Invoice]
	last int64
}

func newMemory(first int64) *memory {
	m := &memory{last: first}
	m.Order = cmp.Compare[int64]
	return m
}

func (m *memory) insert(tenant, text string) Invoice {
	m.last++
	i := Invoice{m.last, text}
	m.Set(tenant, i.ID, i)
	return i
}

func (m *memory) Create(_ context.Context, tenant string, text string) (Invoice, error) {
	return m.insert(tenant, text), nil
}

func (m *memory) CreateID(_ context.Context, tenant string, text, note string) (int64, error) {
	return m.insert(tenant, text+note).ID, nil
}

func (m *memory) CreateOnce(_ context.Context, tenant string, text string) (*Invoice, int, error) {
	for n, i := range m.Rows(tenant) {
		if i.Text == text {
			return nil, n, nil
		}
	}
	i := m.insert(tenant, text)
	return &i, 0, nil
}

func (m *memory) Insert(_ context.Context, tenant string, i *Invoice) error {
	*i = m.insert(tenant, i.Text)
	return nil
}

func (m *memory) InsertAll(_ context.Context, tenant string, prefix string, is []*Invoice) error {
	for _, i := range is {
		*i = m.insert(tenant, prefix+i.Text)
	}
	return nil
}

func (m *memory) InsertMany(_ context.Context, tenant string, texts ...string) ([]Invoice, error) {
	var made []Invoice
	for _, text := range texts {
		made = append(made, m.insert(tenant, text))
	}
	return made, nil
}

func (m *memory) InsertWith(ctx context.Context, tenant string, first string, rest []*Invoice) (Invoice, error) {
	return m.insert(tenant, first), m.InsertAll(ctx, tenant, "", rest)
}

func (m *memory) Get(_ context.Context, tenant string, id int64) (Invoice, error) {
	i, ok := m.Row(tenant, id)
	if !ok {
		return i, ErrNone
	}
	return i, nil
}

func (m *memory) Save(_ context.Context, tenant string, i Invoice) error {
	m.Set(tenant, i.ID, i)
	return nil
}

func (m *memory) Delete(_ context.Context, tenant string, id int64) error {
	m.Remove(tenant, id)
	return nil
}

func (m *memory) Keys(_ context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	return m.After(tenant, after, limit), nil
}

func TestOtherSideGetsCopiesOfWhatTheDatabaseMade(t *testing.T) {
	ctx := t.Context()
	for stage, authority := range map[flags.Stage]int{flags.Dual: 0, flags.RampDown: 1} {
		t.Run(stage.String(), func(t *testing.T) {
			sides := []*memory{newMemory(100), newMemory(900)}
			r, cfg := rig.New[Invoices](t, sides[0], sides[1])
			invoices, err := NewRoutedInvoices(cfg)
			require.NoError(t, err)
			r.At(stage)
			i, err := invoices.Create(ctx, "t", "one")
			require.NoError(t, err)
			assert.Equal(t, sides[authority].last, i.ID)
			_, err = invoices.CreateID(ctx, "t", "two", "!")
			require.NoError(t, err)
			once, _, err := invoices.CreateOnce(ctx, "t", "three")
			require.NoError(t, err)
			assert.Equal(t, sides[authority].last, once.ID)
			once, seen, err := invoices.CreateOnce(ctx, "t", "three")
			require.NoError(t, err)
			assert.Nil(t, once)
			assert.Equal(t, 2, seen)
			filled := &Invoice{Text: "four"}
			require.NoError(t, invoices.Insert(ctx, "t", filled))
			assert.Equal(t, sides[authority].last, filled.ID, "the caller sees the key in its argument")
			require.NoError(t, invoices.InsertAll(ctx, "t", "p", []*Invoice{{Text: "five"}, {Text: "six"}}))
			many, err := invoices.InsertMany(ctx, "t", "seven", "eight")
			require.NoError(t, err)
			assert.Len(t, many, 2)
			_, err = invoices.InsertWith(ctx, "t", "nine", []*Invoice{{Text: "ten"}})
			require.NoError(t, err)

			assert.Len(t, sides[authority].Rows("t"), 10)
			assert.Equal(t, sides[0].Rows("t"), sides[1].Rows("t"))
		})
	}
}
