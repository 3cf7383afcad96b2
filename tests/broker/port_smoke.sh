#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# port_smoke.sh PROGRAM - runs port_smoke against a broker of its own, and removes it afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
broker=$here/../../scripts/kafka_broker.sh
folder=$(mktemp -d)
trap '"$broker" stop "$folder/broker"; rm -rf "$folder"' EXIT
"$broker" start "$folder/broker" --listener sasl >/dev/null
"$1" "$(cat "$folder/broker/bootstrap")" "$(cat "$folder/broker/sasl")"
