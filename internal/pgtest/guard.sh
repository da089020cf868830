# Runs a command ("$@") and ends when it ends, with its status. Every line on standard input is the name of a signal for
# the command. When standard input ends, because whoever holds its other side wants that or is gone, the command gets
# SIGQUIT, or the signal that CROSSFADE_GUARD_END names. File descriptor 3 stays open as long as this shell lives, and nowhere else.
exec 4<&0 </dev/null
"$@" 3>&- 4<&- &
command=$!
(
	exec 3>&-
	while read -r signal <&4; do
		kill -s "$signal" "$command"
	done
	kill -s "${CROSSFADE_GUARD_END:-QUIT}" "$command"
) 2>/dev/null &
watcher=$!
wait "$command"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
