#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# helm.sh - builds helm from the Go module proxy once and prints where it is. Debian has no package of it; 3.12 is the newest that
# bookworm's Go 1.19 builds. It lies in ${DRYPORT_CACHE:-$HOME/.cache/dryport}. Quiet when there is nothing to do.
set -eu

version=3.12.3
folder=${DRYPORT_CACHE:-$HOME/.cache/dryport}/helm-$version
if [ ! -x "$folder/helm" ]; then
    command -v go >/dev/null || {
        echo 'helm.sh: Go is missing: scripts/install_deps.sh test' >&2
        exit 1
    }
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    if [ ! -x "$folder/helm" ]; then
        echo "helm.sh: building helm $version into $folder (3 min of CPU, once)" >&2
        GOBIN=$folder/new GOFLAGS=-buildvcs=false go install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@v$version" >"$folder/log" 2>&1 || {
            tail -n 20 "$folder/log" >&2
            echo 'helm.sh: go could not build it (see above); this needs the Go module proxy once' >&2
            exit 1
        }
        mv "$folder/new/helm" "$folder/helm"
    fi
fi
echo "$folder/helm"
