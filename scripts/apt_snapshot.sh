#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apt_snapshot.sh DATE - points apt to the packages of a day (20260918T000000Z, as snapshot.debian.org has them); an empty DATE
# changes nothing. For images: packages of a day stay as they are, and so does what is built from them.
set -eu

[ -n "$1" ] || exit 0
case $1 in
[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z) ;;
*)
    echo "apt_snapshot: \"$1\" is no moment; write it as 20260918T000000Z" >&2
    exit 64
    ;;
esac
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
archive=http://snapshot.debian.org/archive
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
cat >/etc/apt/sources.list <<END
deb $archive/debian/$1 $suite main
deb $archive/debian/$1 $suite-updates main
deb $archive/debian-security/$1 $suite-security main
END
# What is signed for a day is valid for good; an archive that is asked by many may refuse for a moment.
printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'Acquire::Retries "5";' >/etc/apt/apt.conf.d/90snapshot
