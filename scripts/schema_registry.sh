#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# schema_registry.sh - starts and stops a real schema registry (Apicurio, Confluent's API) on a free loopback port, for tests. Needs Java 17.
#
#   scripts/schema_registry.sh start DIR    makes DIR, waits until it answers, prints the address of its Confluent API on stdout
#   scripts/schema_registry.sh stop DIR     ends just this one
#
# DIR afterwards holds registry.pid and registry.log; what is registered is in memory. The program comes from Maven Central once (104 MB), into
# ${DRYPORT_CACHE:-$HOME/.cache/dryport}/apicurio-VERSION. Newer ones (3.3) need Java 21.
set -eu

version=3.0.9
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
home=$cache/apicurio-$version

fail() {
    echo "schema_registry: $*" >&2
    exit 1
}

usage() {
    sed -n '5,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

fetch() {
    [ ! -d "$home" ] || return 0
    command -v mvn >/dev/null || fail "Maven is missing: apt-get install maven"
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/apicurio.XXXXXX")
    echo "schema_registry: fetching Apicurio $version from Maven Central into $home (104 MB, once)" >&2
    (cd "$fresh" && mvn -q -B -Dstyle.color=never dependency:copy -Dartifact=io.apicurio:apicurio-registry-app:$version:tar.gz:all \
        -DoutputDirectory="$fresh" >&2) || fail "Maven could not fetch it (see above)"
    mkdir "$fresh/made"
    tar -xzf "$fresh"/apicurio-registry-app-*.tar.gz -C "$fresh/made"
    mv -T "$fresh/made" "$home" 2>/dev/null || [ -d "$home" ] || fail "cannot write $home"
    rm -rf "$fresh"
}

start() {
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    fetch
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port/apis/ccompat/v7
    # exec: the pid written is the JVM's own
    sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$dir/registry.pid" java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" -jar "$home"/apicurio-registry-app-*-runner.jar \
        >"$dir/registry.log" 2>&1 </dev/null &
    tries=0
    until curl -fsS -m 2 "$url/subjects" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "it does not answer after 2 min; see $dir/registry.log"
        [ $tries -lt 20 ] || kill -0 "$(cat "$dir/registry.pid")" 2>/dev/null || fail "it ended at its start; see $dir/registry.log"
        sleep 0.2
    done
    echo "$url"
}

[ $# -eq 2 ] || usage
case $1 in
start) start "$2" ;;
stop) "$(dirname "$0")/end_process.sh" "$2/registry.pid" ;;
*) usage ;;
esac
