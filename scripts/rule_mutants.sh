#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rule_mutants.sh [BUILD [CODE...]] - switches each rule of rules.def off in turn, and requires that the tests of its group fail then.
#
# With CODEs only those, or all that begin so: `scripts/rule_mutants.sh build/mutants TIM ARI-210`.
# One build with -DDRYPORT_MUTANTS=ON; the environment variable DRYPORT_MUTANT names the rule that never fires (rules.c, is_mutant).
# A rule whose absence no test notices is a survivor: the script lists it and fails. Verdicts (VER-501, VER-503) can't be switched off, so
# they have no mutant. Of the tests of the ledger only those run that carry the rule's number in their names.
set -eu

cd "$(dirname "$0")/.."
build=${1:-build/mutants}
[ $# -eq 0 ] || shift
wanted=$*
cmake --preset debug -B "$build" -DDRYPORT_MUTANTS=ON --log-level=WARNING >/dev/null
unit_tests='structure codes arithmetic rate credible time hs commerce statistics'
targets=print_rules
for part in $unit_tests; do
    targets="$targets test_trade_judge_$part"
done
ledger_tests=$(cd tests/unit/flow && grep -lE '^Test\(.*(VER|LED|TIM|CRE|ECM)_[0-9]' test_*.c | sed -E 's/^test_(.*)\.c$/test_flow_\1/' || true)
# shellcheck disable=SC2086 # the lists are words
cmake --build "$build" --target $targets $ledger_tests -- --quiet

# The test programs in which a rule of that group should be missed.
programs() {
    if [ "$2" = ledger ] || [ "$2" = cross-id ]; then
        echo "$ledger_tests"
        return
    fi
    case $1 in
    STR-* | VER-*) echo test_trade_judge_structure ;;
    COD-*) echo test_trade_judge_codes ;;
    ARI-*) echo test_trade_judge_arithmetic test_trade_judge_rate ;;
    HSC-*) echo test_trade_judge_hs ;;
    STA-*) echo test_trade_judge_statistics ;;
    CRE-*) echo test_trade_judge_credible ;;
    TIM-*) echo test_trade_judge_time ;;
    ECM-*) echo test_trade_judge_commerce ;;
    esac
}

# Whether the rule is among those that were asked for.
is_wanted() {
    [ -n "$wanted" ] || return 0
    for begin in $wanted; do
        case $1 in
        "$begin"*) return 0 ;;
        esac
    done
    return 1
}

# Runs the tests that should miss a rule, with it or without it.
run() {
    program=$1
    filter='*/*'
    case $program in
    test_flow_*) filter="*/*_${2#*-}_*" ;;
    esac
    "$build/$program" --quiet --filter "$filter" >/dev/null 2>&1
}

"$build/print_rules" --codes | while read -r code _ needs; do
    for program in $(programs "$code" "$needs"); do
        echo "$program ${code#*-} $needs"
    done
done | awk '$3 != "ledger" && $3 != "cross-id" { $2 = 0 } !seen[$1 " " $2]++ { print $1, "X-" $2 }' | while read -r program code; do
    run "$program" "$code" || {
        echo "rule_mutants: $program fails without any mutant; mend that first: $build/$program" >&2
        exit 1
    }
done

killed=0
survived=''
printf '%-8s  %-8s  %s\n' rule mutant 'noticed by'
while read -r code severity needs; do
    [ "$severity" != verdict ] && is_wanted "$code" || continue
    noticed=''
    for program in $(programs "$code" "$needs"); do
        if ! DRYPORT_MUTANT=$code run "$program" "$code"; then
            noticed=$program
            break
        fi
    done
    if [ -n "$noticed" ]; then
        killed=$((killed + 1))
        printf '%-8s  %-8s  %s\n' "$code" killed "$noticed"
    else
        survived="$survived $code"
        printf '%-8s  %-8s  %s\n' "$code" SURVIVED -
    fi
done <<EOF
$("$build/print_rules" --codes)
EOF

echo
if [ -n "$survived" ]; then
    echo "rule_mutants: $killed killed; survived:$survived" >&2
    exit 1
fi
[ "$killed" -gt 0 ] || {
    echo "rule_mutants: there is no rule that begins with one of: $wanted" >&2
    exit 1
}
echo "rule_mutants: all $killed rules are missed by some test when they are off"
