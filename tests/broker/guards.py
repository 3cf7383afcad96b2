# SPDX-License-Identifier: Apache-2.0
"""Start guards, idle marks and `dryport skip` on a real broker: each stops what it must, says the mend, and the mend works.

lost_range         retention took input that was not counted: one partition halts, `skip` lets it go on, totals are those of what is left
journal_lost       the journal was deleted and the group has offsets: all partitions halt, nothing is counted again
journal_damaged    a record of the journal is no frame: that partition halts alone, `skip --rebase` mends it, nothing is lost
input_recreated    the input was deleted and made again, shorter and longer than what was counted: `skip` does not mend that, new topics do
partitions         the input has grown, without its journal and with it: the start is refused
journal_settings   the journal would be cut by retention or compaction: the start is refused with the command that mends it
lowered_limit      max.message.bytes of topic.rejects is lowered while `run` is up: only what does not fit shrinks, nothing halts
idle               partitions without input are marked once, also behind the markers of a transaction
"""

import argparse
import random
import sys
import time

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewPartitions

import recount
import topics
import wire
from bad_input import SEED, Stream, alter
from cluster import Failed, Workplace, command, default_binary, options, say, tell, wait_until

LOST = 100


def administer(broker, verb, argument):
    """AdminClient.verb([argument]), awaited: the client must live that long."""
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    (future,) = getattr(admin, verb)([argument]).values()
    future.result(30)


def delete_topic(broker, topic):
    administer(broker, "delete_topics", topic)
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    wait_until(lambda: topic not in admin.list_topics(timeout=10).topics, "%s is gone" % topic, 30)


def partition_of(stream, number):
    status = stream.processor.status() or {}
    return next((p for p in status.get("partitions", ()) if p["partition"] == number), {})


def await_halt(stream, number, guard, words):
    """Waits until the partition is halted by the guard; its row of /status."""
    row = wait_until(
        lambda: (lambda p: p if p.get("state") == "halted" else None)(partition_of(stream, number)),
        lambda: "partition %d is halted: %s\n%s" % (number, partition_of(stream, number), stream.processor.tail()),
        60,
    )
    if row["guard"] != guard or words not in row["reason"]:
        raise Failed("partition %d is halted by %r, not %r with %r" % (number, row, guard, words))
    # The log and the metrics are written by other threads than the state: soon, not at once.
    metric = 'dryport_partitions_halted{reason="%s"}' % guard
    wait_until(lambda: stream.processor.metrics().get(metric, 0) >= 1, lambda: "%s is at least 1" % metric, 20)
    wait_until(lambda: words in stream.processor.logged(), lambda: "the log says it:\n%s" % stream.processor.tail(), 20)
    return row


def assert_refuses(stream, *words):
    """`run` ends with 64 and says it."""
    stream.processor.start()
    code = stream.processor.process.wait(60)
    if code != 64 or any(word not in stream.processor.tail() for word in words):
        raise Failed("ended with %d, not with 64 and %s:\n%s" % (code, words, stream.processor.tail()))
    say("%s: refused: %s" % (stream.name, stream.processor.tail(1).strip()[:160]))


def compare_until_equal(stream, messages):
    """The statistics become the recount of these messages."""
    rejected = topics.rejected_coordinates(stream.broker.address, stream.settings["topic.rejects"])
    ledger = recount.Ledger(stream.nomenclature.scope)
    for message in messages:
        head = topics.readable(message.value())
        ledger.take(head, head is None or any(place[:2] == (message.partition(), message.offset()) for place in rejected))
    want = recount.expected(ledger.standing(), stream.nomenclature, "CN", "CNY")
    reader = topics.Statistics(stream.broker.address, stream.settings["topic.statistics"])
    state = {}

    def equal():
        reader.advance()
        state["differences"] = recount.compare(want, reader.state.records())
        return not state["differences"]

    wait_until(equal, lambda: "equal to the recount:\n  %s" % "\n  ".join(state["differences"]), 60, 0.5)
    reader.close()
    return len(want)


