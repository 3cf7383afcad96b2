#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kafka_tools.sh - prints a folder whose bin/ holds kafka-topics.sh, kafka-acls.sh, kafka-configs.sh and
# kafka-consumer-groups.sh as an installed Kafka has them: for tests of what operators are told to type. Needs Java 17, Maven.
#
# The jars come from Maven Central once, into ${DRYPORT_CACHE:-$HOME/.cache/dryport}/kafka-tools-VERSION. Quiet when there is
# nothing to do.
set -eu

version=4.3.0
cache=${DRYPORT_CACHE:-$HOME/.cache/dryport}
home=$cache/kafka-tools-$version

# tool NAME CLASS: a script as Kafka's own, which finds its jars from where it stands
tool() {
    cat >"$fresh/bin/$1" <<END
#!/bin/sh
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \\
    -cp "\$(dirname "\$0")/../libs/*" $2 "\$@"
END
    chmod +x "$fresh/bin/$1"
}

if [ ! -d "$home" ]; then
    for program in java mvn; do
        command -v $program >/dev/null || {
            echo "kafka_tools: $program is missing: scripts/install_deps.sh test" >&2
            exit 1
        }
    done
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/kafka-tools.XXXXXX")
    echo "kafka_tools: fetching the tools of Apache Kafka $version from Maven Central into $home (60 MB, once)" >&2
    cat >"$fresh/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dryport</groupId><artifactId>tools</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
END
    (cd "$fresh" && mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory="$fresh/libs" >&2) || {
        echo "kafka_tools: Maven could not fetch the jars (see above); this needs Maven Central once" >&2
        rm -rf "$fresh"
        exit 1
    }
    mkdir "$fresh/bin"
    tool kafka-topics.sh org.apache.kafka.tools.TopicCommand
    tool kafka-acls.sh org.apache.kafka.tools.AclCommand
    tool kafka-configs.sh kafka.admin.ConfigCommand
    tool kafka-consumer-groups.sh org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
    # Another run may have been faster: its folder is as good.
    mv -T "$fresh" "$home" 2>/dev/null || rm -rf "$fresh"
    [ -d "$home" ] || {
        echo "kafka_tools: cannot write $home" >&2
        exit 1
    }
fi
echo "$home"
