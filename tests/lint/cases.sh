#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cases.sh [ROOT] - every test that docs/TESTS.md names is there; a row that names none is one that nobody tests.
set -eu

cd "${1:-$(dirname "$0")/../..}"
page=docs/TESTS.md
names=$(mktemp)
trap 'rm -f "$names" "$names".*' EXIT
status=0
fail() {
    echo "$page: $1" >&2
    status=1
}

[ -f "$page" ] || {
    echo "$page is missing" >&2
    exit 1
}
grep -hE '^Test\(' -r tests/unit --include='*.c' 2>/dev/null | sed -nE 's/^Test\(([a-z0-9_]+), *([A-Za-z0-9_]+).*/\1::\2/p' >"$names"
for file in tests/broker/*.py; do
    [ ! -f "$file" ] || sed -nE "s/^ *def ([a-z_]+)\(.*/$(basename "$file"):\1/p" "$file" >>"$names"
done
sed -nE 's/^HAPPENING\(([A-Z_]+),.*/sim:\1/p' tests/sim/happenings.def >>"$names" 2>/dev/null || true
sed -nE 's/^MUTANT_ROW\(([A-Z_]+),.*/mutant:\1/p' proc/flow/mutants.def >>"$names" 2>/dev/null || true
sed -nE "s/^    '([a-z_]+)':.*/model:\1/p" tests/model/breakages.py >>"$names" 2>/dev/null || true
for file in tests/command/*.py; do
    [ ! -f "$file" ] || echo "command:$(basename "$file" .py)" >>"$names"
done
for file in tests/offline/scenarios/*.scenario; do
    [ ! -f "$file" ] || echo "scenario:$(basename "$file" .scenario)" >>"$names"
done

# Rows of the tables below the first section, which explains the column.
sed -n '/^## /,$p' "$page" | grep -E '^\| ' | grep -vE '^\| (case|---)' >"$names.rows" || true
rows=0
while IFS= read -r row; do
    rows=$((rows + 1))
    echo "$row" | grep -oE '`[a-z0-9_]+(\.py)?::?[A-Za-z0-9_]+`' | tr -d '`' >"$names.row" || true
    [ -s "$names.row" ] || fail "no test is named: $row"
    while read -r name; do
        grep -qxF "$name" "$names" || fail "there is no test $name"
    done <"$names.row"
done <"$names.rows"
[ "$rows" -gt 0 ] || fail 'no rows'
[ "$status" -ne 0 ] || echo "$rows cases"
exit $status
