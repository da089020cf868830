#!/bin/sh
# Makes sure that there is a PgBouncer for the tests of poolers, and installs it if it may. Without it those tests are
# skipped, so that only CI fails. Uses the network only when it is missing.
set -eu
. "$(dirname "$0")/packages.sh"

# The same places as internal/pgtest/pooler.go.
find_pgbouncer() {
	if command -v pgbouncer; then
		return
	fi
	for program in /usr/sbin/pgbouncer /usr/local/sbin/pgbouncer /usr/bin/pgbouncer \
		/opt/homebrew/bin/pgbouncer /usr/local/bin/pgbouncer; do
		if [ -x "$program" ]; then
			echo "$program"
			return
		fi
	done
	return 1
}

if program=$(find_pgbouncer); then
	echo "PgBouncer: $program"
	exit 0
fi
if install_packages "PgBouncer" pgbouncer pgbouncer && program=$(find_pgbouncer); then
	# Debian's package starts a pooler of its own; only the program is wanted.
	if command -v systemctl >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
		systemctl disable --now pgbouncer >/dev/null 2>&1 || true
	fi
	echo "PgBouncer: $program"
	exit 0
fi
if [ -n "${CI:-}" ]; then
	exit 1
fi
echo "The tests of poolers are skipped." >&2
