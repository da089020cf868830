package repo_test

import (
	"testing"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// BenchmarkRead is what a routed read costs beyond the side that answers it.
func BenchmarkRead(b *testing.B) {
	none, err := compareNothing()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		stage flags.Stage
		cfg   *repo.ComparerConfig
	}{
		{"old", flags.Old, nil},
		{"shadow", flags.Shadow, nil},
		{"shadow, not sampled", flags.Shadow, &repo.ComparerConfig{Sampler: none}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBench(b, c.stage, c.cfg)
			w.old.rows["a"], w.new.rows["a"] = []string{"x"}, []string{"x"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.routed.Get(b.Context(), "a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func compareNothing() (*compare.Sampler, error) {
	rest := 0.0
	return compare.NewSampler(&compare.SamplerConfig{Rest: &rest})
}
