#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM NAME SECONDS [OPTION...] - runs one fuzz target: its committed corpus and what fuzz_seeds made, then what libFuzzer makes of
# them for so long.
#
# New inputs that reach more code go to build/fuzz/grown/NAME, and are where the next run begins. A finding is written to
# build/fuzz/findings/NAME-...; run the program with that file as its argument to see it again. Exit 1 if there is one.
set -eu

program=$1
name=$2
seconds=$3
shift 3
root=$(cd "$(dirname "$0")/../.." && pwd)
corpus=$root/tests/fuzz/corpus/$name
grown=$root/build/fuzz/grown/$name
findings=$root/build/fuzz/findings
log=$root/build/fuzz/$name.log
mkdir -p "$corpus" "$grown" "$findings" "$root/build/fuzz/seeds/$name"
dictionary=$root/tests/fuzz/$name.dict
[ -e "$dictionary" ] && set -- -dict="$dictionary" "$@"

# A leak or a use of freed memory ends a run like a broken invariant; so does an input that takes 40 s or 2 GB.
code=0
"$program" -max_total_time="$seconds" -timeout=40 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$findings/$name-" \
    "$@" "$grown" "$corpus" "$root/build/fuzz/seeds/$name" >"$log" 2>&1 || code=$?
if [ $code != 0 ]; then
    tail -n 60 "$log"
    echo "fuzz $name: a finding, exit code $code; all it printed: $log" >&2
    exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
units=$(find "$corpus" -type f | wc -l)
echo "fuzz $name: $runs runs in $seconds s, $edges edges reached, $units committed inputs, no finding"
