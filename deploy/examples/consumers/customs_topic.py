# SPDX-License-Identifier: Apache-2.0
"""The statistics topic for consumers: messages as the published .proto has them, and the one rule that a consumer must follow.

A record is the whole state of its key. Whoever upserts by key, ignores an `as_of` that is not larger than the one it has for the key,
deletes on a null value and ignores keys that begin with `#` holds what the publisher holds. `as_of` is a header of every record,
of those without a value too; that of a deleted key must be kept, or a record that comes late would bring the key back.
"""

import os
import signal
import subprocess
import tempfile

import confluent_kafka
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "proto"))
TIMEOUT_S = 30


class Trouble(Exception):
    """Something that whoever started the program must mend."""


def statistic_class(folder=PROTO):
    """The class of customs.v1.Statistic, by protoc from the published file: any version of protoc and protobuf will do."""
    with tempfile.NamedTemporaryFile(suffix=".desc") as out:
        try:
            subprocess.run(
                ["protoc", "--include_imports", "--proto_path=" + folder, "-o", out.name, "customs/v1/statistic.proto"], check=True
            )
        except FileNotFoundError:
            raise Trouble("protoc is missing; on Debian: apt-get install protobuf-compiler") from None
        except subprocess.CalledProcessError:
            raise Trouble("protoc can't compile customs/v1/statistic.proto in %s; --proto names another folder" % folder) from None
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for each in files.file:
        pool.Add(each)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("customs.v1.Statistic"))


def enum_name(field, number):
    """The short name of a value: MONTH, M, CIF; an unknown one as its number."""
    value = field.enum_type.values_by_number.get(number)
    prefix = len(field.enum_type.values_by_number[0].name) - len("UNSPECIFIED")
    return value.name[prefix:] if value else str(number)


class Change:
    """What one record says of its key; `statistic` is None if it deletes it."""

    __slots__ = ("as_of", "key", "statistic")

    def __init__(self, key, as_of, statistic):
        self.key, self.as_of, self.statistic = key, as_of, statistic


class Topic:
    """The records of topic.statistics from given offsets on, all partitions, without a consumer group."""

    def __init__(self, brokers, topic, next_offsets=None, proto=PROTO, settings=()):
        self.name = topic
        self.statistic = statistic_class(proto)
        self.next = {}  # partition -> offset behind the last record read
        self.at_end = set()
        self.records = {}  # partition -> records read since taken()
        self.client = confluent_kafka.Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": "unused",  # the library asks for one; nothing is committed to it
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "check.crcs": True,
                **dict(settings),
            }
        )
        self.assign(next_offsets or {})

    def assign(self, next_offsets):
        try:
            found = self.client.list_topics(self.name, timeout=TIMEOUT_S).topics[self.name]
        except confluent_kafka.KafkaException as failure:
            raise Trouble("the broker does not answer: %s" % failure.args[0].str()) from None
        if found.error is not None:
            raise Trouble("topic %s: %s" % (self.name, found.error.str()))
        places = []
        for partition in sorted(found.partitions):
            low, high = self.client.get_watermark_offsets(confluent_kafka.TopicPartition(self.name, partition), timeout=TIMEOUT_S)
            at = next_offsets.get(partition, low)
            if not low <= at <= high:
                # compaction leaves the first offset alone: such a log was created anew or cut, and keys are missing
                raise Trouble(
                    "partition %d of %s has offsets %d to %d and does not go on at %d: was the topic created anew? Empty what was"
                    " fed from it and begin again" % (partition, self.name, low, high, at)
                )
            self.next[partition] = at
            places.append(confluent_kafka.TopicPartition(self.name, partition, at))
        self.client.assign(places)

    def take(self, most=5000, wait_s=0.25):
        """The changes that have come, in the order of each partition; `next` and `at_end` say how far that is."""
        out = []
        for message in self.client.consume(most, timeout=wait_s):
            partition, error = message.partition(), message.error()
            if error is not None and error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                self.at_end.add(partition)
                self.next[partition] = message.offset()  # the last records may be gone: compacted, or marks
                continue
            if error is not None and error.code() == confluent_kafka.KafkaError._AUTO_OFFSET_RESET:
                raise Trouble("%s: %s: was the topic created anew? Empty what was fed from it and begin again" % (self.name, error.str()))
            if error is not None and error.retriable():
                continue
            if error is not None:
                raise Trouble("%s: %s" % (self.name, error.str()))
            self.at_end.discard(partition)
            self.next[partition] = message.offset() + 1
            self.records[partition] = self.records.get(partition, 0) + 1
            change = self.change(message)
            if change is not None:
                out.append(change)
        return out

    def change(self, message):
        key = message.key().decode()
        if key.startswith("#"):  # the publisher's own
            return None
        as_of = int(dict(message.headers() or ())["as_of"])
        value = message.value()
        return Change(key, as_of, None if value is None else self.statistic.FromString(value))

    def taken(self):
        """Records read of each partition since the last call, the publisher's own among them."""
        records, self.records = self.records, {}
        return records

    def is_at_end(self):
        return len(self.at_end) == len(self.next)

    def close(self):
        self.client.close()


class Stop:
    """True once SIGTERM or SIGINT came."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_):
        self.asked = True

    def __bool__(self):
        return self.asked


def add_arguments(parser):
    parser.add_argument("--brokers", default=os.environ.get("DRYPORT_BROKERS", "127.0.0.1:9092"))
    parser.add_argument("--topic", default=os.environ.get("DRYPORT_TOPIC_STATISTICS", "customs.statistics"))
    parser.add_argument("--kafka", action="append", default=[], metavar="KEY=VALUE", help="a librdkafka setting, e.g. security.protocol=SSL")
    parser.add_argument("--proto", default=PROTO, help="the folder that holds customs/v1/statistic.proto")
    parser.add_argument("--once", action="store_true", help="end when the topic is read to its end; default: go on until SIGTERM")


def settings_of(arguments):
    return [setting.partition("=")[::2] for setting in arguments.kafka]
