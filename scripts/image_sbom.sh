#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image_sbom.sh VERSION PACKAGE... - prints what an image of dryport VERSION holds as an SPDX 2.3 document: the program, and the
# Debian packages that its libraries and data come from, as dpkg knows them. The same packages give the same document:
# the time in it is that of the newest package (or SOURCE_DATE_EPOCH).
set -eu

version=$1
shift
# shellcheck source=/dev/null
distribution=$(. /etc/os-release && echo "$ID-$VERSION_ID")

# name, version, architecture, source package, its version, home page: what dpkg prints holds no quotes but in texts
rows=$(dpkg-query -W -f='${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Homepage}\n' "$@" | LC_ALL=C sort)
newest() {
    for package; do
        stat -c %Y "/usr/share/doc/$package/copyright"
    done | sort -n | tail -n 1
}
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(newest "$@")}" +%Y-%m-%dT%H:%M:%SZ)
print=$(printf '%s %s\n%s' "$version" "$distribution" "$rows" | sha256sum | cut -c1-32)

printf '%s\n' "$rows" | awk -F '\t' -v version="$version" -v created="$created" -v print_="$print" -v distribution="$distribution" '
function text(value) {
    gsub(/\\/, "\\\\", value)
    gsub(/"/, "\\\"", value)
    return "\"" value "\""
}
function id(name) { # SPDX allows letters, digits, dots and hyphens
    gsub(/[^A-Za-z0-9.-]/, "-", name)
    return name
}
function purl(value) { # what may not stand in a package URL as it is
    gsub(/%/, "%25", value)
    gsub(/\+/, "%2B", value)
    gsub(/:/, "%3A", value)
    return value
}
BEGIN {
    printf "{\n\"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\",\n"
    printf "\"name\": \"dryport-%s\",\n\"documentNamespace\": \"https://spdx.org/spdxdocs/dryport-%s-%s\",\n", version, version, print_
    printf "\"creationInfo\": {\"created\": \"%s\", \"creators\": [\"Tool: image_sbom.sh\"]},\n\"packages\": [\n", created
    printf "{\"SPDXID\": \"SPDXRef-dryport\", \"name\": \"dryport\", \"versionInfo\": %s, \"downloadLocation\": \"NOASSERTION\", ", text(version)
    printf "\"filesAnalyzed\": false, \"licenseConcluded\": \"Apache-2.0\", \"licenseDeclared\": \"Apache-2.0\", \"copyrightText\": \"NOASSERTION\", "
    printf "\"primaryPackagePurpose\": \"APPLICATION\"}"
    relations = "{\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-dryport\"}"
}
{
    printf ",\n{\"SPDXID\": \"SPDXRef-deb-%s\", \"name\": %s, \"versionInfo\": %s, \"downloadLocation\": \"NOASSERTION\", ", id($1), text($1), text($2)
    printf "\"filesAnalyzed\": false, \"licenseConcluded\": \"NOASSERTION\", \"licenseDeclared\": \"NOASSERTION\", \"copyrightText\": \"NOASSERTION\", "
    printf "\"sourceInfo\": %s, ", text("built from the Debian source package " $4 " " $5 "; licence: /usr/share/doc/" $1 "/copyright")
    if ($6 ~ /^https?:\/\/[^ ]+$/)
        printf "\"homepage\": %s, ", text($6)
    printf "\"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"pkg:deb/debian/%s@%s?arch=%s&distro=%s\"}]}", \
        purl($1), purl($2), $3, distribution
    relations = relations ",\n{\"spdxElementId\": \"SPDXRef-dryport\", \"relationshipType\": \"DEPENDS_ON\", \"relatedSpdxElement\": \"SPDXRef-deb-" id($1) "\"}"
}
END { printf "\n],\n\"relationships\": [\n%s\n]\n}\n", relations }'
