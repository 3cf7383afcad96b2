#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd.sh DRYPORT ROOT - deploy/systemd: systemd reads the unit, finds it well shut in, and its command line is one of dryport's.
set -eu

dryport=$1
unit=$2/deploy/systemd/dryport@.service
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
fail() {
    echo "$unit: $1" >&2
    status=1
}

command -v systemd-analyze >/dev/null || {
    echo 'systemd-analyze is missing: scripts/install_deps.sh test' >&2
    exit 1
}
grep -qx 'ExecStart=/usr/bin/dryport run -c /etc/dryport/dryport.conf -X role=%i' "$unit" || fail 'ExecStart is another'
# verify looks for the program: the one that was built stands for the installed one
sed "s#^ExecStart=/usr/bin/dryport#ExecStart=$dryport#" "$unit" >"$folder/dryport@.service"
for role in aggregate publish all; do
    cp "$folder/dryport@.service" "$folder/dryport@$role.service"
    systemd-analyze verify --man=no --recursive-errors=no "$folder/dryport@$role.service" >"$folder/said" 2>&1 || fail "verify: $(cat "$folder/said")"
    # other units of this machine are not our affair
    ! grep -F dryport "$folder/said" >&2 || fail 'verify warns, see above'
    "$dryport" run --print-config -X "role=$role" >"$folder/config" || fail "role=$role is refused"
    grep -q "^role *= *$role\b" "$folder/config" || fail "role=$role does not arrive: $(grep role "$folder/config" | head -n 1)"
done
# 0 is safest, 100 is open; 20 is "OK" by far
systemd-analyze security --offline=yes --threshold=20 --no-pager "$folder/dryport@all.service" >"$folder/said" 2>&1 ||
    fail "security: $(tail -n 3 "$folder/said")"
[ $status -ne 0 ] || tail -n 1 "$folder/said" | sed 's/^[^A-Za-z]*//'
# and the check can fail
sed '/^[A-Z][A-Za-z]*=yes$/d; /^SystemCall/d; /^Capability/d; /^User=/d' "$folder/dryport@all.service" >"$folder/dryport@open.service"
! systemd-analyze security --offline=yes --threshold=20 --no-pager "$folder/dryport@open.service" >/dev/null 2>&1 || fail 'an open unit passes'
exit $status
