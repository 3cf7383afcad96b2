# SPDX-License-Identifier: Apache-2.0
"""Real declarations on a real broker: `dryport load` and `dryport run`, every cell compared with an independent recount.

The Korean set (45,519 import declarations) goes through deploy/examples/krd.map; what must come out is computed here from
the CSV alone: a declaration is rejected if its net mass is 0 (ARI-207) or its HS6 has a standard unit other than kg and it
states no quantity (HSC-604, unless that only warns). Cases, each with both severities of HSC-604:
    plain     the file as it is; then started again on its journals, which must change nothing; then reported by month, chapter
              and origin, year to date and year on year (korean_report.py). Where HSC-604 warns, flow and chapter publish
              quarters, years and years to date besides
    kill      loaded in pieces while the processor is killed (kill -9) and started again
    twice     every record sent twice
    changes   10 % of the ids replaced and 3 % cancelled, all records in shuffled order
"""

import argparse
import os
import random
import subprocess
import sys
import time

import korean_report
import mapping
import recount
import topics
import wire
from cluster import (
    SOURCE,
    Failed,
    Workplace,
    command,
    default_binary,
    die_with_parent,
    options,
    say,
    shared_data,
    tell,
    wait_until,
)

KNOWN = {"reject": (30777, 14742), "warn": (45179, 340)}  # counted, rejected
KNOWN_CODES = {"HSC-604": 14520, "ARI-207": 340}
SEED = 20251122


