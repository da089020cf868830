package control

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuestionIsAnsweredByALoadThatBeganAfterIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var loads [][]string
		l := &loader{load: func(names []string) map[string]error {
			slices.Sort(names)
			loads = append(loads, names)
			<-gate
			return nil
		}}
		answers := make(chan string, 3)
		ask := func(name string) {
			assert.NoError(t, l.ask(t.Context(), name))
			answers <- name
		}
		go ask("a")
		synctest.Wait()
		go ask("b")
		go ask("c")
		synctest.Wait()
		assert.Equal(t, [][]string{{"a"}}, loads, "one load at a time")
		gate <- struct{}{}
		synctest.Wait()
		assert.Equal(t, "a", <-answers)
		assert.Empty(t, answers, "those who asked meanwhile are not answered by the load in progress")
		assert.Equal(t, [][]string{{"a"}, {"b", "c"}}, loads, "they share the next one")
		gate <- struct{}{}
		synctest.Wait()
		assert.Len(t, answers, 2)
		l.close(nil)
	})
}

func TestErrorOfOneMigrationIsNotTheOthers(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	l := &loader{load: func([]string) map[string]error { return map[string]error{"bad": boom} }}
	require.ErrorIs(t, l.ask(t.Context(), "good", "bad"), boom)
	require.NoError(t, l.ask(t.Context(), "good"))
	closed := errors.New("closed")
	l.close(closed)
	require.ErrorIs(t, l.ask(t.Context(), "good"), closed)
}

func TestWhoeverGivesUpLeavesTheLoadToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		l := &loader{load: func([]string) map[string]error { <-gate; return nil }}
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.ask(ctx, "a") }()
		go func() { second <- l.ask(t.Context(), "a") }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.ErrorIs(t, <-first, context.Canceled)
		close(gate)
		require.NoError(t, <-second)
		l.close(nil)
	})
}
