# SPDX-License-Identifier: Apache-2.0
"""The consumers of deploy/examples/consumers on a real broker, each killed (kill -9) and started again while figures change.

A fifth of the Korean set is loaded in pieces while the processor publishes and all three consumers run; each is killed and
started again before all is counted. Then come corrections (and another kill of the feeder): 10 % of the ids replaced, 10 % cancelled, which empties cells of months
that are final, so that keys are deleted. Then each must hold what the recount (Python integers over the input) says:
    table     table.py: all fields of all cells of the nine views, and its printed table
    postgres  postgres_feed.py: all columns of all rows; deleted keys are gone; each record of the topic was taken once
    duckdb    duckdb_report.py: months of two views, days of another; a year to date and a join by SQL
"""

import argparse
import csv
import io
import os
import random
import resource
import subprocess
import sys
import threading
import time

import korean
import recount
import topics
import wire
from cluster import SOURCE, Failed, Workplace, command, default_binary, die_with_parent, options, say, shared_data, tell, wait_until

SEED = 20251123
PIECES = 12
EXAMPLES = os.path.join(SOURCE, "deploy", "examples", "consumers")
SCRIPTS = os.path.join(SOURCE, "scripts")
ENUMS = {
    "frequency": recount.FREQUENCY,
    "flow": recount.FLOW,
    "partner_basis": {"ORIGIN": 1, "DESTINATION": 2, "CONSIGNMENT": 3},
    "value_basis": {"CIF": 1, "FOB": 2, "MIXED": 3},
}
TEXTS = {
    "view", "reporter", "office_code", "border_office_code", "zone_code", "partner", "partner_group", "commodity_code", "classification",
    "trade_mode", "region_code", "currency", "supp_unit",
}  # fmt: skip
# table, view, what is broken down by, the period, and the dimensions of a row
TABLES = (
    ("chapters", "chapter", "MONTH", "month,hs2,partner,flow", "2020-01..2021-03"),
    ("headings", "heading", "MONTH", "month,hs4,flow", "2020-01..2021-03"),
    ("flows", "flow", "DAY", "period,flow", "2020-01-01..2021-03-31"),
)
REPORT_SUMS = ("value_minor", "customs_value_minor", "net_mass_g", "gross_mass_g", "items", "packages", "declarations")


