#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mutants.sh [SEEDS] [NAME...] - breaks the protocol in one place at a time, and requires that the simulation notices.
#
# One build with -DDRYPORT_PROTOCOL_MUTANTS=ON; the environment variable DRYPORT_PROTOCOL_MUTANT names the row of proc/flow/mutants.def that
# is on. A mutant is run until it died in KILLS seeds, or SEEDS seeds are over; one that never dies survives: the script lists it and fails.
set -eu

cd "$(dirname "$0")/.."
seeds=${1:-4000}
[ $# -eq 0 ] || shift
kills=5
build=build/protocol-mutants
cmake --preset release -B "$build" -DDRYPORT_PROTOCOL_MUTANTS=ON -DDRYPORT_WERROR=OFF -DDRYPORT_BENCH=OFF --log-level=WARNING >/dev/null
cmake --build "$build" --target dryport_sim -- --quiet
sim=$build/dryport_sim

"$sim" --seeds 100 --jobs 2 --quiet >/dev/null || {
    echo "mutants: the simulation fails without any mutant; mend that first: $sim --seeds 100" >&2
    exit 1
}

names=${*:-$(sed -nE 's/^MUTANT_ROW\(([A-Z_]+),.*/\1/p' proc/flow/mutants.def)}
killed=0
survived=''
began=$(date +%s)
printf '%-24s %8s %8s %8s\n' mutant died seeds seconds
for name in $names; do
    grep -q "^MUTANT_ROW($name," proc/flow/mutants.def || {
        echo "mutants: $name is not in proc/flow/mutants.def" >&2
        exit 64
    }
    # The last line: "N seeds from 0, R input records, F failed, S s, M ms a seed"
    line=$(DRYPORT_PROTOCOL_MUTANT=$name "$sim" --seeds "$seeds" --jobs 2 --stop-after "$kills" --quiet | tail -n 1)
    ran=${line%% *}
    died=$(echo "$line" | sed -E 's/.* ([0-9]+) failed.*/\1/')
    took=$(echo "$line" | sed -E 's/.*failed, ([0-9.]+) s.*/\1/')
    printf '%-24s %8s %8s %8s\n' "$name" "$died" "$ran" "$took"
    if [ "$died" -gt 0 ]; then
        killed=$((killed + 1))
    else
        survived="$survived $name"
    fi
done

echo
if [ -n "$survived" ]; then
    echo "mutants: $killed died; survived:$survived" >&2
    exit 1
fi
echo "mutants: all $killed died in the simulation, $(($(date +%s) - began)) s"
