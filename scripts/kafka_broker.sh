#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kafka_broker.sh - starts and stops a real Apache Kafka (KRaft) on free loopback ports, for tests and benches. Needs Java 17.
#
#   scripts/kafka_broker.sh start DIR [--brokers N] [--heap 512m] [--set key=value ...] [--listener sasl|secure] [--user NAME=PASSWORD ...]
#       makes DIR, starts N (default 1) brokers, waits until they answer, prints the bootstrap address on stdout
#   scripts/kafka_broker.sh stop DIR           ends just these brokers; their data stays in DIR
#   scripts/kafka_broker.sh kill DIR [ID]      kill -9 of one broker (default 1)
#   scripts/kafka_broker.sh restart DIR [ID]   starts one broker again, same ports, same data; waits until it answers
#   scripts/kafka_broker.sh address DIR        prints the bootstrap address again
#
# DIR afterwards holds: bootstrap (the address), broker-ID.pid, broker-ID.log, broker-ID.properties, data-ID/, and with
# --listener sasl: sasl (address of a SASL_PLAINTEXT listener with mechanism PLAIN, user "dryport", password "right");
# with --listener secure: sasl (address of a SASL_SSL listener with SCRAM-SHA-512, PLAIN and OAUTHBEARER), mtls (address of an SSL listener
# that wants a client certificate) and tls/ (scripts/test_certificates.sh: ca.pem, a key and certificate for each --user, token.key for
# tokens of issuer and audience "dryport-test"; a PASSWORD has no comma and no quote). There nothing is allowed that no ACL grants; who
# comes by the bootstrap address may do all.
# The jars come from Maven Central once, into ${DRYPORT_CACHE:-$HOME/.cache/dryport}/kafka-libs-VERSION.
set -eu

version=4.3.0
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
libs=$cache/kafka-libs-$version
end_process=$(dirname "$0")/end_process.sh

say() {
    echo "kafka_broker: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

usage() {
    sed -n '4,19s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

# Fetches into a folder of its own first, so that an interrupted or parallel fetch never leaves half a set behind.
fetch() {
    [ -d "$libs" ] && return
    command -v mvn >/dev/null || fail "Maven is missing: apt-get install maven"
    command -v java >/dev/null || fail "Java is missing: apt-get install openjdk-17-jre-headless"
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/kafka-libs.XXXXXX")
    say "fetching Apache Kafka $version from Maven Central into $libs (44 MB, once)"
    cat >"$fresh/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dryport</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
END
    (cd "$fresh" && mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory="$fresh/libs" >&2) ||
        fail "Maven could not fetch the jars (see above); the broker tests need Maven Central once"
    mv -T "$fresh/libs" "$libs" 2>/dev/null || [ -d "$libs" ] || fail "cannot write $libs"
    rm -rf "$fresh"
}

# Prints $1 loopback ports that are free now, below the range of outgoing connections: a broker that comes back after a kill
# must find its own ports free.
free_ports() {
    python3 - "$1" <<'END'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(15000, 32000)))
        held.append(s)
    except OSError:
        s.close()
print(" ".join(str(s.getsockname()[1]) for s in held))
END
}

# True if something accepts connections at 127.0.0.1:$1 and answers ApiVersions: a listening port alone is not a ready broker.
answers() {
    python3 - "$1" <<'END'
import socket, struct, sys
try:
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)
    s.settimeout(2)
    # Metadata v1 of no topic: size, key 3, version 1, correlation 7, client "p", topics []
    body = struct.pack(">hhih", 3, 1, 7, 1) + b"p" + struct.pack(">i", 0)
    s.sendall(struct.pack(">i", len(body)) + body)
    data = b""
    while len(data) < 12:
        part = s.recv(4096)
        if not part:
            sys.exit(1)
        data += part
    size, correlation, brokers = struct.unpack(">iii", data[:12])
    sys.exit(0 if correlation == 7 and brokers >= int(sys.argv[2] if len(sys.argv) > 2 else 1) else 1)
except OSError:
    sys.exit(1)
END
}

