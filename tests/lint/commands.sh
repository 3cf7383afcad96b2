#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# commands.sh DRYPORT ROOT FILE... - what the ```sh blocks of documents tell people to type exists: subcommands of dryport and
# their options (as --help has them), make targets, files of the tree. It does not run them.
set -eu

dryport=$1
root=$2
shift 2
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "$1: $2" >&2
    status=1
}

# FILE:LINE and the command, for each line of a ```sh block
blocks() {
    awk -v file="$1" '/^```/ { inside = $0 == "```sh"; next }
        inside && !/^ *(#|$)/ { print file ":" FNR " " $0; count++ }
        END { if (!count) print file ":1 (none)" }' "$root/$1"
}

help_of() {
    [ -e "$folder/$1" ] || "$dryport" "$1" --help >"$folder/$1" 2>&1 || : >"$folder/$1"
    cat "$folder/$1"
}

# check_dryport PLACE SUBCOMMAND WORD...
check_dryport() {
    place=$1
    command=$2
    shift 2
    if ! help_of "$command" | grep -q '^usage:'; then
        fail "$place" "there is no command \"dryport $command\""
        return
    fi
    for word; do
        case $word in
        --*)
            help_of "$command" | grep -qE -e "(^|[^a-z-])${word%%=*}([^a-z-]|\$)" ||
                fail "$place" "dryport $command has no option ${word%%=*}: see dryport $command --help"
            ;;
        esac
    done
}

check_line() {
    place=$1
    shift
    case $1 in
    dryport | */dryport)
        shift
        [ $# -gt 0 ] && check_dryport "$place" "$@"
        ;;
    make)
        shift
        for word; do
            case $word in
            *=* | -*) ;;
            *) grep -q "^$word:" "$root/Makefile" || fail "$place" "the Makefile has no target $word" ;;
            esac
        done
        ;;
    esac
    for word; do
        case $word in
        deploy/* | scripts/* | docs/* | tests/* | bench/*)
            [ -e "$root/$word" ] || fail "$place" "$word does not exist"
            ;;
        esac
    done
}

for file; do
    blocks "$file" >"$folder/lines"
    while read -r place line; do
        if [ "$line" = '(none)' ]; then
            fail "$place" 'no block that begins with ```sh: there is nothing to check'
            continue
        fi
        # shellcheck disable=SC2086 # words by intent; quotes and variables of the document stay as they are
        set -f && check_line "$place" $line
    done <"$folder/lines"
done
exit $status
