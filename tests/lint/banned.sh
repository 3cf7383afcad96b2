#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# banned.sh [ROOT] - calls and words that this code does without.
#
# A line that must use one all the same (memory that a library hands out, say) carries the comment "banned-ok: reason".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
status=0
code=$(mktemp -d)
trap 'rm -rf "$code"' EXIT

# search WORDS MEND FILE...: reports each line whose code, without comments and strings, has one of the words.
search() {
    words=$1
    mend=$2
    shift 2
    [ $# -gt 0 ] || return 0
    (cd "$code" && grep -HnE "(^|[^A-Za-z0-9_>.])($words)" "$@") >"$code/hits" || [ $? = 1 ]
    while IFS=: read -r file line _; do
        text=$(sed -n "${line}s/^ *//p" "$file")
        case $text in
        *'banned-ok: '[a-z]*) continue ;;
        esac
        printf '%s:%s: %s\n    %s\n' "$file" "$line" "$text" "$mend" >&2
        status=1
    done <"$code/hits"
}

sources=$(find proc tests bench -name '*.[ch]' 2>/dev/null | sort)
for file in $sources; do
    mkdir -p "$code/$(dirname "$file")"
    awk -f "$here/strip.awk" "$file" >"$code/$file"
done
outside_base=$(echo "$sources" | grep -E '^proc/' | grep -vE '^proc/base/memory\.c$' || true)
outside_atomics=$(echo "$sources" | grep -E '^proc/' | grep -vE '^proc/(base|ops)/' || true)

search '(malloc|calloc|realloc|reallocarray|free|strdup|strndup|aligned_alloc|posix_memalign|alloca)[[:space:]]*\(' \
    'memory comes from base/memory.h or the arena of a batch' $outside_base
search '(strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets)[[:space:]]*\(' \
    'use struct buffer, snprintf or memcpy with a length' $sources
search '(atoi|atol|atoll|atof|rand|srand|random|drand48)[[:space:]]*\(' \
    'text_to_int64 tells what is no number; random numbers come from a printed seed' $sources
search 'volatile([^A-Za-z0-9_]|$)|atomic_thread_fence|atomic_signal_fence|__sync_|__atomic_|(__)?asm(__)?[[:space:]]*(volatile)?[[:space:]]*\(' \
    'C11 atomics with an explicit order, in base/ or ops/, are the only way between threads' $sources
search '_Atomic|atomic_|include[[:space:]]*<stdatomic\.h>' \
    'atomics stand in base/ and ops/ only: hand over by base/ring, count by base/counter' $outside_atomics
exit $status
