# SPDX-License-Identifier: Apache-2.0
"""A real schema registry beside a real broker: our schemas are registered, one that readers could not read is refused, and records with the
header of its serializers are counted as they should be."""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import urllib.error
import urllib.request

import topics
import wire
from bad_input import Stream
from cluster import SOURCE, Failed, Workplace, command, default_binary, options, say, tell

SEED = 11
PROTO = os.path.join(SOURCE, "proto", "customs", "v1")
DECLARATION, ITEM, BATCH = 0, 1, 2  # places of the messages in declaration.proto


class Registry:
    SCRIPT = os.path.join(SOURCE, "scripts", "schema_registry.sh")

    def __init__(self, folder):
        self.folder = folder
        # Ends it when this process dies in whatever way, as cluster.Broker does.
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read -r _; "$0" stop "$1"', self.SCRIPT, folder], stdin=subprocess.PIPE, start_new_session=True
        )
        done = subprocess.run([self.SCRIPT, "start", folder], text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failed("%s start ended with %d" % (self.SCRIPT, done.returncode))
        self.url = done.stdout.strip()

    def ask(self, path, body=None):
        """(HTTP status, JSON)"""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def stop(self):
        self.guard.communicate(b"\n")


def register(registry, *arguments, expect=0):
    script = os.path.join(SOURCE, "deploy", "kafka", "register_schemas.sh")
    done = subprocess.run(
        [script, registry.url, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != expect:
        raise Failed("register_schemas.sh %s ended with %d:\n%s" % (arguments, done.returncode, done.stdout))
    return done.stdout


def changed(place, name, old, new):
    """A folder with our schemas, one line of declaration.proto changed."""
    folder = place.path(name)
    shutil.copytree(PROTO, folder)
    path = os.path.join(folder, "declaration.proto")
    with open(path, encoding="utf-8") as source:
        text = source.read()
    if text.count(old) != 1:
        raise Failed("declaration.proto holds %r %d times" % (old, text.count(old)))
    with open(path, "w", encoding="utf-8") as out:
        out.write(text.replace(old, new))
    return folder


def schemas(place, registry):
    """Registers; returns the schema id of declarations."""
    lines = dict(line.split() for line in register(registry).splitlines())
    again = dict(line.split() for line in register(registry).splitlines())
    if len(lines) != 3 or lines != again:
        raise Failed("registered as %s, then as %s" % (lines, again))
    code, subjects = registry.ask("/subjects")
    if sorted(subjects) != sorted(lines):
        raise Failed("subjects %s, wanted %s" % (subjects, sorted(lines)))
    number = int(lines["customs.declarations-value"])
    _, held = registry.ask("/schemas/ids/%d" % number)
    with open(os.path.join(PROTO, "declaration.proto"), encoding="utf-8") as source:
        if held["schema"] != source.read() or held["schemaType"] != "PROTOBUF":
            raise Failed("the registry holds another schema: %.200s" % held)
    first = "  string declaration_id = 1;"
    worse = changed(place, "worse", first, "  uint32 declaration_id = 1;")
    text = register(registry, "--check", "--proto", worse, expect=1)
    if "not compatible" not in text or "customs.declarations-value" not in text:
        raise Failed("an incompatible change: %s" % text)
    with open(os.path.join(worse, "declaration.proto"), encoding="utf-8") as source:
        body = {"schemaType": "PROTOBUF", "schema": source.read()}
    code, answer = registry.ask("/subjects/customs.declarations-value/versions", body)
    if code != 409:
        raise Failed("the registry takes an incompatible schema: %d %s" % (code, answer))
    better = changed(place, "better", first, first + "\n  string added_later = 999;")
    register(registry, "--check", "--proto", better)
    say("schemas: registered as %s; string to uint32 refused (409), a new field compatible" % lines)
    return number


def framed(number, path, data):
    """path: the bytes of the message indexes"""
    return struct.pack(">bI", 0, number) + path + data


def records(place, broker, binary, number):
    """Declarations and batches behind headers of both spellings, and broken headers among them."""
    stream = Stream(place, broker, "registry", binary, **{"input.format": "confluent"})
    stream.create()
    path = place.path("good.pb")
    arguments = ("--count", "600", "--seed", str(SEED), "--bad", "0", "--out", path)
    command(binary, "generate", *arguments, *options(stream.settings))
    good = [(wire.decode(data)["declaration_id"].encode(), data) for data in wire.read_pb(path)]
    short, long = b"\x00", wire.varint(2) + wire.varint(2 * DECLARATION)
    batch = wire.varint(2) + wire.varint(2 * BATCH)
    spelled = [
        lambda data: framed(number, short, data),
        lambda data: framed(number, long, data),
        lambda data: framed(number, batch, wire.length_field(1, data)),
    ]
    messages = [(key, spelled[at % 3](data), None) for at, (key, data) in enumerate(good)]
    key, data = good[0]
    broken = [
        framed(number, wire.varint(2) + wire.varint(2 * ITEM), data),
        framed(number, wire.varint(4) + wire.varint(0) + wire.varint(0), data),
        b"\x00\x00\x00",
        data,  # no header: input.format=confluent wants one
    ]
    stream.processor.start()
    topics.produce(broker.address, stream.settings["topic.declarations"], messages + [(key, each, None) for each in broken])
    ledger = stream.exact()
    rejected = ledger.verdicts["rejected"]
    if rejected < len(broken):
        raise Failed("%d rejected, %d headers are broken" % (rejected, len(broken)))
    if ledger.verdicts["counted"] < 500:
        raise Failed("%s of 600" % ledger.verdicts)
    codes = command(binary, "rejects", *options(stream.settings))
    if codes.count("STR-002") < len(broken):
        raise Failed("STR-002 for each broken header:\n%s" % codes[-1500:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dryport", default=default_binary())
    given = parser.parse_args()
    with Workplace("registry") as place:
        registry = Registry(place.path("registry"))
        try:
            broker = place.broker()
            records(place, broker, given.dryport, schemas(place, registry))
        finally:
            registry.stop()
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
