#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build_trained.sh - leaves build/trained/dryport, the release build with a profile: the same sources and flags, laid out by the compiler
# as a training run used them. The training is the demo: generator, all roles, the in-process mock cluster. A second call without a
# change of sources does nothing.
set -eu
cd "$(dirname "$0")/.."
folder=build/trained
mark=$folder/trained.sources

# What the profile was made from: a changed source, flag or compiler asks for another training.
fingerprint() {
    {
        cc --version
        cat CMakeLists.txt cmake/*.cmake "$0"
        find proc proto deploy/reference -type f | LC_ALL=C sort | xargs cat
    } | sha256sum
}

now=$(fingerprint)
if [ -x "$folder/dryport" ] && [ "$(cat "$mark" 2>/dev/null)" = "$now" ]; then
    echo "$folder/dryport is ready" >&2
    exit 0
fi
rm -f "$mark"
echo "build_trained: building the one that counts" >&2
cmake --preset trained -DDRYPORT_PROFILE=generate --log-level=WARNING >/dev/null
find "$folder" -name '*.gcda' -delete
cmake --build --preset trained --target dryport -- --quiet
echo "build_trained: training, 10 s" >&2
"$folder/dryport" demo --seconds 10 --rate 6000 >"$folder/training.log" 2>&1 || {
    tail -n 20 "$folder/training.log" >&2
    exit 1
}
echo "build_trained: building with the profile" >&2
cmake --preset trained -DDRYPORT_PROFILE=use --log-level=WARNING >/dev/null
cmake --build --preset trained --target dryport -- --quiet
echo "$now" >"$mark"
echo "$folder/dryport is ready" >&2
