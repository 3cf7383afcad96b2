#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_all.sh [PRESET...] - builds the presets (default: debug asan tsan fuzz release) and runs each one's share of the tests.
#
#   debug    everything that needs no broker, and the lints
#   asan     the same without lints: address and undefined-behaviour sanitizers
#   tsan     the stress tests: neither Criterion nor librdkafka runs under ThreadSanitizer
#   fuzz     each libFuzzer target for 10 s: its committed inputs and what becomes of them
#   release  unit tests as optimised, bench smoke, and the tests against a real Kafka broker
# One preset's failure does not keep the others from running. Ends with ctest's closing lines of each; exit 1 if any failed.
set -u

cd "$(dirname "$0")/.."
jobs=$(nproc)
results=build/test-results
mkdir -p "$results"

# selection PRESET: the arguments of ctest that choose its tests
selection() {
    case $1 in
    debug) echo '-LE ^(broker|bench)$' ;;
    asan) echo '-LE ^(broker|bench|lint)$' ;;
    tsan) echo '-L ^stress$' ;;
    fuzz) echo '-L ^fuzz$' ;;
    release) echo '-L ^(unit|bench|broker)$' ;;
    *)
        echo "test_all: unknown preset \"$1\"; there are debug, asan, tsan, fuzz, release" >&2
        exit 64
        ;;
    esac
}

# Warnings are errors but in the release build, which is the user's too: a newer compiler may know more of them.
build() {
    options=-DDRYPORT_TESTS=ON
    [ "$1" = fuzz ] && options=
    [ "$1" = release ] && options="$options -DDRYPORT_WERROR=OFF"
    cmake --preset "$1" $options >"$results/$1.configure" 2>&1 || {
        cat "$results/$1.configure"
        return 1
    }
    cmake --build --preset "$1" -j "$jobs" >"$results/$1.build" 2>&1 || {
        grep -E 'error|FAILED|undefined reference' "$results/$1.build" || tail -n 30 "$results/$1.build"
        return 1
    }
}

run() {
    preset=$1
    chosen=$(selection "$preset") || exit
    echo "== $preset: building"
    if ! build "$preset"; then
        echo "$preset: the build failed" >"$results/$preset.summary"
        return 1
    fi
    echo "== $preset: testing"
    # shellcheck disable=SC2086 # two words by intent
    ctest --preset "$preset" --no-tests=error -j "$jobs" $chosen >"$results/$preset.ctest" 2>&1
    code=$?
    grep -vE '^ +Start +[0-9]+:' "$results/$preset.ctest"
    sed -n '/tests passed,/,$p' "$results/$preset.ctest" >"$results/$preset.summary"
    [ -s "$results/$preset.summary" ] || tail -n 3 "$results/$preset.ctest" >"$results/$preset.summary"
    return $code
}

# last_words PRESET...: the end of what each failed test printed; last of all, for it is what a reader wants first
last_words() {
    for preset; do
        [ -e "$results/$preset.ctest" ] || continue
        awk -v preset="$preset" '
            function close_block(  at) {
                for (at = count > 12 ? count - 12 : 0; at < count; ++at)
                    print substr(line[at], 1, 240)
                count = -1
            }
            BEGIN { count = -1 }
            /^ *[0-9]+\/[0-9]+ Test +#|^ +Start +[0-9]+:|tests passed,/ { close_block() }
            /^ *[0-9]+\/[0-9]+ Test +#.*\*\*\*/ { print "-- " preset ": " $4; count = 0; next }
            count >= 0 && NF { line[count++] = $0 }' "$results/$preset.ctest"
    done
}

[ $# -gt 0 ] || set -- debug asan tsan fuzz release
failed=
begin=$(date +%s)
for preset; do
    run "$preset" || failed="$failed $preset"
done

echo
echo "== summary after $(($(date +%s) - begin)) s"
for preset; do
    echo "-- $preset"
    grep -v '^$' "$results/$preset.summary"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed (full output: $results/)"
    # shellcheck disable=SC2086 # a list of words
    last_words $failed
    exit 1
fi
