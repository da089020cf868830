package chaos

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// wardenScript ends what is on its list when its input ends, however that came
// to pass: a process that is stopped would not notice that the test is gone.
const wardenScript = `
list=' '
while read -r verb what; do
	case $verb in
	watch) list="$list$what " ;;
	forget) list="${list%% $what *} ${list#* $what }" ;;
	esac
done
for process in $list; do kill -KILL "$process" 2>/dev/null; done
exit 0`

// warden is a shell in a session of its own, which no Ctrl-C reaches.
type warden struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

func startWarden(t *testing.T) *warden {
	t.Helper()
	w := &warden{cmd: exec.Command("/bin/sh", "-c", wardenScript)}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	w.input, err = w.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, w.cmd.Start())
	return w
}

func (w *warden) watch(pid int)  { _, _ = fmt.Fprintf(w.input, "watch %d\n", pid) }
func (w *warden) forget(pid int) { _, _ = fmt.Fprintf(w.input, "forget %d\n", pid) }

func (w *warden) end() {
	_ = w.input.Close()
	_ = w.cmd.Wait()
}
