package crossfadetest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/crossfadetest/internal/people"
)

// kept keeps records.
type kept struct{ records []compare.Record }

func (k *kept) Record(_ context.Context, records []compare.Record) error {
	k.records = append(k.records, records...)
	return nil
}

func TestFailOnMismatchFailsWithOperationAndFieldsAndNoSecret(t *testing.T) {
	secret := "a secret"
	diffs := people.DiffPerson(people.Person{ID: 1, Name: "Ann Mary Lee"}, people.Person{ID: 1, Name: "Ann Lee", Nickname: &secret})
	records := compare.Records(compare.Record{Migration: "people-v2", Operation: "people.Get", Tenant: "acme", Key: "1", Stage: "shadow"}, diffs)
	passed := &kept{}
	said := failure(t, func(t testing.TB) {
		sink := crossfadetest.FailOnMismatch(t, passed)
		require.NoError(t, sink.Record(t.Context(), nil))
		if t.Failed() {
			t.Fatal("no record is no mismatch")
		}
		require.NoError(t, sink.Record(t.Context(), records))
	})
	assert.Contains(t, said, `people-v2: people.Get of tenant "acme", key "1", at shadow: the sides differ`)
	assert.Contains(t, said, `Name: value: served "Ann Mary Lee", other "Ann Lee"`)
	assert.NotContains(t, said, secret)
	assert.Equal(t, records, passed.records)
}

func TestFailOnMismatchIsSilentAfterTheTest(t *testing.T) {
	var sink compare.Sink
	t.Run("over", func(t *testing.T) { sink = crossfadetest.FailOnMismatch(t) })
	require.NoError(t, sink.Record(t.Context(), []compare.Record{{Operation: "people.Get"}}))
}
