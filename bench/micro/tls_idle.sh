#!/bin/sh
# The heap of an idle TLS connection, beside OpenSSL's own object.
set -eu
cd "$(dirname "$0")/../.."
ninja -C "${BUILD:-build}" --quiet test/tls/tls_idle
exec "${BUILD:-build}/test/tls/tls_idle"
