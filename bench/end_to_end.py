# SPDX-License-Identifier: Apache-2.0
"""`dryport run` against the null librdkafka consumer, on one real broker and the same generated declarations.

One input topic (4 partitions) is filled once by `dryport generate`. Then pairs of runs alternate: the null consumer takes and
drops every message; `dryport run` starts with fresh journal, statistics and rejects topics and a fresh group, and its time is
from the start of the process until every record is consumed, journalled and echoed (its verdict counters say so) and the last
statistic is in its topic (the broker's append time says so). Totals are checked after each run; a wrong one fails the bench.
See bench/README.md.
"""

import datetime
import gc
import json
import multiprocessing
import os
import platform
import re
import shutil
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
import wire  # noqa: E402
from cluster import Failed, Workplace, command, options, tell, wait_until  # noqa: E402
from notes import cpu_of, figures, load, memory_of, note  # noqa: E402

INPUT = "bench.declarations"
PARTITIONS = 4
FULL_RECOUNT_MAX = 300_000  # declarations up to which every cell of every view is compared, not only those of `flow`
SETTLED_S = 3
# What is measured is work: by default the last round of a run, in which nearly every key has changed, would be held back to 50,000 keys a second.
PACE = {"publish.max.keys.per.s": "1000000"}
# The rules that the first version judged by; all others can be switched off beside them (--rules).
FIRST_RULES = "STR-0 COD-10 COD-110 COD-111 COD-112 COD-113 COD-115 COD-116 COD-117 COD-118 COD-119 COD-120 ARI-20 ARI-212 ARI-213 "
FIRST_RULES += "ARI-214 ARI-215 ARI-216 ARI-219 ARI-220 ARI-221 HSC-60 HSC-610 HSC-612 VER-50 VER-512 VER-513"
MONTH = recount.FREQUENCY["MONTH"]
STORED = recount.FREQUENCY["DAY"], MONTH

# What a view publishes with --frequencies, by its grain.
EVERY_FREQUENCY = {"DAY": "day,month,quarter,year,ytd,7d,30d,12m", "MONTH": "month,quarter,year,ytd,12m"}


# ---- all rules ----


def later_rules():
    """Codes of the rules that came after the first ones; LED-901 keeps the tables sound and has no switch."""
    with open(os.path.join(SOURCE, "proc", "trade", "rules.def"), encoding="utf-8") as source:
        codes = re.findall(r'^RULE\(\w+, "([A-Z]{3}-[0-9]{3})"', source.read(), re.MULTILINE)
    return [code for code in codes if not code.startswith(("LED-", *FIRST_RULES.split()))]


def lists_for_all_rules(folder, demo):
    """The lists of the demo and, so that the rules that need them are on, a band for each code and the site's rates."""
    os.makedirs(folder)
    for name in os.listdir(demo):
        shutil.copy(os.path.join(demo, name), folder)
    rates = os.path.join(SOURCE, "..", "shared", "data", "fx_monthly_per_usd.csv")
    if not os.path.exists(rates):
        rates = os.path.join(SOURCE, "tests", "data", "reference", "fx_monthly_per_usd.csv")
        note("no ../shared/data: the rates of the tests, of one month, are used")
    shutil.copy(rates, os.path.join(folder, "fx_monthly_per_usd.csv"))
    shutil.copy(os.path.join(SOURCE, "tests", "data", "reference", "pilot_zones.csv"), folder)
    with open(os.path.join(demo, "hs2022.csv"), encoding="utf-8") as source:
        codes = [line.split(",")[0] for line in source]
    with open(os.path.join(folder, "bands.csv"), "w", encoding="utf-8") as out:
        out.write("hs,flow,measure,n,low,median,high\n")
        for code in codes:
            for flow in ("M", "X") if len(code) == 6 else ():
                for measure in ("value_kg", "value_unit", "kg_unit"):
                    out.write("%s,%s,%s,1000,0.0001,1000,1000000000\n" % (code, flow, measure))
    return folder


