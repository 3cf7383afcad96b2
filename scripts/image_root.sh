#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image_root.sh BINARY FOLDER - fills FOLDER with what BINARY needs to run alone: itself, its shared libraries with their
# loader, time zones, certificate authorities, the reference lists, the licences; and the list of all that, as SPDX.
set -eu

binary=$1
folder=$2
source_dir=$(cd "$(dirname "$0")/.." && pwd)

fail() {
    echo "image_root: $*" >&2
    exit 1
}

put() {
    mkdir -p "$folder$(dirname "$2")"
    cp -L "$1" "$folder$2"
}

# The package that a file came with. Its name may be there by a link: /lib is /usr/lib.
package_of() {
    dpkg-query -S "$(readlink -f "$1")" "$1" "/usr$1" 2>/dev/null | head -n 1 | cut -d: -f1
}

libraries=$(ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
! ldd "$binary" | grep 'not found' >&2 || fail 'the libraries above are missing here'
packages="tzdata ca-certificates ncurses-base"
put "$binary" /usr/bin/dryport
strip --strip-debug "$folder/usr/bin/dryport"
for library in $libraries; do
    put "$library" "$library"
    package=$(package_of "$library")
    [ -n "$package" ] || fail "$library comes from no package: the list of what ships would lack it"
    packages="$packages $package"
done
# Host names are glibc's own since 2.34; PLAIN, SCRAM and OAUTHBEARER are librdkafka's. Kerberos would need plugins, and stays out.

mkdir -p "$folder/usr/share/dryport" "$folder/etc/dryport" "$folder/usr/lib/ssl"
cp -a /usr/share/zoneinfo "$folder/usr/share/"
[ -e /etc/ssl/certs/ca-certificates.crt ] || fail 'ca-certificates is not installed'
put /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ln -s /etc/ssl/certs/ca-certificates.crt "$folder/usr/lib/ssl/cert.pem" # where OpenSSL looks
for terminal in d/dumb l/linux s/screen s/screen-256color t/tmux t/tmux-256color v/vt100 x/xterm x/xterm-256color; do # for `dryport top`
    for place in /usr/share/terminfo /usr/lib/terminfo /lib/terminfo; do
        [ ! -e "$place/$terminal" ] || put "$place/$terminal" "/usr/share/terminfo/$terminal"
    done
    [ -e "$folder/usr/share/terminfo/$terminal" ] || fail "there is no terminfo of $terminal: ncurses-base is not installed"
done
cp -a "$source_dir/deploy/reference" "$folder/usr/share/dryport/"
put "$source_dir/LICENSE" /usr/share/doc/dryport/LICENSE
packages=$(printf '%s\n' $packages | LC_ALL=C sort -u)
for package in $packages; do
    [ -e "/usr/share/doc/$package/copyright" ] || fail "package $package has no copyright file"
    put "/usr/share/doc/$package/copyright" "/usr/share/doc/$package/copyright"
done
version=$("$binary" --version | cut -d' ' -f2)
mkdir -p "$folder/usr/share/doc/dryport"
# shellcheck disable=SC2086 # a list of words
"$source_dir/scripts/image_sbom.sh" "$version" $packages >"$folder/usr/share/doc/dryport/sbom.spdx.json"

printf 'root:x:0:0:root:/:/sbin/nologin\ndryport:x:65532:65532::/:/sbin/nologin\n' >"$folder/etc/passwd"
printf 'root:x:0:\ndryport:x:65532:\n' >"$folder/etc/group"
printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$folder/etc/nsswitch.conf"
chmod -R go-w "$folder"
echo "image_root: $(du -sh "$folder" | cut -f1) in $folder" >&2
