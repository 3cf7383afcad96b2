#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# heads.sh [ROOT] - every source file says its licence in the first line, every header says what it is and is read once.
set -eu

cd "${1:-$(dirname "$0")/../..}"
status=0
fail() {
    echo "$1:1: $2" >&2
    status=1
}

for file in $(find proc tests bench -name '*.[ch]' 2>/dev/null | sort); do
    case $(head -n 1 "$file") in
    '/* SPDX-License-Identifier: Apache-2.0'*) ;;
    *) fail "$file" 'begin with "/* SPDX-License-Identifier: Apache-2.0"' ;;
    esac
done
for file in $(find proc -name '*.h' | sort); do
    sed -n 2p "$file" | grep -qE "^ \* $(basename "$file") - " || fail "$file" "line 2 says \" * $(basename "$file") - what it is\""
    grep -q '^#pragma once$' "$file" || fail "$file" 'no "#pragma once"'
done
for file in $(find scripts tests bench .ci \( -name '*.sh' -o -name '*.py' \) 2>/dev/null | sort); do
    head -n 4 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || fail "$file" 'no licence line in the first four lines'
done
exit $status
