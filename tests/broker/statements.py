# SPDX-License-Identifier: Apache-2.0
"""What newspapers printed of Horgos, the SCO and Kazakhstan's trade comes out of `dryport report`, word for word.

For each statement of seed_statements.csv that declarations can say, a seeded stream is calibrated so that the printed figures must
come out, prior year included. Each stream runs through a real broker and `dryport run` twice: clean, and with redeliveries,
replacements, cancels, reopened and late declarations in any order, which net out to the same. Both times the report must print
the same bytes; its sentence and its CSV must be those of a batch recount, and must hold the figures as they were printed.
What a statement needs that is in no statistic (traders, vehicles, containers) the report must refuse of the statistics, and say
of the declarations (`report --from declarations`), with the definition printed.
"""

import argparse
import csv
import io
import random
import shutil
import subprocess
import sys
import time

import report_examples
import statement_streams as streams
import topics
import wire
from cluster import Failed, Workplace, command, default_binary, options, say, shared_data, tell, wait_until
from statement_recount import Saying

SEED = 20250722
SCO = "SCO_MEMBER"
SCO_ALL = "SCO_MEMBER+SCO_OBSERVER+SCO_DIALOGUE"
FAR = ("US", "DE", "JP", "KR", "BR", "FR")
# Belarus came last, in July 2024: it is no member in statements that end before.
MEMBERS = ("KZ", "RU", "KG", "TJ", "UZ", "IN", "PK", "IR", "BY")
OTHERS = ("MN", "AF", "AZ", "TR", "SA", "AE", "EG", "KH", "NP")


class Statement:
    """A statement of seed_statements.csv, how it is asked for, and how it was printed."""

    def __init__(self, identifier, view, period, window, name, show, printed, **more):
        self.id, self.view, self.period, self.window, self.name = identifier, view, period, window, name
        self.show, self.printed = show, printed
        self.where = more.get("where", "")
        self.share, self.rate, self.name_before = more.get("share"), more.get("rate"), more.get("before")
        self.count, self.notes = more.get("count", "partner"), more.get("notes", ())
        self.is_outside = any(note.startswith("outside: ") for note in self.notes)

    def arguments(self, form):
        out = ["--view", self.view] if self.view else ["--from", "declarations"]
        out += ["--outside"] if self.is_outside else []
        out += ["--period", self.period, "--by", "", "--show", self.show, "--format", form]
        out += ["--where", self.where] if self.where else []
        out += ["--share", self.share] if self.share else []
        out += ["--currency", "USD", "--rate", self.rate] if self.rate else []
        return out + (["--count", self.count] if "count" in self.show else [])


class Run:
    """A reporter with its currency, views, streams and the statements that its statistics say."""

    def __init__(self, name, reporter, currency, views, parts, statements):
        self.name, self.reporter, self.currency, self.views = name, reporter, currency, views
        self.parts, self.statements = parts, statements


def grams(tonnes):
    return round(float(tonnes) * 10) * 10**5


def minor(value):
    return round(float(value) * 100)


