#!/bin/sh
# Lists tracked Go files that gofumpt would change, and fails if there are any. Generated files are their generator's.
set -eu
cd "$(dirname "$0")/.."
git -c safe.directory="$PWD" rev-parse --git-dir >/dev/null # fails outside a checkout
gofumpt=$(go tool -modfile=tools.mod -n gofumpt)

off=$(
	git -c safe.directory="$PWD" ls-files -z -- '*.go' ':!:*/testdata/*' |
		xargs -0 sh -c '
			for file; do
				if [ -f "$file" ] && ! grep -q "^// Code generated .* DO NOT EDIT\.$" "$file"; then
					printf "%s\0" "$file"
				fi
			done' sh |
		xargs -0 "$gofumpt" -l
)
if [ -n "$off" ]; then
	echo "not formatted (run: make format):" >&2
	echo "$off" >&2
	exit 1
fi
echo "every tracked Go file is formatted"
