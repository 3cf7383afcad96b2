# SPDX-License-Identifier: Apache-2.0
"""deploy/kafka on a broker with passwords and an authorizer: the topics and ACLs that provision.sh makes with Kafka's own tools.

They must be what the tables say, the topics as the program makes them itself, and each role must be able to do its work with
nothing else granted.
"""

import argparse
import csv
import os
import subprocess
import sys
import time

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ConfigResource
from confluent_kafka.admin import OffsetSpec, ResourcePatternType, ResourceType

from cluster import SOURCE, Failed, Workplace, command, default_binary, options, say, tell, wait_until

PROVISION = os.path.join(SOURCE, "deploy", "kafka", "provision.sh")
ROLES = ("aggregate", "publish", "load", "history", "audit", "operator", "analytics", "monitor", "provisioner")
TOPICS = ("declarations", "journal", "statistics", "rejects")
PASSWORD = "right"
GROUP = "counting"
SEED, COUNT = 20250731, 3000


def table(name):
    with open(os.path.join(SOURCE, "deploy", "kafka", name), encoding="utf-8") as source:
        return list(csv.DictReader(source))


def names(prefix):
    return {"topic." + topic: prefix + topic for topic in TOPICS}


def login(role):
    """As librdkafka takes it."""
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "dryport-" + role,
        "sasl.password": PASSWORD,
    }


def client(broker, role=None):
    """An admin client that logs in as a role, or as the super user by the broker's inner listener."""
    if role is None:
        return AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    return AdminClient({"bootstrap.servers": broker.outside, "log_level": 0, **login(role)})


