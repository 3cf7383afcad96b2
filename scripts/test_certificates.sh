#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_certificates.sh FOLDER [USER...] - makes throw-away certificates for tests. Needs openssl.
#
# FOLDER then holds: ca.pem · other-ca.pem, an authority that signed nothing · broker.pem, key and certificate of 127.0.0.1 and localhost ·
# server.key and server.pem, the same in two files · NAME.key and NAME.pem for each USER, with CN=NAME · stranger.key and
# stranger.pem, signed by the other authority · stale.key and stale.pem, out of date since a day · token.key, which signs tokens, and jwks.json, its
# public half as OAuth servers show it.
set -eu

[ $# -ge 1 ] || {
    sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
command -v openssl >/dev/null || {
    echo 'test_certificates: openssl is missing: apt-get install openssl' >&2
    exit 1
}
mkdir -p "$1"
cd "$1"
shift
days=30

key() { # FILE: as PKCS8, which Java reads too
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>>log
    chmod 600 "$1"
}

authority() { # NAME
    key "$1.key"
    openssl req -x509 -new -key "$1.key" -days $days -subj "/CN=dryport test $1" -out "$1.pem" 2>>log
}

# NAME CA CN [openssl's options of time]
certificate() {
    name=$1
    ca=$2
    subject=$3
    shift 3
    key "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=$subject" -out "$name.csr" 2>>log
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -CAcreateserial -extfile "$name.ext" -out "$name.pem" "$@" 2>>log
    rm "$name.csr" "$name.ext"
}

: >log
authority ca
authority other-ca
certificate server ca 127.0.0.1 -days $days
cat server.key server.pem >broker.pem
certificate stranger other-ca dryport-operator -days $days
certificate stale ca 127.0.0.1 -days -1
for user; do
    certificate "$user" ca "$user" -days $days
done

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out token.key 2>>log
modulus=$(openssl rsa -in token.key -noout -modulus 2>>log | sed 's/^Modulus=//' | python3 -c '
import base64, sys
print(base64.urlsafe_b64encode(bytes.fromhex(sys.stdin.read().strip())).decode().rstrip("="))')
printf '{"keys":[{"kty":"RSA","kid":"test","use":"sig","alg":"RS256","e":"AQAB","n":"%s"}]}\n' "$modulus" >jwks.json
rm -f log
