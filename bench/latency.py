# SPDX-License-Identifier: Apache-2.0
"""From a declaration's way in to its statistic's way out, under load: what a client sees.

`dryport generate` puts RATE declarations a second of one day of reference into the topic, with the time of arrival; `dryport run` counts them, with frames of
100 ms. Beside them latency_probe.c produces single declarations, each of a day on which nothing else falls, and takes the time until
the record of that day's cell is given to its consumer. When all is through, the statistics must add up to what was counted. Prints
Markdown, for bench/record.sh. See bench/README.md.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
import time

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
import recount  # noqa: E402
import topics  # noqa: E402
from cluster import Failed, Workplace, command, die_with_parent, options, tell, wait_until  # noqa: E402
from notes import cpu_of, figures, memory_of, note  # noqa: E402

NAME = "latency"
PARTITIONS = 4
MARKS = {"p50_ms": 150, "p99_ms": 400}
FRAME_MS, PUBLISH_MS = 100, 50
FIRST_OF_LOAD = 1_000_000  # numbers of ids: the probes have those below


def good():
    """Options that leave originals alone: every declaration counts."""
    return [part for kind in ("amend", "cancel", "duplicate", "late", "bad", "apart") for part in ("--" + kind, "0")]


def dates(count):
    """A day for each probe, the last one the day before yesterday; yesterday is the load's."""
    last = datetime.date.today() - datetime.timedelta(days=2)
    return last - datetime.timedelta(days=count - 1), last


