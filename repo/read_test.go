package repo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

func TestReadAtOneSideAllocatesNothingOfItsOwn(t *testing.T) { //nolint:paralleltest // AllocsPerRun must run alone
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.RampDown, flags.New} {
		b := newBench(t, stage, nil)
		op := repo.Op{Entity: "Things", Method: "Get", Kind: repo.KindRead}
		call := func(context.Context, *things, int) (int, error) { return 1, nil }
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			_, _ = repo.Read(t.Context(), b.routed.route, op, "acme", repo.Key("a"), nil, 1, call)
		}), stage)
	}
}
