#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardened.sh BINARY - fails if a release binary lacks one of the protections of docs/adr/0067-hardened-build.md.
set -eu

binary=$1
status=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
readelf -W -h -l -d -n "$binary" >"$work/parts"
readelf -W --dyn-syms "$binary" >"$work/symbols"
machine=$(sed -n 's/^ *Machine: *//p' "$work/parts")

# has FILE PATTERN WHAT FLAG
has() {
    grep -qE "$2" "$work/$1" || {
        echo "$binary: no $3; build with $4 (cmake/flags.cmake)" >&2
        status=1
    }
}

# lacks FILE PATTERN WHAT
lacks() {
    if grep -E "$2" "$work/$1" >&2; then
        echo "$binary: $3" >&2
        status=1
    fi
}

has parts 'Type: *DYN' 'position-independent code' '-fPIE -pie'
has parts 'FLAGS_1.*PIE' 'position-independent executable' '-pie'
has parts 'GNU_RELRO' 'read-only relocations' '-Wl,-z,relro'
has parts 'BIND_NOW|FLAGS_1.*NOW' 'binding at the start' '-Wl,-z,now'
has parts 'GNU_STACK .* RW +0x' 'stack without code' '-Wl,-z,noexecstack'
lacks parts '^ +(LOAD|GNU_STACK) .* RWE ' 'a segment is writable and executable'
lacks parts '\((RPATH|RUNPATH|TEXTREL)\)' 'it looks for libraries in folders of the build, or relocates its code'
has symbols '__stack_chk_fail' 'stack protector' '-fstack-protector-strong'
has symbols '__(vsnprintf|snprintf|fprintf|memcpy)_chk' 'checked calls' '-D_FORTIFY_SOURCE=3 -O2'
case $machine in
*X86-64*)
    # The note that asks the kernel to enforce them is dropped when one object lacks it, as Debian's start files do: so the code is looked at.
    objdump -d --no-show-raw-insn "$binary" >"$work/code"
    marks=$(grep -c 'endbr64' "$work/code" || true)
    functions=$(grep -cE '^[0-9a-f]+ <[^>@]+>:$' "$work/code")
    if [ "$marks" -lt $((functions / 4)) ]; then # those that are only called directly need none
        echo "$binary: $marks landing marks for indirect jumps in $functions functions; build with -fcf-protection=full" >&2
        status=1
    fi
    # a frame of more than a page is touched page by page
    has code 'orq +\$0x0,' 'probes of large stack frames' '-fstack-clash-protection'
    ;;
*AArch64*) has parts 'AArch64 feature:.*BTI' 'landing marks for indirect jumps' '-mbranch-protection=standard' ;;
esac
exit $status
