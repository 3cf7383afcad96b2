#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# containers.sh buildah|podman ARGUMENT... - builds and runs images without a daemon, in a store of its own,
# ${DRYPORT_CACHE:-$HOME/.cache/dryport}/containers: images of other users of this machine are neither seen nor touched.
# Needs root (or sudo): it mounts layers. scripts/install_deps.sh containers installs both programs.
set -eu

store=${DRYPORT_CACHE:-$HOME/.cache/dryport}/containers
root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "containers: this needs root (layers are mounted); run it as root" >&2
        exit 1
    }
    root=sudo
fi
[ $# -ge 1 ] || {
    sed -n '3,5s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
tool=$1
shift
command -v "$tool" >/dev/null || {
    echo "containers: $tool is missing: scripts/install_deps.sh containers" >&2
    exit 1
}

# The kernel's overlay if it can be mounted here (not on every file system, not within every container), else plain copies. Settled once:
# a store has one driver.
driver() {
    if [ ! -e "$store/driver" ]; then
        mkdir -p "$store"
        probe=$(mktemp -d "$store/probe.XXXXXX")
        mkdir "$probe/low" "$probe/up" "$probe/work" "$probe/all"
        kind=vfs
        if $root mount -t overlay overlay -o "lowerdir=$probe/low,upperdir=$probe/up,workdir=$probe/work" "$probe/all" 2>/dev/null; then
            $root umount "$probe/all"
            kind=overlay
        fi
        $root rm -rf "$probe"
        echo "$kind" >"$store/driver"
    fi
    cat "$store/driver"
}

set -- --root "$store/root" --runroot "$store/run" --storage-driver "$(driver)" "$@"
case $tool in
podman) # crun of bookworm can't start a container where runc can
    set -- --runtime runc --cgroup-manager cgroupfs --events-backend none "$@"
    ;;
esac
exec $root env BUILDAH_ISOLATION=chroot BUILDAH_FORMAT=docker "$tool" "$@"
