#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make.sh GOLDEN [VERSION] - makes frames-VERSION.bin and what it folds to, frames-VERSION.txt, with the program tests/golden/golden.c.
#
# Once for each FRAME_VERSION, with the last commit that writes it; the files of older versions are never made again: they are
# what users have in their topics.
set -eu

golden=$1
version=${2:-1}
folder=$(dirname "$0")
if [ -e "$folder/frames-$version.bin" ]; then
    echo "make.sh: $folder/frames-$version.bin is there; a new format has a new version" >&2
    exit 1
fi
"$golden" make "$folder/frames-$version.bin"
"$golden" fold "$folder/frames-$version.bin" >"$folder/frames-$version.txt"