class Cluster:
    """A PostgreSQL server of this test, ended with it whatever happens."""

    SCRIPT = os.path.join(SCRIPTS, "postgres.sh")

    def __init__(self, folder):
        self.folder = folder
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read -r _; "$0" stop "$1"', self.SCRIPT, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        done = subprocess.run([self.SCRIPT, "start", folder], text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            self.stop()
            raise Failed("%s start ended with %d" % (self.SCRIPT, done.returncode))
        self.address = done.stdout.strip()

    def rows(self, sql):
        """The rows of a query as lists of text; None for NULL."""
        text = self.run("--csv", "--pset=null=\\N", "-c", sql)
        return [[None if field == "\\N" else field for field in row] for row in list(csv.reader(io.StringIO(text)))[1:]]

    def run(self, *arguments):
        done = subprocess.run(
            ["psql", self.address, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Failed("psql %s: %s" % (arguments, done.stderr))
        return done.stdout

    def stop(self):
        if self.guard is not None:
            self.guard.communicate(b"\n")
            self.guard = None


class Consumer:
    """One of the examples, in a process."""

    def __init__(self, place, python, program, arguments, settings):
        self.name = program.removesuffix(".py")
        self.command = [python, os.path.join(EXAMPLES, program), *arguments]
        self.environment = {
            **os.environ,
            **{"DRYPORT_" + name.replace(".", "_").upper(): str(value) for name, value in settings.items()},
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.out, self.log = place.path(self.name + ".out"), place.path(self.name + ".log")
        self.process = None

    def start(self):
        with open(self.out, "wb") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=log, env=self.environment, preexec_fn=die_with_parent)

    def must_run(self):
        if self.process.poll() is not None:
            raise Failed("%s ended with %d:\n%s" % (self.name, self.process.returncode, self.said(self.log)[-2000:]))
        return True

    def kill_and_start(self, what):
        self.must_run()
        self.process.kill()
        self.process.wait()
        self.start()
        say("%s: kill -9 %s; started again" % (self.name, what))

    def end(self):
        """SIGTERM; what it printed."""
        self.must_run()
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise Failed("%s ended with %d:\n%s" % (self.name, self.process.returncode, self.said(self.log)[-2000:]))
        return self.said(self.out)

    def once(self, *arguments):
        """A run of its own that ends by itself; what it printed."""
        done = subprocess.run(
            [*self.command, "--once", *arguments], env=self.environment, text=True, capture_output=True, timeout=180, check=False
        )
        if done.returncode != 0:
            raise Failed("%s %s: exit %d: %s" % (self.name, arguments, done.returncode, done.stderr))
        return done.stdout

    @staticmethod
    def said(path):
        with open(path, encoding="utf-8") as source:
            return source.read()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


# ---- the stream ----


def pieces_of(declarations, folder):
    """Files of originals in their order, and what each holds."""
    out = []
    for index in range(PIECES):
        part = declarations[index * len(declarations) // PIECES : (index + 1) * len(declarations) // PIECES]
        out.append((os.path.join(folder, "piece-%d.pb" % index), part))
    return out


def corrections(declarations, draw):
    stream = []
    for head in draw.sample(declarations, len(declarations) // 10):
        item = dict(head["items"][0])
        mass, value = item.get("net_mass_mg", 0) // 3 * 2 + 777, item.get("statistical_value_minor", 0) * 7 // 5 + 11
        item.update(net_mass_mg=mass, gross_mass_mg=mass, statistical_value_minor=value, customs_value_minor=value)
        stream.append(dict(head, version=2, function=wire.REPLACE, items=[item]))
        stream[-1].pop("total_gross_mass_mg", None)
    for head in draw.sample(declarations, len(declarations) // 10):
        kept = {name: head[name] for name in ("declaration_id", "accepted_at_ms", "schema_version")}
        stream.append({"version": draw.choice((1, 2, 3)), "function": wire.CANCEL, **kept})
    draw.shuffle(stream)
    return stream


class Loading(threading.Thread):
    """Loads the pieces one after the other; the main thread watches consumers meanwhile."""

    def __init__(self, case, pieces):
        super().__init__(daemon=True)
        self.case, self.pieces, self.failure = case, pieces, None

    def run(self):
        try:
            for path, part in self.pieces:
                wire.write_pb(path, (wire.encode(head) for head in part))
                self.case.load(path, part, with_map=False)
        except Failed as failure:
            self.failure = failure

    def done(self):
        if self.failure is not None:
            raise self.failure
        return not self.is_alive()


# ---- what they hold ----


def fields_of(row):
    """A row of texts by field name, as recount.py has records: nothing that is absent, 0 or empty."""
    out = {}
    for name, text in row.items():
        is_zero = text in ("0", "UNSPECIFIED") and name not in recount.GROWTH
        if name in ("key", *recount.NOT_COMPARED) or text in (None, "") or is_zero:
            continue
        if name in ("period_from", "period_to"):
            text = text.replace("-", "")
        out[name] = text if name in TEXTS else ENUMS[name].get(text, text) if name in ENUMS else int(text)
    return out


def with_items(rows):
    """key -> fields; only what the recount speaks of: days and months that have items."""
    out = {}
    for row in rows:
        fields = fields_of(row)
        if fields.get("items") and fields["frequency"] in recount.FREQUENCY.values() and fields.get("flow") in recount.FLOW.values():
            out[row["key"]] = fields
    return out


def must_equal(name, want, got):
    lines = recount.compare(want, got)
    if lines:
        raise Failed("%s differs from the recount:\n  %s" % (name, "\n  ".join(lines)))


def check_table(case, table):
    rows = list(csv.DictReader(io.StringIO(table.end())))
    must_equal("table.py", case.want, with_items(rows))
    counts = table.said(table.log).strip().splitlines()[-1]
    # The table for people: the five largest partners of a month, and the sums of all.
    printed = table.once("--format", "table", "--view", "partner", "--period-from", "20200201", "--top", "5").splitlines()
    cells = {k: v for k, v in case.want.items() if k.startswith("partner|MONTH|20200201|")}
    largest = sorted(cells, key=lambda key: (-cells[key]["value_minor"], key))[:5]
    rows_wanted = [
        "20200201 20200229 %s %d %d %d %d"
        % (" ".join(k.split("|")[4:]), *(cells[k].get(m, 0) for m in ("value_minor", "net_mass_g", "declarations", "items")))
        for k in largest
    ]
    sums = [sum(cell.get(measure, 0) for cell in cells.values()) for measure in ("value_minor", "net_mass_g", "items")]
    total = "%d cells: value_minor %d, net_mass_g %d, items %d" % (len(cells), *sums)
    if [" ".join(line.split()) for line in printed[1:6]] != rows_wanted or printed[6] != total:
        raise Failed("table.py printed\n%s\nexpected\n%s\n%s" % ("\n".join(printed), "\n".join(rows_wanted), total))
    say("%s; %d cells equal to the recount, and the printed table" % (counts, len(case.want)))


def check_postgres(case, cluster, feed, tombstones, messages):
    columns = [row[0] for row in cluster.rows("select column_name from information_schema.columns where table_schema = 'customs' and table_name = 'statistic'")]
    rows = [dict(zip(columns, row, strict=True)) for row in cluster.rows("select %s from customs.statistic" % ", ".join(columns))]
    must_equal("postgres_feed.py", case.want, with_items(rows))
    left = tombstones & {row["key"] for row in rows}
    buried = {row[0] for row in cluster.rows("select key from customs.deleted")}
    if left or buried != tombstones or not tombstones:
        raise Failed("%d keys were deleted in the topic; %d are still there, %d are noted" % (len(tombstones), len(left), len(buried)))
    taken = int(cluster.rows("select sum(records) from customs.position")[0][0])
    if taken != messages:
        raise Failed("postgres_feed.py has taken %d records in its transactions, the topic holds %d" % (taken, messages))
    feed.end()
    say(
        "postgres: %d rows equal to the recount, %d keys deleted, each of %d records taken once; %s"
        % (len(case.want), len(buried), taken, feed.said(feed.log).strip().splitlines()[-1])
    )


def row_key(view, frequency, by, row):
    """The record key of a row of a table."""
    first = row["month"].replace("-", "") + "01" if "month" in row else row["period"].replace("-", "")
    last = first if frequency == "DAY" else str(recount.month_end(int(first)))
    names = [name for name in by.split(",") if name not in ("month", "period")]
    fields = {name: recount.FIELD_OF.get(name, name) for name in names}
    return "|".join([view, frequency, first, last] + ["%s=%s" % (n, recount.escape(row[fields[n]])) for n in names])


def is_total(key):
    """A record of all flows together: a table has the flows, whose sum it is."""
    return "flow=T" in key.split("|")


def must_equal_table(case, path, table, view, frequency, by):
    """A table of DuckDB against the cells of a view; the number of its rows."""
    with open(path, encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["items"] != "0"]  # else only a year before
    got = {row_key(view, frequency, by, row): {name: int(row[name]) for name in REPORT_SUMS if int(row[name])} for row in rows}
    want = {
        key: {name: fields[name] for name in REPORT_SUMS if fields.get(name)}
        for key, fields in case.want.items()
        if key.startswith("%s|%s|" % (view, frequency)) and not is_total(key)
    }
    must_equal("duckdb_report.py, table " + table, want, got)
    return len(want)


def years_to_date(case):
    """chapter, month, value from January on: the lines of YEAR_TO_DATE."""
    by_month = {}
    for key, fields in case.want.items():
        if key.startswith("chapter|MONTH|") and not is_total(key):
            place = (fields["commodity_code"], "%d-%02d" % (fields["period_from"] // 10000, fields["period_from"] // 100 % 100))
            by_month[place] = by_month.get(place, 0) + fields.get("value_minor", 0)
    return [
        "%s\t%s\t%d" % (chapter, month, sum(v for (c, m), v in by_month.items() if c == chapter and m[:4] == month[:4] and m <= month))
        for chapter, month in sorted(by_month)
    ]


YEAR_TO_DATE = (
    "select commodity_code, month, sum(sum(value_minor)) over (partition by commodity_code, left(month, 4) order by month)"
    " from chapters where items > 0 group by commodity_code, month order by commodity_code, month"
)


def check_duckdb(place, case, duck):
    duck.end()
    paths = {table: place.path(table + ".csv") for table, *_ in TABLES}
    copies = ["--query=copy %s to '%s' (header)" % (table, path) for table, path in paths.items()]
    printed = duck.once(*copies, "--query=" + YEAR_TO_DATE).splitlines()[len(copies) :]
    count = sum(must_equal_table(case, paths[table], table, view, frequency, by) for table, view, frequency, by, _ in TABLES)
    want = years_to_date(case)
    if printed != want:
        differ = [pair for pair in zip(printed, want, strict=False) if pair[0] != pair[1]]
        raise Failed("duckdb: year to date has %d rows, expected %d; %s" % (len(printed), len(want), differ[:3]))
    say("duckdb: %d rows of %d tables equal to the recount, %d figures year to date by SQL" % (count, len(TABLES), len(want)))


# ---- the run ----


def python_of():
    done = subprocess.run(
        [os.path.join(SCRIPTS, "test_venv.sh"), os.path.join(EXAMPLES, "requirements.txt")], text=True, stdout=subprocess.PIPE, check=True
    )
    return os.path.join(done.stdout.strip(), "bin", "python")


def consumers_of(place, python, case, cluster, binary):
    settings = case.settings
    tables = ["--table=%s=--view %s --by %s --period %s" % (name, view, by, period) for name, view, _, by, period in TABLES]
    return {
        "table": Consumer(place, python, "table.py", ["--format", "csv"], settings),
        "postgres": Consumer(place, python, "postgres_feed.py", ["--database", cluster.address], settings),
        "duckdb": Consumer(
            place, python, "duckdb_report.py", ["--dryport", binary, "--database", place.path("customs.duckdb"), "--every", "3", *tables], settings
        ),
    }


def kill_each(case, consumers, cluster, total):
    """Each in the middle: it has taken something, and not all is counted."""

    def in_the_middle():
        position = case.processor.position()
        if position >= total:
            raise Failed("all of %d records are counted: nothing is left to be killed in" % total)
        return "while %d of %d records are counted" % (position, total)

    feed, duck, table = consumers["postgres"], consumers["duckdb"], consumers["table"]
    wait_until(
        lambda: feed.must_run() and int(cluster.rows("select coalesce(sum(records), 0) from customs.position")[0][0]) > 1000,
        lambda: "records are fed: " + feed.said(feed.log),
    )
    feed.kill_and_start(in_the_middle())
    wait_until(lambda: duck.must_run() and "flows: " in duck.said(duck.log), lambda: "tables are written: " + duck.said(duck.log))
    duck.kill_and_start(in_the_middle())
    table.kill_and_start(in_the_middle())


def topic_end(case):
    """(keys that the topic deletes, number of messages) by the test's own reader."""
    case.statistics.advance()
    deleted = {key for key, (_, _, fields) in case.statistics.state.held.items() if fields is None}
    bounds = topics.ends(case.broker.address, case.settings["topic.statistics"])
    if any(low for low, _ in bounds.values()):
        raise Failed("the topic was cut: %s" % bounds)
    return deleted, sum(high for _, high in bounds.values())


def settled(case, feed, cluster):
    """The topic stands still, keys are deleted, and the feeder is at its end."""
    before, since = -1, time.monotonic()
    while True:
        feed.must_run()
        tombstones, messages = topic_end(case)
        fed = int(cluster.rows("select coalesce(sum(next_offset), 0) from customs.position")[0][0])
        if (tombstones, messages, fed) != before:
            before, since = (tombstones, messages, fed), time.monotonic()
        elif tombstones and fed == messages and time.monotonic() - since > 2:
            return tombstones, messages
        elif time.monotonic() - since > 60:
            raise Failed("%d keys deleted, %d of %d messages fed, and nothing moves" % (len(tombstones), fed, messages))
        time.sleep(0.2)


def run(place, binary, data, python):
    started = time.monotonic()
    draw = random.Random(SEED)
    krd = korean.Set(data)
    krd.declarations = krd.declarations[::5]
    total = len(krd.declarations)
    broker = place.broker()
    case = korean.Case(place, broker, krd, "consumers", "warn", binary, data)
    extra = {"month.final": 1, "publish.interval.ms": 500}
    case.settings.update(extra)
    case.processor = place.processor(binary, case.name, case.settings)
    cluster = Cluster(place.path("pg"))
    consumers = {}
    try:
        cluster.run("-f", os.path.join(EXAMPLES, "postgres_schema.sql"))
        consumers = consumers_of(place, python, case, cluster, binary)
        case.processor.start()
        wait_until(lambda: case.processor.get("/readyz")[0] == 200, "ready")
        for each in consumers.values():
            each.start()
        loading = Loading(case, pieces_of(krd.declarations, place.folder))
        loading.start()
        kill_each(case, consumers, cluster, total)
        wait_until(loading.done, "the originals are loaded", 120)
        wait_until(lambda: case.processor.position() == total, "the originals are counted")
        changes = corrections(krd.declarations, draw)
        path = place.path("corrections.pb")
        wire.write_pb(path, (wire.encode(head) for head in changes))
        case.load(path, changes, with_map=False)
        consumers["postgres"].kill_and_start("while corrections are published")
        case.take_log()
        case.published()
        tombstones, messages = settled(case, consumers["postgres"], cluster)
        say("%d declarations and %d corrections: %d statistics" % (total, len(changes), messages))
        check_postgres(case, cluster, consumers["postgres"], tombstones, messages)
        check_table(case, consumers["table"])
        check_duckdb(place, case, consumers["duckdb"])
        case.processor.stop()
        case.check_end()
        case.statistics.close()
    finally:
        for each in consumers.values():
            each.stop()
        cluster.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    say("all equal, %.1f s, %.1f s of CPU without broker and PostgreSQL" % (time.monotonic() - started, used.ru_utime + used.ru_stime))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    chosen = parser.parse_args()
    data = shared_data()
    if data is None:
        return 0
    python = python_of()
    with Workplace("consumers") as place:
        os.chmod(place.folder, 0o711)  # PostgreSQL, which is another user when this is root, passes through
        run(place, os.path.abspath(chosen.dryport), data, python)
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
