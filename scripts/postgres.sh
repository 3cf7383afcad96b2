#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# postgres.sh - a PostgreSQL cluster of its own for a test: no network, its own socket, nothing of the system's clusters.
#
#   scripts/postgres.sh start DIR      makes DIR and a cluster in it, waits until it answers, prints its connection string
#   scripts/postgres.sh stop DIR       ends just this one; its data stays in DIR
#
# PostgreSQL does not run as root: then it runs as the user postgres, whom the package has made, and DIR is given to that user. The test's data
# is of no worth: fsync is off.
set -eu

fail() {
    echo "postgres: $*" >&2
    exit 1
}

usage() {
    sed -n '5,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

[ $# -eq 2 ] || usage
verb=$1

# Debian keeps the programs of each version in a folder; other systems have them in the path.
bin=
for folder in /usr/lib/postgresql/*/bin; do
    [ ! -x "$folder/initdb" ] || bin=$folder
done
if [ -z "$bin" ]; then
    initdb=$(command -v initdb) || fail "PostgreSQL's server is missing; on Debian: apt-get install postgresql"
    bin=$(dirname "$initdb")
fi

user=$(id -un)
as_user() {
    (cd / && "$@") # initdb and pg_ctl complain of a working folder that they can't enter
}
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || fail "there is no user postgres to run it as: PostgreSQL refuses root"
    as_user() {
        (cd / && setpriv --reuid="$user" --regid="$user" --init-groups "$@")
    }
fi

case $verb in
start)
    mkdir -p "$2"
    dir=$(cd "$2" && pwd)
    [ ! -e "$dir/data" ] || fail "$dir holds the cluster of an earlier start: give an empty folder"
    [ "${#dir}" -lt 80 ] || fail "$dir: the path of a socket has at most 107 bytes; give a shorter one"
    chmod 700 "$dir"
    [ "$(id -u)" != 0 ] || chown "$user" "$dir"
    as_user "$bin/initdb" --pgdata="$dir/data" --username="$user" --auth=trust --no-sync --locale=C --encoding=UTF8 >"$dir/initdb.log" 2>&1 || {
        cat "$dir/initdb.log" >&2
        fail "initdb failed (see above)"
    }
    options="-c listen_addresses='' -c unix_socket_directories=$dir -c fsync=off -c max_connections=20"
    as_user "$bin/pg_ctl" start --wait --silent --pgdata="$dir/data" --log="$dir/postgres.log" --options="$options" >&2 || {
        cat "$dir/postgres.log" >&2
        fail "the server did not start (see above)"
    }
    echo "host=$dir user=$user dbname=postgres"
    ;;
stop)
    dir=$(cd "$2" && pwd)
    [ ! -f "$dir/data/postmaster.pid" ] || as_user "$bin/pg_ctl" stop --wait --silent --mode=immediate --pgdata="$dir/data" >&2
    ;;
*) usage ;;
esac