def lost_range(place, broker, binary):
    stream = Stream(place, broker, "lost", binary)
    topic = stream.settings["topic.declarations"]
    stream.create()
    stream.generate(2000, SEED, "--bad", "0")
    stream.processor.start()
    stream.caught_up()
    stream.processor.stop()
    position = topics.ends(broker.address, topic)[0][1]
    stream.generate(2000, SEED + 1, "--bad", "0")
    everything = list(topics.read(broker.address, topic))
    left = [m for m in everything if m.partition() != 0 or not position <= m.offset() < position + LOST]
    if len(left) != len(everything) - LOST:
        raise Failed("partition 0 has too few records behind %d" % position)
    where = confluent_kafka.TopicPartition(topic, 0, position + LOST)
    administer(broker, "delete_records", where)

    stream.processor.start()
    row = await_halt(stream, 0, "input_lost", "input offsets %d to %d" % (position, position + LOST - 1))
    ends = topics.ends(broker.address, topic)
    for number in (1, 2, 3):
        wait_until(
            lambda number=number: int(partition_of(stream, number).get("position", -1)) == ends[number][1],
            "partition %d goes on beside the halted one" % number,
        )
    say("lost_range: %s" % row["reason"])
    arguments = ["skip", "--partition", "0", "--from", str(position), "--to", str(position + LOST)]
    arguments += ["--reason", "a test deleted it", *options(stream.settings)]
    text = command(binary, *arguments, expect=64)
    if "%d in all; 0 of them are still in the log" % LOST not in text or "--yes" not in text:
        raise Failed("skip without --yes says: %s" % text)
    if partition_of(stream, 0)["state"] != "halted":
        raise Failed("skip without --yes did something")
    wrong = list(arguments)
    wrong[4] = str(position + 1)
    if "--from %d" % position not in command(binary, *wrong, "--yes", expect=64):
        raise Failed("skip from a wrong offset does not say the right one")
    say("lost_range: %s" % command(binary, *arguments, "--yes").strip().splitlines()[-1])
    stream.caught_up()
    if partition_of(stream, 0)["guard"] != "none":
        raise Failed("partition 0 is %s" % partition_of(stream, 0))
    cells = compare_until_equal(stream, left)
    if "counted up to input offset" not in command(binary, *arguments, "--yes", expect=64):
        raise Failed("the same skip again is not refused")
    stream.processor.stop()
    say("lost_range: %d cells equal to the recount of what is left" % cells)


def lost_for_publisher(stream):
    publisher = (stream.processor.status() or {}).get("publisher", {})
    return "holds nothing that was counted" in publisher.get("reason", "") and publisher["state"] != "publishing"


def journal_lost(place, broker, binary):
    stream = Stream(place, broker, "journal-lost", binary)
    stream.create()
    stream.generate(4000, SEED, "--bad", "0")
    stream.processor.start()
    stream.caught_up()
    stream.processor.stop()
    delete_topic(broker, stream.settings["topic.journal"])
    stream.processor.start()
    for number in range(4):
        row = await_halt(stream, number, "journal_lost", "the group has counted up to input offset")
    if stream.processor.verdicts().get("counted", 0) != 0:
        raise Failed("it counts again: %s" % stream.processor.verdicts())
    # A publisher that folded the empty journal would say zero for all that was counted.
    reader = topics.Statistics(broker.address, stream.settings["topic.statistics"])
    reader.advance()
    wait_until(lambda: lost_for_publisher(stream), lambda: "the publisher says it: %s" % stream.processor.status(), 30)
    if reader.advance() or not reader.state.records():
        raise Failed("a publisher wrote without a journal: %d cells are left" % len(reader.state.records()))
    reader.close()
    text = command(
        binary, "skip", "--partition", "0", "--from", "0", "--to", "1", "--reason", "x", "--yes",
        *options(stream.settings), expect=70,
    )
    if "Restore it" not in text:
        raise Failed("skip on a lost journal says: %s" % text)
    stream.processor.stop()
    say("journal_lost: %s" % row["reason"])


