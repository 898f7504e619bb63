#!/bin/sh
# Instructions a head, by callgrind: wire_h1.sh PROGRAM
set -eu
program=$1
count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
	    "$program" "$1" "$2" "$3" 2>&1 |
	    sed -n 's/.*Collected : *//p'
}
for head in small browser response; do
	for what in parse write decide; do
		[ "$head-$what" = response-decide ] && continue
		few=$(count $head $what 1000)
		many=$(count $head $what 2000)
		echo "$head $what $(((many - few) / 1000))"
	done
done
