#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image_build.sh [--target STAGE] - builds the Dockerfile as localhost/dryport without a Docker engine (buildah), on a base that
# image_base.sh makes. Layers are kept: without a change of sources it does nothing. Prints the name of the image.
#
# The packages are those that the mirror has today (DEBIAN_SNAPSHOT=20260918T000000Z asks snapshot.debian.org for those of a day).
set -eu

cd "$(dirname "$0")/.."
name=localhost/dryport
target=
if [ "${1:-}" = --target ]; then
    target=$2
    name=$name-$target
fi
scripts/install_deps.sh containers
scripts/image_base.sh
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
log=$(mktemp "$cache/image-build.XXXXXX")
trap 'rm -f "$log"' EXIT
if ! scripts/containers.sh buildah bud --layers --pull-never --build-arg DEBIAN_SNAPSHOT="${DEBIAN_SNAPSHOT:-}" \
    ${target:+--target "$target"} -t "$name" . >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "image_build: the image was not built (see above)" >&2
    exit 1
fi
echo "$name"
