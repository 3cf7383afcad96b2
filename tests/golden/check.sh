#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh GOLDEN - each journal in this folder folds to exactly the text beside it.
set -eu

golden=$1
folder=$(dirname "$0")
found=$(mktemp)
trap 'rm -f "$found"' EXIT
count=0
for file in "$folder"/frames-*.bin; do
    "$golden" fold "$file" >"$found"
    if ! diff -u "${file%.bin}.txt" "$found" >&2; then
        echo "golden: $file does not fold to what it did: a change of the format needs a new FRAME_VERSION (docs/JOURNAL.md)" >&2
        exit 1
    fi
    count=$((count + 1))
done
[ "$count" -gt 0 ] || exit 1
echo "golden: $count journals fold to what they did"
