#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh - lays out all C sources as .clang-format says (clang-format 14, as the lint asks).
set -eu

cd "$(dirname "$0")/.."
tool=$(command -v clang-format-14 || command -v clang-format) || {
    echo 'format: clang-format 14 is missing; on Debian bookworm: apt-get install clang-format' >&2
    exit 1
}
case $("$tool" --version) in
*'version 14.'*) ;;
*) echo "format: $("$tool" --version) may lay out some lines otherwise than version 14, which the lint asks" >&2 ;;
esac
find proc tests bench \( -name '*.[ch]' -o -name '*.cc' \) -print0 | xargs -0 -r "$tool" -i
