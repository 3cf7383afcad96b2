# SPDX-License-Identifier: Apache-2.0
"""korean.scenario, and an independent recount of all that it published: figures, rejects and late items from the CSV alone.

    korean.py --offline PROGRAM --data ../shared/data

A declaration is rejected if its net mass is 0 (ARI-207) or its HS6 has a standard unit other than kg and it states no quantity
(HSC-604). It is late if its record's timestamp lies at or after the close of its reference month: five days into the next, in Seoul.
The watermark is the largest event time less five minutes; a month is PROVISIONAL from its close on, FINAL six months after its end, and
a record of a PROVISIONAL month is REVISED if it has late items or changed when partition 3 came, which was held back; or if its base did.
Exit code 77, with a loud word, if the data set is not there.
"""

import argparse
import calendar
import collections
import datetime
import json
import os
import subprocess
import sys
import tempfile
import zoneinfo

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
import mapping  # noqa: E402
import recount  # noqa: E402

SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")
PROVISIONAL_DAYS = 5
FINAL_MONTHS = 6
BOUND_MS = 300000
HELD_BACK = 3
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("DRYPORT_")}


def month_begin_ms(date, months, day=1):
    """Midnight in Seoul of a day of the month that lies so many months after that of a date (yyyymmdd)."""
    number = date // 10000 * 12 + date // 100 % 100 - 1 + months
    return int(datetime.datetime(number // 12, number % 12 + 1, day, tzinfo=SEOUL).timestamp()) * 1000


def close_ms(date):
    """When the month of a date closes."""
    return month_begin_ms(date, 1, 1 + PROVISIONAL_DAYS)


def is_rejected(head, nomenclature):
    return any(
        not item.get("net_mass_mg") or nomenclature.standard(item["hs_code"][:6], head["reference_date"]) not in ("", "kg")
        for item in head["items"]
    )


def read_inputs(path):
    """id -> its line: partition, timestamp_ms, id."""
    with open(path, encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}


def read_dump(path):
    """key -> the record as published, of what has items."""
    with open(path, encoding="utf-8") as lines:
        return {row["key"]: row for row in map(json.loads, lines) if row.get("items", "0") != "0"}


def year_before(key):
    """The key of the record whose figures are the base of this one."""
    view, frequency, first, last, *codes = key.split("|")
    first = int(first) - 10000
    last = first // 100 * 100 + calendar.monthrange(first // 10000, first // 100 % 100)[1] if frequency == "MONTH" else first
    return "|".join([view, frequency, str(first), str(last), *codes])


def states(key, late, touched, watermark_ms):
    """The states that a record may have. What only partition 3 has may have been told in one piece or in several; and a year before that
    changed later, by late items or by partition 3, has changed the growth that the record tells."""
    date = int(key.split("|")[3])
    if watermark_ms >= month_begin_ms(date, 1 + FINAL_MONTHS):
        return {"FINAL"}
    if watermark_ms < close_ms(date):
        return {"OPEN"}
    if late.get(key) or (key in touched[True] and key in touched[False]):
        return {"REVISED"}
    base = year_before(key)
    may_differ = key in touched[True] or late.get(base) or base in touched[True]
    return {"PROVISIONAL", "REVISED"} if may_differ else {"PROVISIONAL"}


def compare_states(rows, late, touched, watermark_ms):
    """Differences, and how many records have which state."""
    differences, found = [], collections.Counter()
    for key, row in rows.items():
        allowed = states(key, late, touched, watermark_ms)
        found[row["state"]] += 1
        if row["state"] not in allowed:
            differences.append("%s: state is %s, expected %s" % (key, row["state"], " or ".join(sorted(allowed))))
    return differences, found


def check(options, folder):
    dump, inputs = os.path.join(folder, "dump.jsonl"), os.path.join(folder, "inputs.jsonl")
    subprocess.run([options.offline, "--dump", dump, "--inputs", inputs, "tests/offline/korean.scenario"],
                   cwd=SOURCE, env=ENVIRONMENT, check=True)
    rows = mapping.read(os.path.join(SOURCE, "deploy", "examples", "krd.map"))
    records = mapping.records(os.path.join(options.data, "krd_import_declarations.csv.zst"))
    heads = [mapping.declaration(rows, record) for record in records]
    nomenclature = recount.Nomenclature(options.data)
    places = read_inputs(inputs)
    standing = [head for head in heads if not is_rejected(head, nomenclature)]
    late = [head for head in standing if places[head["declaration_id"]]["timestamp_ms"] >= close_ms(head["reference_date"])]
    is_held = {True: [], False: []}
    for head in standing:
        is_held[places[head["declaration_id"]]["partition"] == HELD_BACK].append(head)

    def cells(declarations):
        return recount.expected(declarations, nomenclature, "KR", "KRW")

    want, want_late = cells(standing), {key: fields["items"] for key, fields in cells(late).items()}
    consumer = recount.Consumer()
    recount.read_dump(dump, consumer)
    differences = recount.compare(want, consumer.records()) + consumer.broken
    rows = read_dump(dump)
    for key in want:
        found = int(rows.get(key, {}).get("late_items", -1))
        if found != want_late.get(key, 0):
            differences.append("%s: %s late items, expected %d" % (key, found, want_late.get(key, 0)))
    watermark_ms = max(head["accepted_at_ms"] for head in standing) - BOUND_MS
    touched = {held: cells(declarations).keys() for held, declarations in is_held.items()}
    wrong, counts = compare_states(rows, want_late, touched, watermark_ms)
    differences += wrong
    partitions = sorted(collections.Counter(row["partition"] for row in places.values()).items())
    print("%d records in partitions of %s; %d stand, %d of them late; %d statistics, %s"
          % (len(places), partitions, len(standing), len(late), len(want), dict(counts)))
    if len(places) != len(heads) or len(partitions) != 4 or not late or len(counts) != 4:
        differences.append("this shows little")
    for line in differences[:20]:
        print("  " + line)
    print("equal" if not differences else "NOT EQUAL: %d differences" % len(differences))
    return 1 if differences else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", required=True)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    if not os.path.exists(os.path.join(options.data, "krd_import_declarations.csv.zst")):
        print("SKIPPED: %s has no krd_import_declarations.csv.zst: the Korean set is not compared" % options.data)
        return 77
    with tempfile.TemporaryDirectory(prefix="dryport-korean-") as folder:
        return check(options, folder)


if __name__ == "__main__":
    sys.exit(main())
