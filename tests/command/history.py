# SPDX-License-Identifier: Apache-2.0
"""Closed cells of an earlier year are loaded from a report's CSV: what is published then must be what a replay of that year publishes.

One processor counts both years from declarations; another counts the second year alone, beside the first one's figures as history.
"""

import csv
import os

from command import expect, folder, run
from processor import DEMO, Processor

OLD = ("2024-01-01", "2024-07-31")
NEW = ("2025-01-01", "2025-07-31")
COUNT = 4000
VIEWS = {
    "flow": "flow", "office": "office,border_office,zone,flow,mode", "trade_mode": "office,zone,trade_mode,flow",
    "partner": "partner,flow,mode", "chapter": "hs2,partner,flow", "heading": "hs4,flow", "commodity": "hs6,partner,flow",
    "commodity_office": "hs6,office,flow", "partner_office": "partner,office,flow",
}
# figures of the second year beside those of the first, and the first alone
QUESTIONS = [
    ("flow", "flow", "2025-01..2025-07", None), ("flow", "month", "2025-02..2025-06", "flow=M+X"), ("office", "office,mode", "2025-03", None),
    ("partner", "partner", "2025-01..2025-07", "flow=M"), ("chapter", "hs2,flow", "2025-Q2", None), ("commodity", "hs4", "2025-01..2025-07", "hs2=01-40"),
    ("trade_mode", "trade_class", "2025-01-10..2025-06-10", None), ("office", "zone,month", "2024-01..2024-07", None),
    ("partner_office", "partner,office", "2024-05", None), ("heading", "hs4", "2024-Q1", None),
]


def generate(path, first_number, dates, seed):
    done = run("generate", "-X", f"reference.dir={DEMO}", "--count", str(COUNT), "--bad", "0", "--late", "0", "--seed", str(seed),
               "--first-number", str(first_number), "--from", dates[0], "--to", dates[1], "--out", path)
    expect(done.returncode == 0, "generated", done)
    return path


def report(processor, view, by, period, where, *more):
    conditions = ["--where", where] if where else []
    return processor.run("report", "--view", view, "--by", by, "--period", period, *conditions, "--format", "csv", *more).splitlines()


def export(processor, path):
    """One file of all views, from a report each: the columns of a view that another lacks stay empty."""
    rows = []
    names = []
    for view, dimensions in VIEWS.items():
        lines = report(processor, view, f"period,{dimensions}", "2024-01..2024-07", None)
        for row in csv.DictReader(lines):
            rows.append(row)
        names += [name for name in csv.DictReader(lines).fieldnames if name not in names]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return rows, names


