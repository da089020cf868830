package v2

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic/v2/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSubjectsAreTheSameThereAndBack(t *testing.T) {
	kinds := rapid.SampledFrom([]polymorphic.Kind{polymorphic.Post, polymorphic.Photo})
	rapid.Check(t, func(t *rapid.T) {
		want := polymorphic.Subject{Kind: kinds.Draw(t, "kind"), ID: rapid.Make[uuid.UUID]().Draw(t, "id")}
		postID, photoID, err := mapping{}.SaveParams(polymorphic.Comment{Subject: want})
		require.NoError(t, err)
		got, err := mapping{}.CommentFromRow(queries.Comment{PostID: postID, PhotoID: photoID})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestOtherKindsAreRefusedBothWays(t *testing.T) {
	_, _, err := mapping{}.SaveParams(polymorphic.Comment{Subject: polymorphic.Subject{Kind: "video"}})
	require.ErrorIs(t, err, polymorphic.ErrKind)
	_, err = mapping{}.CommentFromRow(queries.Comment{})
	require.ErrorIs(t, err, polymorphic.ErrKind)
}
