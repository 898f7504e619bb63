#!/bin/sh
# Instructions a decision, by callgrind: snap_decide.sh PROGRAM
set -eu
program=$1
count() {
	valgrind --tool=callgrind --toggle-collect=ask \
	    --callgrind-out-file=/dev/null "$program" "$1" "$2" "$3" 2>&1 |
	    sed -n 's/.*Collected : *//p'
}
for case in 'one 1' 'paths 1' 'paths 50000' 'hosts 1' 'hosts 100000' \
    'calls 1' 'calls 50000' 'beside 1' 'beside 50000' 'patterns 1' \
    'patterns 10' 'patterns 100'; do
	set -- $case
	few=$(count "$1" "$2" 1000)
	many=$(count "$1" "$2" 2000)
	echo "$1 $2 $(((many - few) / 1000))"
done
