#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# provision.sh - makes the topics and the ACLs of Dryport with Kafka's own tools, from topics.csv and acls.csv beside it.
#
#   deploy/kafka/provision.sh topics [OPTION...]   creates what is missing; what exists is left as it is
#   deploy/kafka/provision.sh acls [OPTION...]     grants each role what acls.csv says; what is granted already stays
#     -c FILE                    the configuration of dryport: brokers, group, topic.*, topics.partitions, topics.replication
#     --bootstrap-server HOST:PORT,...   instead of the key brokers
#     --command-config FILE      how the tools log in (a properties file of the Java client)
#     --role ROLE=PRINCIPAL      acls: only the roles that are named, for this principal; may be repeated.
#                                Without it: every role of acls.csv, for User:dryport-ROLE
#     --print                    prints the commands instead of running them
#
# kafka-topics.sh and kafka-acls.sh are taken from $KAFKA_HOME/bin, else from the path.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
config=/dev/null
bootstrap=
command_config=
roles=
run=run

usage() {
    sed -n '4,14s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

fail() {
    echo "provision: $*" >&2
    exit 64
}

# setting KEY DEFAULT: the last value of a key of the configuration file
setting() {
    value=$(sed -n "s/^[[:space:]]*$(echo "$1" | sed 's/\./\\./g')[[:space:]]*=[[:space:]]*//p" "$config" | tail -n 1 | sed 's/[[:space:]]*$//')
    echo "${value:-$2}"
}

# run COMMAND...: the tools read standard input, which is the table here
run() {
    "$@" </dev/null
}

print() {
    echo "$*"
}

tool() {
    if [ -n "${KAFKA_HOME:-}" ]; then
        echo "$KAFKA_HOME/bin/$1"
    else
        echo "$1"
    fi
}

named() {
    case $1 in
    '{declarations}') setting topic.declarations customs.declarations ;;
    '{journal}') setting topic.journal customs.journal ;;
    '{statistics}') setting topic.statistics customs.statistics ;;
    '{rejects}') setting topic.rejects customs.rejects ;;
    '{group}') setting group dryport ;;
    '{group}-publish') echo "$(setting group dryport)-publish" ;;
    *'{'*) fail "acls.csv: unknown name $1" ;;
    *) echo "$1" ;;
    esac
}

topics() {
    partitions=$(setting topics.partitions 4)
    replication=$(setting topics.replication 1)
    for topic in declarations journal statistics rejects; do
        settings=
        while IFS=, read -r owner name value; do
            [ "$owner" != "$topic" ] || settings="$settings --config $name=$value"
        done <"$here/topics.csv"
        if [ "$replication" -ge 3 ] && [ "$topic" != statistics ]; then
            settings="$settings --config min.insync.replicas=2"
        fi
        # shellcheck disable=SC2086 # a list of options
        $run "$(tool kafka-topics.sh)" --bootstrap-server "$bootstrap" $command_config --create --if-not-exists \
            --topic "$(named "{$topic}")" --partitions "$partitions" --replication-factor "$replication" $settings
    done
}

# principal ROLE: whom it is granted to; nothing if the role was not asked for
principal() {
    if [ -z "$roles" ]; then
        echo "User:dryport-$1"
        return
    fi
    for given in $roles; do
        [ "${given%%=*}" != "$1" ] || echo "${given#*=}"
    done
}

# grant ROLE PATTERN OPERATIONS RESOURCE-OPTIONS: one command; these tools take a second each to start
grant() {
    rights=
    for operation in $3; do
        rights="$rights --operation $operation"
    done
    for whom in $(principal "$1"); do
        # shellcheck disable=SC2086 # lists of options
        $run "$(tool kafka-acls.sh)" --bootstrap-server "$bootstrap" $command_config --add --allow-principal "$whom" \
            --resource-pattern-type "$2" $4 $rights
    done
}

acls() {
    for given in $roles; do
        cut -d, -f1 "$here/acls.csv" | grep -qxF "${given%%=*}" ||
            fail "unknown role ${given%%=*}; there are $(sed 1d "$here/acls.csv" | cut -d, -f1 | uniq | tr '\n' ' ')"
    done
    # Rows that follow each other and differ in their name alone are one command.
    before=
    resources=
    sed 1d "$here/acls.csv" >"$list"
    echo 'end,,,,,' >>"$list"
    while IFS=, read -r role resource name pattern operations why; do
        : "$why"
        row="$role,$resource,$pattern,$operations"
        if [ "$row" != "$before" ]; then
            [ -z "$before" ] || grant "$last_role" "$last_pattern" "$last_operations" "$resources"
            resources=
        fi
        [ "$role" != end ] || break
        full_name=$(named "$name")
        resources="$resources --$resource $full_name"
        before=$row
        last_role=$role
        last_pattern=$pattern
        last_operations=$operations
    done <"$list"
}

[ $# -ge 1 ] || usage
what=$1
shift
while [ $# -gt 0 ]; do
    [ "$1" = --print ] || [ $# -ge 2 ] || usage
    case $1 in
    --print)
        run=print
        shift
        continue
        ;;
    -c)
        [ -r "$2" ] || fail "cannot read $2"
        config=$2
        ;;
    --bootstrap-server) bootstrap=$2 ;;
    --command-config)
        [ -r "$2" ] || fail "cannot read $2"
        command_config="--command-config $2"
        ;;
    --role)
        case $2 in
        *=?*) roles="$roles $2" ;;
        *) fail "--role wants ROLE=PRINCIPAL, as aggregate=User:counter; got $2" ;;
        esac
        ;;
    *) usage ;;
    esac
    shift 2
done
bootstrap=${bootstrap:-$(setting brokers 127.0.0.1:9092)}
case $what in
topics) topics ;;
acls)
    list=$(mktemp)
    trap 'rm -f "$list"' EXIT
    acls
    ;;
*) usage ;;
esac