# ---- the input ----


def generate(chosen, address, topic, *more):
    """Fills a new topic; the summary of `generate` as {word: number}. All items count, and in M and X: so a recount of millions may do without the lists."""
    topics.create(address, (topic, PARTITIONS, {"retention.ms": "-1", "cleanup.policy": "delete"}))
    note("generating %d declarations into %s" % (chosen.count, topic))
    text = command(
        chosen.dryport,
        "generate",
        "--count",
        str(chosen.count),
        "--seed",
        str(chosen.seed),
        "--apart",
        "0",
        *more,
        *options({"brokers": address, "topic.declarations": topic, "reference.dir": chosen.reference}),
        timeout=3600,
    )
    return {word: int(number) for word, number in re.findall(r"^ *(\w+) +(\d+)", text, re.MULTILINE)}


# ---- the totals that must come out ----


def recount_partition(task):
    """Flow totals and verdicts of one partition: newest accepted version per id, in a process of its own."""
    gc.disable()  # millions of tuples and no cycle among them: each collection would walk them all
    address, partition, rejected = task
    Declaration = topics.message_class("Declaration")
    newest, verdicts = {}, {"counted": 0, "duplicate": 0, "stale": 0, "rejected": 0}
    for message in topics.read(address, INPUT, only=[partition]):
        if message.offset() in rejected:
            verdicts["rejected"] += 1
            continue
        data = message.value()
        head = Declaration.FromString(data)
        place = (head.version, head.function == wire.CANCEL)
        standing = newest.get(head.declaration_id)
        if standing is not None and standing[0] >= place:
            same = standing[0] == place and standing[1] == hash(data)
            verdicts["duplicate" if same else "stale" if standing[0] > place else "rejected"] += 1
            continue
        verdicts["counted"] += 1
        sums = None
        if not place[1]:
            value = customs = net = gross = packages = estimated = 0
            for item in head.items:
                value += item.statistical_value_minor
                customs += item.customs_value_minor
                net += item.net_mass_mg
                gross += item.gross_mass_mg
                packages += item.package_count
                if item.mass_estimated:
                    estimated += item.net_mass_mg
            sums = (
                head.reference_date,
                head.direction,
                value,
                customs,
                net,
                gross,
                packages,
                estimated,
                len(head.items),
            )
        newest[head.declaration_id] = (place, hash(data), sums)
    cells = {}
    for _, _, sums in newest.values():
        if sums is not None:
            flow = "M" if sums[1] == wire.IMPORT else "X"
            periods = ("DAY", sums[0]), ("MONTH", sums[0] // 100 * 100 + 1)
            for place in ((*period, code) for period in periods for code in (flow, "T")):
                cell = cells.setdefault(place, [0] * 8)
                for index, number in enumerate(sums[2:]):
                    cell[index] += number
                cell[7] += 1
    return cells, verdicts


def expected_flow(address, rejected):
    """key -> fields of the whole view `flow`, and the verdicts, recounted from the input topic."""
    tasks = [(address, p, {offset for partition, offset, _ in rejected if partition == p}) for p in range(PARTITIONS)]
    totals, verdicts = {}, {}
    with multiprocessing.Pool(min(PARTITIONS, os.cpu_count())) as pool:
        for cells, counts in pool.imap_unordered(recount_partition, tasks):
            for verdict, count in counts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
            for place, sums in cells.items():
                cell = totals.setdefault(place, recount.Cell())
                cell.value += sums[0]
                cell.customs += sums[1]
                cell.net += sums[2]
                cell.gross += sums[3]
                cell.packages += sums[4]
                cell.estimated += sums[5]
                cell.items += sums[6]
                cell.declarations += sums[7]
    found = {("flow", frequency, date, (flow,)): cell for (frequency, date, flow), cell in totals.items()}
    return recount.records_of(found, None, "CN", "CNY"), verdicts


class Truth:
    """What every run must publish; made from the topic once the first run named its rejects."""

    def __init__(self, address, count, reference):
        self.address, self.count, self.reference = address, count, reference
        self.flow = self.verdicts = self.rejected = self.everything = None

    def learn(self, rejected):
        note("recounting %d records from the topic" % self.count)
        self.rejected = set(rejected)
        self.flow, self.verdicts = expected_flow(self.address, self.rejected)
        if self.count <= FULL_RECOUNT_MAX:
            nomenclature = recount.Nomenclature(self.reference, os.path.dirname(self.reference))
            ledger = recount.Ledger(nomenclature.scope)
            for message in topics.read(self.address, INPUT):
                known = (message.partition(), message.offset(), 0) in self.rejected
                ledger.take(None if known else wire.decode(message.value()), known)
            self.everything = recount.expected(ledger.standing(), nomenclature, "CN", "CNY")

    def check(self, run):
        """Fails unless the run published these totals and no others."""
        rejected = set(topics.rejected_coordinates(self.address, run.settings["topic.rejects"]))
        if self.flow is None:
            self.learn(rejected)
        state = recount.Consumer()
        topics.fill_consumer(self.address, run.settings["topic.statistics"], state)
        published = {k: f for k, f in state.records().items() if f["frequency"] in STORED}
        wrong = state.broken + recount.compare(self.flow, {k: f for k, f in published.items() if f["view"] == "flow"})
        if self.everything is not None:
            wrong += recount.compare(self.everything, published)
        if rejected != self.rejected:
            wrong.append("%d rejects differ from those of the first run" % len(rejected ^ self.rejected))
        counted = {name: count for name, count in run.verdicts.items() if count}
        if counted != {name: count for name, count in self.verdicts.items() if count}:
            wrong.append("verdicts %s, recounted %s" % (run.verdicts, self.verdicts))
        for view in recount.VIEWS:  # value, customs value, items and packages add up to the same in every view
            for name in ("value_minor", "customs_value_minor", "items", "packages"):
                total = sum(
                    f.get(name, 0) for f in published.values() if f["view"] == view and f["frequency"] == MONTH
                )
                want = sum(f.get(name, 0) for f in self.flow.values() if f["frequency"] == MONTH)
                if total != want:
                    wrong.append("%s of %s adds up to %d, recounted %d" % (name, view, total, want))
        if wrong:
            raise Failed("%s: totals are wrong:\n  %s" % (run.name, "\n  ".join(wrong[:12])))
        run.cells = len(state.records())
        run.published = state.seen


# ---- one run ----


class Null:
    """One run of the null consumer on a topic of `count` records."""

    def __init__(self, program, address, count, topic=INPUT):
        done = subprocess.run([program, address, topic], check=True, text=True, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout)
        if answer["messages"] != count:
            raise Failed("the null consumer read %d of %d records" % (answer["messages"], count))
        self.seconds = answer["seconds"]
        self.cpu = answer["user_s"] + answer["system_s"]
        self.peak_mib = answer["peak_kib"] / 1024
        self.bytes, self.librdkafka = answer["bytes"], answer["librdkafka"]


class Run:
    """One run of `dryport run` on topics of its own; `count` declarations in `topic`."""

    def __init__(self, place, address, name, binary, count, reference, more, topic=INPUT):
        self.place, self.binary = place, binary
        self.name, self.address, self.count = name, address, count
        self.settings = {
            "brokers": address,
            "group": name,
            "topic.declarations": topic,
            "topic.journal": name + ".journal",
            "topic.statistics": name + ".statistics",
            "topic.rejects": name + ".rejects",
            "reference.dir": reference,
            **PACE,
            **more,
        }
        # Times are compared with the start of the process: the statistics carry the broker's own clock, not the writer's.
        topics.create(
            address,
            (
                self.settings["topic.statistics"],
                PARTITIONS,
                {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"},
            ),
        )
        self.processor = place.processor(binary, name, self.settings)
        self.samples = []
        self.echoed = None

    def sample(self):
        pid = self.processor.process.pid
        self.samples.append((time.time(), cpu_of(pid), memory_of(pid, "VmHWM") / 2**20))

    def wait_for_echo(self, deadline_s):
        """Until every declaration has a verdict in an echoed group."""

        def all_echoed():
            self.sample()
            self.verdicts = self.processor.verdicts()
            return sum(self.verdicts.values()) >= self.count

        wait_until(
            all_echoed,
            lambda: "%s has %s of %d\n%s" % (self.name, self.verdicts, self.count, self.processor.tail()),
            deadline_s,
            0.1,
        )
        self.echoed = time.time()

    def wait_for_statistics(self, publisher, deadline_s):
        """Until all is published, as that process says, and nothing more comes for a while; the topic's ends then."""
        state = {"ends": None, "since": time.time()}

        def settled():
            self.sample()
            status = publisher.status()
            if not status or int(status.get("publisher", {}).get("published_declarations", 0)) < self.count:
                return False
            ends = topics.ends(self.address, self.settings["topic.statistics"])
            if ends != state["ends"]:
                state.update(ends=ends, since=time.time())
            return time.time() - state["since"] >= SETTLED_S

        wait_until(settled, "%s publishes no more" % self.name, deadline_s, 0.1)
        return state["ends"]

    def read_metrics(self):
        metrics = self.processor.metrics()
        self.items = int(metrics.get("dryport_items_total", 0))
        self.journal_bytes = metrics.get("dryport_journal_bytes_total", 0)
        self.backpressure_s = metrics.get("dryport_backpressure_seconds_total", 0)

    def measure(self, deadline_s):
        self.processor.start()
        self.wait_for_echo(deadline_s)
        ends = self.wait_for_statistics(self.processor, deadline_s)
        last = max(m.timestamp()[1] for m in self.last_records(ends)) / 1000
        finished = max(self.echoed, last)
        self.seconds = finished - self.processor.started
        _, self.cpu, self.peak_mib = self.samples[-1]  # what is still to be read back when the last record stands in the topic costs, too
        self.read_metrics()
        self.processor.stop(60)

    def last_records(self, ends):
        """The last record of each partition of the statistics."""
        import confluent_kafka

        client = topics.consumer(self.address)
        try:
            for p, (low, high) in ends.items():
                if high > low:
                    client.assign([confluent_kafka.TopicPartition(self.settings["topic.statistics"], p, high - 1)])
                    yield client.consume(1, timeout=topics.POLL_S)[0]
        finally:
            client.close()


class AggregateRun(Run):
    """One run of `role=aggregate` alone: measured until all is echoed. A publisher that starts afterwards, and is not measured, writes the
    statistics, so that the totals can be checked as those of the others."""

    def measure(self, deadline_s):
        self.processor = self.place.processor(self.binary, self.name, {**self.settings, "role": "aggregate"})
        self.processor.start()
        self.wait_for_echo(deadline_s)
        self.seconds = self.echoed - self.processor.started
        self.sample()
        _, self.cpu, self.peak_mib = self.samples[-1]
        self.read_metrics()
        self.processor.stop(60)
        publisher = self.place.processor(self.binary, self.name + "-publish", {**self.settings, "role": "publish"})
        publisher.start()
        # Its own counter of declarations, which are those of the journal's groups; samples would be of a process that has ended.
        self.sample = lambda: None
        self.wait_for_statistics(publisher, deadline_s)
        publisher.stop(60)


# ---- the report ----


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as source:
        model = next(
            (line.split(":", 1)[1].strip() for line in source if line.startswith("model name")), platform.machine()
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "%s, %d cores, %.0f GiB, Linux %s" % (model, os.cpu_count(), memory, platform.release())


def commit():
    def git(*arguments):
        done = subprocess.run(
            ["git", "-C", SOURCE, *arguments],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    name = git("rev-parse", "--short", "HEAD") or "no commit yet"
    return name + (" with uncommitted changes" if git("status", "--porcelain", "proc", "proto", "bench") else "")


def spread(numbers, digits=0):
    return "%.*f (%.*f-%.*f)" % (digits, statistics.median(numbers), digits, min(numbers), digits, max(numbers))


def difference(count, more, less, of):
    """How much more the runs `more` cost than the runs `less` beside them, of `of` (a number of a run): in pairs, as a percentage."""
    pairs = [of(a) / of(b) - 1 for a, b in zip(more, less)]
    return "%+.1f %% (of pairs %s)" % (100 * statistics.median(pairs), ", ".join("%+.1f" % (100 * p) for p in pairs))


def per_million(count, runs):
    return statistics.median(r.cpu for r in runs) * 1e6 / count


def rate(count, runs):
    return count / statistics.median(r.seconds for r in runs) / 1000


def cost_of_rules(count, runs, firsts):
    """Of all rules against the first ones."""
    return (
        "- Rules: all %.2f CPU-s per million, those of the first version alone (the other %d off) %.2f: %s; mark: at most 5 %%; rate "
        "%.0f k/s against %.0f k/s."
        % (
            per_million(count, runs),
            len(later_rules()),
            per_million(count, firsts),
            difference(count, runs, firsts, lambda r: r.cpu),
            rate(count, runs),
            rate(count, firsts),
        )
    )


def cost_of_frequencies(count, runs, periods):
    """Of all frequencies against days and months alone."""
    return (
        "- Frequencies: all of them (%s) %.2f CPU-s per million, grain and month alone %.2f: %s; time to the last statistic %s; mark: at "
        "most 5 %% of the rate, %.0f k/s against %.0f k/s; %d records against %d, %s statistics written, peak %.0f MiB."
        % (
            EVERY_FREQUENCY["DAY"],
            per_million(count, periods),
            per_million(count, runs),
            difference(count, periods, runs, lambda r: r.cpu),
            difference(count, periods, runs, lambda r: r.seconds),
            rate(count, periods),
            rate(count, runs),
            periods[0].cells,
            runs[0].cells,
            "-".join(sorted({str(r.published) for r in periods})),
            max(r.peak_mib for r in periods),
        )
    )


def row(name, count, runs):
    """A row of the table of programs."""
    return "| %s | %s | %s | %.0f |" % (
        name,
        spread([count / r.seconds / 1000 for r in runs]),
        spread([r.cpu * 1e6 / count for r in runs], 2),
        max(r.peak_mib for r in runs),
    )


def aggregate_cpu(nulls, aggregates):
    """CPU of role=aggregate alone in that of the null consumer beside it: the median of the pairs."""
    return statistics.median(a.cpu / n.cpu for a, n in zip(aggregates, nulls))


def cost_of_aggregate(nulls, aggregates):
    """Of the role that validates, keeps the ledger, tallies six leaf views and writes the journal."""
    return "- role=aggregate alone, until all is echoed: CPU %.2f times the null consumer's (mark: at most 1.5), rate %.2f of it." % (
        aggregate_cpu(nulls, aggregates),
        statistics.median(n.seconds / a.seconds for a, n in zip(aggregates, nulls)),
    )


def report(chosen, built_from, nulls, onces, results, truth, generated_s):
    runs, firsts, periods = results["run"], results["first"], results["periods"]
    aggregates = results["aggregate"]
    count = chosen.count
    null_rate = [count / n.seconds / 1000 for n in nulls]
    run_rate = [count / r.seconds / 1000 for r in runs]
    null_cpu = [n.cpu * 1e6 / count for n in nulls]
    run_cpu = [r.cpu * 1e6 / count for r in runs]
    median = statistics.median
    ratio = median(run_rate) / median(null_rate)
    cost = median(run_cpu) / median(null_cpu)
    lines = [
        "# End to end: `dryport run` against the null librdkafka consumer",
        "",
        "- %s, commit %s, librdkafka %s" % (datetime.date.today().isoformat(), built_from, nulls[0].librdkafka),
        "- %s; Apache Kafka on the same machine" % machine(),
        "- %d generated declarations (seed %d, profile %s), %d partitions, %.0f bytes and %.2f items each on average; %s"
        % (
            count,
            chosen.seed,
            chosen.profile,
            PARTITIONS,
            nulls[0].bytes / count,
            runs[0].items / count,
            ", ".join("%d %s" % (n, v) for v, n in truth.verdicts.items() if n),
        ),
        "- %d alternating pairs behind %d that are not counted (a new broker compiles itself); medians, lowest and highest in brackets; "
        "generated and acknowledged in %.0f s" % (chosen.pairs, chosen.warm_up, generated_s),
        "",
        "| program | k declarations/s | CPU-s per million | peak memory MiB |",
        "|---|---|---|---|",
        row("null consumer", count, nulls),
        *([row("null consumer, each batch decompressed once", count, onces)] if onces else []),
        row("dryport run", count, runs),
        *([row("dryport run, role=aggregate", count, aggregates)] if aggregates else []),
        "",
        "- Of each pair, rate and CPU against the null consumer beside it: %s; median %.2f and %.2f."
        % (
            ", ".join("%.2f and %.2f" % (n.seconds / r.seconds, r.cpu / n.cpu) for n, r in zip(nulls, runs)),
            median(n.seconds / r.seconds for n, r in zip(nulls, runs)),
            median(r.cpu / n.cpu for n, r in zip(nulls, runs)),
        ),
        "- Rate: %.2f of the null consumer's (mark: at least 0.8); CPU: %.2f times (mark: at most 1.8)."
        % (ratio, cost),
        *([cost_of_aggregate(nulls, aggregates)] if aggregates else []),
        "- Load average before: %s." % chosen.load,
        *([cost_of_rules(count, runs, firsts)] if firsts else []),
        *([cost_of_frequencies(count, runs, periods)] if periods else []),
        "- %s, so that work is measured; as shipped (50000) the %d keys of the last round take %.1f s."
        % (", ".join("%s=%s" % each for each in PACE.items()), runs[0].cells, runs[0].cells / 50000),
        "- Of each run, seconds until all was echoed / until the last statistic was in its topic: %s."
        % ", ".join("%.1f / %.1f" % (r.echoed - r.processor.started, r.seconds) for r in runs),
        "- Of each run, journal MB written / seconds of backpressure, summed over partitions: %s."
        % ", ".join("%.0f / %.1f" % (r.journal_bytes / 1e6, r.backpressure_s) for r in runs),
        "- Totals of every run equal a recount of the topic: %s; %d cells, %s statistics written."
        % (
            (
                "every cell of every view"
                if truth.everything is not None
                else "every cell of `flow`, all verdicts, value, customs value, items and packages of each of the nine views"
            ),
            runs[0].cells,
            "-".join(sorted({str(r.published) for r in runs})),
        ),
        figures(rate=ratio, cpu=cost, **({"aggregate_cpu": aggregate_cpu(nulls, aggregates)} if aggregates else {})),
        "",
    ]
    return "\n".join(lines), ratio, cost


def main():
    parser = asked.parser(__doc__ + "\nThe environment's COUNT and PAIRS are the defaults of those two.\n")
    asked.add_sample(
        parser, "pairs", int(os.environ.get("COUNT", asked.COUNT)), int(os.environ.get("PAIRS", "5"))
    )
    parser.add_argument("--profile", default="cn")
    asked.add_processor(parser)
    parser.add_argument("--null-consumer", default=asked.program("null_consumer"))
    parser.add_argument(
        "--once", action="store_true", help="another null consumer beside them, that decompresses each batch once (docs/adr/0090)"
    )
    parser.add_argument(
        "--rules", action="store_true", help="another program beside them: dryport run with the rules of the first version alone"
    )
    parser.add_argument(
        "--frequencies", action="store_true", help="another one beside them: dryport run with all frequencies of the nine views"
    )
    parser.add_argument(
        "--aggregate", action="store_true", help="another one beside them: dryport run with role=aggregate"
    )
    parser.add_argument("--record", action="store_true", help="keep the report under bench/results/")
    parser.add_argument("--marks", action="store_true", help="fail when the marks are missed")
    asked.add_settings(parser)
    chosen = parser.parse_args()
    chosen.load = load()
    built_from = commit()  # of now: somebody may commit during the run
    more = asked.settings(chosen)
    with Workplace("bench") as place:
        broker = place.broker(
            heap="1g", log_roll_hours=876000
        )  # dates of months: a segment must not end each week of them
        started = time.monotonic()
        generate(chosen, broker.address, INPUT, "--profile", chosen.profile)
        generated_s = time.monotonic() - started
        truth = Truth(broker.address, chosen.count, chosen.reference)
        nulls, onces, results = [], [], {"run": [], "first": [], "periods": [], "aggregate": []}
        lists = lists_for_all_rules(os.path.join(place.folder, "lists"), chosen.reference) if chosen.rules else chosen.reference
        extra = {
            "run": {},
            "aggregate": {},
            "first": {"rules.severity." + code: "off" for code in later_rules()},
            "periods": {"view.%s.publish" % view: EVERY_FREQUENCY[of[0]] for view, of in recount.VIEWS.items()},
        }
        names = {"run": "dryport run", "first": "the first rules alone", "periods": "all frequencies", "aggregate": "role=aggregate"}
        for pair in range(-chosen.warm_up, chosen.pairs):
            kinds = ["null"] + ["once"] * chosen.once + ["run"] + ["first"] * chosen.rules + ["periods"] * chosen.frequencies
            kinds += ["aggregate"] * chosen.aggregate
            for kind in kinds if pair % 2 == 0 else reversed(kinds):
                words = " (warm-up)" if pair < 0 else ""
                if kind in ("null", "once"):
                    suffix = "_once" if kind == "once" else ""
                    null = Null(chosen.null_consumer + suffix, broker.address, chosen.count)
                    note("null consumer%s: %.2f s, %.2f CPU-s%s" % (suffix, null.seconds, null.cpu, words))
                    if pair >= 0:
                        (onces if kind == "once" else nulls).append(null)
                    continue
                name = "bench-%s-%d" % (kind, pair + chosen.warm_up)
                program = AggregateRun if kind == "aggregate" else Run
                run = program(place, broker.address, name, chosen.dryport, chosen.count, lists, {**more, **extra[kind]})
                run.measure(600 + chosen.count / 20000)
                note("%s: %.2f s, %.2f CPU-s, %.0f MiB%s" % (names[kind], run.seconds, run.cpu, run.peak_mib, words))
                truth.check(run)
                if pair >= 0:
                    results[kind].append(run)
        text, ratio, cost = report(chosen, built_from, nulls, onces, results, truth, generated_s)
    print(text)
    if chosen.record:
        size = "" if chosen.count == asked.COUNT else "-%d" % chosen.count
        path = os.path.join(
            SOURCE, "bench", "results", "%s-end-to-end%s.md" % (datetime.date.today().isoformat(), size)
        )
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        note("kept as %s" % os.path.relpath(path, SOURCE))
    return 1 if chosen.marks and (ratio < 0.8 or cost > 1.8) else 0


if __name__ == "__main__":
    sys.exit(tell(main))
