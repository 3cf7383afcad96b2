#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# self.sh - shows that each lint fails on what it is there for, and passes on what is right.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
status=0
head='/* SPDX-License-Identifier: Apache-2.0 */'

# tree: an empty source tree; put FILE LINE...: one file of it.
tree() {
    rm -rf "$root/proc" "$root/tests" "$root/bench"
    mkdir -p "$root/proc/base" "$root/proc/trade" "$root/proc/flow" "$root/proc/kafka" "$root/proc/ops" "$root/proc/cmd" \
        "$root/tests" "$root/bench"
    put proc/base/empty.c
}

put() {
    file=$root/$1
    shift
    echo "$head" >"$file"
    for line; do
        echo "$line" >>"$file"
    done
}

fails() {
    if "$here/$1.sh" "$root" >/dev/null 2>&1; then
        echo "self: $1 let this pass: $2" >&2
        status=1
    fi
}

passes() {
    if ! "$here/$1.sh" "$root"; then
        echo "self: $1 refused what is right: $2" >&2
        status=1
    fi
}

refused_include() {
    tree
    put "proc/$1" "#include $2"
    fails rooms "proc/$1 includes $2"
}

allowed_include() {
    tree
    put "proc/$1" "#include $2"
    passes rooms "proc/$1 includes $2"
}

refused_include base/a.c '"trade/rules.h"'
refused_include trade/a.c '"flow/wire.h"'
refused_include flow/a.c '"kafka/client.h"'
refused_include flow/a.c '<librdkafka/rdkafka.h>'
refused_include kafka/a.c '"flow/ledger.h"'
refused_include kafka/a.c '<jansson.h>'
refused_include ops/a.c '<librdkafka/rdkafka.h>'
refused_include cmd/a.c '<librdkafka/rdkafka.h>'
refused_include trade/a.c '<zstd.h>'
allowed_include base/a.c '<stdio.h>'
allowed_include trade/a.c '"base/err.h"'
allowed_include flow/a.c '<zstd.h>'
allowed_include kafka/a.c '"flow/port.h"'
allowed_include kafka/a.c '<librdkafka/rdkafka.h>'
allowed_include cmd/a.c '"kafka/client.h"'

tree
put proc/base/a.c 'x = atomic_load_explicit(&w, memory_order_acquire);'
fails edges 'an acquire without a label'
put proc/base/a.c '/* A1: pairs with B1 in f; y */' 'x = atomic_load_explicit(&w, memory_order_acquire);'
fails edges 'a partner that is not there'
put proc/base/a.c '/* A1: pairs with B1 in f; y */' 'x = atomic_load_explicit(&w, memory_order_acquire);' \
    '/* B1: pairs with C1 in f; y */' 'atomic_store_explicit(&w, 1, memory_order_release);' \
    '/* C1: pairs with B1 in f; y */' 'x = atomic_load_explicit(&w, memory_order_acquire);'
fails edges 'a partner that names another'
put proc/base/a.c '/* A1: pairs with B1 in f; y */' 'x = atomic_load_explicit(&w, memory_order_acquire);' \
    'x = atomic_load_explicit(&w, memory_order_acquire);' '/* B1: pairs with A1 in f; y */' \
    'atomic_store_explicit(&w, 1, memory_order_release);'
fails edges 'two acquires with one label'
put proc/base/a.c 'x = atomic_load_explicit(&w, memory_order_relaxed);'
fails edges 'a relaxed order without a reason'
put proc/base/a.c 'x = atomic_load(&w);'
fails edges 'an implicit order'
put proc/base/a.c '/* A1: pairs with B1 in f; y */' 'x = atomic_load_explicit(&w, memory_order_acquire);' \
    '/* B1: pairs with A1 in f; y */' 'atomic_store_explicit(&w, 1, memory_order_release);' \
    'x = atomic_load_explicit(&w, memory_order_relaxed); /* relaxed: own word */'
passes edges 'labels that name each other'

for line in 'p = malloc(3);' 'free(p);' 'strcpy(a, b);' 'n = atoi(a);' 'n = rand();' 'volatile int x;' 'atomic_thread_fence(x);' \
    '_Atomic int x;' 'gets(a);' 'sprintf(a, "b");'; do
    tree
    put proc/flow/a.c "$line"
    fails banned "$line"
done
tree
put proc/flow/a.c '/* malloc( is banned, volatile too */' 'say("malloc(3) volatile");' 'memory_free(p);' 'arena->free(p);' \
    'free(p); /* banned-ok: jansson gave it */'
put proc/base/memory.c 'p = malloc(3);'
put proc/base/a.c '_Atomic int x;'
passes banned 'words in comments and strings, longer names, the places that may'

tree
echo 'int x;' >"$root/proc/base/a.c"
fails heads 'a file without a licence line'
tree
put proc/base/a.h '#pragma once'
fails heads 'a header that does not say what it is'
tree
printf '/* SPDX-License-Identifier: Apache-2.0\n * a.h - an example.\n */\n#pragma once\n' >"$root/proc/base/a.h"
passes heads 'a proper header'

# a page of cases, and one test of each kind that it may name
mkdir -p "$root/docs" "$root/tests/unit/flow" "$root/tests/broker" "$root/tests/sim" "$root/tests/model" "$root/proc/flow" "$root/tests/offline/scenarios"
echo 'Test(guard, closes)' >"$root/tests/unit/flow/test_guard.c"
echo 'def lost(place):' >"$root/tests/broker/guards.py"
echo 'HAPPENING(KILLED, "killed")' >"$root/tests/sim/happenings.def"
echo 'MUTANT_ROW(NO_FENCE, "none")' >"$root/proc/flow/mutants.def"
echo "    'no_fence': 'none'," >"$root/tests/model/breakages.py"
: >"$root/tests/offline/scenarios/late.scenario"
case_page() {
    printf '# Cases\n\n## A\n\n| case | tests |\n|---|---|\n| one | %s |\n' "$1" >"$root/docs/TESTS.md"
}
case_page '`guard::closes` `guards.py:lost` `sim:KILLED` `mutant:NO_FENCE` `model:no_fence` `scenario:late`'
passes cases 'a row of each kind'
for row in '`guard::opens`' '`guards.py:found`' '`sim:BORN`' '`mutant:FENCE`' '`model:fence`' '`scenario:early`' 'some day'; do
    case_page "$row"
    fails cases "$row"
done

printf '#!/bin/sh\necho "$1"\n' >"$root/program"
chmod +x "$root/program"
echo fresh >"$root/page"
"$here/generated.sh" "$root/program" "$root/page" fresh || status=1
if "$here/generated.sh" "$root/program" "$root/page" newer 2>/dev/null; then
    echo 'self: generated let a stale page pass' >&2
    status=1
fi

# a page of one command each, and a program that knows `run --print-config`
printf '#!/bin/sh\n[ "$1" = run ] && echo "usage: run" && echo "  --print-config  x"\n' >"$root/program"
echo 'test:' >"$root/Makefile"
command_page() {
    printf '```sh\n%s\n```\n' "$1" >"$root/page.md"
    "$here/commands.sh" "$root/program" "$root" page.md 2>/dev/null
}
for line in 'bin/dryport run --print' 'dryport go' 'make tset' 'dryport run -c deploy/none.conf' 'scripts/none.sh'; do
    if command_page "$line"; then
        echo "self: commands let this pass: $line" >&2
        status=1
    fi
done
for line in 'bin/dryport run --print-config -c /etc/x.conf' 'make test ARGS=1' 'export A=1'; do
    if ! command_page "$line"; then
        echo "self: commands refused what is right: $line" >&2
        status=1
    fi
done
exit $status
