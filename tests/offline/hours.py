# SPDX-License-Identifier: Apache-2.0
"""A view by hour of generated declarations, undisturbed, killed again and again, with snapshots and trims: every record recounted.

Python integers over what `dryport generate` wrote: the newest accepted version by (version, cancel) counts in the hour of UTC in which it
was accepted. Compared are all hours that are kept (45 days, by the watermark that the records tell), the last 24 of them, the seven days,
and all flows together; what is older must have no items.

    hours.py --dryport PROGRAM --offline PROGRAM [--count N]
"""

import argparse
import datetime
import json
import os
import shutil
import sys
import tempfile

import offline
from offline import Failure, recount, run

VIEW = ("-X", "view.hours=office,flow@hour", "-X", "view.hours.publish=hour,24h,7d")
WAYS = {
    "undisturbed": (),
    "killed, two partitions": offline.VARIANTS["killed, two partitions"],
    "snapshots and trims": offline.VARIANTS["snapshots and trims"],
}
HOUR_MS = 3600000
AHEAD = 8  # hours of Asia/Shanghai before UTC, without summer time since 1991
NUMBERS = ("value_minor", "customs_value_minor", "items", "packages", "declarations")


def count(declarations, nomenclature):
    """(hour, office, flow) -> numbers, net mass in mg last."""
    out = {}
    for head in declarations:
        hour = head["accepted_at_ms"] // HOUR_MS
        touched = set()
        for item in head.get("items", ()):
            flow = nomenclature.scope.flow(head, item)
            for code in (flow, "T") if flow else ():
                place = (hour, head["office_code"], code)
                numbers = (item.get("statistical_value_minor", 0), item.get("customs_value_minor", 0), 1,
                           item.get("package_count", 0), place not in touched, item.get("net_mass_mg", 0))
                touched.add(place)
                out[place] = tuple(a + b for a, b in zip(out.get(place, (0,) * 6), numbers, strict=True))
    return out


def named(hour):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(hours=hour)).strftime("%Y%m%dT%HZ")


def figures(numbers):
    return {**dict(zip(NUMBERS, numbers[:5], strict=True)), "net_mass_g": recount.half_away(numbers[5], 1000)}


def first_hour_of(date):
    """The first hour of a civil day yyyymmdd."""
    day = datetime.date(date // 10000, date // 100 % 100, date % 100)
    return (day - datetime.date(1970, 1, 1)).days * 24 - AHEAD


def expected(cells, records):
    """key -> figures of every record that must have items; which hours the windows are of is what the records say."""
    watermark = max(int(row["watermark_ms"]) for row in records.values())
    kept = ((watermark // HOUR_MS + AHEAD) // 24 - 44) * 24 - AHEAD
    out, sums = {}, {}
    windows = {}
    for key, row in records.items():
        name = key.split("|")[2]
        if name == "24H" and row["items"] != "0":
            windows[name] = (int(row["hour_from_ms"]) // HOUR_MS, int(row["hour_to_ms"]) // HOUR_MS)
        if name == "7D" and row["items"] != "0":
            windows[name] = (first_hour_of(int(row["period_from"])), first_hour_of(int(row["period_to"])) + 24)
    for (hour, office, flow), numbers in cells.items():
        dimensions = "office=%s|flow=%s" % (office, flow)
        if hour >= kept:
            out["hours|HOUR|%s|%s|%s" % (named(hour), named(hour), dimensions)] = figures(numbers)
        for name, (first, end) in windows.items():
            if first <= hour < end:
                key = "hours|ROLLING|%s||%s" % (name, dimensions)
                sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0,) * 6), numbers, strict=True))
    if windows.get("24H", (0, 24))[1] - windows.get("24H", (0, 24))[0] != 24:
        raise Failure("24 hours are %s" % (windows["24H"],))
    return {**out, **{key: figures(numbers) for key, numbers in sums.items()}}, len(windows)


def newest(path):
    """key -> the record that a consumer of the dump holds."""
    held = {}
    with open(path, encoding="utf-8") as dump:
        for line in dump:
            row = json.loads(line)
            if int(row["as_of"]) > int(held.get(row["key"], {"as_of": "0"})["as_of"]):
                held[row["key"]] = row
    return {key: row for key, row in held.items() if not row.get("deleted")}


def compare(options, folder, lists, cells, way):
    path = os.path.join(folder, "statistics.jsonl")
    done = run((0,), options.offline, *lists, *VIEW, *WAYS[way], os.path.join(folder, "input.pb"))
    with open(path, "w", encoding="utf-8") as out:
        out.write(done.stdout)
    records = newest(path)
    want, windows = expected(cells, records)
    got = {key: {name: int(row[name]) for name in (*NUMBERS, "net_mass_g")} for key, row in records.items() if row["items"] != "0"}
    differences = recount.compare(want, got)
    hours = sum("|HOUR|" in key for key in want)
    if hours < 100 or windows != 2:
        differences.append("%d hours and %d windows: this shows little" % (hours, windows))
    if differences:
        raise Failure("%s:\n  %s" % (way, "\n  ".join(differences)))
    print("%s: %d records of hours, %d of windows, as recounted" % (way, hours, len(want) - hours), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", required=True)
    parser.add_argument("--offline", required=True)
    parser.add_argument("--count", type=int, default=6000)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="dryport-hours-") as folder:
            lists = os.path.join(folder, "lists")
            shutil.copytree(offline.SHIPPED, lists)
            shutil.copytree(os.path.join(offline.SHIPPED, "demo"), lists, dirs_exist_ok=True)
            at = ("-X", "reference.dir=" + lists)
            source = os.path.join(folder, "input.pb")
            run((0,), options.dryport, "generate", *at, "--count", str(options.count), "--seed", "17", "--amend", "0.1",
                "--cancel", "0.04", "--duplicate", "0.02", "--late", "0.02", "--bad", "0.03", "--out", source)
            findings = os.path.join(folder, "findings.jsonl")
            with open(findings, "w", encoding="utf-8") as out:
                out.write(run((0, 65), options.dryport, "check", "--json", *at, source).stdout)
            nomenclature = recount.Nomenclature(lists)
            ledger = recount.Ledger(nomenclature.scope)
            recount.fill_ledger([source], recount.read_rejected(findings), ledger)
            cells = count(ledger.standing(), nomenclature)
            for way in WAYS:
                compare(options, folder, at, cells, way)
    except Failure as failure:
        print("FAILED: %s" % failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
