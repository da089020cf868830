package repo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// shared is a backend in a transaction of the application: what is said about
// it is written down.
type shared struct {
	repo.Backend[*things]
	sent int // by the side so far
	told []string
}

func (*shared) Transactional() bool { return true }

func (b *shared) Write(ctx context.Context, s repo.Scope, look bool, fn func(context.Context, repo.Session[*things]) error) error {
	return b.Backend.Write(ctx, s, look, func(ctx context.Context, s repo.Session[*things]) error {
		return fn(ctx, &told{s, b})
	})
}

type told struct {
	repo.Session[*things]
	b *shared
}

func (s *told) Sent() int { return s.b.sent }

func (s *told) RecordStale(_ context.Context, side flags.Side, keys []string, cause error) error {
	s.b.told = append(s.b.told, "stale "+side.String()+" "+keys[0]+": "+cause.Error())
	return nil
}

func (s *told) Doom(_ context.Context, side flags.Side, keys []string, cause error) error {
	s.b.told = append(s.b.told, "doom "+side.String()+" "+keys[0]+": "+cause.Error())
	return nil
}

// In a transaction of the application, which may go on after the error, an
// authority that returned an error may have written.
func TestErrorOfTheAuthorityInATransactionOfTheApplicationIsNotForgotten(t *testing.T) {
	for _, c := range []struct {
		stage     flags.Stage
		authority func(*bench) *things
		want      []string
	}{
		{flags.Old, func(b *bench) *things { return b.old }, nil},
		{flags.Dual, func(b *bench) *things { return b.old }, []string{"stale new *: boom"}},
		{flags.Shadow, func(b *bench) *things { return b.old }, []string{"stale new *: boom"}},
		{flags.Live, func(b *bench) *things { return b.new }, []string{"doom old *: boom"}},
		{flags.RampDown, func(b *bench) *things { return b.new }, []string{"stale old *: boom"}},
		{flags.New, func(b *bench) *things { return b.new }, nil},
	} {
		for shape, write := range map[string]func(context.Context, *repo.Route[*things]) error{
			"by predicate": func(ctx context.Context, r *repo.Route[*things]) error {
				return repo.Write(ctx, r, repo.Op{Entity: "Things", Method: "PutAll", Kind: repo.KindWrite}, "acme", repo.AllKeys(), repo.NoArgs{},
					func(ctx context.Context, side *things, _ repo.NoArgs) error { return side.Put(ctx, "a", nil) })
			},
			"an insert": func(ctx context.Context, r *repo.Route[*things]) error {
				_, err := repo.Create(ctx, r, repo.Op{Entity: "Things", Method: "Make", Kind: repo.KindCreate}, "acme", repo.NoArgs{},
					func(repo.NoArgs, string) []string { panic("the answer of a failed call tells no key") },
					func(ctx context.Context, side *things, _ repo.NoArgs) (string, error) {
						return "", side.Put(ctx, "a", nil)
					})
				return err
			},
		} {
			for _, sent := range []int{0, 1} {
				t.Run(shape+" at "+c.stage.String(), func(t *testing.T) {
					b := newBench(t, c.stage, nil)
					backend := &shared{Backend: b.routed.route.Backend()}
					route, err := repo.NewRoute(repo.Config[*things]{
						Migration: b.routed.route.Migration(), Flag: b.routed.route.Flag(), Backend: backend, Copier: copier,
					})
					require.NoError(t, err)
					c.authority(b).on(func(context.Context, string, []string) error { backend.sent += sent; return errBoom })
					require.ErrorIs(t, write(t.Context(), route), errBoom)
					if sent == 0 {
						assert.Empty(t, backend.told, "nothing was sent, so nothing was written")
						return
					}
					assert.Equal(t, c.want, backend.told)
				})
			}
		}
	}
}
