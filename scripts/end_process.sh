#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# end_process.sh - ends the one process that a pid file names, and takes the file away: politely, after 5 s not.
#
#   scripts/end_process.sh FILE [SIGNAL]    SIGNAL: TERM (default), or KILL at once; without FILE, or if the process is gone, that is all
#
# Fails if the process still runs after 10 s.
set -eu

[ $# -ge 1 ] && [ $# -le 2 ] || {
    sed -n '5s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
[ -f "$1" ] || exit 0
pid=$(cat "$1")
kill -"${2:-TERM}" "$pid" 2>/dev/null || true
tries=0
while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -ne 50 ] || kill -KILL "$pid" 2>/dev/null || true
    [ $tries -lt 100 ] || {
        echo "end_process: process $pid does not end" >&2
        exit 1
    }
    sleep 0.1
done
rm -f "$1"
