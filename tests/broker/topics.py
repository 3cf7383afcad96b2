# SPDX-License-Identifier: Apache-2.0
"""Topics as a client from outside sees them: confluent-kafka (its own librdkafka) and classes made by protoc from proto/.

Needs the packages of scripts/test_venv.sh. Nothing here is shared with the processor but the .proto files.
"""

import functools
import os
import subprocess
import tempfile
import time

import confluent_kafka
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

import recount
import wire

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
POLL_S = 10


class Trouble(Exception):
    """The broker did not do what was asked."""


def message_class(name):
    """A message class of customs.v1, compiled from proto/ by protoc."""
    folder = os.path.join(SOURCE, "proto")
    with tempfile.NamedTemporaryFile(suffix=".desc") as out:
        subprocess.run(
            ["protoc", "--include_imports", "--proto_path=" + folder, "-o", out.name]
            + ["customs/v1/%s.proto" % part for part in ("declaration", "statistic", "reject")],
            check=True,
            cwd=folder,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for part in files.file:
        pool.Add(part)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("customs.v1." + name))


def consumer(brokers, **settings):
    return confluent_kafka.Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "outside",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "check.crcs": True,
            "log_level": 0,
            "fetch.wait.max.ms": 20,
            **settings,
        }
    )


def partitions(client, topic):
    found = client.list_topics(topic, timeout=POLL_S).topics[topic]
    if found.error is not None:
        raise Trouble("%s: %s" % (topic, found.error.str()))
    return sorted(found.partitions)


def is_passing(error):
    """True of what a broker says while it starts: leaders are not elected, connections are refused."""
    codes = confluent_kafka.KafkaError
    return error.code() in (
        codes.NOT_LEADER_FOR_PARTITION,
        codes.LEADER_NOT_AVAILABLE,
        codes._TRANSPORT,
        codes._ALL_BROKERS_DOWN,
        codes._TIMED_OUT,
    )


def ends(brokers, topic):
    """partition -> (first offset, next offset)."""
    client = consumer(brokers)
    give_up = time.monotonic() + 2 * POLL_S
    try:
        while True:
            try:
                return {
                    p: client.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p), timeout=POLL_S)
                    for p in partitions(client, topic)
                }
            except confluent_kafka.KafkaException as failure:
                if not is_passing(failure.args[0]) or time.monotonic() > give_up:
                    raise Trouble("%s: %s" % (topic, failure.args[0].str())) from failure
                time.sleep(0.2)
    finally:
        client.close()


def take(client, most):
    """What is there now, at most that many; nothing only after POLL_S. (consume() would wait for all of them.)"""
    give_up = time.monotonic() + POLL_S
    while True:
        messages = client.consume(most, timeout=0.05)
        if messages or time.monotonic() > give_up:
            return messages


def read(brokers, topic, only=None, limits=None):
    """Yields every message of a topic from its first offset to the ends noted at the start."""
    bounds = ends(brokers, topic)
    client = consumer(brokers)
    try:
        left = {}
        for p in bounds if only is None else only:
            low, high = bounds[p]
            high = min(high, limits[p]) if limits else high
            if high > low:
                left[p] = (low, high)
        client.assign([confluent_kafka.TopicPartition(topic, p, low) for p, (low, _) in left.items()])
        while left:
            messages = take(client, 20000)
            if not messages:
                raise Trouble(
                    "%s: nothing for %d s although partitions %s are not at their ends"
                    % (topic, POLL_S, sorted(left))
                )
            for message in messages:
                if message.error() is not None and is_passing(message.error()):
                    continue
                if message.error() is not None:
                    raise Trouble("%s: %s" % (topic, message.error().str()))
                p = message.partition()
                if p not in left or message.offset() >= left[p][1]:
                    continue
                if message.offset() + 1 >= left[p][1]:
                    del left[p]
                yield message
    finally:
        client.close()


class Statistics:
    """A reader of the statistics that goes on from where it was; fields as recount.py names them."""

    def __init__(self, brokers, topic):
        self.client = consumer(brokers)
        self.brokers, self.topic = brokers, topic
        self.message = message_class("Statistic")
        self.state = recount.Consumer()
        self.position = {}

    def advance(self):
        """Reads to the ends of now; the number of messages."""
        try:
            bounds = ends(self.brokers, self.topic)
        except Trouble:
            return 0  # not created yet
        behind = {
            p: (self.position.get(p, low), high)
            for p, (low, high) in bounds.items()
            if self.position.get(p, low) < high
        }
        count = 0
        if not behind:
            return count
        self.client.assign([confluent_kafka.TopicPartition(self.topic, p, at) for p, (at, _) in behind.items()])
        while any(self.position.get(p, at) < high for p, (at, high) in behind.items()):
            messages = take(self.client, 10000)
            if not messages:
                raise Trouble("%s: nothing for %d s before its end" % (self.topic, POLL_S))
            for message in messages:
                if message.error() is not None and is_passing(message.error()):
                    continue
                if message.error() is not None:
                    raise Trouble("%s: %s" % (self.topic, message.error().str()))
                self.position[message.partition()] = message.offset() + 1
                self.take(message)
                count += 1
        self.client.unassign()
        return count

    def take(self, message):
        key = message.key().decode("ascii")
        headers = dict(message.headers() or [])
        as_of = int(headers["as_of"]) if "as_of" in headers else 0
        fields = None
        if message.value() is not None and not key.startswith("#"):
            statistic = self.message.FromString(message.value())
            if statistic.as_of != as_of:
                self.state.broken.append(
                    "%s: as_of %d in the value and %d in the header" % (key, statistic.as_of, as_of)
                )
            self.state.watermark_ms = max(self.state.watermark_ms, statistic.watermark_ms)
            fields = {
                field.name: value for field, value in statistic.ListFields() if field.name not in recount.NOT_COMPARED
            }
        self.state.take(key, message.partition(), as_of, fields)

    def close(self):
        self.client.close()


