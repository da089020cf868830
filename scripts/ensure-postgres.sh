#!/bin/sh
# Makes sure that there is a PostgreSQL to work with: the server named by CROSSFADE_DATABASE_URL, or server programs
# that internal/pgtest finds. Installs them if it may. Uses the network only when they are missing.
set -eu
. "$(dirname "$0")/packages.sh"

# The same places in the same order as internal/pgtest/programs.go.
has_programs() { [ -x "$1/initdb" ] && [ -x "$1/postgres" ]; }

find_programs() {
	if [ -n "${PGBIN:-}" ]; then
		has_programs "$PGBIN" && echo "$PGBIN"
		return
	fi
	if initdb=$(command -v initdb); then
		dir=$(dirname "$(readlink -f "$initdb" 2>/dev/null || echo "$initdb")")
		if has_programs "$dir"; then
			echo "$dir"
			return
		fi
	fi
	for dir in \
		/usr/lib/postgresql/*/bin \
		/usr/pgsql-*/bin \
		/opt/homebrew/opt/postgresql@*/bin \
		/usr/local/opt/postgresql@*/bin \
		/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin; do
		if has_programs "$dir"; then
			echo "$dir"
			return
		fi
	done
	return 1
}

if [ -n "${CROSSFADE_DATABASE_URL:-}" ]; then
	echo "PostgreSQL: the server named by CROSSFADE_DATABASE_URL"
	exit 0
fi
if bin=$(find_programs); then
	echo "PostgreSQL: $bin"
	exit 0
fi
if [ -n "${PGBIN:-}" ]; then
	echo "PGBIN=$PGBIN does not hold initdb and postgres: correct it, or unset it to look elsewhere" >&2
	exit 1
fi

# Debian's package would start a server of its own; only the programs are wanted.
no_cluster=/etc/postgresql-common/createcluster.d/crossfade.conf
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
	mkdir -p "$(dirname "$no_cluster")"
	echo "create_main_cluster = false" >"$no_cluster"
	trap 'rm -f "$no_cluster"' EXIT
	trap 'exit 130' INT TERM
fi
install_packages "PostgreSQL" postgresql postgresql@17 || {
	echo "Or name a running server: CROSSFADE_DATABASE_URL=postgres://user:password@host/database" >&2
	exit 1
}
if bin=$(find_programs); then
	echo "PostgreSQL: $bin"
else
	echo "PostgreSQL was installed, but its programs initdb and postgres were not found: set PGBIN to their folder" >&2
	exit 1
fi
