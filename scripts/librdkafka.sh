#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# librdkafka.sh - prints the folder of a librdkafka that speaks SCRAM (2.6.1 or newer), for LD_LIBRARY_PATH of a program that is
# linked with the system's; prints nothing if the system's own is new enough.
#
# Debian bookworm's librdkafka 2.0.2 can't: newer brokers refuse its nonce (confluentinc/librdkafka#4895). So the source package of
# Debian trixie (2.8.0, the library of the image) is fetched once and compiled: 20 s to 90 s, no root, nothing is installed. Both have the soname
# librdkafka.so.1, so that the same program runs with either. The folder is ${DRYPORT_CACHE:-$HOME/.cache/dryport}/librdkafka-trixie;
# DRYPORT_DEBIAN_MIRROR names another mirror than deb.debian.org. Quiet when there is nothing to do.
set -eu

least=2.6.1
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
folder=$cache/librdkafka-trixie
mirror=${DRYPORT_DEBIAN_MIRROR:-http://deb.debian.org/debian}

say() {
    echo "librdkafka: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

if pkg-config --atleast-version=$least rdkafka; then
    exit 0
fi
if [ -e "$folder/librdkafka.so.1" ]; then
    echo "$folder"
    exit 0
fi

mkdir -p "$cache"
exec 9>"$folder.lock"
flock 9
if [ -e "$folder/librdkafka.so.1" ]; then
    echo "$folder"
    exit 0
fi
for tool in apt-get gcc make pkg-config; do
    command -v $tool >/dev/null || fail "$tool is missing; scripts/install_deps.sh build test installs it (Debian)"
done
pkg-config --exists libssl libcurl libzstd zlib || fail "headers are missing: scripts/install_deps.sh build test"

work=$(mktemp -d "$cache/librdkafka.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"
chmod 755 "$work"
# An apt of its own, beside the system's: the signatures of the archive are checked, the system's sources stay as they are.
echo "deb-src $mirror trixie main" >"$work/sources.list"
apt() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work" -o Debug::NoLocking=1 -o Acquire::Languages=none -o APT::Sandbox::User= "$@" >"$work/log" 2>&1 || {
        tail -n 20 "$work/log" >&2
        fail "apt-get $1 failed (see above); is $mirror there?"
    }
}
say "fetching the source of Debian trixie's librdkafka (15 MB, once)"
apt update
(cd "$work" && apt source --download-only librdkafka)
mkdir "$work/source"
tar -xf "$work"/librdkafka_*.orig.tar.* -C "$work/source" --strip-components=1
say "compiling it into $folder (once)"
(
    cd "$work/source"
    ./configure --prefix=/usr --disable-gssapi --disable-lz4-ext --enable-curl --disable-debug-symbols
    make -C src -j"$(nproc)" librdkafka.so.1
) >"$work/log" 2>&1 </dev/null || {
    tail -n 20 "$work/log" >&2
    fail "it does not compile (see above)"
}
mkdir "$work/made"
cp "$work/source/src/librdkafka.so.1" "$work/made/"
rm -rf "$folder"
mv -T "$work/made" "$folder"
echo "$folder"