def fill_consumer(brokers, topic, state):
    reader = Statistics(brokers, topic)
    reader.state = state
    reader.advance()
    reader.close()


def rejected_coordinates(brokers, topic):
    """{(partition, offset, index): Reject}, the last written one for each place."""
    Reject = message_class("Reject")
    out = {}
    try:
        for message in read(brokers, topic):
            reject = Reject.FromString(message.value())
            key = "%s/%d/%d" % (reject.topic, reject.partition, reject.offset)
            if message.key().decode() not in (key, "%s/%d" % (key, reject.index)):
                raise Trouble("reject of %s has the key %s" % (key, message.key()))
            out[reject.partition, reject.offset, reject.index] = reject
    except Trouble as trouble:
        if "Unknown topic" not in str(trouble):
            raise
    return out


def without_header(value):
    """What stands behind a Confluent header: 0, schema id, and the path of the message as zigzag varints behind their count."""
    count, at = wire.read_varint(value, 5, len(value))
    for _ in range(count // 2):
        _, at = wire.read_varint(value, at, len(value))
    return value[at:]


def declarations_of(value):
    """The encoded declarations of one record: itself, or those of a batch (first field 1 whose content begins with 0x0A)."""
    if value[:1] == b"\0" and len(value) > 6:
        try:
            value = without_header(value)
        except wire.Malformed:
            return [value]
    try:
        number, wire_type, place = next(wire.walk(value))
        if number == 1 and wire_type == 2 and value[place[0] : place[0] + 1] == b"\x0a":
            return [value[at:end] for field, kind, (at, end) in wire.walk(value) if field == 1 and kind == 2]
    except (wire.Malformed, StopIteration, TypeError):
        pass
    return [value]


def fill_ledger(brokers, topic, rejects, ledger, limits=None):
    """Takes every record of the input, in order of each partition; what topic.rejects names is rejected."""
    rejected = rejected_coordinates(brokers, rejects)
    for message in read(brokers, topic, limits=limits):
        place = (message.partition(), message.offset())
        parts = [None] if message.value() is None else declarations_of(message.value())
        for index, data in enumerate(parts):
            head = None if (*place, index) in rejected else readable(data)
            ledger.take(head, head is None)
    return rejected


@functools.lru_cache(maxsize=1)
def declaration_class():
    return message_class("Declaration")


def plain(message):
    """A message as a dict of the fields present, as wire.decode gives them."""
    out = {}
    for field, value in message.ListFields():
        if field.name == "items":
            value = [plain(item) for item in value]
        elif field.is_repeated:
            value = list(value)
        out[field.name] = value
    return out


def readable(data):
    """The declaration, or None where there is none: what cannot be read cannot have been counted."""
    try:
        return plain(declaration_class().FromString(data))
    except (DecodeError, TypeError):
        return None


def produce(brokers, topic, messages, **settings):
    """Produces (key, value, partition or None); all acknowledged when it returns."""
    failures = []
    client = confluent_kafka.Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "linger.ms": 5,
            "partitioner": "murmur2_random",
            "log_level": 0,
            **settings,
        }
    )

    def done(error, _message):
        if error is not None:
            failures.append(error.str())

    for key, value, partition in messages:
        where = {} if partition is None else {"partition": partition}
        while True:
            try:
                client.produce(topic, value, key, on_delivery=done, **where)
                break
            except BufferError:
                client.poll(0.1)
        client.poll(0)
    if client.flush(60) or failures:
        raise Trouble("%s: not all was produced: %s" % (topic, failures[:3]))


def create(brokers, *specifications):
    """Creates topics: (name, partitions, {setting: value})."""
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    new = [
        NewTopic(name, num_partitions=count, replication_factor=1, config=settings)
        for name, count, settings in specifications
    ]
    for name, future in admin.create_topics(new).items():
        future.result(POLL_S)


def delete_before(brokers, topic, partition, offset):
    """Deletes the records of a partition below an offset."""
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    for future in admin.delete_records([confluent_kafka.TopicPartition(topic, partition, offset)]).values():
        future.result(POLL_S)


def settings_of(brokers, topic):
    """The settings of a topic, as text by name."""
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    found = admin.describe_configs([resource])[resource].result(POLL_S)
    return {name: entry.value for name, entry in found.items()}
