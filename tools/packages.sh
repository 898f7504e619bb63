#!/bin/sh
# Install what the targets named on the command line (build, check, bench) need
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
# A service that a package brings must not start by itself here.
RUNLEVEL=1 apt-get install -q -y --no-install-recommends $missing
