#!/bin/sh
# make run: two echo backends and a gateway, all ended together by Ctrl-C.
set -eu
yumen=$1
trap 'kill $first $second 2>/dev/null || true; wait' EXIT
"$yumen" echo --listen 127.0.0.1:9001 --name hello-1 & first=$!
"$yumen" echo --listen 127.0.0.1:9002 --name hello-2 & second=$!
trap : INT TERM
"$yumen" run -f examples/hello --socket run/yumen/admin.sock || exit $?