class Bench:
    def __init__(self, place, chosen):
        self.chosen, self.place = chosen, place
        self.address = place.broker(heap="1g").address
        self.settings = {
            "brokers": self.address,
            "topic.declarations": NAME + ".declarations",
            "reference.dir": chosen.reference,
        }
        topics.create(
            self.address,
            (self.settings["topic.declarations"], PARTITIONS, {"retention.ms": "-1", "cleanup.policy": "delete"}),
        )
        self.statistics = NAME + ".statistics"
        self.processor = place.processor(
            chosen.dryport,
            NAME,
            {
                **self.settings,
                "group": NAME,
                "topic.journal": NAME + ".journal",
                "topic.statistics": self.statistics,
                "topic.rejects": NAME + ".rejects",
                "frame.interval.ms": str(FRAME_MS),
                "publish.interval.ms": str(PUBLISH_MS),
                **asked.settings(chosen),
            },
        )

    def probes(self, path):
        first, last = dates(self.chosen.probes)
        command(
            self.chosen.dryport,
            "generate",
            *("--count", str(self.chosen.probes), "--from", str(first), "--to", str(last), "--out", path),
            *good(),
            *options({"reference.dir": self.chosen.reference}),
        )

    def load(self, count):
        day = str(dates(1)[1] + datetime.timedelta(days=1))
        return subprocess.Popen(
            [self.chosen.dryport, "generate", "--count", str(count), "--rate", str(self.chosen.rate), "--seed", "2"]
            + ["--first-number", str(FIRST_OF_LOAD), "--from", day, "--to", day, "--timestamp", "now", *good()]
            + options({**self.settings, "kafka.producer.linger.ms": "5"}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def counted(self):
        return sum(self.processor.verdicts().values())

    def check(self, count):
        """Everything that went in stands in the view `flow`."""
        state = recount.Consumer()
        topics.fill_consumer(self.address, self.statistics, state)
        day = recount.FREQUENCY["DAY"]
        days = [f for f in state.records().values() if f["view"] == "flow" and f["frequency"] == day and f["flow"] != recount.FLOW["T"]]
        found = sum(f.get("declarations", 0) for f in days)
        if found != count or state.broken:
            raise Failed("%d declarations went in, the statistics have %d: %s" % (count, found, state.broken[:3]))

    def run(self):
        """One run: load for its seconds, probes in the midst of it. The probe's answer, the processor's CPU and memory."""
        chosen = self.chosen
        path = self.place.path("probes.pb")
        self.probes(path)
        seconds = chosen.lead + chosen.probes * chosen.every / 1000 + 2
        count = int(seconds * chosen.rate)
        self.processor.start()
        wait_until(lambda: self.processor.get("/readyz")[0] == 200, "ready", 60)
        load = self.load(count)
        time.sleep(chosen.lead)
        before, cpu = time.monotonic(), cpu_of(self.processor.process.pid)
        answer = json.loads(
            subprocess.run(
                [chosen.probe, self.address, self.settings["topic.declarations"], self.statistics, path, str(chosen.every)],
                check=True,
                text=True,
                stdout=subprocess.PIPE,
            ).stdout
        )
        elapsed = time.monotonic() - before
        answer["cores"] = (cpu_of(self.processor.process.pid) - cpu) / elapsed
        answer["statistics_per_s"] = answer["statistics"] / elapsed
        answer["loaded"] = load.poll() is None
        if load.wait(600) != 0:
            raise Failed("the load ended with %d" % load.returncode)
        total = count + chosen.probes
        wait_until(
            lambda: self.counted() >= total
            and int(self.processor.status()["publisher"]["published_declarations"]) >= total,
            lambda: "%d of %d counted and published" % (self.counted(), total),
            600,
            0.2,
        )
        answer["resident_mib"] = memory_of(self.processor.process.pid) / 2**20
        self.processor.stop(60)
        self.check(total)
        return answer


def main():
    parser = asked.parser(__doc__)
    parser.add_argument("--rate", type=int, default=100_000, help="declarations a second")
    parser.add_argument("--probes", type=int, default=1000, help="of a run, at most 1000: each has a day of its own")
    parser.add_argument("--every", type=int, default=30, help="ms between two probes")
    parser.add_argument("--lead", type=float, default=5, help="seconds of load before the first probe")
    parser.add_argument("--runs", type=int, default=5)
    asked.add_processor(parser)
    parser.add_argument("--probe", default=asked.program("latency_probe"))
    asked.add_settings(parser)
    chosen = parser.parse_args()
    if not 0 < chosen.probes <= 1000:
        parser.error("--probes is 1 to 1000")
    answers = []
    for _ in range(chosen.runs):
        with Workplace(NAME) as place:
            answer = Bench(place, chosen).run()
        note("p50 %(p50_ms).0f ms, p99 %(p99_ms).0f ms, %(cores).2f cores" % answer)
        answers.append(answer)
    print(report(chosen, answers))
    return 0


def report(chosen, answers):
    def middle(name):
        numbers = [a[name] for a in answers]
        return "%.0f (%.0f-%.0f)" % (statistics.median(numbers), min(numbers), max(numbers))

    lines = [
        "- %d declarations/s of one day, %d probes of other days, one each %d ms; %d partitions; frame.interval.ms=%d, publish.interval.ms=%d%s"
        % (chosen.rate, chosen.probes, chosen.every, PARTITIONS, FRAME_MS, PUBLISH_MS, "".join(", " + m for m in chosen.more)),
        "- %d runs, a broker of its own each; medians, lowest and highest in brackets" % len(answers),
        "",
        "| produce to visible | ms | mark |",
        "|---|---|---|",
    ]
    for name in ("least_ms", "p50_ms", "p90_ms", "p99_ms", "most_ms"):
        lines.append("| %s | %s | %s |" % (name[:-3], middle(name), "under %d" % MARKS[name] if name in MARKS else ""))
    lines += [
        "",
        "- The processor: %.2f cores, %.0f MiB at the end, %s statistics/s written."
        % (
            statistics.median(a["cores"] for a in answers),
            max(a["resident_mib"] for a in answers),
            middle("statistics_per_s"),
        ),
    ]
    if not all(a["loaded"] for a in answers):
        lines.append("- The load had ended before the last probe came: these figures are of less than the rate.")
    lines.append(figures(**{name: statistics.median(a[name] for a in answers) for name in MARKS}))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(tell(main))
