package control_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// childVariable makes this test binary a process of the fleet, and names its database.
const childVariable = "CROSSFADE_TEST_MEMBER"

const childLease = 1500 * time.Millisecond

// beChild is a member of the fleet until it is killed, or until its parent closes its input.
func beChild(dsn string) int {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, dsn)
	if err == nil {
		_, err = control.Join(ctx, ledger.New(pool, nil), &control.MemberConfig{
			Name: "child", Migrations: []string{name}, Interval: 50 * time.Millisecond, LeaseTTL: childLease,
		})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("joined")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return 0
}

func TestKilledProcessLeavesTheBarrierWhenItsLeaseRunsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+w.dsn)
	input, err := child.StdinPipe()
	require.NoError(t, err)
	defer input.Close()
	output, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "joined\n", line)
	r := w.step(toDefault(flags.Dual))
	assert.Equal(t, []int64{1}, r.Acknowledged, "while it lives, it follows")

	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	// As if its last heartbeat had gone out a moment before.
	w.exec(`update crossfade.processes set expires_at = now() + interval '1 second' where name = 'child'`)
	var notes diary
	c := toDefault(flags.Old)
	c.Report = notes.note
	r = w.step(c)
	assert.Equal(t, []int64{2}, r.Acknowledged)
	assert.True(t, notes.has(control.Waiting, 0), "it was waited for")
	var waited bool
	err = w.pool.QueryRow(t.Context(), `select (select acknowledged_at from crossfade.policies where epoch = 2)
		>= (select expires_at from crossfade.processes where name = 'child')`).Scan(&waited)
	require.NoError(t, err)
	assert.True(t, waited, "until its lease had run out, not a moment less")
	fleet, err := w.store.Fleet(t.Context())
	require.NoError(t, err)
	require.Len(t, fleet, 1)
	assert.False(t, fleet[0].Live)
}
