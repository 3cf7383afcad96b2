#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# register_schemas.sh - registers proto/customs/v1 with a schema registry of Confluent's API, and has it refuse what readers could not read.
#
#   deploy/kafka/register_schemas.sh URL [--check] [--proto FOLDER] [--subject NAME=SUBJECT ...]
#     URL          of the API, as http://registry:8081
#     --check      registers nothing: only asks whether the schemas are compatible with what is registered
#     --proto      where declaration.proto, statistic.proto and reject.proto are; default: the repository's
#     --subject    another subject, as declaration=customs.declarations-value, which is the default
#
# The compatibility of each subject is set to FULL_TRANSITIVE: old readers read new records and new readers old ones, of any two versions.
# Exit code 1: a schema is incompatible, or the registry refuses it. Needs curl and python3.
set -eu

proto=$(cd "$(dirname "$0")/../.." && pwd)/proto/customs/v1
declaration=customs.declarations-value
statistic=customs.statistics-value
reject=customs.rejects-value
check=no

usage() {
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

[ $# -ge 1 ] || usage
url=${1%/}
shift
while [ $# -gt 0 ]; do
    case $1 in
    --check)
        check=yes
        shift
        continue
        ;;
    --proto) proto=${2:?} ;;
    --subject)
        case ${2:?} in
        declaration=?*) declaration=${2#*=} ;;
        statistic=?*) statistic=${2#*=} ;;
        reject=?*) reject=${2#*=} ;;
        *) usage ;;
        esac
        ;;
    *) usage ;;
    esac
    shift 2
done
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# ask METHOD PATH BODY: prints the HTTP status; the body goes to $answer
ask() {
    printf '%s' "$3" | curl -sS -m 30 -o "$answer" -w '%{http_code}' -X "$1" -H 'Content-Type: application/vnd.schemaregistry.v1+json' \
        --data-binary @- "$url$2" || {
        echo "register_schemas: no answer from $url" >&2
        exit 1
    }
}

body() { # FILE
    python3 -c 'import json, sys; print(json.dumps({"schemaType": "PROTOBUF", "schema": open(sys.argv[1], encoding="utf-8").read()}))' "$1"
}

status=0
for name in declaration statistic reject; do
    eval "subject=\$$name"
    file=$proto/$name.proto
    schema=$(body "$file")
    code=$(ask POST "/compatibility/subjects/$subject/versions/latest?verbose=true" "$schema")
    if [ "$code" = 200 ] && grep -q '"is_compatible" *: *false' "$answer"; then
        echo "register_schemas: $file is not compatible with what $subject holds: $(cat "$answer")" >&2
        status=1
        continue
    fi
    # 404: nothing is registered yet, everything is compatible
    if [ "$code" != 200 ] && [ "$code" != 404 ]; then
        echo "register_schemas: $subject: the registry answers $code: $(cat "$answer")" >&2
        status=1
        continue
    fi
    if [ $check = yes ]; then
        echo "$subject compatible"
        continue
    fi
    code=$(ask POST "/subjects/$subject/versions" "$schema")
    if [ "$code" != 200 ]; then
        echo "register_schemas: $subject: $file was refused with $code: $(cat "$answer")" >&2
        status=1
        continue
    fi
    id=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' "$answer")
    code=$(ask PUT "/config/$subject" '{"compatibility": "FULL_TRANSITIVE"}')
    if [ "$code" != 200 ]; then
        echo "register_schemas: $subject: its compatibility can't be set: $code: $(cat "$answer")" >&2
        status=1
    fi
    echo "$subject $id"
done
exit $status
