# SPDX-License-Identifier: Apache-2.0
"""How long a process takes to be ready again on a real broker, when one partition has so many live ledger entries.

Generated declarations come in PORTIONS into one partition; `dryport run` counts them, seals its snapshots between and trims its journal.
Then it is stopped and started ROUNDS times. Of each start: seconds from the start of the process until the partition runs and until
/readyz says ready (joined, restored, publisher caught up), the restore alone as /metrics has it, CPU, resident memory. Each start must
come back with the same entries at the same position and publish nothing. Prints Markdown, for bench/record.sh. See bench/README.md.
"""

import os
import statistics
import sys
import time

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
import topics  # noqa: E402
from cluster import Failed, Workplace, command, options, tell, wait_until  # noqa: E402
from notes import cpu_of, memory_of, note  # noqa: E402

NAME = "restore"
LIVE_SHARE = 0.935  # of generated declarations: the rest amends, cancels, repeats, or is bad
QUIET_S = 3  # longer than from one slice of a snapshot to the next
MARKS = ((10_000_000, 12), (2_000_000, 3))


class Bench:
    def __init__(self, place, chosen):
        self.chosen, self.place = chosen, place
        broker = place.broker(heap="1g", log_roll_hours=876000)
        self.address = broker.address
        self.settings = {
            "brokers": broker.address,
            "group": NAME,
            "topic.declarations": NAME + ".declarations",
            "topic.journal": NAME + ".journal",
            "topic.statistics": NAME + ".statistics",
            "topic.rejects": NAME + ".rejects",
            "topics.partitions": "1",
            "reference.dir": chosen.reference,
        }
        topics.create(
            self.address, (self.settings["topic.declarations"], 1, {"retention.ms": "-1", "cleanup.policy": "delete"})
        )
        self.processor = place.processor(chosen.dryport, NAME, self.settings)

    def generate(self, count, portion):
        note("generating %d declarations, portion %d of %d" % (count, portion + 1, self.chosen.portions))
        first = portion * count + 1
        settings = {key: self.settings[key] for key in ("brokers", "topic.declarations", "reference.dir")}
        command(
            self.chosen.dryport,
            "generate",
            "--count",
            str(count),
            "--seed",
            str(portion + 1),
            "--first-number",
            str(first),
            *options(settings),
            timeout=3600,
        )

    def journal(self):
        """(first, next) offset of the journal."""
        return topics.ends(self.address, self.settings["topic.journal"])[0]

    def partition(self):
        status = self.processor.status()
        rows = status.get("partitions", ()) if status else ()
        return rows[0] if rows else None

    def settle(self, records):
        """Until all is counted and published, and the journal does not change any more: its snapshots are whole then."""
        wait_until(lambda: self.processor.position() >= records, "%d records counted" % records, 3600, 0.2)
        seen = {"ends": None, "since": time.monotonic()}

        def quiet():
            ends = self.journal()
            if ends != seen["ends"]:
                seen.update(ends=ends, since=time.monotonic())
            return time.monotonic() - seen["since"] > QUIET_S

        wait_until(quiet, "the journal does not come to rest", 600, 0.3)
        wait_until(lambda: self.processor.get("/readyz")[0] == 200, "ready", 600, 0.2)

    def make(self):
        """What is there before each start: live entries, position."""
        count = int(self.chosen.entries / LIVE_SHARE / self.chosen.portions) + 1
        self.processor.start()
        for portion in range(self.chosen.portions):
            self.generate(count, portion)
            self.settle((portion + 1) * count)
        row = self.partition()
        self.processor.stop(60)
        return int(row["ledger_entries"]), int(row["position"])

    def start(self, truth):
        """One start: its figures."""
        percents = []

        def running():
            row = self.partition()
            if row and "restored_percent" in row:
                percents.append(row["restored_percent"])
            return row and row["state"] == "running" and row

        self.processor.start()
        row = wait_until(running, lambda: "running\n" + self.processor.tail(), 600, 0.01)
        running_s = time.time() - self.processor.started
        wait_until(lambda: self.processor.get("/readyz")[0] == 200, "ready", 600, 0.01)
        ready_s = time.time() - self.processor.started
        cpu, resident = cpu_of(self.processor.process.pid), memory_of(self.processor.process.pid)
        came = int(row["ledger_entries"]), int(row["position"])
        if came != truth:
            raise Failed("restored (entries, position) %s, there were %s" % (came, truth))
        metrics = self.processor.metrics()
        published = metrics.get("dryport_publish_keys_total", 0)
        if published:
            raise Failed("the restarted publisher wrote %d statistics again" % published)
        self.processor.stop(60)
        return {
            "restore": metrics["dryport_restore_seconds_sum"],
            "running": running_s,
            "ready": ready_s,
            "cpu": cpu,
            "resident": resident,
            "percents": percents,
        }


def spread(figures, name):
    numbers = [each[name] for each in figures]
    return "%.2f (%.2f-%.2f)" % (statistics.median(numbers), min(numbers), max(numbers))


def report(truth, ends, journal_bytes, figures):
    entries = truth[0]
    mark = next((limit for least, limit in MARKS if entries >= least * 0.98), None)
    restore = statistics.median(each["restore"] for each in figures)
    verdict = "-" if mark is None else "%s %d s: %s" % ("under", mark, "met" if restore < mark else "MISSED")
    print("One partition with %d live ledger entries on one real broker of the same machine; %d starts, medians, lowest" % (entries, len(figures)))
    print("and highest in brackets. Restore: from the acknowledged claim to the first record, as /metrics says it.")
    print()
    print("| journal | restore s | entries/s | process start to running s | to ready s | CPU-s until ready | resident MiB | mark |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        "| %.0f MB in %d records from offset %d | %s | %.2f M | %s | %s | %s | %.0f | %s |"
        % (
            journal_bytes / 1e6,
            ends[1] - ends[0],
            ends[0],
            spread(figures, "restore"),
            entries / restore / 1e6,
            spread(figures, "running"),
            spread(figures, "ready"),
            spread(figures, "cpu"),
            statistics.median(each["resident"] for each in figures) / 2**20,
            verdict,
        )
    )
    seen = sorted({percent for each in figures for percent in each["percents"]})
    print()
    print("/status said how far it was: %s %%." % (", ".join(str(each) for each in seen) or "never asked in time"))


def main():
    parser = asked.parser(__doc__)
    parser.add_argument("--entries", type=int, default=2_000_000, help="live ledger entries, about")
    parser.add_argument("--portions", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    asked.add_processor(parser)
    chosen = parser.parse_args()
    with Workplace(NAME) as place:
        bench = Bench(place, chosen)
        truth = bench.make()
        ends = bench.journal()
        journal_bytes = sum(len(m.value() or b"") for m in topics.read(bench.address, bench.settings["topic.journal"]))
        figures = []
        for each in range(chosen.rounds):
            figures.append(bench.start(truth))
            note("start %d: restore %.2f s, ready after %.2f s" % (each + 1, figures[-1]["restore"], figures[-1]["ready"]))
        report(truth, ends, journal_bytes, figures)
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
