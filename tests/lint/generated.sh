#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# generated.sh PROGRAM FILE [ARGUMENT...] - fails if FILE is not what `PROGRAM ARGUMENT...` prints: a generated page gone stale.
set -eu

program=$1
file=$2
shift 2
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
"$program" "$@" >"$fresh" || {
    echo "generated: $program $* failed" >&2
    exit 1
}
if ! diff -u "$file" "$fresh" >&2; then
    echo "generated: $file is stale; make it again: $program $* > $file" >&2
    exit 1
fi
