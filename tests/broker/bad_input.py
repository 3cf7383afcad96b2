# SPDX-License-Identifier: Apache-2.0
"""Bad input and a bad world on a real broker: a clear word, an exit code or a retry; nothing lost, nothing counted twice.

records          every kind of broken record among good ones: one verdict each, the good ones counted
unknown          an input topic that is not there and may not be created
down             the broker is down at the start: `run` waits and says so, commands give up in time; then it comes
killed           the broker is killed (kill -9) in the middle and started again, twice
credentials      wrong password, no password, TLS against a plain port
small_rejects    rejects that are too large for their topic
refused_journal  the journal takes nothing for longer than the delivery time-out
"""

import argparse
import os
import random
import subprocess
import sys
import time

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

import recount
import topics
import wire
from cluster import (
    SASL_PASSWORD,
    SASL_USER,
    SOURCE,
    Failed,
    Workplace,
    command,
    default_binary,
    options,
    say,
    tell,
    wait_until,
)

SEED = 5
REFERENCE = os.path.join(SOURCE, "deploy", "reference", "demo")
MEBIBYTE = 1 << 20


class Stream:
    """Topics of one test, the processor on them, and the recount of what it published."""

    def __init__(self, place, broker, name, binary, address=None, **settings):
        self.broker, self.binary, self.name = broker, binary, name
        self.settings = {
            "brokers": address or broker.address,
            "group": name,
            "topic.declarations": name + ".declarations",
            "topic.journal": name + ".journal",
            "topic.statistics": name + ".statistics",
            "topic.rejects": name + ".rejects",
            "reference.dir": REFERENCE,
            **settings,
        }
        self.processor = place.processor(binary, name, self.settings)
        self.nomenclature = recount.Nomenclature(REFERENCE, os.path.dirname(REFERENCE))
        self.rejected = {}

    def generate(self, count, seed, *more, **keywords):
        return command(
            self.binary,
            "generate",
            "--count",
            str(count),
            "--seed",
            str(seed),
            *more,
            *options(self.settings),
            **keywords
        )

    def create(self, **of_topic):
        """Creates the four topics as the contract wants them, with settings besides per topic."""
        kinds = {
            "declarations": {"cleanup.policy": "delete", "retention.ms": "-1"},
            "journal": {"cleanup.policy": "delete", "retention.ms": "-1"},
            "statistics": {"cleanup.policy": "compact"},
            "rejects": {"cleanup.policy": "delete", "retention.ms": "2592000000"},
        }
        topics.create(
            self.broker.address,
            *[
                (self.settings["topic." + kind], 4, {**values, **of_topic.get(kind, {})})
                for kind, values in kinds.items()
            ]
        )

    def records(self):
        return sum(high for _, high in topics.ends(self.broker.address, self.settings["topic.declarations"]).values())

    def caught_up(self, deadline_s=90):
        total = self.records()
        wait_until(
            lambda: self.processor.position() == total,
            lambda: "%s at %d of %d\n%s" % (self.name, self.processor.position(), total, self.processor.tail()),
            deadline_s,
        )

    def exact(self, deadline_s=90):
        """Waits until the statistics equal a recount of the topic; stops the processor; they must still."""
        self.caught_up(deadline_s)
        reader = topics.Statistics(self.broker.address, self.settings["topic.statistics"])
        state = {"differences": ["nothing was read"]}

        def equal():
            ledger = recount.Ledger(self.nomenclature.scope)
            self.rejected = topics.fill_ledger(
                self.broker.address, self.settings["topic.declarations"], self.settings["topic.rejects"], ledger
            )
            reader.advance()
            want = recount.expected(ledger.standing(), self.nomenclature, "CN", "CNY")
            state.update(ledger=ledger, cells=len(want), differences=recount.compare(want, reader.state.records()))
            return not state["differences"]

        wait_until(
            equal,
            lambda: "%s equals the recount:\n  %s" % (self.name, "\n  ".join(state["differences"])),
            deadline_s,
            0.5,
        )
        self.processor.stop()
        if reader.advance() and not equal() or reader.state.broken:
            raise Failed(
                "%s after the end:\n  %s" % (self.name, "\n  ".join(state["differences"] + reader.state.broken[:5]))
            )
        reader.close()
        say(
            "%s: equal to the recount: %d cells, %s"
            % (
                self.name,
                state["cells"],
                ", ".join("%d %s" % (n, v) for v, n in state["ledger"].verdicts.items() if n),
            )
        )
        return state["ledger"]


