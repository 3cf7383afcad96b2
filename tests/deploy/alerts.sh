#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# alerts.sh ROOT - deploy/prometheus: promtool reads the rules, each alert fires in tests/deploy/alerts_test.yaml, has a runbook
# section in docs/OPERATIONS.md, and asks for metrics that there are.
set -eu

root=$1
rules=$root/deploy/prometheus/alerts.yaml
tests=$root/tests/deploy/alerts_test.yaml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
fail() {
    echo "alerts.yaml: $1" >&2
    status=1
}

command -v promtool >/dev/null || {
    echo 'promtool is missing: scripts/install_deps.sh test' >&2
    exit 1
}
promtool check rules "$rules" >"$folder/checked" 2>&1 || {
    cat "$folder/checked" >&2
    exit 1
}

# promtool compares annotations word by word; when an alert fires is what the tests say, so they run on rules without them.
mkdir -p "$folder/deploy/prometheus" "$folder/tests/deploy"
awk '/^        annotations:/ { skips = 1; next } skips && /^          / { next } { skips = 0; print }' "$rules" \
    >"$folder/deploy/prometheus/alerts.yaml"
cp "$tests" "$folder/tests/deploy/"
promtool test rules "$folder/tests/deploy/alerts_test.yaml" >"$folder/tested" 2>&1 || {
    cat "$folder/tested" >&2
    status=1
}

alerts=$(sed -n 's/^      - alert: //p' "$rules" | sort -u)
for alert in $alerts; do
    grep -q "alertname: $alert}" "$tests" || fail "no test shows that $alert keeps still"
    grep -A1 "alertname: $alert\$" "$tests" | grep -q exp_alerts || fail "no test shows $alert fire"
    grep -qx "### $alert" "$root/docs/OPERATIONS.md" || fail "docs/OPERATIONS.md has no section \"### $alert\""
    anchor=$(echo "$alert" | tr '[:upper:]' '[:lower:]')
    grep -q "runbook: docs/OPERATIONS.md#$anchor\$" "$rules" || fail "$alert does not name its runbook #$anchor"
done
count=$(grep -c '^      - alert:' "$rules")
for part in summary description runbook; do
    # the second DryportCertificateExpires shares the annotations of the first
    [ "$(grep -c "^          $part: " "$rules")" -eq $((count - 1)) ] || fail "an alert has no $part"
done
for metric in $(grep -oE '\b(dryport|process)_[a-z_]+' "$rules" | sort -u); do
    grep -q "\"$metric\"" "$root/proc/ops/metrics.def" || fail "$metric is no metric of proc/ops/metrics.def"
done
[ $status -ne 0 ] || echo "$(echo "$alerts" | wc -w) alerts: $(grep -o 'SUCCESS' "$folder/tested")"
exit $status