def border(table, codes):
    """One border crossing and two zones, in yuan."""
    goods = codes["all"]
    coop = {"office": "9403", "zone": "HORGOSCC"}
    rail = {"office": "9404", "border_office": "HORGOSR", "mode": 2}
    road = {"office": "9405", "border_office": "HORGOS", "items": 1}
    base_mass, base_value = grams(table["S01"]["implied_base"]), minor(table["S02"]["implied_base"])
    parts = [
        streams.Part(20250101, 20250731, 14000, 365000000000, ["KZ"], goods, 35500 * 10**6, 36840 * 10**6, items=2, **coop),
        streams.Part(20250801, 20251031, 1500, 91000000000, ["KZ"], goods, 8000 * 10**6, **coop),
        streams.Part(20240101, 20240731, 9000, base_value, ["KZ"], goods, base_mass, base_mass * 26 // 25, items=2, **coop),
        streams.Part(20240801, 20241231, 1500, 90000000000, ["KZ"], goods, 7000 * 10**6, **coop),
        streams.Part(20250101, 20250610, 14000, 1900000000000, ["KZ", "DE"], goods, gross_g=6070000 * 10**6, **rail),
        streams.Part(20250611, 20250731, 1500, 290000000000, ["KZ", "DE"], goods, gross_g=1570000 * 10**6, **rail),
        streams.Part(20240101, 20240610, 9000, 1600000000000, ["KZ"], goods, gross_g=grams(table["S13"]["implied_base"]), **rail),
        streams.Part(20240611, 20240731, 1500, 300000000000, ["KZ"], goods, gross_g=1490000 * 10**6, **rail),
        streams.Part(20250101, 20250531, 4000, 77700000000, list(MEMBERS), goods, trade_mode="0110", **road),
        streams.Part(20190101, 20231231, 2000, 50000000000, [*FAR, "BY"], goods, office="4201", zone="SCODA"),
        streams.Part(20250301, 20250630, 120, 9000000000, ["AE"], ["870323"], 200 * 10**6, quantity=388, flow="X", **hub()),
        streams.Part(20250301, 20250630, 90, 8000000000, ["KZ"], ["870323", "870380"], 10**8, quantity=200, flow="X", **hub()),
        streams.Part(20241001, 20241231, 2500, 3000000000, origins(), goods, flow="M", office="9406", zone="HRGICBC"),
        streams.Part(20241001, 20241231, 900, 1000000000, ["NZ", "CU"], goods, flow="X", office="9406", zone="HRGICBC"),
        streams.Part(20221101, 20240705, 11000, 10000000000000, list(FAR), goods, items=3, traders=9000, office="4202", zone="SCODASW"),
        streams.Part(20240706, 20241231, 1500, 900000000000, list(FAR), goods, office="4202", zone="SCODASW"),
    ]
    parts += ecommerce(20250101, 20250531, 16000, 2805000000000, goods, road)
    parts += ecommerce(20240101, 20240531, 6000, minor(table["S14"]["implied_base"]), goods, road)
    parts += growing(2134000000000, goods)
    may = dict(period="2025-01..2025-05", window=(20250101, 20250531), name="January-May 2025", before="January-May 2024")
    july = dict(period="2025-01..2025-07", window=(20250101, 20250731), name="January-July 2025", before="January-July 2024")
    platform = dict(period="2022-11-01..2024-07-05", window=(20221101, 20240705), name="1 November 2022-5 July 2024")
    years = dict(period="2019..2023", window=(20190101, 20231231), name="2019-2023")
    both = "zone=HORGOSCC,flow=M+X"
    shop = "border_office=HORGOS,trade_class=ECOMMERCE,flow=M+X"
    area = "zone=SCODA,partner_group=%s,flow=M+X" % SCO
    rail_where = "border_office=HORGOSR,mode=2,flow=M+X"
    statements = [
        Statement("S01", "coop", show="net,gross", where=both, printed=("35,500 t", "50.1 %"), **july),
        Statement("S02", "coop", show="value", where=both, printed=("3.65 bn yuan", "37.7 %"), **july),
        Statement("S01 and S02", "coop", show="net,value", where=both, printed=("35,500 t worth 3.65 bn yuan, up 50.1 % and 37.7 %",), **july),
        Statement("S07", "cars", "2025-03..2025-06", (20250301, 20250630), "March-June 2025", "quantity", ("388 u",),
                  where="zone=HUB,hs4=8703,partner=AE,flow=X"),
        Statement("S09", "origins", "2024-Q4", (20241001, 20241231), "October-December 2024", "count", ("40 partners",),
                  where="zone=HRGICBC,flow=M"),
        Statement("S13", "rail", "2025-01-01..2025-06-10", (20250101, 20250610), "1 January-10 June 2025", "gross",
                  ("6.07 Mt", "21.3 %"), where=rail_where, before="1 January-10 June 2024"),
        Statement("S14", "shops", show="value", where=shop, printed=("28.05 bn yuan", "890 %"), **may),
        Statement("S15", "shops", show="value", where=shop, printed=("3.9 bn US dollars",), rate="7.19", **may),
        Statement("S24", "origins", show="value", where=area, printed=("21.34 bn yuan",), **years),
        Statement("S25", "origins", show="value,growth", where=area, printed=("70 % mean annual growth",), **years),
        Statement("S26", "coop", show="declarations", where="zone=SCODASW,flow=M+X", printed=("11,000 declarations",), **platform),
        Statement("S27", "coop", show="value", where="zone=SCODASW,flow=M+X", printed=("100 bn yuan",), **platform),
    ]  # fmt: skip
    views = {
        "coop": "zone,flow@day",
        "rail": "border_office,mode,flow@day",
        "shops": "border_office,trade_mode,flow@day",
        "cars": "zone,hs6,partner,flow@day",
        "origins": "zone,partner,flow@month",
    }
    return Run("border", "CN", "CNY", views, parts, statements)


def hub():
    return {"office": "4203", "zone": "HUB"}


def origins():
    """Forty countries."""
    return ("KZ RU KG TJ UZ IN PK IR BY MN AF AZ TR SA AE EG KH NP LK MM US DE JP KR BR FR IT ES PL GB NL BE SE FI DK NO CH AT CZ"
            " HU").split()  # fmt: skip


def ecommerce(first, last, count, value, goods, place):
    """The five modes of cross-border e-commerce, and their values."""
    modes = {"1210": 30, "1239": 5, "9610": 25, "9710": 25, "9810": 15}
    values, counts = (streams.cut(total, list(modes.values())) for total in (value, count))
    return [
        streams.Part(first, last, counts[i], values[i], list(FAR), goods, trade_mode=mode, flow="M" if mode == "1239" else "MX", **place)
        for i, mode in enumerate(modes)
    ]


def growing(value, goods):
    """Five years, each 1.7 times the one before."""
    values = streams.cut(value, [10**4, 17 * 10**3, 289 * 10**2, 49130, 83521])
    return [
        streams.Part((2019 + i) * 10000 + 101, (2019 + i) * 10000 + 1231, 2500, values[i], list(MEMBERS[:-1]), goods, office="4201", zone="SCODA")
        for i in range(5)
    ]


def national(table, codes):
    """All of China's trade with partners, in yuan."""
    goods, places = codes["all"], {"office": "0100"}
    base = minor(table["S03"]["implied_base"])
    parts = [
        streams.Part(20250101, 20250731, 18000, 211000000000000, list(MEMBERS), goods, **places),
        streams.Part(20240101, 20240731, 11000, base, list(MEMBERS), goods, **places),
        streams.Part(20240101, 20250731, 9000, 700000000000000, [*FAR, "MN", "TR"], goods, **places),
        streams.Part(20250801, 20251231, 2000, 100000000000000, list(MEMBERS), goods, **places),
    ]
    july = dict(period="2025-01..2025-07", window=(20250101, 20250731), name="January-July 2025", before="January-July 2024")
    where = "partner_group=%s,flow=M+X" % SCO
    statements = [
        Statement("S03", "partners", show="value", where=where, printed=("2.11 tn yuan", "3 %"), **july),
        Statement("S04", "partners", show="value", where=where, printed=("295.04 bn US dollars",), rate="7.1516", **july),
    ]
    return Run("national", "CN", "CNY", {"partners": "partner,flow@month"}, parts, statements)


def dollars(table, codes):
    """The same compiled in dollars."""
    goods, places = codes["all"], {"office": "0100"}
    xinjiang, elsewhere = {"region": "65019"}, {"region": "31222"}
    parts = [
        streams.Part(20240101, 20241231, 15000, 89000000000000, [*MEMBERS, *OTHERS], goods, **places),
        streams.Part(20240101, 20241231, 5000, 400000000000000, list(FAR), goods, **places),
        streams.Part(20220101, 20221231, 4000, 1240000000000, ["KZ"], goods, **places, **xinjiang),
        streams.Part(20220101, 20221231, 4000, 1860000000000, ["KZ"], goods, **places, **elsewhere),
        streams.Part(20220101, 20221231, 2000, 500000000000, list(FAR), goods, **places, **xinjiang),
    ]
    statements = [
        Statement("S05", "partners", "2024", (20240101, 20241231), "2024", "value", ("890 bn US dollars",),
                  where="partner_group=%s,flow=M+X" % SCO_ALL),
        Statement("S20", "regions", "2022", (20220101, 20221231), "2022", "share", ("40 %",),
                  where="partner=KZ,region=65019,flow=M+X", share="region"),
    ]  # fmt: skip
    return Run("dollars", "CN", "USD", {"partners": "partner,flow@month", "regions": "partner,region,flow@month"}, parts, statements)


def kazakh(table, codes):
    """Kazakhstan's trade in dollars."""
    goods, food, places = codes["other"], codes["food"], {"office": "55310"}
    base = minor(table["S18"]["implied_base"])
    parts = [
        streams.Part(20220101, 20221231, 14000, 2400000000000, ["CN"], goods, **places),
        streams.Part(20210101, 20211231, 9000, base, ["CN"], goods, **places),
        streams.Part(20220101, 20221231, 3000, 14600000000, ["AZ"], food, **places),
        streams.Part(20220101, 20221231, 2000, 31000000000, ["AZ"], goods, **places),
        streams.Part(20220101, 20221231, 9000, 2400000000000 * 82 // 18 - 45600000000, ["RU", "DE", "US", "UZ", "TR"], goods, **places),
    ]
    year = dict(period="2022", window=(20220101, 20221231), name="2022", before="2021")
    statements = [
        Statement("S18", "partners", show="value", where="partner=CN,flow=M+X", printed=("24 bn US dollars", "34 %"), **year),
        Statement("S19", "partners", show="share", where="partner=CN,flow=M+X", printed=("18 %",), share="partner", **year),
        Statement("S21", "chapters", show="value", where="partner=AZ,hs2=01-24,flow=M+X", printed=("146 M US dollars",), **year),
    ]
    return Run("kazakh", "KZ", "USD", {"partners": "partner,flow@month", "chapters": "hs2,partner,flow@month"}, parts, statements)


def since_2012(table, codes):
    """A zone since it was opened."""
    goods, places = codes["all"], {"office": "55311", "zone": "KHORGOS"}
    parts = [
        streams.Part(20120101, 20250525, 14000, 1500000000000, ["CN"], goods, traders=2000, **places),
        streams.Part(20250526, 20250731, 1000, 20000000000, ["CN"], goods, **places),
    ]
    statements = [
        Statement("S30", "coop", "2012..2025-05-25", (20120101, 20250525), "1 January 2012-25 May 2025", "value", ("15 bn US dollars",),
                  where="zone=KHORGOS,flow=M+X"),
        Statement("S31", None, "2012..2025-05-25", (20120101, 20250525), "1 January 2012-25 May 2025", "count", ("2,000 traders",),
                  where="zone=KHORGOS", count="trader", notes=("count: different values of trader with at least one item",)),
    ]  # fmt: skip
    return Run("since-2012", "KZ", "USD", {"coop": "zone,flow@day"}, parts, statements)


def firms(table, codes):
    """What declarations say and statistics do not: traders, vehicles, containers."""
    goods, month = codes["all"], dict(period="2025-08", window=(20250801, 20250831), name="August 2025")
    firm, road, port = {"office": "4201", "traders": 1}, {"office": "9405", "border_office": "HORGOS"}, {"office": "4202", "zone": "SCODASW"}
    train = {"office": "0202", "border_office": "HORGOS", "mode": 2, "trade_mode": "TRANSIT"}
    parts = [
        streams.Part(20250101, 20250731, 900, 800000000, list(MEMBERS), goods, flow="X", **firm),
        streams.Part(20250101, 20250731, 500, 200000000, list(FAR), goods, flow="X", **firm),
        streams.Part(20250101, 20250731, 300, 700000000, list(FAR), goods, flow="X", office="4209"),
        streams.Part(20250801, 20250803, 3600, 100000000, ["KZ"], goods, flow="X", vehicles=3000, **road),
        streams.Part(20250519, 20250520, 25, 300000000, ["KR"], goods, flow="M", items=2, containers=50, **train),
        streams.Part(20250519, 20250520, 10, 300000000, ["JP"], goods, flow="M", containers=20, **train),
        streams.Part(20221101, 20240705, 14600, 10000000000, list(FAR), goods, traders=14000, **port),
        streams.Part(20240706, 20240930, 300, 100000000, list(FAR), goods, traders=300, **port),
    ]
    trucks = dict(count="vehicle", notes=("count: different values of vehicle with at least one item",))
    traders = dict(count="trader", notes=("count: different values of trader with at least one item",))
    groups = "partner_group=" + SCO_ALL
    statements = [
        Statement("S06", None, "2025-01..2025-07", (20250101, 20250731), "January-July 2025", "share", ("80 %",),
                  where="trader=TRADER42010,flow=X," + groups, share="partner_group",
                  notes=("share: of the value of the same selection with every partner_group", "confidential: about a single")),
        Statement("S08", None, "2025-05-19..2025-05-20", (20250519, 20250520), "19 May-20 May 2025", "count", ("50 containers",),
                  where="mode=2,partner=KR", count="container", notes=("outside: items that the rules of STA leave out", "of container")),
        Statement("S28", None, "2022-11-01..2024-07-05", (20221101, 20240705), "1 November 2022-5 July 2024", "count",
                  ("14,000 traders",), where="zone=SCODASW", **traders),
    ]  # fmt: skip
    statements += [
        Statement("S11", None, show="count", printed=(" vehicles",), where="border_office=HORGOS,flow=X,crossing=%s" % day, **trucks, **month)
        for day in ("2025-08-02", "2025-08-03", "2025-08-04")
    ]
    return Run("firms", "CN", "CNY", {"flow": "flow@day"}, parts, statements)


# What is in no statistic, how one would ask for it, and what the report must answer.
REFUSED = {
    "S06": (["--share", "trader"], "--share trader: view"),
    "S08": (["--show", "containers"], "--show containers: there are"),
    "S11": (["--count", "vehicle"], "--count vehicle: view"),
    "S28": (["--count", "trader"], "--count trader: view"),
    "S31": (["--count", "trader"], "--count trader: view"),
}


class Case:
    """A run, clean or untidy, in topics of its own."""

    def __init__(self, place, broker, binary, data, run, kind, stream):
        self.binary, self.run, self.stream, self.kind = binary, run, stream, kind
        name = "%s-%s" % (run.name, kind)
        self.settings = {
            "brokers": broker.address,
            "group": name,
            **{"topic." + topic: "%s.%s" % (name, topic) for topic in ("declarations", "journal", "statistics", "rejects")},
            "topics.partitions": 4 if kind == "clean" else 3,
            "reporter": run.reporter,
            "reporting.currency": run.currency,
            "timezone": "Asia/Shanghai" if run.reporter == "CN" else "Asia/Almaty",
            "reference.dir": data,
            "ledger.horizon.days": 0,
            **{"view." + view: dimensions for view, dimensions in run.views.items()},
        }
        self.processor = place.processor(binary, name, self.settings)
        self.path = place.path(name + ".pb")
        self.tables = {}  # CSV by statement, as read last

    def start(self):
        wire.write_pb(
            self.path, (streams.encode(direction, one, self.run.reporter, self.run.currency) for direction, one in self.stream)
        )
        if self.kind == "clean":
            command(self.binary, "load", *options(self.settings), self.path)
            self.processor.start()
        else:  # corrections reach statistics that are published
            self.processor.start()
            command(self.binary, "load", *options(self.settings), self.path)

    def report(self, *arguments, expect=0):
        return command(self.binary, "report", *arguments, *options(self.settings), expect=expect)

    def fields(self, statement):
        done = subprocess.run(
            [self.binary, "report", *statement.arguments("csv"), *options(self.settings)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        self.tables[statement.id] = done.stdout
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        return rows[0] if rows else {}

    def settle(self, sayings):
        """Waits until the CSV of every statement is the recount's."""
        last = [""]
        total = len(self.stream)
        wait_until(lambda: self.processor.position() == total, "%d records are taken" % total, 120, 0.1)

        def equal():
            for saying in sayings:
                got = self.fields(saying.statement)
                want = saying.fields()
                last[0] = "%s: %s" % (
                    saying.statement.id,
                    {name: (got.get(name), want[name]) for name in want if got.get(name) != want[name]},
                )
                if any(got.get(name) != want[name] for name in want):
                    return False
            return True

        wait_until(equal, lambda: "%s: got, expected: %s\n%s" % (self.path, last[0], self.processor.verdicts()), 60, 0.3)

    def check_verdicts(self, is_clean):
        verdicts = self.processor.verdicts()
        outside = sum(one.part.names.get("trade_mode") == "TRANSIT" for _, one in self.stream)
        is_off = is_clean and (verdicts["counted"], verdicts.get("not_counted", 0)) != (len(self.stream) - outside, outside)
        if verdicts.get("rejected", 0) or is_off or (verdicts.get("not_counted", 0) > 0) != (outside > 0):
            raise Failed("%s: verdicts %s" % (self.path, verdicts))
        return verdicts


def check_sentence(statement, saying, text):
    lines = text.splitlines()
    want = saying.sentence()
    if lines[: len(want)] != want:
        raise Failed("%s: printed\n  %s\nexpected\n  %s" % (statement.id, "\n  ".join(lines), "\n  ".join(want)))
    missing = [figure for figure in statement.printed if figure not in lines[0]]
    if missing:
        raise Failed("%s: %r has no %s" % (statement.id, lines[0], missing))
    needs = {"partner_group": "(without the reporter", "trade_class": "trade modes 1210, 1239, 9610, 9710, 9810"}
    needed = [note for name, note in needs.items() if name in statement.where and note not in text]
    needed += [note for note in statement.notes if note not in text]
    if needed or (statement.rate and "1 USD = %s" % statement.rate not in text):
        raise Failed("%s: a note is missing: %s" % (statement.id, text))
    return lines[0]


def take(place, broker, binary, data, run, write):
    """Both cases of a run; the number of declarations of the clean one."""
    started = time.monotonic()
    clean = streams.declare(random.Random("%d %s" % (SEED, run.name)), run.reporter, run.parts)
    untidy, counts = streams.untidy(random.Random("%d %s untidy" % (SEED, run.name)), run.reporter, clean)
    printed = []
    for kind, stream in (("clean", clean), ("untidy", untidy)):
        case = Case(place, broker, binary, data, run, kind, stream)
        declared = streams.standing(stream)
        sayings = [Saying(statement, declared, data, run.reporter, run.currency) for statement in run.statements]
        case.start()
        case.settle(sayings)
        case.check_verdicts(kind == "clean")
        texts = []
        for statement, saying in zip(run.statements, sayings, strict=True):
            texts.append(case.report(*statement.arguments("sentence")))
            line = check_sentence(statement, saying, texts[-1])
            if statement.id == "S11" and len(saying.now.different["vehicle"]) <= 1000:
                raise Failed("S11: %s; printed was: over 1,000" % line)
            texts.append(case.tables[statement.id])
            if kind == "clean":
                say("%s  %s" % (statement.id, line))
        printed.append(texts)
        if run.name == "firms" and kind == "clean":
            check_declarations(case, broker, sayings)
        if run.name == "border" and kind == "clean":
            refuse(case)
            report_examples.check(case, place.folder, write)
        case.processor.stop()
    if printed[0] != printed[1]:
        raise Failed("%s: the untidy stream prints something else" % run.name)
    say("%s: %d declarations; untidy %d records with %s: same output; %.1f s"
        % (run.name, len(clean), len(untidy), counts, time.monotonic() - started))  # fmt: skip
    return len(clean)


def refuse(case):
    """Statements on traders, vehicles and containers: of statistics the report says that they do not know them."""
    for identifier, (arguments, want) in REFUSED.items():
        text = case.report("--view", "coop", "--period", "2025", *arguments, expect=64)
        if want not in text:
            raise Failed("%s: %s" % (identifier, text))
        say("%s  refused: %s" % (identifier, text.strip().splitlines()[0]))


def check_declarations(case, broker, sayings):
    """What else a report from declarations must do: break down by day of crossing, list no firm, and say what has left the topic."""
    trucks = ["--from", "declarations", "--period", "2025-08", "--where", "border_office=HORGOS,flow=X", "--count", "vehicle"]
    text = case.report(*trucks, "--by", "crossing", "--format", "csv")
    got = {row["crossing"]: int(row["distinct_count"]) for row in csv.DictReader(io.StringIO(text))}
    want = {saying.statement.where[-10:]: len(saying.now.different["vehicle"]) for saying in sayings if saying.statement.id == "S11"}
    if got != want:
        raise Failed("vehicles by day of crossing: %s, expected %s" % (got, want))
    refusals = (
        (["--by", "crossing,trader"], "--by trader: such values are counted (--count trader), never listed"),
        (["--view", "flow"], "--view flow: --from declarations has no views"),
        (["--where", "firm=1"], "--where firm: the view has flow, office"),
    )
    for arguments, want in refusals:
        text = case.report("--from", "declarations", "--period", "2025-08", *arguments, expect=64)
        if want not in text:
            raise Failed("%s: %s" % (arguments, text))
    text = case.report("--view", "flow", "--outside", "--period", "2025-08", expect=64)
    if "--outside goes with --from declarations" not in text:
        raise Failed(text)
    # Half of a partition leaves the topic: what stood there is told, and the rest is counted.
    messages = list(topics.read(broker.address, case.settings["topic.declarations"], only=[0]))
    cut = messages[len(messages) // 2].offset()
    topics.delete_before(broker.address, case.settings["topic.declarations"], 0, cut)
    heads = [wire.decode(message.value()) for message in messages if message.offset() < cut]
    gone = {head["declaration_id"] for head in heads if 20221101 <= head["reference_date"] <= 20240705 or 20211101 <= head["reference_date"] <= 20230705}
    saying = next(saying for saying in sayings if saying.statement.id == "S28")
    left = {one.header.trader for _, one in case.stream if one.id not in gone and 20221101 <= one.day <= 20240705 and one.part.names.get("zone") == "SCODASW"}
    text = case.report(*saying.statement.arguments("sentence"))
    needs = (": {:,} traders".format(len(left)), "missing: %d declarations that stand are in the topic no more" % len(gone))
    if not gone or any(need not in text for need in needs):
        raise Failed("after the cut: %s, expected %s" % (text, needs))
    say("declarations: %d vehicles by day, firms never listed; %d declarations that left the topic are told" % (sum(got.values()), len(gone)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--run", help="only the run of that name")
    parser.add_argument("--write-examples", action="store_true", help="write what the examples print into docs/REPORT.md")
    parser.add_argument("--keep", help="a folder for the charts, to look at")
    arguments = parser.parse_args()
    data = shared_data()
    if data is None:
        return 0
    with open(data + "/seed_statements.csv", encoding="utf-8") as source:
        table = {row["id"]: row for row in csv.DictReader(source)}
    codes = {
        "all": streams.kg_codes(data, range(1, 76)),
        "food": streams.kg_codes(data, range(1, 25)),
        "other": streams.kg_codes(data, range(25, 76)),
    }
    runs = [make(table, codes) for make in (border, national, dollars, kazakh, since_2012, firms)]
    said = {part for run in runs for statement in run.statements for part in statement.id.split(" and ")} | set(REFUSED)
    left = {identifier for identifier, row in table.items() if row["reproducible"] != "no"} - said
    if left:
        raise Failed("statements that nothing here says: %s" % sorted(left))
    total = 0
    with Workplace("statements") as place:
        broker = place.broker()
        for run in runs:
            if arguments.run in (None, run.name):
                total += take(place, broker, arguments.dryport, data, run, arguments.write_examples)
        for name in ("horgos.svg", "origins.svg") if arguments.keep else ():
            shutil.copy(place.path(name), arguments.keep)
    if arguments.run is None and total < 200000:
        raise Failed("only %d declarations" % total)
    say("%d declarations: every statement as it was printed" % total)
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
