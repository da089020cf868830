package fleet

import (
	"bytes"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/internal/proxy"
)

// plainly has every statement sent with its text.
func plainly(t *testing.T, dsn, mode string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	query := u.Query()
	query.Set("default_query_exec_mode", mode)
	u.RawQuery = query.Encode()
	return u.String()
}

func containing(text string) func([]byte) bool {
	return func(data []byte) bool { return bytes.Contains(data, []byte(text)) }
}

// A process that was stopped between its decision and its write, while the
// fleet went from the first rung to the last and back.
func TestWriteOfAProcessThatWasStoppedIsRefusedAndDecidedAnew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		from, to flags.Stage
		old, new string // what the sides hold in the end
	}{
		{"from the first rung to the last", flags.Old, flags.New, "", "late"},
		{"up over several rungs", flags.Dual, flags.RampDown, "late", "late"},
		{"down over several rungs", flags.Live, flags.Old, "late", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pgtest.New(t))
			w.start(accounts.ProcessConfig{Name: "worker"})
			frozen := startChild(t, w.dsn)
			w.walk(c.from)
			frozen.ask(request{Do: "put", Key: 1, Name: "late", Hold: true})
			require.True(t, frozen.next().Holding)
			frozen.stop()
			w.walk(c.to)
			frozen.ask(request{Go: true})
			frozen.cont()
			said := frozen.next()
			require.Empty(t, said.Err)
			assert.Positive(t, said.Refused, "by the fence")
			assert.Equal(t, c.old, w.name("accounts_v1", 1))
			assert.Equal(t, c.new, w.name("people_v2", 1))
		})
	}
}

// A plain read has no fence: it is thrown away by whoever made it.
func TestPlainReadOfAProcessThatWasStoppedIsRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		from, to flags.Stage
		answered bool // the answer was on its way when the process was stopped
	}{
		{"between its decision and its question, up", flags.Old, flags.New, false},
		{"between its decision and its question, down", flags.Live, flags.Old, false},
		{"between its question and the answer, up", flags.Old, flags.New, true},
		{"between its question and the answer, down", flags.Live, flags.Old, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pgtest.New(t))
			worker := w.start(accounts.ProcessConfig{Name: "worker"})
			network, dsn, err := proxy.For(plainly(t, w.dsn, "exec"))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, network.Close()) })
			frozen := startChild(t, dsn)
			put(t, worker, 1, "before")
			w.walk(c.from)
			if c.answered {
				table := map[flags.Side]string{flags.OldSide: "from accounts_v1", flags.NewSide: "people_v2"}[c.from.Plan().Authority]
				arrived := network.HoldAnswer(containing(table))
				frozen.ask(request{Do: "get", Key: 1})
				<-arrived
			} else {
				frozen.ask(request{Do: "get", Key: 1, Hold: true})
				require.True(t, frozen.next().Holding)
			}
			frozen.stop()
			w.walk(c.to)
			put(t, worker, 1, "after")
			frozen.ask(request{Go: !c.answered, Do: "get", Key: 1})
			network.Release()
			frozen.cont()
			said := frozen.next()
			require.Empty(t, said.Err)
			assert.Equal(t, "after", said.Name)
			assert.Positive(t, said.Lapsed)
		})
	}
}

// The bytes of a write that the network held up arrive when the fleet has long
// gone on without its process.
func TestBytesOfAWriteThatWereHeldUpAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		from, to flags.Stage
		table    string // that has authority in the end
	}{
		{"up", flags.Dual, flags.New, "people_v2"},
		{"down", flags.Live, flags.Old, "accounts_v1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pgtest.New(t))
			worker := w.start(accounts.ProcessConfig{Name: "worker"})
			network, dsn, err := proxy.For(plainly(t, w.dsn, "exec"))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, network.Close()) })
			frozen := startChild(t, dsn)
			w.walk(c.from)
			put(t, worker, 1, "before")
			arrived := network.HoldNext(containing("crossfade.refuse("))
			frozen.ask(request{Do: "put", Key: 1, Name: "late"})
			<-arrived
			frozen.stop()
			w.walk(c.to)
			put(t, worker, 1, "after")
			network.Release()
			eventually(t, func() bool {
				var refused int
				err := w.pool.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database()
					and application_name = 'client child' and state <> 'active' and query like '%crossfade.refuse(%'`).Scan(&refused)
				return err == nil && refused == 1
			}, "the bytes arrive and are refused")
			assert.Equal(t, "after", w.name(c.table, 1))
			frozen.cont()
			said := frozen.next()
			require.Empty(t, said.Err)
			assert.Positive(t, said.Refused, "it hears of it")
			assert.Equal(t, "late", w.name(c.table, 1), "and writes where the fleet is by now")
		})
	}
}

// A process that was stopped inside a transaction holds its epoch: the server
// ends the transaction, and the drain goes on.
func TestTransactionOfAProcessThatWasStoppedIsEndedByTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.start(accounts.ProcessConfig{Name: "worker"})
	frozen := startChild(t, w.dsn)
	w.walk(flags.Dual)
	frozen.ask(request{Do: "transaction", Key: 1, Name: "late", Hold: true})
	require.True(t, frozen.next().Holding)
	frozen.stop()
	steps := w.walk(flags.Old)
	require.Len(t, steps, 1)
	assert.True(t, steps[0].Settled)
	assert.Empty(t, steps[0].Terminated, "nobody had to terminate it")
	assert.NotEmpty(t, steps[0].Drained)
	frozen.ask(request{Go: true})
	frozen.cont()
	said := frozen.next()
	assert.NotEmpty(t, said.Err, "it is told that its transaction is gone")
	assert.Empty(t, w.name("accounts_v1", 1), "nothing of it is left")
	frozen.ask(request{Do: "put", Key: 1, Name: "again"})
	require.Empty(t, frozen.next().Err, "and goes on")
	assert.Equal(t, "again", w.name("accounts_v1", 1))
}
