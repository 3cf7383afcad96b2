#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rooms.sh [ROOT] - every #include in proc/ points into the same room or one that the room may see; libraries stay in theirs.
set -eu

cd "${1:-$(dirname "$0")/../..}"
# room of the file | rooms it may include | libraries it may include; "flow/port" is the header flow/port.h alone
rules='base|base|
trade|base trade|
flow|base trade flow customs|protobuf-c zstd
kafka|base kafka flow/port|librdkafka zstd
ops|base trade flow ops customs|microhttpd jansson openssl curl
query|base trade flow query customs|jansson
cmd|base trade flow kafka ops query cmd customs engine|ncurses zstd jansson protobuf-c
.|base trade flow kafka ops query cmd customs engine|jansson'

find proc -name '*.[ch]' | sort | xargs grep -nE '^[[:space:]]*#[[:space:]]*include' | awk -v rules="$rules" '
BEGIN {
    count = split(rules, row, "\n")
    for (i = 1; i <= count; i++) {
        split(row[i], part, "|")
        rooms[part[1]] = " " part[2] " "
        libraries[part[1]] = " " part[3] " "
    }
}
function fail(text) {
    print file ":" line ": " text > "/dev/stderr"
    failed = 1
}
function library_of(header) {
    if (header ~ /rdkafka/) return "librdkafka"
    if (header ~ /^zstd|^zdict/) return "zstd"
    if (header ~ /^protobuf-c\//) return "protobuf-c"
    if (header ~ /^microhttpd/) return "microhttpd"
    if (header ~ /^jansson/) return "jansson"
    if (header ~ /^openssl\//) return "openssl"
    if (header ~ /^curl\//) return "curl"
    if (header ~ /^(n?curses|ncursesw?\/|term|panel)/) return "ncurses"
    if (header ~ /^(criterion|urcu|ck_)/) return "a library for tests and benches"
    return ""
}
{
    split($0, place, ":")
    file = place[1]
    line = place[2]
    depth = split(file, folder, "/")
    room = depth > 2 ? folder[2] : "."
    if (!(room in rooms)) {
        fail("no rule for the room \"" room "\": add a row to tests/lint/rooms.sh")
        next
    }
    header = $0
    if (header ~ /"[^"]*"/) {
        sub(/^[^"]*"/, "", header)
        sub(/".*/, "", header)
        target = header
        sub(/\/.*/, "", target)
        if (header !~ /\//)
            target = header ~ /^engine(_[a-z]+)?\.h$/ ? "engine" : room
        name = header
        sub(/\.[a-z]+$/, "", name)
        if (index(rooms[room], " " target " ") == 0 && index(rooms[room], " " name " ") == 0)
            fail("room " room " may not include \"" header "\": calls go down only; allowed:" rooms[room])
    }
    header = $0
    sub(/^[^<"]*[<"]/, "", header)
    sub(/[>"].*/, "", header)
    library = library_of(header)
    if (library != "" && index(libraries[room], " " library " ") == 0)
        fail("room " room " may not include <" header ">; libraries allowed here:" libraries[room])
}
END { exit failed }'