def length_delimited_garbage(count):
    return wire.tag(90, 2) + wire.varint(count) + bytes(count)


def broken_records(good, draw):
    """(name, key, value) of records that must each be rejected, made from encoded good declarations with their ids."""
    out = []

    def add(name, value, key=None):
        head, _ = draw.choice(good)
        out.append((name, head["declaration_id"].encode() if key is None else key, value))

    for _ in range(5):
        add("empty", b"")
        add("null", None)
        add("over-long varint", wire.tag(2, 0) + b"\x80" * 10 + b"\x01")
        add("endless varint", b"\xff" * 40)
        add("field number 0", b"\x00\x01\x02")
        add("group", wire.tag(13, 3) + wire.tag(13, 4))
        add("length beyond the end", wire.tag(13, 2) + wire.varint(1 << 40))
        add("zstd of nothing", b"\x28\xb5\x2f\xfd" + draw.randbytes(30))
        add("schema id and garbage", b"\x00\x00\x00\x00\x07\x00" + draw.randbytes(20))
    for _ in range(40):
        head, data = draw.choice(good)
        while True:
            cut = data[: draw.randrange(1, len(data))]
            try:
                wire.decode(cut)
            except (wire.Malformed, UnicodeDecodeError):
                break
        add("truncated", cut, head["declaration_id"].encode())
    for name in ("declaration_id", "version", "items", "accepted_at_ms", "direction"):
        head, _ = draw.choice(good)
        rest = wire.encode({key: value for key, value in head.items() if key != name})
        number, kind = wire.DECLARATION[name]
        wrong = wire.tag(number, 0) + b"\x01" if wire.WIRE_TYPE[kind] == 2 else wire.tag(number, 2) + b"\x01\x01"
        add("wrong wire type of " + name, rest + wrong, head["declaration_id"].encode())
        add("fixed32 for " + name, rest + wire.tag(number, 5) + b"\x01\x00\x00\x00", head["declaration_id"].encode())
    for _ in range(200):
        add("random bytes", b"\xff" + draw.randbytes(draw.randrange(0, 300)))
    for size in (MEBIBYTE + 1, 10 * MEBIBYTE):
        head, data = draw.choice(good)
        add("%d MiB" % (size // MEBIBYTE), data + length_delimited_garbage(size), head["declaration_id"].encode())
    bomb = subprocess.run(
        ["zstd", "-q", "-c"],
        input=good[0][1] + length_delimited_garbage(200 * MEBIBYTE),
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    add("decompression bomb", bomb, good[0][0]["declaration_id"].encode())
    for _ in range(5):
        head, data = draw.choice(good)
        add("wrong key", data, b"another-key")
        add("empty key", data, b"")
        add(
            "text that is no UTF-8",
            wire.encode(head).replace(
                head["declarant_id"].encode(),
                b"\xc3\x28" * (len(head["declarant_id"]) // 2) + b"\xff" * (len(head["declarant_id"]) % 2),
            ),
            head["declaration_id"].encode(),
        )
    return out


def records(place, broker, binary):
    stream = Stream(place, broker, "records", binary)
    large = {"max.message.bytes": str(16 * MEBIBYTE)}
    stream.create(declarations=large)
    path = place.path("good.pb")
    command(
        binary,
        "generate",
        "--count",
        "5000",
        "--seed",
        str(SEED),
        "--bad",
        "0",
        "--out",
        path,
        *options(stream.settings)
    )
    good = [(wire.decode(data), data) for data in wire.read_pb(path)]
    draw = random.Random(SEED)
    # A broken copy of a good declaration must not come first and take its place: only ids that stand on their own are used.
    broken = broken_records([each for each in good if each[0]["function"] == wire.ORIGINAL], draw)
    mixed = [("good", head["declaration_id"].encode(), data) for head, data in good]
    for each in broken:
        mixed.insert(draw.randrange(len(mixed) + 1), each)
    # A batch whose second element is broken: the first counts, the second is one reject with its index.
    head = dict(good[0][0], declaration_id=good[0][0]["declaration_id"][:-1] + "Z", version=1, function=wire.ORIGINAL)
    head["declaration_id"] = head["declaration_id"][:9] + "999999999"
    batch = wire.length_field(1, wire.encode(head)) + wire.length_field(
        1, b"\x0a\x12" + head["declaration_id"].encode()[:18] + b"\xff\xff"
    )
    mixed.insert(len(mixed) // 2, ("batch", head["declaration_id"].encode(), batch))
    stream.processor.start()
    for at in range(0, len(mixed), 500):
        topics.produce(
            broker.address,
            stream.settings["topic.declarations"],
            [(key, value, None) for _, key, value in mixed[at : at + 500]],
            **{"message.max.bytes": 16 * MEBIBYTE}
        )
    stream.caught_up()
    declarations = len(mixed) + 1  # the batch holds two
    wait_until(
        lambda: sum(stream.processor.verdicts().values()) == declarations,
        lambda: "one verdict each: %s, %d declarations" % (stream.processor.verdicts(), declarations),
        60,
    )
    verdicts = stream.processor.verdicts()
    stream.exact()
    if verdicts["rejected"] != len(broken) + 1 or len(stream.rejected) != len(broken) + 1:
        names = {}
        place_of = {}
        for message in topics.read(broker.address, stream.settings["topic.declarations"]):
            place_of[message.partition(), message.offset()] = (message.key(), message.value())
        rejected = [place_of[p, o] for p, o, _ in stream.rejected]
        for name, key, value in broken:
            if (key, value) not in rejected:
                names[name] = names.get(name, 0) + 1
        raise Failed(
            "%d broken records, %s, %d rejects; not rejected: %s"
            % (len(broken) + 1, verdicts, len(stream.rejected), names)
        )
    if [place for place in stream.rejected if place[2] == 1] == []:
        raise Failed("no reject with the index of the broken element of the batch")
    say(
        "records: %d broken records of %d kinds among %d good ones: %s"
        % (len(broken) + 1, len({name for name, _, _ in broken}), len(good), verdicts)
    )


def unknown(place, broker, binary):
    stream = Stream(place, broker, "unknown", binary, **{"topics.create": "false"})
    stream.processor.start()
    topic = stream.settings["topic.declarations"]
    wait_until(
        lambda: topic in stream.processor.logged() or stream.processor.process.poll() is not None,
        "the log names the topic",
        40,
    )
    if topic not in stream.processor.logged():
        raise Failed("no word about %s:\n%s" % (topic, stream.processor.tail()))
    try:
        code = stream.processor.process.wait(5)  # it may end after that word, or wait for the topic
    except subprocess.TimeoutExpired:
        code = None
    if code is None and stream.processor.get("/readyz")[0] == 200:
        raise Failed("ready without an input topic")
    if code not in (None, 64, 69):
        raise Failed("ended with %d:\n%s" % (code, stream.processor.tail()))
    text = stream.generate(10, SEED, "--timeout", "10", expect=(64, 69))
    if topic not in text:
        raise Failed("generate does not name the topic: %s" % text)
    if code is None:
        stream.create()
        stream.generate(1000, SEED, "--bad", "0")
        stream.exact()
    say("unknown: %s" % ("ends with %d" % code if code is not None else "waits, and goes on when the topic is there"))


def down(place, broker, binary):
    stream = Stream(place, broker, "down", binary)
    stream.generate(3000, SEED, "--bad", "0")
    broker.kill()
    stream.processor.start()
    wait_until(lambda: stream.processor.get("/livez")[0] == 200, "/livez while the broker is down", 30)
    wait_until(lambda: broker.address in stream.processor.logged(), "the log names the broker", 30)
    if stream.processor.get("/readyz")[0] != 503:
        raise Failed("/readyz is %s while the broker is down" % (stream.processor.get("/readyz"),))
    for arguments in (["generate", "--count", "10"], ["tail", "--until-idle", "1"], ["load", place.path("none.pb")]):
        if arguments[0] == "load":
            wire.write_pb(arguments[1], [b"\x0a\x01A"])
        started = time.monotonic()
        text = command(binary, *arguments, "--timeout", "3", *options(stream.settings), expect=69)
        if time.monotonic() - started > 15 or broker.address not in text:
            raise Failed("%s: %.1f s, said %r" % (arguments[0], time.monotonic() - started, text))
    time.sleep(1)
    lines = [line for line in stream.processor.logged().splitlines() if broker.address in line]
    if len(lines) > 8:
        raise Failed("%d lines about one broker that is down:\n%s" % (len(lines), "\n".join(lines[:10])))
    broker.restart()
    wait_until(lambda: stream.processor.get("/readyz")[0] == 200, "ready after the broker came", 60)
    stream.exact()
    say("down: waited with 503 and %d log lines, commands ended with 69" % len(lines))


def killed(place, broker, binary):
    stream = Stream(place, broker, "killed", binary)
    stream.create()
    stream.processor.start()
    for life in range(2):
        stream.generate(40000, SEED + life, "--bad", "0")
        wait_until(lambda life=life: stream.processor.position() > 40000 * life, "records are taken", 60, 0.001)
        broker.kill()
        say("killed: broker killed while the processor is at %d" % stream.processor.position())
        time.sleep(3)
        broker.restart()
    stream.exact(180)


def credentials(place, broker, binary):
    wrong_password = "n0t-th1s-0ne"
    files = {SASL_PASSWORD: place.path("right.password"), wrong_password: place.path("wrong.password")}
    for word, path in files.items():
        with open(path, "w", encoding="utf-8") as out:
            out.write(word)
    right = {
        "kafka.security.protocol": "SASL_PLAINTEXT",
        "kafka.sasl.mechanisms": "PLAIN",
        "kafka.sasl.username": SASL_USER,
        "kafka.sasl.password.file": files[SASL_PASSWORD],
    }
    worlds = {
        "wrong password": (broker.outside, {**right, "kafka.sasl.password.file": files[wrong_password]}),
        "no password": (broker.outside, {}),
        "TLS against a plain port": (broker.address, {"kafka.security.protocol": "SSL"}),
    }
    for name, (address, settings) in worlds.items():
        stream = Stream(place, broker, name.replace(" ", "-"), binary, address, **settings)
        text = stream.generate(10, SEED, "--timeout", "4", expect=69, timeout=30)
        if address not in text or wrong_password in text:
            raise Failed("%s: generate must name the broker and not the password: %s" % (name, text))
        stream.processor.start()
        wait_until(
            lambda stream=stream, address=address: address in stream.processor.logged(),
            "%s: the log names the broker" % name,
            40,
        )
        wait_until(lambda stream=stream: stream.processor.get("/readyz")[0] == 503, "%s: /readyz 503" % name, 20)
        stream.processor.stop()
        if wrong_password in stream.processor.logged():
            raise Failed("%s: the password is in the log" % name)
        say("credentials: %s: %s" % (name, text.strip().splitlines()[-1]))
    stream = Stream(place, broker, "right-password", binary, broker.outside, **right)
    stream.generate(2000, SEED, "--bad", "0")
    stream.processor.start()
    stream.exact()


def alter(address, topic, **settings):
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(10)


def small_rejects(place, broker, binary):
    """Rejects with their payload do not fit their topic: just these shrink to their coordinates, and nothing halts."""
    stream = Stream(place, broker, "small-rejects", binary, **{"rejects.payload": "true"})
    stream.create(rejects={"max.message.bytes": "20000"})
    stream.processor.start()
    stream.generate(20000, SEED, "--bad", "0.05")
    draw = random.Random(SEED)
    big = [(b"big-%d" % at, wire.tag(1, 2) + b"\xff" + draw.randbytes(30000), None) for at in range(20)]
    topics.produce(broker.address, stream.settings["topic.declarations"], big)
    ledger = stream.exact()
    shrunk = [place for place, reject in stream.rejected.items() if not reject.findings]
    if ledger.verdicts["rejected"] < 500 or len(shrunk) != len(big):
        raise Failed(
            "%d rejects, of them %d without findings; %d do not fit"
            % (ledger.verdicts["rejected"], len(shrunk), len(big))
        )


def refused_journal(place, broker, binary):
    """The journal refuses every write for longer than the delivery time-out: the epoch is rebuilt, the totals stay exact."""
    stream = Stream(place, broker, "refused-journal", binary)
    stream.create()
    stream.processor.start()
    stream.generate(20000, SEED)
    stream.caught_up()
    alter(broker.address, stream.settings["topic.journal"], min_insync_replicas="2")
    say("refused_journal: the journal takes nothing for 40 s")
    stream.generate(30000, SEED + 1)
    time.sleep(40)
    alter(broker.address, stream.settings["topic.journal"], min_insync_replicas="1")
    stream.exact(180)


CASES = {
    "records": records,
    "unknown": unknown,
    "down": down,
    "killed": killed,
    "credentials": credentials,
    "small_rejects": small_rejects,
    "refused_journal": refused_journal,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    chosen = parser.parse_args()
    say("seed %d" % SEED)
    with Workplace("bad-input") as place:
        broker = place.broker(sasl=True)
        for name in chosen.case or list(CASES):
            CASES[name](place, broker, chosen.dryport)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