def journal_damaged(place, broker, binary):
    stream = Stream(place, broker, "damaged", binary)
    stream.create()
    stream.generate(3000, SEED, "--amend", "0.1")
    stream.processor.start()
    stream.caught_up()
    journal = stream.settings["topic.journal"]
    topics.produce(broker.address, journal, [(None, b"this is no frame", 0)])
    mend = "dryport skip --partition 0 --rebase --reason TEXT"
    row = await_halt(stream, 0, "journal_damaged", mend)
    stream.generate(2000, SEED + 1, "--amend", "0.1")
    ends = topics.ends(broker.address, stream.settings["topic.declarations"])
    for number in (1, 2, 3):
        wait_until(
            lambda number=number: int(partition_of(stream, number).get("position", -1)) == ends[number][1],
            "partition %d goes on beside the halted one" % number,
        )
    say("journal_damaged: %s" % row["reason"])
    text = command(binary, "verify", "--wait", "1", *options(stream.settings), expect=70)
    if "no journal frame" not in text or "skip --rebase" not in text:
        raise Failed("verify says: %s" % text)
    hole = ["skip", "--partition", "0", "--from", "0", "--to", "1", "--reason", "x", "--yes", *options(stream.settings)]
    if "--rebase" not in command(binary, *hole, expect=70):
        raise Failed("skip of a corrupt journal does not say what mends it")
    arguments = ["skip", "--partition", "0", "--rebase", "--reason", "a test broke it", *options(stream.settings)]
    before = topics.ends(broker.address, journal)
    text = command(binary, *arguments, expect=64)
    if "accepted before that" not in text or "--yes" not in text or topics.ends(broker.address, journal) != before:
        raise Failed("skip --rebase without --yes says: %s" % text)
    say("journal_damaged: %s" % command(binary, *arguments, "--yes").strip().splitlines()[-1])
    stream.caught_up()
    if partition_of(stream, 0)["guard"] != "none":
        raise Failed("partition 0 is %s" % partition_of(stream, 0))
    if "is in order" not in command(binary, *arguments, "--yes", expect=64):
        raise Failed("a second rebase is not refused")
    stream.exact()
    text = command(binary, "verify", "--recount", "--wait", "5", *options(stream.settings))
    if "rebased by an operator" not in text:
        raise Failed("verify does not tell of the rebase: %s" % text)
    stream.processor.start()  # a cold start reads the break, and the rebase behind it
    stream.generate(500, SEED + 2)
    stream.exact()


def input_recreated(place, broker, binary):
    stream = Stream(place, broker, "recreated", binary)
    topic = stream.settings["topic.declarations"]
    stream.create()
    stream.generate(4000, SEED, "--bad", "0")
    stream.processor.start()
    stream.caught_up()
    stream.processor.stop()
    for count, words in ((400, "the input log ends at"), (8000, "is not the one that was counted there")):
        delete_topic(broker, topic)
        topics.create(broker.address, (topic, 4, {"retention.ms": "-1"}))
        stream.generate(count, SEED + 7, "--bad", "0")
        stream.processor.start()
        for number in range(4):
            row = await_halt(stream, number, "input_recreated", words)
        stream.processor.stop()
        say("input_recreated: %s" % row["reason"])
    # The journal is whole, and what it counted is no more: there is nothing to mend it with.
    arguments = ["skip", "--partition", "0", "--rebase", "--reason", "x", "--yes", *options(stream.settings)]
    if "is in order" not in command(binary, *arguments, expect=64):
        raise Failed("skip --rebase takes a journal that is in order")
    for kind in ("journal", "statistics"):
        stream.settings["topic." + kind] += ".new"
    stream.settings["group"] += ".new"
    again = Stream(place, broker, "recreated-new", binary, **stream.settings)
    again.processor.start()
    again.exact()


def partitions(place, broker, binary):
    stream = Stream(place, broker, "grown", binary)
    stream.create()
    stream.generate(1000, SEED, "--bad", "0")
    stream.processor.start()
    stream.caught_up()
    stream.processor.stop()
    for kind, words in (("declarations", "has 5 partitions"), ("journal", "had 4 partitions, and now it has 5")):
        topic = stream.settings["topic." + kind]
        administer(broker, "create_partitions", NewPartitions(topic, 5))
        wait_until(lambda topic=topic: len(topics.ends(broker.address, topic)) == 5, "%s has grown" % topic, 30)
        assert_refuses(stream, words)


def journal_settings(place, broker, binary):
    stream = Stream(place, broker, "settings", binary)
    stream.create()
    journal = stream.settings["topic.journal"]
    for name, wrong, right in (
        ("cleanup.policy", "compact", "delete"),
        ("retention.ms", "604800000", "-1"),
        ("retention.bytes", "1000000", "-1"),
    ):
        key = name.replace(".", "_")
        alter(broker.address, journal, **{key: wrong})
        wait_until(lambda: topics.settings_of(broker.address, journal)[name] == wrong, "%s is set" % name)
        assert_refuses(stream, "%s=%s" % (name, wrong), "--add-config %s=%s" % (name, right))
        alter(broker.address, journal, **{key: right})
    statistics = stream.settings["topic.statistics"]
    alter(broker.address, statistics, cleanup_policy="delete", retention_ms="604800000")
    stream.generate(500, SEED, "--bad", "0")
    stream.processor.start()
    stream.caught_up()
    if "topic_setting" not in stream.processor.logged() or "cleanup.policy=compact" not in stream.processor.logged():
        raise Failed("no word about the statistics topic:\n%s" % stream.processor.tail())
    stream.processor.stop()