alive() {
    [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null
}

run_broker() { # DIR ID
    # exec: the pid written is the JVM's own
    heap=$(cat "$1/heap")
    sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$1/broker-$2.pid" \
        java -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="file://$1/tls/jwks.json" -Xmx"$heap" -Xms"$heap" -XX:+UseSerialGC -Dlog4j2.level=WARN \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*" kafka.Kafka "$1/broker-$2.properties" \
        >>"$1/broker-$2.log" 2>&1 </dev/null &
}

wait_broker() { # DIR ID
    tries=0
    port=$(cat "$1/broker-$2.port")
    until answers "$port"; do
        tries=$((tries + 1))
        if [ $tries -gt 5 ] && ! alive "$1/broker-$2.pid"; then
            tail -n 20 "$1/broker-$2.log" >&2
            fail "broker $2 ended at its start; see $1/broker-$2.log"
        fi
        [ $tries -lt 300 ] || fail "broker $2 does not answer after 60 s; see $1/broker-$2.log"
        sleep 0.2
    done
}

write_properties() { # DIR ID N BROKER-PORT CONTROLLER-PORT VOTERS SASL-PORT MTLS-PORT; a port 0 is not listened on
    replicas=$3
    in_sync=1
    [ "$3" -ge 3 ] && in_sync=2
    advertised="PLAINTEXT://127.0.0.1:$4"
    [ "$7" = 0 ] || advertised="$advertised,SASL://127.0.0.1:$7"
    [ "$8" = 0 ] || advertised="$advertised,MTLS://127.0.0.1:$8"
    sasl_protocol=SASL_PLAINTEXT
    [ "$8" = 0 ] || sasl_protocol=SASL_SSL
    cat >"$1/broker-$2.properties" <<END
process.roles=broker,controller
node.id=$2
controller.quorum.voters=$6
listeners=$advertised,CONTROLLER://127.0.0.1:$5
advertised.listeners=$advertised
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:$sasl_protocol,MTLS:SSL
log.dirs=$1/data-$2
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
min.insync.replicas=$in_sync
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.retention.ms=-1
END
    if [ "$3" -ge 3 ]; then
        printf '%s\n' broker.session.timeout.ms=6000 broker.heartbeat.interval.ms=1000 initial.broker.registration.timeout.ms=180000 >>"$1/broker-$2.properties"
    fi
    if [ "$8" != 0 ]; then
        write_secure "$1" >>"$1/broker-$2.properties"
    elif [ "$7" != 0 ]; then
        cat >>"$1/broker-$2.properties" <<END
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_dryport="right";
END
    fi
    cat "$1/extra.properties" >>"$1/broker-$2.properties"
}

# What --listener secure adds. Brokers speak to each other, and tests prepare things, over the plain listener, as a super user.
write_secure() { # DIR
    known=$(awk -F= '{ printf " user_%s=\"%s\"", $1, substr($0, length($1) + 2) }' "$1/users")
    cat <<END
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location=$1/tls/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$1/tls/ca.pem
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*\$/\$1/
listener.name.mtls.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN,OAUTHBEARER
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required$known;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.sasl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=file://$1/tls/jwks.json
listener.name.sasl.oauthbearer.sasl.oauthbearer.expected.issuer=dryport-test
listener.name.sasl.oauthbearer.sasl.oauthbearer.expected.audience=dryport-test
END
}

# The options of StorageTool that make the SCRAM passwords of the users, one argument a line.
scram_options() { # DIR
    [ ! -s "$1/users" ] || awk -F= '{ printf "--add-scram\nSCRAM-SHA-512=[name=%s,password=%s]\n", $1, substr($0, length($1) + 2) }' "$1/users"
}

start() {
    [ $# -ge 1 ] || usage
    mkdir -p "$1" || fail "cannot make $1"
    dir=$(cd "$1" && pwd)
    shift
    count=1
    sasl=no
    mtls=no
    echo 512m >"$dir/heap"
    : >"$dir/extra.properties"
    : >"$dir/users"
    while [ $# -gt 0 ]; do
        [ $# -ge 2 ] || usage
        case $1 in
        --brokers) count=$2 ;;
        --heap) echo "$2" >"$dir/heap" ;;
        --set) echo "$2" >>"$dir/extra.properties" ;;
        --listener)
            case $2 in
            sasl) sasl=yes ;;
            secure)
                sasl=yes
                mtls=yes
                ;;
            *) usage ;;
            esac
            ;;
        --user)
            case $2 in
            ?*=?*) echo "$2" >>"$dir/users" ;;
            *) usage ;;
            esac
            ;;
        *) usage ;;
        esac
        shift 2
    done
    [ ! -f "$dir/broker-1.pid" ] || ! alive "$dir/broker-1.pid" || fail "$dir already runs a broker: stop it first"
    [ ! -e "$dir/data-1" ] || fail "$dir holds the data of an earlier start: give an empty folder, or use restart"
    fetch
    if [ $mtls = yes ]; then
        # shellcheck disable=SC2046 # a list of names
        "$(dirname "$0")/test_certificates.sh" "$dir/tls" $(cut -d= -f1 "$dir/users")
    fi

    # shellcheck disable=SC2046 # the list of ports is meant to be split
    set -- $(free_ports $((count * 4)))
    voters=
    bootstrap=
    sasl_address=
    mtls_address=
    ports=$*
    id=1
    while [ $id -le "$count" ]; do
        voters=$voters${voters:+,}$id@127.0.0.1:$2
        bootstrap=$bootstrap${bootstrap:+,}127.0.0.1:$1
        sasl_address=$sasl_address${sasl_address:+,}127.0.0.1:$3
        mtls_address=$mtls_address${mtls_address:+,}127.0.0.1:$4
        shift 4
        id=$((id + 1))
    done
    # shellcheck disable=SC2086
    set -- $ports
    cluster=$(python3 -c 'import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))')
    case $cluster in -*) cluster=A${cluster#-} ;; esac
    id=1
    while [ $id -le "$count" ]; do
        sasl_port=0
        mtls_port=0
        [ $sasl = no ] || sasl_port=$3
        [ $mtls = no ] || mtls_port=$4
        write_properties "$dir" $id "$count" "$1" "$2" "$voters" "$sasl_port" "$mtls_port"
        echo "$1" >"$dir/broker-$id.port"
        scram_options "$dir" | tr '\n' '\0' | xargs -0 java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*" kafka.tools.StorageTool format -t "$cluster" -c "$dir/broker-$id.properties" \
            >"$dir/format-$id.log" 2>&1 || {
            cat "$dir/format-$id.log" >&2
            fail "cannot format the storage of broker $id"
        }
        shift 4
        id=$((id + 1))
    done
    id=1
    while [ $id -le "$count" ]; do # all at once: the first one waits for a quorum, and not for ever
        run_broker "$dir" $id
        id=$((id + 1))
    done
    id=1
    while [ $id -le "$count" ]; do
        wait_broker "$dir" $id
        id=$((id + 1))
    done
    echo "$bootstrap" >"$dir/bootstrap"
    [ $sasl = no ] || echo "$sasl_address" >"$dir/sasl"
    [ $mtls = no ] || echo "$mtls_address" >"$dir/mtls"
    echo "$bootstrap"
}

stop() {
    [ $# -eq 1 ] || usage
    for file in "$1"/broker-*.pid; do # all at once: a quorum that is going away keeps the last ones waiting
        ! alive "$file" || kill -TERM "$(cat "$file")" 2>/dev/null || true
    done
    for file in "$1"/broker-*.pid; do
        "$end_process" "$file"
    done
}

[ $# -ge 2 ] || usage
verb=$1
shift
case $verb in
start) start "$@" ;;
stop) stop "$@" ;;
kill) "$end_process" "$1/broker-${2:-1}.pid" KILL ;;
restart)
    dir=$(cd "$1" && pwd)
    ! alive "$dir/broker-${2:-1}.pid" || fail "broker ${2:-1} of $dir runs"
    run_broker "$dir" "${2:-1}"
    wait_broker "$dir" "${2:-1}"
    ;;
address) cat "$1/bootstrap" ;;
*) usage ;;
esac
