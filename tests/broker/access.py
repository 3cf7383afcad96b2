# SPDX-License-Identifier: Apache-2.0
"""What each role is allowed on a broker of `--listener secure`, from deploy/kafka/acls.csv; and a login of each kind."""

import csv
import os
import subprocess

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from cluster import SOURCE, Failed, wait_until

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
    kinds = ("declarations", "journal", "statistics", "rejects")
    names = {"{%s}" % kind: settings.get("topic." + kind, "customs." + kind) for kind in kinds}
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
    """Grants every role what the table says; waits until the broker goes by it."""
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    wanted = set(bindings(settings))
    for binding, done in admin.create_acls(list(wanted), request_timeout=TIMEOUT_S).items():
        try:
            done.result(TIMEOUT_S)
        except Exception as failure:
            raise Failed("%s was not granted: %s" % (binding, failure)) from failure
    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    wait_until(
        lambda: wanted <= set(admin.describe_acls(every, request_timeout=TIMEOUT_S).result(TIMEOUT_S)),
        "the broker has the ACLs",
    )


def password_file(broker, role, password=None):
    """A file with the password of a role, as a mounted secret is one."""
    path = os.path.join(broker.folder, "%s-%s.password" % (role, "wrong" if password else "right"))
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o400), "w", encoding="utf-8") as out:
        out.write((password or users()[user(role)]) + "\n")
    return path


def scram(broker, role, mechanism="SCRAM-SHA-512", password=None):
    """Settings of a login with the password of a role, or with a wrong one."""
    return {
        "brokers": broker.outside,
        "kafka.security.protocol": "SASL_SSL",
        "kafka.ssl.ca.location": os.path.join(broker.tls, "ca.pem"),
        "kafka.sasl.mechanisms": mechanism,
        "kafka.sasl.username": user(role),
        "kafka.sasl.password.file": password_file(broker, role, password),
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
