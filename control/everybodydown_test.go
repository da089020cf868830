package control

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// cohort returns some tenants, among them one that the smallest share moves.
func cohort(t *testing.T) []string {
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprint("tenant ", i))
	}
	least, err := flags.Policy{Migration: "m", Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 1}}.Compile()
	require.NoError(t, err)
	for i := 0; ; i++ {
		name := fmt.Sprint("early ", i)
		if stage, _ := least.Stage(name); stage == flags.Dual {
			return append(names, name, "pinned")
		}
	}
}

// everyStep yields all policies of a default, a step and one pinned tenant or none.
func everyStep(yield func(flags.Policy)) {
	for from := flags.Old; from <= flags.New; from++ {
		for to := flags.Old; to <= flags.New; to++ {
			for _, share := range []flags.Share{0, 1, flags.Buckets / 2, flags.Buckets} {
				for _, of := range []flags.ShareOf{flags.OfTenants, flags.OfKeys} {
					for pin := flags.Stage(0); pin <= flags.New; pin++ {
						p := flags.Policy{Migration: "m", Default: from, Step: flags.Step{To: to, Share: share, Of: of}}
						if pin.Valid() {
							p.Overrides = map[string]flags.Stage{"pinned": pin}
						}
						if p.Validate() == nil {
							yield(p)
						}
					}
				}
			}
		}
	}
}

func TestEverybodyDownTakesNobodyUp(t *testing.T) {
	t.Parallel()
	names := cohort(t)
	policies := 0
	everyStep(func(p flags.Policy) {
		policies++
		c := Change{Migration: "m", Kind: SetEach, Targets: map[string]flags.Stage{}, Actor: "ann"}
		everybodyDown(p, &c)
		next := p
		if len(c.Targets) > 0 || c.To.Valid() {
			var err error
			next, _, err = c.next(p)
			require.NoError(t, err)
		}
		before, err := p.Compile()
		require.NoError(t, err)
		after, err := next.Compile()
		require.NoError(t, err)
		top, went := flags.Old, 0
		for _, name := range names {
			_, high := before.Range(name)
			top = max(top, high)
		}
		for _, name := range names {
			low, high := before.Range(name)
			lower, upper := after.Range(name)
			require.LessOrEqual(t, lower, low, "%s of %+v", name, p)
			if high < top || top <= flags.Dual {
				require.Equal(t, []flags.Stage{low, high}, []flags.Stage{lower, upper}, "%s of %+v does not stand furthest up", name, p)
				continue
			}
			require.Equal(t, top-1, upper, "%s of %+v", name, p)
			require.GreaterOrEqual(t, lower, flags.Dual, "%s of %+v", name, p)
			went++
		}
		require.True(t, went > 0 || top <= flags.Dual, "nobody of %+v", p)
	})
	require.Greater(t, policies, 250)
}
