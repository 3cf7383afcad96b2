#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_venv.sh [REQUIREMENTS] - makes a Python environment once and prints its folder; without an argument that of the broker tests.
#
# The tests read topics with a client of their own (confluent-kafka, which carries its own librdkafka) and protobuf classes
# made by protoc. Versions are pinned in tests/broker/requirements.txt; a change of that file makes the environment again.
# The folder is ${DRYPORT_CACHE:-$HOME/.cache/dryport}/venv; of another file, venv- and the name of the folder that holds it.
# Quiet when there is nothing to do.
set -eu

source_dir=$(cd "$(dirname "$0")/.." && pwd)
requirements=${1:-$source_dir/tests/broker/requirements.txt}
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
venv=$cache/venv
[ $# -eq 0 ] || venv=$cache/venv-$(basename "$(cd "$(dirname "$1")" && pwd)")
mkdir -p "$cache"

made() {
    cmp -s "$requirements" "$venv/made-from.txt"
}

if ! made; then
    exec 9>"$venv.lock"
    flock 9
    if ! made; then
        echo "test_venv.sh: installing $(tr '\n' ' ' <"$requirements")into $venv" >&2
        rm -rf "$venv"
        python3 -m venv "$venv" || {
            echo "test_venv.sh: python3 cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2
            exit 1
        }
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
        cp "$requirements" "$venv/made-from.txt"
    fi
fi
echo "$venv"