def lowered_limit(place, broker, binary):
    stream = Stream(place, broker, "lowered", binary, **{"rejects.payload": "true"})
    stream.create()
    stream.processor.start()
    stream.generate(2000, SEED, "--bad", "0.05")
    stream.caught_up()
    rejects = stream.settings["topic.rejects"]
    alter(broker.address, rejects, max_message_bytes="20000")
    wait_until(lambda: topics.settings_of(broker.address, rejects)["max.message.bytes"] == "20000", "the limit is lowered")
    draw = random.Random(SEED)

    def undecodable(name, size):
        return (name.encode(), wire.tag(1, 2) + b"\xff" + draw.randbytes(size), None)

    # Random bytes do not compress: many of the small ones in a batch pass the new limit, each alone does not.
    small = [undecodable("small-%d" % at, 3000) for at in range(1000)]
    big = [undecodable("big-%d" % at, 30000) for at in range(5)]
    mixed = small + big
    draw.shuffle(mixed)
    topics.produce(broker.address, stream.settings["topic.declarations"], mixed)
    stream.generate(2000, SEED + 1, "--bad", "0.1")
    ledger = stream.exact()
    shrunk = [place for place, reject in stream.rejected.items() if not reject.findings]
    if ledger.verdicts["rejected"] < 1000 or len(shrunk) != len(big):
        raise Failed(
            "%d rejects, of them %d without findings; %d do not fit" % (ledger.verdicts["rejected"], len(shrunk), len(big))
        )


def idle(place, broker, binary):
    stream = Stream(place, broker, "idle", binary, **{"time.idle.ms": "2000"})
    stream.create()
    stream.processor.start()
    head = {}

    def marks():
        return stream.processor.metrics().get('dryport_journal_frames_total{kind="mark"}', 0)

    def all_idle():
        status = stream.processor.status() or {}
        rows = status.get("partitions", ())
        head["watermark"] = status.get("watermark_ms")
        return len(rows) == 4 and all(row["idle"] for row in rows)

    wait_until(all_idle, "partitions that never had a record are idle", 30)
    path = place.path("one.pb")
    command(binary, "generate", "--count", "40", "--seed", str(SEED), "--bad", "0", "--out", path, *options(stream.settings))
    client = confluent_kafka.Producer(
        {"bootstrap.servers": broker.address, "transactional.id": "one", "partitioner": "murmur2_random", "log_level": 0}
    )
    client.init_transactions(30)
    client.begin_transaction()
    for data in wire.read_pb(path):
        client.produce(stream.settings["topic.declarations"], data, wire.decode(data)["declaration_id"].encode(), 0)
    client.commit_transaction(30)
    wait_until(lambda: sum(stream.processor.verdicts().values()) == 40, lambda: str(stream.processor.status()), 30)
    wait_until(all_idle, "the partition whose log ends with the marker of a transaction is idle again", 30)
    if marks() != 5:
        raise Failed("%s marks, not 4 and one more" % marks())
    time.sleep(5)
    if marks() != 5:
        raise Failed("marks are written again and again: %s" % marks())
    if head["watermark"] is None:
        raise Failed("idle partitions hold back the watermark")
    stream.processor.stop()
    stream.processor.start()
    wait_until(all_idle, "idle after a restart", 30)
    time.sleep(4)
    if marks() != 0:
        raise Failed("%s marks after a restart" % marks())
    stream.processor.stop()
    say("idle: marked once, watermark %s" % head["watermark"])


CASES = {
    "lost_range": lost_range,
    "journal_lost": journal_lost,
    "journal_damaged": journal_damaged,
    "input_recreated": input_recreated,
    "partitions": partitions,
    "journal_settings": journal_settings,
    "lowered_limit": lowered_limit,
    "idle": idle,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    chosen = parser.parse_args()
    say("seed %d" % SEED)
    with Workplace("guards") as place:
        broker = place.broker(
            transaction_state_log_replication_factor="1", transaction_state_log_min_isr="1", group_initial_rebalance_delay_ms="0"
        )
        for name in chosen.case or list(CASES):
            CASES[name](place, broker, chosen.dryport)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
