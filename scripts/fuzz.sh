#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS [TARGET...] - builds the fuzz targets and runs each (or those named) for so long, two at a time. 0 only builds.
#
# Exit 1 if one of them has a finding; tests/fuzz/run.sh says where it is.
set -eu

cd "$(dirname "$0")/.."
seconds=$1
shift
case $seconds in
'' | *[!0-9]*)
    echo "fuzz: SECONDS is \"$seconds\"; give a whole number" >&2
    exit 64
    ;;
esac
cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz -- --quiet
build/fuzz/fuzz_seeds build/fuzz/seeds
[ "$seconds" != 0 ] || exit 0
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed -E 's/^fuzz_(.*)\.c$/\1/')
printf '%s\n' "$@" | xargs -P 2 -I '{}' sh -c 'tests/fuzz/run.sh "build/fuzz/fuzz_$1" "$1" "$2" || exit 1' fuzz '{}' "$seconds"
