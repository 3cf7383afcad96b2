#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chart.sh DRYPORT ROOT - deploy/helm/dryport: helm lints and renders it with the values that matter, every manifest is valid and has no
# unknown field (manifests/check.cjs), a password among the values is refused, and dryport accepts the configuration that comes out.
set -eu

dryport=$1
root=$(cd "$2" && pwd)
chart=$root/deploy/helm/dryport
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
helm=$("$root/scripts/helm.sh")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
fail() {
    echo "chart: $1" >&2
    status=1
}

# The npm packages, once, as the lock file pins them.
MANIFEST_MODULES=$cache/manifests
export MANIFEST_MODULES
if ! cmp -s "$root/tests/deploy/manifests/package-lock.json" "$MANIFEST_MODULES/installed.json"; then
    mkdir -p "$MANIFEST_MODULES"
    (
        flock 9
        echo "chart.sh: fetching the Kubernetes models of npm into $MANIFEST_MODULES (once)" >&2
        cp "$root/tests/deploy/manifests/package.json" "$root/tests/deploy/manifests/package-lock.json" "$MANIFEST_MODULES/"
        (cd "$MANIFEST_MODULES" && npm ci --no-audit --no-fund --loglevel=error >&2)
        cp "$MANIFEST_MODULES/package-lock.json" "$MANIFEST_MODULES/installed.json"
    ) 9>"$MANIFEST_MODULES.lock"
fi

"$helm" lint --strict "$chart" >"$folder/said" 2>&1 || fail "lint: $(cat "$folder/said")"

# render NAME VALUES...: into $folder/NAME.yaml
render() {
    name=$1
    shift
    "$helm" template trade "$chart" --kube-version 1.29.0 "$@" >"$folder/$name.yaml" 2>"$folder/said"
}
check() {
    node "$root/tests/deploy/manifests/check.cjs" "$1"
}
valid() {
    render "$@" || {
        fail "$1: $(cat "$folder/said")"
        return
    }
    check "$folder/$1.yaml" >"$folder/$1.kinds" || fail "$1: see above"
    echo "$1: $(cat "$folder/$1.kinds")"
}
has() {
    grep -qF -- "$2" "$folder/$1.yaml" || fail "$1 lacks: $2"
}
lacks() {
    ! grep -qF -- "$2" "$folder/$1.yaml" || fail "$1 has: $2"
}

valid plain
has plain 'replicas: 2'
has plain 'enableServiceLinks: false'
has plain 'readOnlyRootFilesystem: true'
has plain 'maxUnavailable: 1'
lacks plain ServiceMonitor
lacks plain ScaledObject

valid everything --set serviceMonitor.enabled=true,serviceMonitor.labels.release=prometheus,autoscaling.enabled=true \
    --set autoscaling.authenticationRef=kafka,referenceConfigMap=lists,secretMounts='{kafka-tls,other}' \
    --set image.digest=sha256:0123,imagePullSecrets[0].name=registry,aggregate.nodeSelector.disk=none,aggregate.podAnnotations.a=b \
    --set networkPolicy.brokers[0].ipBlock.cidr=10.0.0.0/8 --set-string 'config.topic\.declarations=site.declarations,config.kafka\.sasl\.password\.file=/etc/dryport/secrets/other/password'
has everything 'topic: "site.declarations"'
has everything 'image: "dryport@sha256:0123"'
has everything 'reference.dir=/etc/dryport/reference'
has everything 'mountPath: "/etc/dryport/secrets/kafka-tls"'
has everything 'kafka.sasl.password.file=/etc/dryport/secrets/other/password'
has everything 'limitToPartitionsWithLag: "true"'
[ "$(grep -c '^  replicas:' "$folder/everything.yaml")" -eq 1 ] || fail 'with autoscaling the replicas of aggregate are its own affair'

valid secret --set existingSecret=dryport-config
has secret 'secretName: "dryport-config"'
lacks secret 'kind: ConfigMap'

valid tls --set listenerTls=true,serviceMonitor.enabled=true,serviceMonitor.tlsConfig.serverName=dryport \
    --set serviceMonitor.basicAuth.username.name=scraper,serviceMonitor.basicAuth.username.key=user
[ "$(grep -c 'scheme: HTTPS' "$folder/tls.yaml")" -eq 6 ] || fail 'three probes of two roles speak TLS'
has tls 'scheme: https'
valid tls_by_config --set-string 'config.http\.tls\.certificate=/etc/dryport/secrets/web/tls.crt'
has tls_by_config 'scheme: HTTPS'
lacks plain 'scheme: HTTPS'

valid without --set podDisruptionBudget.enabled=false,networkPolicy.enabled=false
lacks without PodDisruptionBudget
lacks without NetworkPolicy

for key in kafka.sasl.password kafka.ssl.key.password kafka.consumer.sasl.password; do
    if render password --set-string "config.$(echo "$key" | sed 's/\./\\./g')=x"; then
        fail "$key may stand in a ConfigMap"
    fi
    grep -q "config.$key is a secret" "$folder/said" || fail "$key: $(cat "$folder/said")"
done

# What comes out of `config` is a configuration.
sed -n '/^  dryport.conf: |/,/^---/p' "$folder/plain.yaml" | sed -n 's/^    //p' >"$folder/dryport.conf"
"$dryport" run --print-config -c "$folder/dryport.conf" >"$folder/said" 2>&1 || fail "dryport.conf: $(cat "$folder/said")"
grep -q 'kafka-bootstrap:9092' "$folder/said" || fail 'config.brokers does not arrive'

# A check that can't fail shows nothing.
for breakage in 's/periodSeconds/periodSecond/' 's/whenUnsatisfiable: .*/whenUnsatisfiable: 7/' 's/cooldownPeriod/cooldown/' 's/kind: Service$/kind: Servise/'; do
    sed "$breakage" "$folder/everything.yaml" >"$folder/broken.yaml"
    ! check "$folder/broken.yaml" >/dev/null 2>&1 || fail "not noticed: $breakage"
done
exit $status
