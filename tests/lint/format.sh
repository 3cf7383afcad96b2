#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh [ROOT] - the sources look as .clang-format says. Only major version 14 is asked: others lay out some lines otherwise.
set -eu

cd "${1:-$(dirname "$0")/../..}"
tool=$(command -v clang-format-14 || command -v clang-format || true)
case $([ -z "$tool" ] || "$tool" --version) in
*'version 14.'*) ;;
*)
    echo 'SKIP: format needs clang-format 14 (Debian bookworm: apt-get install clang-format)' >&2
    exit 77
    ;;
esac
if ! find proc tests bench \( -name '*.[ch]' -o -name '*.cc' \) -print0 2>/dev/null | sort -z | xargs -0 -r "$tool" --dry-run -Werror; then
    echo 'format: run "make format"' >&2
    exit 1
fi
