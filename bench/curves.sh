#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# curves.sh [DECLARATIONS KEYS IDS] - how the cost of a declaration grows: with the partitions of one worker (1, 2, 4), with the cells of a table
# (8,192 to KEYS), with the live ids of the ledger (1,000,000 to IDS). Prints Markdown, for bench/record.sh. BUILD: the folder of the programs.
set -eu

declarations=${1:-1000000}
keys=${2:-16777216}
ids=${3:-50000000}
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/release}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "Partitions of one worker: the whole of flow/ without Kafka, one thread"
echo
echo '| partitions | of each of three rounds |'
echo '|---|---|'
"$build/dryport" generate --count "$declarations" --out "$folder/declarations.pb" -X reference.dir="$root/deploy/reference/demo" >/dev/null
for partitions in 1 2 4; do
    "$build/bench_flow" "$folder/declarations.pb" "$root/deploy/reference/demo" 3 "$partitions" >"$folder/flow"
    if grep -q 'NOT SETTLED' "$folder/flow"; then
        cat "$folder/flow" >&2
        exit 1
    fi
    echo "| $partitions | $(sed -n 's/^[0-9]* declarations: \([0-9]* ns each, journal [0-9.]* bytes\) each in .*/\1/p' "$folder/flow" | paste -s -d ';' | sed 's/;/; /g') |"
done
echo
echo 'A worker goes from partition to partition every 512 records, each with a ledger, a table and a dictionary of its own: what the other ones have'
echo 'used meanwhile is not in the cache any more, and each seals groups of its own, with the fewer declarations a cell the more there are.'
echo
"$build/bench_table" --curve "$keys"
echo
echo 'Flat while the touched slots and sums fit a cache (the picks are Zipf, so that the common keys stay there long after the table has outgrown it), then'
echo 'two misses an update that the prefetch overlaps, then misses of the TLB as well. First puts pay for zeroing pages and for doubling the slots.'
echo
"$build/bench_ledger" --curve "$ids"
echo
echo 'New ids are given out in rising order and spread by their hash: two misses each from the first row on. What rises is the TLB, and what jumps is growth of the'
echo 'slots, a quarter at a time: a row that holds more of it costs more, and its bytes an id are more just behind it.'
