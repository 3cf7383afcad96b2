#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_deps.sh GROUP... - installs the Debian packages of the groups build, unit, test, fuzz, bench, image, containers that are
# missing; says which.
#
# Quiet when nothing is missing (it asks dpkg each time: 30 ms, and right also on a copied tree). Needs root or sudo only if
# something is missing. docs/DEPENDENCIES.md holds the reason for each package. On a system without dpkg it names the
# packages and goes on: the configure step then says what it does not find.
set -eu

packages_of() {
    case $1 in
    build)
        echo gcc libc6-dev make cmake ninja-build pkg-config protobuf-c-compiler tzdata \
            librdkafka-dev libprotobuf-c-dev libzstd-dev libmicrohttpd-dev libjansson-dev libncurses-dev libssl-dev libcurl4-openssl-dev
        ;;
    unit)
        echo libcriterion-dev python3 protobuf-compiler zstd
        ;;
    test)
        echo libcriterion-dev clang-format python3 python3-venv protobuf-compiler zstd maven openssl curl libcurl4-openssl-dev zlib1g-dev postgresql
        command -v java >/dev/null || echo default-jre-headless
        # what checks deploy/: promtool and Prometheus, systemd-analyze, helm (built with Go), the Kubernetes models (npm)
        echo prometheus systemd
        command -v go >/dev/null || echo golang-go
        command -v npm >/dev/null || echo nodejs npm
        ;;
    fuzz)
        echo clang-14 libclang-rt-14-dev
        ;;
    bench)
        echo libck-dev liburcu-dev g++ libprotobuf-dev protobuf-compiler
        ;;
    image) # what an image takes from the distribution it is built on
        echo ca-certificates tzdata
        ;;
    containers) # builds and runs images without a daemon
        echo buildah podman runc debootstrap
        ;;
    *)
        echo "install_deps: unknown group \"$1\"; there are build, unit, test, fuzz, bench, image, containers" >&2
        return 64
        ;;
    esac
}

wanted=
for group; do
    packages=$(packages_of "$group") || exit
    wanted="$wanted $(echo $packages)"
done
if ! command -v dpkg-query >/dev/null; then
    echo "install_deps: not a Debian system; see that the like of these is installed:$wanted" >&2
    exit 0
fi

present=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p') || true
missing=
for package in $wanted; do
    echo "$present" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "install_deps: installing$missing" >&2
root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "install_deps: this needs root; run as root: apt-get install$missing" >&2
        exit 1
    }
    root=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    # RUNLEVEL=1: a package that brings a service (prometheus) must not start it
    $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
}
if ! { apt update && apt install --no-install-recommends $missing; }; then
    tail -n 20 "$log" >&2
    echo "install_deps: apt-get failed (see above); is the network there?" >&2
    exit 1
fi
