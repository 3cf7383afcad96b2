#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# corpus.sh [NAME...] - makes tests/fuzz/corpus/NAME anew (all targets if none is named) from the seeds, the committed inputs and those that
# runs on this machine found: a small set that reaches the same code, no input above 8 kB. A run has all seeds beside it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/fuzz
rm -rf "$build/seeds"
"$build/fuzz_seeds" "$build/seeds"
[ $# -gt 0 ] || set -- $(cd "$root/tests/fuzz" && ls fuzz_*.c | sed -E 's/^fuzz_(.*)\.c$/\1/')
for name; do
    merged=$build/merged/$name
    rm -rf "$merged"
    mkdir -p "$merged" "$build/grown/$name" "$build/seeds/$name" "$root/tests/fuzz/corpus/$name"
    "$build/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len=8192 -timeout=20 "$merged" "$build/seeds/$name" \
        "$root/tests/fuzz/corpus/$name" "$build/grown/$name" >"$build/$name.merge.log" 2>&1 || {
        tail -n 30 "$build/$name.merge.log"
        exit 1
    }
    find "$merged" -type f -size +8k -delete
    rm -rf "${root:?}/tests/fuzz/corpus/$name"
    cp -r "$merged" "$root/tests/fuzz/corpus/$name"
    echo "corpus $name: $(find "$merged" -type f | wc -l) inputs, $(find "$merged" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }') bytes"
done
