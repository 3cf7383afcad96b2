#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# record.sh NAME PROGRAM [ARGUMENT...] - runs a bench that prints Markdown, shows it and keeps it in
# bench/results/DATE-TIME-NAME.md with the machine, the load before and after, the compiler and the commit, without which
# its numbers would mean nothing.
set -eu

name=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/bench/results"
file=$root/bench/results/$(date -u +%Y-%m-%d-%H%M)-$name.md
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
{
    echo "# $name, $(date -u '+%Y-%m-%d %H:%M') UTC"
    echo
    echo "- processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
    echo "- memory: $(awk '/MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo); kernel $(uname -r)"
    echo "- load before the run: $(cut -d' ' -f1-3 /proc/loadavg)"
    echo "- compiler: $(cc --version | head -n 1)"
    echo "- commit: $(git -C "$root" describe --always --dirty 2>/dev/null || echo none)"
    echo "- command: ${1#"$root/"} $(shift && echo "$*")"
    echo
    "$@"
    echo
    echo "Load after the run: $(cut -d' ' -f1-3 /proc/loadavg)"
} >"$fresh"
cat "$fresh" >"$file"
cat "$file"
echo "kept in ${file#"$root/"}" >&2
