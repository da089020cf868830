# Sourced by the ensure scripts: installs packages by the system's package manager.

# install_packages WHAT DEBIAN-PACKAGES BREW-FORMULA: installs when it has the rights, which means root for apt-get and
# an ordinary user for Homebrew. Otherwise it prints the command and fails.
install_packages() {
	what=$1 debian=$2 brew=$3
	if command -v apt-get >/dev/null 2>&1; then
		if [ "$(id -u)" -eq 0 ]; then
			echo "$what: installing $debian by apt-get"
			# shellcheck disable=SC2086 # several packages
			apt_install $debian
			return
		fi
		remedy="sudo apt-get update && sudo apt-get install -y $debian"
	elif command -v brew >/dev/null 2>&1 && [ -n "$brew" ]; then
		if [ "$(id -u)" -ne 0 ]; then
			echo "$what: installing $brew by Homebrew"
			brew install "$brew"
			return
		fi
		remedy="brew install $brew   (as an ordinary user: Homebrew refuses root)"
	elif command -v dnf >/dev/null 2>&1; then
		remedy="sudo dnf install -y $debian   (names may differ: postgresql-server, gcc)"
	else
		remedy="install it by your system's package manager (Debian calls it $debian)"
	fi
	echo "$what is missing, and installing it needs rights or a package manager that are not here. Run:" >&2
	echo "    $remedy" >&2
	return 1
}

# apt_install asks for fresh package lists only if the ones at hand do not do.
apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	if apt-get install -y -q --no-install-recommends "$@"; then
		return
	fi
	apt-get update -q && apt-get install -y -q --no-install-recommends "$@"
}