class Set:
    """The Korean declarations, and what the two rules say of a declaration."""

    def __init__(self, data):
        self.csv = os.path.join(data, "krd_import_declarations.csv.zst")
        self.map = os.path.join(SOURCE, "deploy", "examples", "krd.map")
        self.nomenclature = recount.Nomenclature(data)
        rows = mapping.read(self.map)
        self.raw = list(mapping.records(self.csv))
        self.declarations = [mapping.declaration(rows, record) for record in self.raw]

    def codes(self, head, severity):
        """The reject codes that a declaration must get."""
        found = set()
        if head["function"] == wire.CANCEL:
            return found
        for item in head["items"]:
            if not item.get("net_mass_mg"):
                found.add("ARI-207")
            if severity == "reject" and self.nomenclature.standard(
                item["hs_code"][:6], head["reference_date"]
            ) not in ("", "kg"):
                found.add("HSC-604")
        return found

    def pieces(self, folder, count):
        """The CSV cut into plain files of about the same size."""
        names = list(self.raw[0])
        paths = []
        for index in range(count):
            paths.append(os.path.join(folder, "piece-%d.csv" % index))
            with open(paths[-1], "w", encoding="utf-8", newline="") as out:
                out.write(",".join(names) + "\n")
                out.writelines(
                    ",".join(row[name] for name in names) + "\n"
                    for row in self.raw[index * len(self.raw) // count : (index + 1) * len(self.raw) // count]
                )
        return paths

    def changes(self, seed):
        """All declarations, 10 % replaced and 3 % cancelled besides, in shuffled order."""
        draw = random.Random(seed)
        stream = list(self.declarations)
        for head in draw.sample(self.declarations, len(self.declarations) // 10):
            item = dict(head["items"][0])
            mass = item.get("net_mass_mg", 0) // 3 * 2 + 777
            item.update(net_mass_mg=mass, gross_mass_mg=mass)
            value = item.get("statistical_value_minor", 0) * 7 // 5 + 11
            item.update(statistical_value_minor=value, customs_value_minor=value)
            stream.append(dict(head, version=2, function=wire.REPLACE, items=[item]))
            if "total_gross_mass_mg" in head:
                stream[-1]["total_gross_mass_mg"] = mass
        for head in draw.sample(self.declarations, len(self.declarations) * 3 // 100):
            names = ("declaration_id", "accepted_at_ms", "schema_version")
            stream.append(
                {"version": draw.choice((1, 2, 3)), "function": wire.CANCEL, **{name: head[name] for name in names}}
            )
        draw.shuffle(stream)
        return stream


class Case:
    """One run in topics of its own."""

    def __init__(self, place, broker, korean, name, severity, binary, data):
        self.place, self.broker, self.korean, self.severity, self.binary = place, broker, korean, severity, binary
        self.name = "%s-%s" % (name, severity)
        # Longer periods once: they are sums of months, whatever happened to the declarations before.
        self.publish = {view: tuple(recount.PUBLISH) for view in ("flow", "chapter")} if self.name == "plain-warn" else {}
        self.input = "krd.%s" % self.name
        self.settings = {
            "brokers": broker.address,
            "group": self.name,
            "topic.declarations": self.input,
            "topic.journal": self.name + ".journal",
            "topic.statistics": self.name + ".statistics",
            "topic.rejects": self.name + ".rejects",
            "topics.partitions": 4,
            "reporter": "KR",
            "reporting.currency": "KRW",
            "timezone": "Asia/Seoul",
            "reference.dir": data,
            "rules.severity.HSC-604": severity,
            **{"view.%s.publish" % view: ("day," if view == "flow" else "") + "month," + ",".join(names) for view, names in self.publish.items()},
            "kafka.consumer.session.timeout.ms": 6000,  # a killed member must not hold its partitions for 45 s
        }
        self.processor = place.processor(binary, self.name, self.settings)
        self.statistics = topics.Statistics(broker.address, self.settings["topic.statistics"])
        self.loaded = []

    def load(self, path, declarations, with_map=True):
        """Loads a file; `declarations` is what it must become."""
        arguments = ["--map", self.korean.map] if with_map else []
        command(self.binary, "load", *arguments, *options(self.settings), path)
        self.loaded += declarations

    def start_load(self, path, declarations):
        """The same in the background; the process."""
        self.loaded += declarations
        return subprocess.Popen(
            [self.binary, "load", "--map", self.korean.map, *options(self.settings), path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def take_log(self):
        """Reads the input back: it must hold just what was loaded. The ledger over it in log order."""
        ledger = recount.Ledger(self.korean.nomenclature.scope)
        self.must_reject = {}
        found = []
        for message in topics.read(self.broker.address, self.input):
            head = topics.readable(message.value())
            if message.key().decode() != head["declaration_id"]:
                raise Failed("key %r of %s" % (message.key(), head["declaration_id"]))
            if message.timestamp()[1] != head["accepted_at_ms"]:
                raise Failed(
                    "timestamp %s of %s, accepted at %s"
                    % (message.timestamp(), head["declaration_id"], head["accepted_at_ms"])
                )
            codes = self.korean.codes(head, self.severity)
            if codes:
                self.must_reject[message.partition(), message.offset(), 0] = codes
            ledger.take(head, bool(codes))
            found.append(head)

        def order(head):
            return head["declaration_id"], head["version"], head["function"]

        want = [{name: value for name, value in head.items() if value} for head in self.loaded]
        differ = [
            (a, b) for a, b in zip(sorted(want, key=order), sorted(found, key=order)) if a != b and strip(a) != b
        ]
        if len(want) != len(found) or differ:
            raise Failed(
                "%s holds %d declarations, %d were loaded; first difference: %s"
                % (self.input, len(found), len(want), differ[:1])
            )
        self.ledger = ledger
        self.want = recount.expected(ledger.standing(), self.korean.nomenclature, "KR", "KRW", publish=self.publish)

    def published(self, deadline_s=120):
        """Waits until the statistics equal the recount."""
        last = ["nothing was read"]

        def equal():
            if self.processor.process.poll() is not None:
                self.processor.get("/status")
            if self.statistics.advance() == 0 and last[0] != "nothing was read":
                return False
            last[:] = recount.compare(self.want, self.statistics.state.records())
            return not last

        wait_until(
            equal,
            lambda: "the statistics equal the recount:\n  " + "\n  ".join(last) + "\n" + self.processor.tail(),
            deadline_s,
            0.2,
        )

    def check_end(self):
        """After the processor ended: nothing changed, as_of never fell, rejects complete."""
        self.statistics.advance()
        broken = recount.compare(self.want, self.statistics.state.records()) + self.statistics.state.broken
        if broken:
            raise Failed("after the end:\n  " + "\n  ".join(broken[:12]))
        found = topics.rejected_coordinates(self.broker.address, self.settings["topic.rejects"])
        if found.keys() != self.must_reject.keys():
            raise Failed(
                "rejects: %d missing, %d not expected, first %s"
                % (
                    len(self.must_reject.keys() - found.keys()),
                    len(found.keys() - self.must_reject.keys()),
                    sorted(self.must_reject.keys() ^ found.keys())[:3],
                )
            )
        for place, reject in found.items():
            codes = {finding.code for finding in reject.findings if finding.severity == "reject"}
            if codes != self.must_reject[place] or not all(f.code and f.text for f in reject.findings):
                raise Failed("reject of %s: %s, expected %s" % (place, reject.findings, self.must_reject[place]))
            if reject.topic != self.input or not reject.declaration_id or reject.version == 0:
                raise Failed("reject without its place: %s" % reject)
        return found

    def check_counters(self):
        """Verdict counters of one life from the first record to the last: equal to the ledger's, and their sum to the records."""
        want = dict(self.ledger.verdicts)

        def equal():
            metrics = self.processor.metrics()
            got = {v: int(metrics.get('dryport_declarations_total{verdict="%s"}' % v, 0)) for v in want}
            return got == want

        wait_until(equal, lambda: "the verdict counters are %s: %s" % (want, self.processor.metrics()), 30)
        status = self.processor.status()
        verdicts = {name: int(count) for name, count in status["verdicts"].items()}
        if {name: count for name, count in verdicts.items() if count} != {
            name: count for name, count in want.items() if count
        }:
            raise Failed("/status has %s, expected %s" % (verdicts, want))
        if any(int(p["lag"]) != 0 for p in status["partitions"]) or len(status["partitions"]) != 4:
            raise Failed("lag is left: %s" % status["partitions"])
        metrics = self.processor.metrics()
        per_code = {}
        for codes in self.must_reject.values():
            for code in codes:
                per_code[code] = per_code.get(code, 0) + 1
        for code, count in per_code.items():
            if metrics.get('dryport_rejects_total{rule="%s"}' % code) != count:
                raise Failed(
                    "rejects_total of %s is %s, expected %d"
                    % (code, metrics.get('dryport_rejects_total{rule="%s"}' % code), count)
                )
        return per_code

    def summary(self, started):
        say(
            "%s: equal to the recount: %d cells, %s; %d statistics written, %.1f s"
            % (
                self.name,
                len(self.want),
                ", ".join("%d %s" % (n, v) for v, n in self.ledger.verdicts.items() if n),
                self.statistics.state.seen,
                time.monotonic() - started,
            )
        )

    def run(self):
        """From a loaded input to the end in one life."""
        self.take_log()
        self.processor.start()
        self.published()
        per_code = self.check_counters()
        self.processor.stop()
        self.check_end()
        return per_code


def strip(head):
    """As proto3 sees it: zero is absent, in items too."""
    out = {name: value for name, value in head.items() if value}
    if "items" in out:
        out["items"] = [{name: value for name, value in item.items() if value} for item in out["items"]]
    return out


def plain(case):
    case.load(case.korean.csv, case.korean.declarations)
    per_code = case.run()
    verdicts = case.ledger.verdicts
    if (verdicts["counted"], verdicts["rejected"]) != KNOWN[case.severity]:
        raise Failed("%s, known are %s" % (verdicts, KNOWN[case.severity]))
    if case.severity == "reject" and per_code != KNOWN_CODES:
        raise Failed("rejects by code %s, known are %s" % (per_code, KNOWN_CODES))
    # A second life restores from the journals, finds nothing to do and publishes nothing else.
    case.processor.start()
    total = len(case.loaded)
    wait_until(
        lambda: case.processor.get("/readyz")[0] == 200 and case.processor.position() == total, "restored and ready"
    )
    case.processor.stop()
    case.check_end()
    if case.severity == "warn":  # which has more to report
        korean_report.check(case)


def kill(case):
    draw = random.Random("%d %s" % (SEED, case.severity))
    pieces = case.korean.pieces(case.place.folder, 4)
    total = len(case.korean.declarations)
    cut = [index * total // 4 for index in range(5)]
    for index, path in enumerate(pieces):
        case.processor.start()
        wait_until(lambda: case.processor.get("/readyz")[0] == 200, "ready", 60)
        loading = case.start_load(path, case.korean.declarations[cut[index] : cut[index + 1]])
        if index + 1 < len(pieces):
            # In the middle of this piece, while it is being loaded: at a place that the seed chooses.
            place = draw.randrange(cut[index], cut[index + 1])
            position = wait_until(
                lambda place=place: max(0, case.processor.position() - place), "record %d is taken" % place, 60, 0.001
            )
            case.processor.kill()
            say("%s: kill -9 at position %d, before %d" % (case.name, place + position, cut[index + 1]))
        if loading.wait(60) != 0:
            raise Failed("load of %s ended with %d" % (path, loading.returncode))
    case.take_log()
    case.published()
    case.processor.stop()
    case.check_end()


def twice(case):
    for _ in range(2):
        case.load(case.korean.csv, case.korean.declarations)
    case.run()
    counted, rejected = KNOWN[case.severity]
    if case.ledger.verdicts != {"counted": counted, "duplicate": counted, "stale": 0, "rejected": 2 * rejected, "not_counted": 0}:
        raise Failed("verdicts %s" % case.ledger.verdicts)


def changes(case):
    stream = case.korean.changes(SEED)
    path = case.place.path(case.name + ".pb")
    wire.write_pb(path, (wire.encode(head) for head in stream))
    case.load(path, stream, with_map=False)
    case.run()


CASES = {"plain": plain, "kill": kill, "twice": twice, "changes": changes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    parser.add_argument("--severity", action="append", choices=list(KNOWN), help="of HSC-604; default: both")
    chosen = parser.parse_args()
    data = shared_data()
    if data is None:
        return 0
    korean = Set(data)
    say("%d declarations read from the CSV; seed %d" % (len(korean.declarations), SEED))
    with Workplace("korean") as place:
        broker = place.broker()
        for severity in chosen.severity or list(KNOWN):
            for name in chosen.case or list(CASES):
                started = time.monotonic()
                case = Case(place, broker, korean, name, severity, chosen.dryport, data)
                CASES[name](case)
                case.summary(started)
                case.statistics.close()
    say("all equal")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
