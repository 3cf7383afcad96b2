#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lint.sh dockerfile | compose DRYPORT - the Dockerfile by hadolint; deploy/compose.yaml by podman-compose and compose.py. Each is shown to fail, too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
environment=$("$root/scripts/test_venv.sh" "$here/requirements.txt")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

refused() { # WHAT COMMAND...
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "lint: this passed: $what" >&2
        exit 1
    fi
}

# A copy of deploy/ in which a sed script has spoilt compose.yaml.
spoilt() { # WHAT SED-SCRIPT
    mkdir -p "$place/tree"
    rm -rf "$place/tree/deploy"
    cp -R "$root/deploy" "$place/tree/"
    sed -i "$2" "$place/tree/deploy/compose.yaml"
    ! cmp -s "$root/deploy/compose.yaml" "$place/tree/deploy/compose.yaml" || {
        echo "lint: nothing was spoilt for: $1" >&2
        exit 1
    }
    refused "$1" "$environment/bin/python" -B "$here/compose.py" "$dryport" "$place/tree/deploy/compose.yaml" "$environment/bin/podman-compose"
}

case $1 in
dockerfile)
    "$environment/bin/hadolint" "$root/Dockerfile"
    sed 's/^ARG BASE=.*/ARG BASE/; s/^FROM \${BASE}.*/FROM debian/' "$root/Dockerfile" | grep -v hadolint >"$place/Dockerfile"
    refused 'a base without a tag' "$environment/bin/hadolint" "$place/Dockerfile"
    "$environment/bin/hadolint" --version
    ;;
compose)
    dryport=$2
    "$environment/bin/python" -B "$here/compose.py" "$dryport" "$root/deploy/compose.yaml" "$environment/bin/podman-compose"
    spoilt 'a setting that is none' 's/DRYPORT_BROKERS/DRYPORT_BROKER/'
    spoilt 'an option that is none' 's/"--rate"/"--rates"/'
    spoilt 'a file that is not there' 's#\./grafana/dryport#./grafana/other#'
    spoilt 'a key that is none' 's/read_only/readonly/'
    spoilt 'an image without a version' 's#kafka:4[0-9.]*#kafka:latest#'
    spoilt 'no YAML' 's/^services:/services: [/'
    ;;
*)
    echo 'usage: lint.sh dockerfile | compose DRYPORT' >&2
    exit 64
    ;;
esac
