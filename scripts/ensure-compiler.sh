#!/bin/sh
# Makes sure that there is a C compiler, which Go's race detector needs. Installs one if it may.
set -eu
. "$(dirname "$0")/packages.sh"

cc=$(go env CC)
if command -v "${cc%% *}" >/dev/null 2>&1; then
	echo "C compiler: $cc"
	exit 0
fi
install_packages "A C compiler" "gcc libc6-dev" gcc
