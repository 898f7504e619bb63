#!/bin/sh
# make run: two echo backends and a gateway, all ended together by Ctrl-C.
set -eu
yumen=$1
first= second= gate=
trap 'kill $first $second $gate 2>/dev/null || true; wait' EXIT
"$yumen" echo --listen 127.0.0.1:9001 --name hello-1 & first=$!
"$yumen" echo --listen 127.0.0.1:9002 --name hello-2 & second=$!
# Each says by itself why it cannot: most often another make run is there.
sleep 0.3
kill -0 $first 2>/dev/null && kill -0 $second 2>/dev/null || exit 1
# Ctrl-C reaches the gateway as well; a signal to this script alone is passed on.
trap : INT
trap 'kill $gate' TERM HUP
"$yumen" run -f examples/hello --socket run/yumen/admin.sock & gate=$!
status=0
while kill -0 $gate 2>/dev/null; do
	status=0
	wait $gate || status=$?
done
exit $status
