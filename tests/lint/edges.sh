#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# edges.sh [ROOT] - every acquire and release carries a label and its partner in the same file, every relaxed its reason.
#
# A comment on the line or at most three lines above: "S1: pairs with F1 in table_find; ..." (each label serves one operation),
# or "relaxed: why nothing else depends on it". Calls without an explicit order, and seq_cst, fail.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
status=0
for file in $(find proc tests bench -name '*.[ch]' 2>/dev/null | xargs grep -lE 'memory_order_|atomic_[a-z_]+[[:space:]]*\(' | sort); do
    awk -f "$here/strip.awk" "$file" | awk -v file="$file" '
    function fail(number, text) {
        print file ":" number ": " text > "/dev/stderr"
        failed = 1
    }
    NR == FNR { raw[FNR] = $0; last = FNR; next }
    { code[FNR] = $0 }
    END {
        for (n = 1; n <= last; n++) {
            text = raw[n]
            while (match(text, /[A-Z][0-9]+: pairs with [A-Z][0-9]+( in [a-z_0-9]+)?(, [A-Z][0-9]+( in [a-z_0-9]+)?)*/)) {
                claim = substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
                label = claim
                sub(/:.*/, "", label)
                if (label in at)
                    fail(n, "label " label " stands twice; the first is on line " at[label])
                at[label] = n
                sub(/^[A-Z][0-9]+: pairs with /, "", claim)
                gsub(/ in [a-z_0-9]+/, "", claim)
                partners[label] = claim
            }
            if (raw[n] ~ /relaxed: ?[a-z]/)
                reason[n] = 1
        }
        for (n = 1; n <= last; n++) {
            if (code[n] ~ /memory_order_seq_cst/ || code[n] ~ /atomic_(load|store|exchange|fetch_[a-z]+|compare_exchange_[a-z]+)[ ]*\(/)
                fail(n, "sequentially consistent order: write the order out, or an ADR")
            if (code[n] ~ /memory_order_relaxed/ && !(reason[n] || reason[n - 1] || reason[n - 2] || reason[n - 3]))
                fail(n, "relaxed without \"relaxed: why nothing else depends on it\"")
            if (code[n] !~ /memory_order_(acquire|release|acq_rel|consume)/)
                continue
            found = ""
            for (l in at)
                if (at[l] <= n && at[l] >= n - 3 && !(l in used) && (found == "" || at[l] > at[found]))
                    found = l
            if (found == "")
                fail(n, "acquire or release without a label such as \"S1: pairs with F1 in table_find; what it publishes\"")
            else
                used[found] = n
        }
        for (l in at) {
            if (!(l in used))
                fail(at[l], "label " l " stands at no acquire or release")
            count = split(partners[l], partner, ", ")
            for (i = 1; i <= count; i++) {
                if (!(partner[i] in at))
                    fail(at[l], "label " l " pairs with " partner[i] ", which is not in this file")
                else if (index(", " partners[partner[i]] ", ", ", " l ", ") == 0)
                    fail(at[l], "label " l " pairs with " partner[i] ", which does not name " l)
            }
        }
        exit failed
    }' "$file" - || status=1
done
exit $status