class Site:
    """What an operator has at hand: the tools of Kafka, the configuration of dryport, files to log in with."""

    def __init__(self, place, broker, binary):
        self.place, self.broker, self.binary = place, broker, binary
        self.settings = {**names("site."), "group": GROUP, "brokers": broker.outside, "topics.create": "false"}
        lines = ["%s=%s" % pair for pair in self.settings.items()]
        self.config = self.write("dryport.conf", "# of the site\n%s\ntopics.partitions = 3\n" % "\n".join(lines))
        home = subprocess.run(
            [os.path.join(SOURCE, "scripts", "kafka_tools.sh")], text=True, stdout=subprocess.PIPE, check=True
        ).stdout.strip()
        self.environment = {**os.environ, "KAFKA_HOME": home}
        self.password = self.write("password", PASSWORD + "\n")

    def write(self, name, text):
        with open(self.place.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.place.path(name)

    def provision(self, *arguments, expect=0):
        done = subprocess.run(
            [PROVISION, *arguments],
            text=True,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != expect:
            raise Failed("provision.sh %s: exit %d, not %d:\n%s" % (arguments, done.returncode, expect, done.stdout))
        return done.stdout

    def login(self, role):
        """As dryport takes it: the password stands in a file."""
        settings = {"kafka." + name: value for name, value in login(role).items() if name != "sasl.password"}
        return {**settings, "kafka.sasl.password.file": self.password}

    def run(self, role, name, *arguments, **more):
        """A command of the program with the rights of a role."""
        return command(self.binary, name, *arguments, "-c", self.config, *options(self.login(role)), **more)

    def processor(self, role):
        processor = self.place.processor(self.binary, role, {**self.settings, **self.login(role), "role": role})
        processor.start()
        return processor


def granted(broker):
    """{(principal, kind, name, pattern, operation)} of all that is allowed."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    admin = client(broker)
    return {
        (acl.principal, acl.restype.name.lower(), acl.name, acl.resource_pattern_type.name.lower(), acl.operation.name)
        for acl in admin.describe_acls(everything).result(20)
        if acl.permission_type == AclPermissionType.ALLOW
    }


def wanted_acls():
    out = set()
    full = {"{%s}" % topic: "site." + topic for topic in TOPICS}
    for row in table("acls.csv"):
        name = full.get(row["name"], row["name"].replace("{group}", GROUP))
        for operation in row["operations"].split():
            # DescribeConfigs of Kafka's tools is DESCRIBE_CONFIGS in the client
            spelt = "".join("_" + letter if letter.isupper() else letter for letter in operation).lstrip("_").upper()
            out.add(("User:dryport-" + row["role"], row["resource"], name, row["pattern"], spelt))
    return out


def configs(broker, topic):
    """The settings that are the topic's own, not the broker's."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = client(broker)
    entries = admin.describe_configs([resource])[resource].result(20)
    return {name: entry.value for name, entry in entries.items() if entry.source == 1}  # 1: set on the topic itself


def check_topics(site):
    """As topics.csv says, as many partitions as the configuration says, and as the program makes them itself."""
    probe = site.place.processor(site.binary, "own", {"brokers": site.broker.address, "group": "own", **names("own.")})
    probe.start()
    wait_until(lambda: probe.get("/readyz")[0] == 200, "the program has made topics of its own", 60)
    probe.stop()
    for topic in TOPICS:
        rows = {row["setting"]: row["value"] for row in table("topics.csv") if row["topic"] == topic}
        if configs(site.broker, "site." + topic) != rows:
            raise Failed("%s is made with %s; topics.csv: %s" % (topic, configs(site.broker, "site." + topic), rows))
        if configs(site.broker, "own." + topic) != rows:
            raise Failed("%s: the program makes it with %s" % (topic, configs(site.broker, "own." + topic)))
        count = len(client(site.broker).list_topics(timeout=10).topics["site." + topic].partitions)
        if count != 3:
            raise Failed("%s has %d partitions" % (topic, count))
    say("topics: made as topics.csv says, and as the program makes them")


def check_usage(site):
    for arguments, words in (
        (("acls", "--role", "auditor=User:x"), "unknown role auditor"),
        (("acls", "--role", "audit"), "--role wants ROLE=PRINCIPAL"),
        (("topics", "-c", "/nowhere.conf"), "cannot read /nowhere.conf"),
        (("quotas",), "provision.sh topics"),
    ):
        text = site.provision(*arguments, expect=64)
        if words not in text:
            raise Failed("provision.sh %s does not say %r:\n%s" % (arguments, words, text))
    text = site.provision("acls", "--print", "--role", "monitor=User:lag", "-c", site.config)
    if text.count("kafka-acls.sh --") != 2 or "User:lag --resource-pattern-type literal --group counting" not in text:
        raise Failed("--print says:\n%s" % text)
    say("usage: a wrong role, option, file or verb is told, and --print runs nothing")


def is_published(status):
    publisher = status["publisher"]
    return int(publisher["folded_declarations"]) == COUNT and publisher["published_declarations"] == str(COUNT)


def work(site):
    """Each role at its work."""
    site.run("load", "generate", "--count", str(COUNT), "--seed", str(SEED))
    aggregate, publish = site.processor("aggregate"), site.processor("publish")
    for each in (aggregate, publish):
        wait_until(
            lambda each=each: each.get("/readyz")[0] == 200,
            lambda each=each: "%s is ready: %s" % (each.name, each.get("/readyz")[1]),
        )
    wait_until(lambda: sum(aggregate.verdicts().values()) == COUNT, lambda: "counted: %s" % aggregate.verdicts())
    wait_until(lambda: is_published(publish.status()), lambda: "published: %s" % publish.status()["publisher"])
    say("aggregate, publish: %s" % aggregate.verdicts())
    rows = site.write("history.csv", "view,period,flow,value_minor,items\nflow,2019-07-03,M,1000,1\n")
    said = site.run("history", "load", "--statistics", rows)
    say("history: %s" % said.strip().splitlines()[-1])
    say("audit: %s" % site.run("audit", "verify", "--recount").strip().splitlines()[-1])
    site.run("audit", "explain", "990120250000000004")
    say("audit: %s" % site.run("audit", "rejects", "--counts").strip().splitlines()[-1])
    say("operator: %s" % site.run("operator", "rejects", "--replay", "--where", "partition=0").strip().splitlines()[-1])
    hole = ("--partition", "0", "--from", "5", "--to", "9", "--reason", "a test")
    say("operator: %s" % site.run("operator", "skip", *hole, expect=64).strip().splitlines()[-1])
    lines = site.run("analytics", "tail", "--from-beginning", "--until-idle", "3").splitlines()
    if len(lines) < 100:
        raise Failed("tail shows %d lines" % len(lines))
    say("analytics: %d records by tail" % len(lines))
    check_lag(site)
    for each in (aggregate, publish):
        each.stop()
        for word in ("uthorization", "not allowed", "ACL"):
            if word in each.logged():
                raise Failed("%s lacks a right:\n%s" % (each.name, each.logged()[-3000:]))


def check_lag(site):
    """What KEDA or Burrow do: offsets of the group, ends of the topic."""
    monitor = client(site.broker, "monitor")

    def ends(topic):
        wanted = {TopicPartition(topic, p): OffsetSpec.latest() for p in range(3)}
        return [each.result(20).offset for each in monitor.list_offsets(wanted).values()]

    def is_level():
        asked = monitor.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)])
        committed = [each.offset for each in asked[GROUP].result(20).topic_partitions]
        return sorted(committed) == sorted(ends("site.declarations")) and sum(committed) >= COUNT

    wait_until(is_level, "the group has committed up to the ends", 30)
    say("monitor: offsets of the group are the ends of the input")
    try:
        ends("site.journal")
    except KafkaException:
        return
    raise Failed("monitor sees the journal: the authorizer does not work, and this test shows nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    chosen = parser.parse_args()
    module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    users = " ".join('user_dryport-%s="%s"' % (role, PASSWORD) for role in ROLES)
    with Workplace("provision") as place:
        broker = place.broker(
            sasl=True,
            **{
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",  # who comes by the inner listener
                "listener.name.sasl.plain.sasl.jaas.config": "%s %s;" % (module, users),
            },
        )
        site = Site(place, broker, chosen.dryport)
        check_usage(site)
        begin = time.monotonic()
        inner = ("-c", site.config, "--bootstrap-server", broker.address)
        site.provision("acls", *inner, "--role", "provisioner=User:dryport-provisioner")
        java = site.write(
            "provisioner.properties",
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
            'sasl.jaas.config=%s username="dryport-provisioner" password="%s";\n' % (module, PASSWORD),
        )
        site.provision("topics", "-c", site.config, "--command-config", java)
        site.provision("acls", *inner)
        if granted(broker) != wanted_acls():
            raise Failed("granted and not in acls.csv, or the other way: %s" % (granted(broker) ^ wanted_acls()))
        say("acls: %d rights as acls.csv says, %.0f s" % (len(granted(broker)), time.monotonic() - begin))
        site.provision("topics", "-c", site.config, "--command-config", java)  # a second time changes nothing
        check_topics(site)
        work(site)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
