#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image_base.sh - makes the base image of the Dockerfile, where no registry can be asked: Debian's own bootstrap under the tag that the
# Dockerfile names. Does nothing if the store has it. MIRROR=http://... takes the packages from there.
set -eu

cd "$(dirname "$0")/.."
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
mirror=${MIRROR:-http://deb.debian.org/debian}
tag=$(sed -n 's/^ARG BASE=//p' Dockerfile)
suite=$(echo "$tag" | sed -E 's/.*:([a-z]+)-.*/\1/')
[ -n "$tag" ] && [ -n "$suite" ] || {
    echo "image_base: the Dockerfile has no line ARG BASE=...:SUITE-DATE-slim" >&2
    exit 1
}
mkdir -p "$cache"
exec 9>"$cache/image-base.lock"
flock 9
scripts/containers.sh buildah images -q "$tag" >/dev/null 2>&1 9>&- && exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
place=$(mktemp -d "$cache/base.XXXXXX")
trap '$root rm -rf "$place"' EXIT
echo "image_base: making $tag by debootstrap from $mirror (25 s of CPU, once)" >&2
$root debootstrap --variant=minbase "$suite" "$place/root" "$mirror" >"$place/log" 2>&1 9>&- || {
    tail -n 20 "$place/log" >&2
    echo "image_base: debootstrap failed (see above); is the mirror there?" >&2
    exit 1
}
# As the slim images are: no documents but the licences, no lists, and apt of the mirror with its security fixes.
$root find "$place/root/usr/share/doc" -type f ! -name copyright -delete
$root rm -rf "$place/root/var/lib/apt/lists" "$place/root/usr/share/man" "$place/root/usr/share/locale"
$root find "$place/root/var/cache/apt" -type f -delete
mkdir "$place/context"
$root tar -C "$place/root" --exclude='./dev/*' -cf "$place/context/base.tar" .
printf 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n' >"$place/context/Dockerfile"
scripts/containers.sh buildah bud --layers=false -t "$tag" "$place/context" >"$place/log" 2>&1 9>&- || {
    tail -n 20 "$place/log" >&2
    exit 1
}
