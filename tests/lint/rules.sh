#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rules.sh PRINT_RULES [ROOT] - every rule of rules.def has an accepting and a rejecting (warning, leaving out, reclassifying) test that carries its code.
#
# Rules of the declaration: rows RULE_CASE("CODE", accepts|rejects|warns|leaves_out|reclassifies, ...) in tests/unit/trade. Rules that need the ledger or other ids are tested
# where the ledger is: tests/unit/flow has at least two tests with the code in their names (VER_504..., or VER_503_504... for several), one
# where the rule is found and one where it is not.
set -eu

print_rules=$1
cd "${2:-$(dirname "$0")/../..}"
cases=$(mktemp)
codes=$(mktemp)
trap 'rm -f "$cases" "$cases.unknown" "$codes"' EXIT
"$print_rules" --codes >"$codes"
grep -hoE 'RULE_CASE\("[A-Z]{3}-[0-9]{3}", *(accepts|rejects|warns|leaves_out|reclassifies)' tests/unit/trade/*.c | sed -E 's/RULE_CASE\("([^"]*)", */\1 /' >"$cases"

status=0
rules=0
fail() {
    echo "proc/trade/rules.def: $1" >&2
    status=1
}

# How many tests of tests/unit/flow have the code in their names.
ledger_tests() {
    cat tests/unit/flow/*.c 2>/dev/null | grep -cE "^Test\([a-z_]+, .*${1%-*}(_[0-9]{3})*_${1#*-}" || true
}

while read -r code severity needs; do
    rules=$((rules + 1))
    if [ "$needs" = ledger ] || [ "$needs" = cross-id ]; then
        [ "$(ledger_tests "$code")" -ge 2 ] || fail "$code ($severity) needs two tests in tests/unit/flow with $(echo "$code" | tr - _) in their names: found, and not found"
        continue
    fi
    grep -q "^$code accepts" "$cases" || fail "$code has no RULE_CASE(\"$code\", accepts, ...) in tests/unit/trade"
    grep -qE "^$code (rejects|warns|leaves_out|reclassifies)" "$cases" || fail "$code has no RULE_CASE(\"$code\", rejects, warns, leaves_out or reclassifies, ...) in tests/unit/trade"
done <"$codes"

cut -d ' ' -f 1 "$cases" | sort -u | while read -r code; do
    grep -q "^$code " "$codes" || echo "$code"
done >"$cases.unknown"
while read -r code; do
    fail "$code has a RULE_CASE but no row"
done <"$cases.unknown"
[ "$rules" -gt 0 ] || fail 'no rules: is PRINT_RULES the right program?'
[ "$status" -ne 0 ] || echo "$rules rules, $(wc -l <"$cases") cases"
exit $status
