# SPDX-License-Identifier: Apache-2.0
"""What each role is allowed on a broker of `--listener secure`, from deploy/kafka/acls.csv; and a login of each kind."""

import csv
import os
import subprocess

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from cluster import SOURCE, Failed

ACLS = os.path.join(SOURCE, "deploy", "kafka", "acls.csv")
TIMEOUT_S = 30


def user(role):
    return "dryport-" + role


def roles():
    with open(ACLS, encoding="utf-8", newline="") as source:
        return list(dict.fromkeys(row["role"] for row in csv.DictReader(source)))


def users():
    """A password for each role, for Broker(users=...)."""
    return {user(role): "right-%s" % role for role in roles()}


def bindings(settings):
    """The table as ACLs, with the topics and the group of these settings (defaults of contract: customs.*, dryport)."""
    names = {"{%s}" % topic: settings.get("topic." + topic, "customs." + topic) for topic in
             ("declarations", "journal", "statistics", "rejects")}
    group = settings.get("group", "dryport")
    names.update({"{group}": group, "{group}-publish": group + "-publish"})
    with open(ACLS, encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            for operation in row["operations"].split():
                letters = "".join("_" + c if c.isupper() else c for c in operation).lstrip("_").upper()
                yield AclBinding(
                    ResourceType[row["resource"].upper()],
                    names.get(row["name"], row["name"]),
                    ResourcePatternType[row["pattern"].upper()],
                    "User:" + user(row["role"]),
                    "*",
                    AclOperation[letters],
                    AclPermissionType.ALLOW,
                )


def grant(broker, settings):
    """Grants every role what the table says."""
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    for binding, done in admin.create_acls(list(bindings(settings)), request_timeout=TIMEOUT_S).items():
        try:
            done.result(TIMEOUT_S)
        except Exception as failure:
            raise Failed("%s was not granted: %s" % (binding, failure)) from failure


def scram(broker, role, mechanism="SCRAM-SHA-512", password=None):
    """Settings of a login with the password of a role."""
    return {
        "brokers": broker.outside,
        "kafka.security.protocol": "SASL_SSL",
        "kafka.ssl.ca.location": os.path.join(broker.tls, "ca.pem"),
        "kafka.sasl.mechanisms": mechanism,
        "kafka.sasl.username": user(role),
        "kafka.sasl.password": password or users()[user(role)],
    }


def certificate(broker, role):
    """Settings of a login with the certificate of a role."""
    return {
        "brokers": broker.mtls,
        "kafka.security.protocol": "SSL",
        "kafka.ssl.ca.location": os.path.join(broker.tls, "ca.pem"),
        "kafka.ssl.certificate.location": os.path.join(broker.tls, user(role) + ".pem"),
        "kafka.ssl.key.location": os.path.join(broker.tls, user(role) + ".key"),
    }


def library():
    """LD_LIBRARY_PATH of a librdkafka that speaks SCRAM; "" if the system's does."""
    done = subprocess.run(
        [os.path.join(SOURCE, "scripts", "librdkafka.sh")], text=True, stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise Failed("scripts/librdkafka.sh ended with %d" % done.returncode)
    return done.stdout.strip()