def write_rows(path, names, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(processor, path, code=0):
    done = run("load", "--statistics", path, "-X", f"brokers={processor.brokers}", "-X", f"reference.dir={processor.lists}")
    expect(done.returncode == code, f"exit code {code}", done)
    return done.stderr


def settled(processor):
    """A processor that was started again has counted nothing by itself: its publisher has folded and compared all there is."""
    def quiet():
        status = processor.status()
        publisher = status.get("publisher", {})
        return (publisher.get("state") == "publishing" and publisher["dirty"] == "0" and all(part["lag"] == "0" for part in status["partitions"])
                and int(publisher["folded_declarations"]) == COUNT and publisher["folded_declarations"] == publisher["published_declarations"])
    processor.wait("the publisher to settle", quiet)


def compare(counted, loaded, when):
    for view, by, period, where in QUESTIONS:
        should = report(counted, view, by, period, where)
        found = report(loaded, view, by, period, where)
        expect(len(should) > 1, f"{view} by {by} says something")
        different = [(a, b) for a, b in zip(should, found) if a != b]
        expect(should == found, f"{when}: {view} by {by} of {period}: {len(should)} and {len(found)} rows, first differing {different[:1]}")


def verify(processor, recount=False):
    done = run("verify", *(["--recount"] if recount else []), "-X", f"brokers={processor.brokers}", "-X", f"reference.dir={processor.lists}")
    expect(done.returncode == 0, "verified", done)
    return done.stdout


with folder() as place:
    os.makedirs(f"{place}/a")
    os.makedirs(f"{place}/b")
    first = generate(f"{place}/first.pb", 1, OLD, 1)
    second = generate(f"{place}/second.pb", 1000000, NEW, 2)

    counted = Processor(f"{place}/a", DEMO)
    counted.run("load", first, second)
    counted.rest(2 * COUNT)
    history = f"{place}/history.csv"
    rows, names = export(counted, history)
    expect(len(rows) > 5000, f"{len(rows)} cells of history")

    loaded = Processor(f"{place}/b", DEMO)
    loaded.run("load", second)
    loaded.rest(COUNT)

    # a file with wrong rows is told of row by row, and nothing of it is written
    wrong = [dict(row) for row in rows[:12]]
    wrong[0]["view"] = "flaw"
    wrong[1]["period"] = "2024-13"
    wrong[2]["flow"] = "T"
    wrong[3]["value_minor"] = "1.5"
    wrong[4]["items"] = "-1"
    wrong[5]["currency"] = "USD"
    wrong[6]["period"] = "2999-01-01"
    wrong[7]["zone_code"] = "HORGOS"
    wrong[8] = dict(wrong[9])
    told = load(loaded, write_rows(f"{place}/wrong.csv", names, wrong), 65)
    for text in ['wrong.csv:2: column "view": "flaw" is no view of this configuration; did you mean "flow"?',
                 'wrong.csv:3: column "period": no time; write 2024-07, or 2024-07-03 in a view by day',
                 'wrong.csv:4: column "flow": "T": M, X, RM or RX are wanted; T is their sum, leave it out',
                 'wrong.csv:5: column "value_minor": "1.5": a whole number', 'wrong.csv:6: column "items": "-1": a whole number',
                 'wrong.csv:7: column "currency": "USD" is not the reporting.currency of the configuration, CNY',
                 "wrong.csv:8: 2999-01 is not closed yet", 'wrong.csv:9: column "zone_code": view flow has no such dimension',
                 "wrong.csv:11: the same cell as line 10; keep one of them", "9 rows of", "nothing was written"]:
        expect(text in told, f"says {text!r}: {told}")
    with open(f"{place}/header.csv", "w", encoding="utf-8") as file:
        file.write("view,period,flow,valeu_minor,items\n")
    expect('header.csv:1: column "valeu_minor" is none of a statistic; did you mean "value_minor"?' in load(loaded, f"{place}/header.csv", 65), "a wrong header")
    expect("loaded cells" not in verify(loaded), "nothing was written")

    # the history, while the processor runs
    told = load(loaded, history)
    expect(f"{len(rows)} cells of history acknowledged" in told and " 0 were there already" in told, told)
    loaded.wait("the history", lambda: loaded.metric("dryport_history_cells") == len(rows))
    loaded.rest(COUNT)
    compare(counted, loaded, "loaded")
    found = verify(loaded, True)
    expect(f"history        {len(rows)} loaded cells, 0 records of it fit no view" in found, found)
    expect("verified: nothing is broken" in verify(counted, True), "so is the other")

    # once more changes nothing; nor does another process
    keys = loaded.metric("dryport_publish_keys_total")
    told = load(loaded, history)
    expect(" 0 cells of history acknowledged" in told and f"{len(rows)} were there already" in told, told)
    loaded.rest(COUNT)
    expect(loaded.metric("dryport_publish_keys_total") == keys, "no record was published for it")
    loaded.restart()
    settled(loaded)
    compare(counted, loaded, "after a restart")
    expect(loaded.metric("dryport_history_cells") == len(rows), "the history is there")
    expect(loaded.metric("dryport_publish_keys_total") == 0, "and was not published again")

    # what was wrong in it is mended by a row, and taken back by one with items 0
    changed = dict(rows[0])
    changed["value_minor"] = str(int(changed["value_minor"]) + 1000)
    gone = dict(rows[1], items="0")
    told = load(loaded, write_rows(f"{place}/mend.csv", names, [changed, gone, rows[2]]))
    expect(" 2 cells of history acknowledged" in told and " 1 were there already" in told, told)
    loaded.wait("the mended history", lambda: loaded.metric("dryport_history_cells") == len(rows) - 1)
    settled(loaded)
    flows = {row["period"] + row["flow"]: row for row in csv.DictReader(report(loaded, "flow", "period,flow", "2024-01..2024-07", None))}
    expect(flows[changed["period"] + changed["flow"]]["value_minor"] == changed["value_minor"], "the mended figure")
    expect(gone["period"] + gone["flow"] not in flows, "the other one is gone")
    verify(loaded)

    # months with declarations are not taken, neither those of the file nor of the stream
    told = load(counted, history, 65)
    expect("history.csv:2: 2024-0" in told and "has declarations that are counted; history and they would be added up" in told, told)
    expect(f"and {len(rows) - 20} more" in told and "nothing was written" in told, told)
    loaded.end()
    counted.end()
