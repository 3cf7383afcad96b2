# SPDX-License-Identifier: Apache-2.0
"""`dryport verify`, `explain` and `rejects` on a real broker: what is right verifies, also beside live processes; what somebody
changed in a topic is found at its place; an amended declaration and one with a long id are explained; rejects are counted.

live         verify beside a processor and a generator that goes on
clean        verify --recount after them, its numbers against an independent recount of the input
rejects      counts and lists against the recount
explain      an amended declaration, one with an id that does not fit the exact key, one that nobody sent
corruptions  copies of the topics with one record changed or left out
plan         another set of views: what the journal holds of the older one is told, the rest verified and recounted
"""

import argparse
import csv
import io
import json
import random
import subprocess
import sys
import time

import confluent_kafka

import topics
import wire
from bad_input import Stream
from cluster import Failed, Workplace, command, default_binary, options, say, tell, wait_until

SEED = 12
COUNT = 2500
topics.POLL_S = 3  # a read of a small topic takes as long: consume() waits for more
LONG_ID = "A-LONG-DECLARATION-ID/0123456789"
BROKEN, CLEAN = 70, 0


def expect(condition, text):
    if not condition:
        raise Failed(text)


class Trial:
    """One stream, and the commands on it."""

    def __init__(self, place, broker, binary):
        self.stream = Stream(place, broker, "verify", binary)
        self.binary, self.broker, self.place = binary, broker, place
        self.ledger = None

    def topic(self, name):
        return self.stream.settings["topic." + name]

    def run(self, *arguments, expect=CLEAN, **other):
        """A command on the topics, some of them others."""
        settings = {**self.stream.settings, **{"topic." + name: topic for name, topic in other.items()}}
        settings.pop("group")
        return command(self.binary, *arguments, *options(settings), expect=expect)

    def document(self, *arguments, expect=CLEAN, **other):
        """The JSON document that a command prints; after it may stand what it says on stderr."""
        return json.JSONDecoder().raw_decode(self.run(*arguments, "--json", expect=expect, **other))[0]

    def messages(self, name):
        return list(topics.read(self.broker.address, self.topic(name)))

    # ---- the stream ----

    def live(self):
        stream = self.stream
        stream.create()
        stream.processor.start()
        stream.generate(COUNT, SEED, "--amend", "0.1", "--cancel", "0.03", "--duplicate", "0.02", "--bad", "0.03")
        going = subprocess.Popen(
            [self.binary, "generate", "--count", "1500", "--rate", "250", "--seed", "77", *options(stream.settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found = self.document("verify")
            expect(found["verified"], "beside live processes: %s" % found["places"])
            moving = found["statistics"]["moving"]
            going.wait(120)
            expect(going.returncode == 0, "generate ended with %d" % going.returncode)
        finally:
            if going.poll() is None:
                going.kill()
                going.wait()
        say("live: verified beside a processor and a generator, %s cells moving" % moving)

    def add_long(self):
        """The same declaration twice with an id of more than 21 characters: an original and its replacement."""
        for message in self.messages("declarations"):
            head = topics.readable(message.value()) if message.value() else None
            if head and head["function"] == 9 and message.key() == head["declaration_id"].encode():
                break
        for version, function in ((1, 9), (2, 5)):
            changed = {**head, "declaration_id": LONG_ID, "version": version, "function": function, "scheme": 6}
            topics.produce(
                self.broker.address, self.topic("declarations"), [(LONG_ID.encode(), wire.encode(changed), None)]
            )

    # ---- what is right ----

    def clean(self):
        self.add_long()
        self.ledger = self.stream.exact()
        found = self.document("verify", "--recount", "--wait", "5")
        verdicts = {name: int(count) for name, count in found["journals"]["declarations"].items() if int(count)}
        want = {name: count for name, count in self.ledger.verdicts.items() if count}
        expect(found["verified"] and found["places"] == [], "clean: %s" % found["places"])
        expect(verdicts == want, "verdicts are %s, the recount has %s" % (verdicts, want))
        expect(int(found["recount"]["records"]) == self.stream.records(), "recount: %s" % found["recount"])
        expect(found["recount"]["groups"] == found["journals"]["groups"], "groups: %s" % found)
        entries = sum(int(each["ledger_entries"]) for each in found["partitions"])
        expect(entries == len(self.ledger.newest), "%d entries for %d ids" % (entries, len(self.ledger.newest)))
        text = self.run("verify", "--wait", "5")
        expect("verified: nothing is broken" in text and "applied" in text, text)
        say("clean: %s cells equal, %d entries, verdicts %s" % (found["statistics"]["equal"], entries, verdicts))

    def rejects(self):
        codes = {}
        for reject in self.stream.rejected.values():
            for code in {finding.code for finding in reject.findings}:
                codes[code] = codes.get(code, 0) + 1
        lines = [json.loads(line) for line in self.run("rejects", "--json").splitlines()]
        sums = lines.pop()
        got = {row["code"]: int(row["declarations"]) for row in sums["codes"]}
        expect(len(lines) == self.ledger.verdicts["rejected"] == int(sums["rejected"]), "rejected: %s" % sums)
        expect(got == codes, "by code %s, expected %s" % (got, codes))
        code = max(codes, key=codes.get)
        rows = list(csv.DictReader(io.StringIO(self.run("rejects", "--format", "csv", "--where", "code=" + code))))
        places = {(row["partition"], row["offset"], row["index"]) for row in rows}
        expect(len(places) == codes[code], "%d of %s in CSV, expected %d" % (len(places), code, codes[code]))
        one = lines[len(lines) // 2]
        text = self.run("rejects", "--where", "partition=%d,id=%s" % (one["partition"], one["declaration_id"]))
        expect("/%d/%s " % (one["partition"], one["offset"]) in text, text)
        expect("rejected 0" in self.run("rejects", "--counts", "--where", "to=1990-01-01"), "none before 1990")
        say("rejects: %d of %d rules, equal to the recount" % (len(lines), len(codes)))

    def versions(self):
        """id -> its records (partition, offset, declaration) in the order of the log."""
        out = {}
        for message in self.messages("declarations"):
            head = topics.readable(message.value()) if message.value() else None
            if head and head.get("declaration_id"):
                out.setdefault(head["declaration_id"], []).append((message.partition(), message.offset(), head))
        return out

    def explained(self, name, records):
        found = self.document("explain", name)
        places = [(each["partition"], int(each["offset"])) for each in found["records"]]
        expect(places == [(p, o) for p, o, _ in records], "explain %s: records %s" % (name, places))
        standing = [each for each in found["ledger"] if each["stands"]]
        (version, cancel), head = self.ledger.newest[name]
        expect(len(standing) == 1 and standing[0]["version"] == version, "explain %s: %s" % (name, found["ledger"]))
        values = [int(item["statistical_value_minor"]) for item in standing[0]["items"]]
        flow = self.stream.nomenclature.scope.flow
        counts = [] if cancel else [item for item in head["items"] if flow(head, item)]
        want = [item.get("statistical_value_minor", 0) for item in counts]
        expect(values == want, "explain %s: values %s, expected %s" % (name, values, want))
        verdicts = [each["verdict"] for each in found["records"]]
        entries = verdicts.count("counted") + verdicts.count("not_counted")
        expect(entries == len(found["ledger"]), "explain %s: %s" % (name, verdicts))
        return found

    def explain(self):
        versions = self.versions()
        amended = sorted(
            name
            for name, (place, _) in self.ledger.newest.items()
            if not place[1] and len({head["version"] for _, _, head in versions[name]}) > 1
        )
        expect(amended, "the generator amended nothing")
        for name in (amended[0], LONG_ID):
            found = self.explained(name, versions[name])
            flows = [each for each in found["cells"] if each["key"].startswith("flow|MONTH")]
            expect(len(flows) == 1 and int(flows[0]["published"]["declarations"]) > 1, "cells: %s" % found["cells"])
            value = sum(int(item["statistical_value_minor"]) for item in found["ledger"][-1]["items"])
            expect(int(flows[0]["adds"]["value_minor"]) == value, "adds %s, not %d" % (flows[0]["adds"], value))
            views = {each["key"].split("|")[0] for each in found["cells"] if each["published"]}
            expect(len(views) == 9, "cells of the views %s" % sorted(views))
            text = self.run("explain", name)
            expect("stands" in text and "was replaced" in text and "published value" in text, text)
        bad = next(iter(sorted(name for name in self.rejected_ids() if name in versions)))
        found = self.document("explain", bad)
        expect(any(each["verdict"] == "rejected" and each["rule"] for each in found["records"]), "%s" % found)
        expect(found["rejects"] and not found["rejects"][0]["void"], "rejects of %s: %s" % (bad, found["rejects"]))
        nothing = self.document("explain", "NOBODY-SENT-THIS")
        expect(not any(nothing[each] for each in ("records", "ledger", "rejects", "cells")), "%s" % nothing)
        say("explain: %s, %s and %s (rejected)" % (amended[0], LONG_ID, bad))

    def rejected_ids(self):
        return {reject.declaration_id for reject in self.stream.rejected.values() if reject.declaration_id}

    # ---- what is not ----

    def copy(self, name, settings, edit):
        """A copy of a topic; edit(message) gives the value to write, None to leave the record out."""
        source = self.topic(name)
        target = "%s.%d" % (source, time.monotonic_ns())
        count = len(topics.ends(self.broker.address, source))
        topics.create(self.broker.address, (target, count, settings))
        producer = confluent_kafka.Producer({"bootstrap.servers": self.broker.address, "enable.idempotence": True})
        for message in self.messages(name):
            value = edit(message)
            if value is not None:
                producer.produce(target, value, message.key(), message.partition(), headers=message.headers())
            producer.poll(0)
        expect(producer.flush(30) == 0, "the copy of %s was not written" % source)
        return target

    def broken(self, topic, partition, offset, what, **other):
        """verify must end with 70 and this as the first place."""
        found = self.document("verify", "--wait", "1", expect=BROKEN, **other)
        place = found["places"][0]
        got = (place["topic"], place["partition"], place["offset"])
        expect(not found["verified"] and got == (topic, partition, offset), "place %s: %s" % (got, place["what"]))
        expect(what in place["what"] and len(place["mend"]) > 20, "%s" % place)
        say("corruptions: %s/%d offset %s: %s" % (topic, partition, offset, place["what"][:90]))

    def flipped_frame(self, draw):
        frames = [each for each in self.messages("journal") if len(each.value()) > 400]
        chosen = draw.choice(frames)
        at = draw.randrange(88, len(chosen.value()))

        def edit(message):
            if (message.partition(), message.offset()) != (chosen.partition(), chosen.offset()):
                return message.value()
            return message.value()[:at] + bytes([message.value()[at] ^ 16]) + message.value()[at + 1 :]

        copy = self.copy("journal", {"retention.ms": "-1"}, edit)
        self.broken(copy, chosen.partition(), str(chosen.offset()), "check sum", journal=copy)
        text = self.run("verify", "--wait", "1", expect=BROKEN, journal=copy)
        expect("NOT VERIFIED" in text and "mend: " in text, text)

    def changed_statistic(self, draw):
        Statistic = topics.message_class("Statistic")
        last = {m.key(): m for m in self.messages("statistics") if not m.key().startswith(b"#")}
        chosen = draw.choice([m for m in last.values() if Statistic.FromString(m.value()).items])

        def edit(message):
            if (message.partition(), message.offset()) != (chosen.partition(), chosen.offset()):
                return message.value()
            value = Statistic.FromString(message.value())
            value.net_mass_g += 1
            return value.SerializeToString()

        copy = self.copy("statistics", {"cleanup.policy": "compact"}, edit)
        self.broken(copy, chosen.partition(), str(chosen.offset()), chosen.key().decode(), statistics=copy)

    def missing_reject(self, draw):
        chosen = draw.choice(self.messages("rejects"))
        copy = self.copy("rejects", {}, lambda message: None if message.key() == chosen.key() else message.value())
        _, partition, offset = chosen.key().decode().split("/")[:3]
        what = "input partition %s offset %s " % (partition, offset)
        self.broken(copy, chosen.partition(), None, what, rejects=copy)

    def corruptions(self):
        draw = random.Random(SEED)
        self.flipped_frame(draw)
        self.changed_statistic(draw)
        self.missing_reject(draw)
        for other in ("reporter=KZ", "input.format=protobuf", "input.max.bytes=2000000", "input.key.check=off"):
            text = self.run("verify", "-X", other, expect=64)
            expect("is counted under plan" in text, "%s: %s" % (other, text))


    # ---- another plan ----

    def plan(self):
        """Two views instead of nine: the journal keeps groups of the older plan until it is trimmed."""
        older = int(self.document("verify", "--wait", "5")["journals"]["groups"])
        before = dict(self.stream.settings)
        self.stream.settings.update({"view.flow": "flow@day", "view.commodity": "hs6,partner,flow@month"})
        processor = self.place.processor(self.binary, "verify-plan", self.stream.settings)
        processor.start()
        self.stream.generate(1000, SEED + 1, "--amend", "0.1", "--bad", "0.03")
        total = self.stream.records()
        wait_until(lambda: processor.position() == total, lambda: processor.tail(), 90)
        processor.stop()
        found = self.document("verify", "--recount", "--wait", "5")
        expect(found["verified"] and found["places"] == [], "plan: %s" % found["places"])
        got = (int(found["journals"]["groups_of_older_plans"]), int(found["recount"]["of_older_plans"]))
        expect(got == (older, older), "%s groups of the older plan, not %d" % (got, older))
        expect(0 < int(found["recount"]["records"]) < total, "recounted %s" % found["recount"])
        expect("older plan     %d of the groups" % older in self.run("verify", "--wait", "5"), "the text says it")
        self.stream.settings = before
        expect("is counted under plan" in self.run("verify", expect=64), "the configuration of before is refused")
        say("plan: %d groups of the older plan, %s records recounted" % (older, found["recount"]["records"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    chosen = parser.parse_args()
    say("seed %d" % SEED)
    with Workplace("verify") as place:
        trial = Trial(place, place.broker(), chosen.dryport)
        trial.live()
        trial.clean()
        trial.rejects()
        trial.explain()
        trial.corruptions()
        trial.plan()
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
