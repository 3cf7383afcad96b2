#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image_root.sh BINARY FOLDER - fills FOLDER with what BINARY needs to run alone: itself, its shared libraries with their
# loader, time zones, certificate authorities, the reference lists, the licences.
set -eu

binary=$1
folder=$2
source_dir=$(cd "$(dirname "$0")/.." && pwd)

put() {
    mkdir -p "$folder$(dirname "$2")"
    cp -L "$1" "$folder$2"
}

libraries=$(ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
if ldd "$binary" | grep 'not found' >&2; then
    echo "image_root: the libraries above are missing here" >&2
    exit 1
fi
put "$binary" /usr/bin/dryport
for library in $libraries; do
    put "$library" "$library"
done
# Host names: what glibc loads by itself.
for library in libnss_files.so.2 libnss_dns.so.2; do
    for place in $(ldconfig -p | awk -v name="$library" '$1 == name { print $NF }'); do
        put "$place" "$place"
    done
done
# SASL mechanisms are plugins of libsasl2; OAuth and Kerberos stay out.
for plugin in /usr/lib/*/sasl2/libplain.so* /usr/lib/*/sasl2/libscram.so*; do
    if [ -e "$plugin" ]; then
        put "$plugin" "$plugin"
    fi
done
mkdir -p "$folder/usr/share" "$folder/usr/share/dryport" "$folder/etc/dryport" "$folder/tmp"
chmod 1777 "$folder/tmp"
cp -a /usr/share/zoneinfo "$folder/usr/share/"
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    put /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
fi
cp -a "$source_dir/deploy/reference" "$folder/usr/share/dryport/"
put "$source_dir/LICENSE" /usr/share/doc/dryport/LICENSE
for library in $libraries; do
    package=$(dpkg-query -S "$(readlink -f "$library")" "$library" 2>/dev/null | head -n 1 | cut -d: -f1) || true
    if [ -n "$package" ] && [ -e "/usr/share/doc/$package/copyright" ]; then
        put "/usr/share/doc/$package/copyright" "/usr/share/doc/$package/copyright"
    fi
done
printf 'root:x:0:0:root:/:/sbin/nologin\ndryport:x:65532:65532::/:/sbin/nologin\n' >"$folder/etc/passwd"
printf 'root:x:0:\ndryport:x:65532:\n' >"$folder/etc/group"
printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$folder/etc/nsswitch.conf"
echo "image_root: $(du -sh "$folder" | cut -f1) in $folder" >&2
