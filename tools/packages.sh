#!/bin/sh
# Install what the targets named on the command line (build, check, ...) need
# and is missing: as root by apt-get, else print the line that would and stop.
set -eu
cd "$(dirname "$0")/.."
missing=""
for when in "$@"; do
	for package in $(sed -n "s/^$when \([^ ]*\).*/\1/p" tools/packages.txt); do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
		    grep -q 'ok installed' || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "packages are missing; run this, then try again:"
	echo "  sudo apt-get install -y --no-install-recommends$missing"
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# A service that a package brings must not start by itself here: neither now,
# nor when the machine starts.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
apt-get install -q -y --no-install-recommends $missing
for package in $missing; do
	for unit in $(dpkg -L "$package" | sed -n 's,^/lib/systemd/system/\(.*\.service\)$,\1,p'); do
		DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper disable "$unit"
	done
done
