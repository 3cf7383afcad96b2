# SPDX-License-Identifier: Apache-2.0
"""An independent recount: every cell of the nine default views, from the input, compared with the published statistics.

Shares no code with the processor: Python integers over declarations read by wire.py (a topic, .pb files) or mapping.py
(CSV). The total is, over declaration ids, the newest accepted version by (version, cancel); the first in log order stands.
Everything is compared but share_ppm and the fields 50 to 55; a record with no items equals an absent one.

    recount.py --brokers HOST:PORT --input TOPIC --rejects TOPIC --statistics TOPIC --reference DIR [--reporter ...]
    recount.py --pb FILE --dump STATISTICS.jsonl --reference DIR [--rejected FINDINGS.jsonl]
                      (a dump of `dryport tail`; rejected are the records to which `dryport check --json` gives a reject)
"""

import argparse
import calendar
import csv
import itertools
import json
import os
import sys

import scope
import wire

INT64_MAX = (1 << 63) - 1
VIEWS = {
    "flow": ("DAY", ("flow",)),
    "office": ("DAY", ("office", "border_office", "zone", "flow", "mode")),
    "trade_mode": ("DAY", ("office", "zone", "trade_mode", "flow")),
    "partner": ("MONTH", ("partner", "flow", "mode")),
    "chapter": ("MONTH", ("hs2", "partner", "flow")),
    "heading": ("MONTH", ("hs4", "flow")),
    "commodity": ("MONTH", ("hs6", "partner", "flow")),
    "commodity_office": ("MONTH", ("hs6", "office", "flow")),
    "partner_office": ("MONTH", ("partner", "office", "flow")),
}
FIELD_OF = {
    "office": "office_code",
    "border_office": "border_office_code",
    "zone": "zone_code",
    "mode": "transport_mode",
    "trade_mode": "trade_mode",
    "partner": "partner",
    "hs2": "commodity_code",
    "hs4": "commodity_code",
    "hs6": "commodity_code",
    "flow": "flow",
}
FREQUENCY = {"DAY": 2, "MONTH": 3, "QUARTER": 4, "YEAR": 5, "YEAR_TO_DATE": 6}
PUBLISH = {"quarter": "QUARTER", "year": "YEAR", "ytd": "YEAR_TO_DATE"}  # what a view may publish besides, by its name in view.NAME.publish
GROWTH = ("yoy_value_ppm", "yoy_net_mass_ppm")  # 0 is a figure there, absent is unknown
FLOW = {"M": 1, "X": 2, "RM": 3, "RX": 4, "T": 5}  # T: all of them together
BASIS = {"M": 1, "RM": 1, "X": 2, "RX": 2, "T": 3}  # CIF and origin, FOB and destination, mixed
NOT_COMPARED = {"share_ppm", "state", "as_of", "as_of_ms", "watermark_ms", "warned_items", "late_items"}


class Nomenclature:
    """Standard units of HS codes and how units convert to them, from hs2017.csv, hs2022.csv and units.csv; and what counts."""

    def __init__(self, *folders):
        """A list is read from the first folder that has it."""
        self.unit = {
            edition: {row["code"]: row["std_unit"] for row in self.rows(folders, "hs%s.csv" % edition)}
            for edition in ("2017", "2022")
        }
        self.scope = scope.Scope(*folders)
        self.rec20 = {}
        self.factor = {}
        for row in self.rows(folders, "units.csv"):
            self.rec20.setdefault(row["std_unit"], row["rec20"])
            whole, _, fraction = row["factor_to_std"].partition(".")
            self.factor[row["rec20"]] = (row["std_unit"], int(whole + fraction), 10 ** len(fraction))

    @staticmethod
    def rows(folders, name):
        for folder in folders:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as source:
                    return list(csv.DictReader(source))
        return []

    def standard(self, hs6, date):
        """The standard unit of a code on a date; empty where there is none."""
        return self.unit["2017" if date < 20220101 else "2022"].get(hs6, "")

    def published(self, standard):
        return "" if standard in ("", "kg") else self.rec20.get(standard, "")

    def convert(self, item, standard):
        """Quantity of an item in millionths of the standard unit; 0 where its unit does not belong to it."""
        if standard in ("", "kg"):
            return 0
        belongs, numerator, denominator = self.factor.get(item.get("supp_unit", ""), (None, 0, 1))
        if belongs != standard:
            return 0
        return half_away(item.get("supp_quantity_micro", 0) * numerator, denominator)


def half_away(numerator, denominator):
    """numerator / denominator (> 0) as an integer, rounded half away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded


def escape(text):
    return "".join(chr(b) if 0x21 <= b <= 0x7E and chr(b) not in "%|=" else "%%%02X" % b for b in text.encode())


def code_of(dimension, head, item, flow):
    """The code of one dimension, as text."""
    if dimension == "flow":
        return flow
    if dimension == "partner":
        return item.get("origin_country" if head["direction"] == wire.IMPORT else "destination_country", "")
    if dimension.startswith("hs"):
        return item["hs_code"][: int(dimension[2:])]
    if dimension == "mode":
        return str(head.get("border_transport_mode", 0))
    return head.get(
        {
            "office": "office_code",
            "border_office": "border_office_code",
            "zone": "zone_code",
            "trade_mode": "trade_mode",
        }[dimension],
        "",
    )


class Cell:
    """Exact sums of one cell."""

    __slots__ = (
        "value",
        "customs",
        "net",
        "gross",
        "supplementary",
        "items",
        "packages",
        "estimated",
        "declarations",
    )

    def __init__(self):
        self.value = self.customs = self.net = self.gross = self.supplementary = 0
        self.items = self.packages = self.estimated = self.declarations = 0

    def merge(self, other):
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def add(self, item, supplementary):
        self.value += item.get("statistical_value_minor", 0)
        self.customs += item.get("customs_value_minor", 0)
        self.net += item.get("net_mass_mg", 0)
        self.gross += item.get("gross_mass_mg", 0)
        self.supplementary += supplementary
        self.items += 1
        self.packages += item.get("package_count", 0)
        self.estimated += item.get("net_mass_mg", 0) if item.get("mass_estimated") else 0


def cells(declarations, nomenclature, views=None):
    """(view, frequency, from, codes) -> Cell over the declarations that stand; a view of days publishes months besides."""
    out = {}
    for head in declarations:
        touched = set()
        date = head["reference_date"]
        for item in head.get("items", ()):
            flow = nomenclature.scope.flow(head, item)
            if flow is None:
                continue
            standard = nomenclature.standard(item["hs_code"][:6], date)
            supplementary = nomenclature.convert(item, standard)
            code = {dimension: code_of(dimension, head, item, flow) for dimension in FIELD_OF}
            for view in views or VIEWS:
                grain, dimensions = VIEWS[view]
                single = tuple(code[dimension] for dimension in dimensions)
                together = tuple("T" if dimension == "flow" else code[dimension] for dimension in dimensions)
                for frequency, codes in itertools.product({grain, "MONTH"}, (single, together)):
                    place = (view, frequency, date if frequency == "DAY" else date // 100 * 100 + 1, codes)
                    cell = out.get(place)
                    if cell is None:
                        cell = out[place] = Cell()
                    cell.add(item, supplementary if "hs6" in dimensions else 0)
                    touched.add(place)
        for place in touched:
            out[place].declarations += 1
    return out


def months_of(frequency, start):
    """First days of the months of a period; a year to date is named by its last month."""
    year, month = start // 10000, start // 100 % 100
    first, last = {"MONTH": (month, month), "QUARTER": (month, month + 2), "YEAR": (1, 12), "YEAR_TO_DATE": (1, month)}[frequency]
    return [year * 10000 + m * 100 + 1 for m in range(first, last + 1)]


def total(found, places):
    """The sum of those cells, None if none of them is there: a declaration is in one month alone."""
    out = None
    for place in places:
        if place in found:
            out = out or Cell()
            out.merge(found[place])
    return out


def base_of(found, place):
    """The same window a year before, None if nothing was there. 29 February has none of its own."""
    view, frequency, start, codes = place
    if frequency == "DAY":
        return found.get((view, "DAY", start - 10000, codes))
    return total(found, [(view, "MONTH", month - 10000, codes) for month in months_of(frequency, start)])


def longer(found, publish):
    """Cells of quarters, years and years to date of the views in `publish` (view -> names), one where a month of it has a cell; to date
    where its last month has."""
    out = {}
    for view, frequency, start, codes in found:
        for name in publish.get(view, ()) if frequency == "MONTH" else ():
            month = start // 100 % 100
            first = {"quarter": start - (month - 1) % 3 * 100, "year": start - (month - 1) * 100, "ytd": start}[name]
            place = (view, PUBLISH[name], first, codes)
            if place not in out:
                out[place] = total(found, [(view, "MONTH", m, codes) for m in months_of(PUBLISH[name], first)])
    return out


def month_end(date):
    return date // 100 * 100 + calendar.monthrange(date // 10000, date // 100 % 100)[1]


def saturated(number):
    return max(-INT64_MAX - 1, min(INT64_MAX, number))


def growth(now, base):
    """In ppm of exact sums; None without a base."""
    return None if base == 0 else half_away((now - base) * 10**6, base)


def record(place, cell, reporter, currency, nomenclature, base=None):
    """(key, fields) as the statistics topic must have them; `base` is the cell of the same window a year before."""
    view, frequency, start, codes = place
    dimensions = VIEWS[view][1]
    end = start if frequency == "DAY" else month_end(months_of(frequency, start)[-1])
    start = start if frequency == "DAY" else months_of(frequency, start)[0]
    by_name = dict(zip(dimensions, codes))
    key = "|".join(
        [view, frequency, "%08d" % start, "%08d" % end] + ["%s=%s" % (d, escape(c)) for d, c in by_name.items()]
    )
    fields = {
        "view": view,
        "frequency": FREQUENCY[frequency],
        "period_from": start,
        "period_to": end,
        "reporter": reporter,
        "currency": currency,
        "value_basis": BASIS[by_name["flow"]],
        "value_minor": saturated(cell.value),
        "customs_value_minor": saturated(cell.customs),
        "net_mass_g": saturated(half_away(cell.net, 1000)),
        "gross_mass_g": saturated(half_away(cell.gross, 1000)),
        "declarations": cell.declarations,
        "items": cell.items,
        "packages": cell.packages,
        "estimated_net_mass_g": saturated(half_away(cell.estimated, 1000)),
    }
    for dimension, code in by_name.items():
        fields[FIELD_OF[dimension]] = {"flow": FLOW.get(code), "mode": int(code) if dimension == "mode" else 0}.get(
            dimension, code
        )
    if "partner" in by_name and by_name["flow"] != "T":
        fields["partner_basis"] = BASIS[by_name["flow"]]
    if "commodity_code" in fields:
        fields["classification"] = "H5" if end < 20220101 else "H6"
    if "hs6" in by_name:
        fields["supp_quantity_micro"] = saturated(cell.supplementary)
        fields["supp_unit"] = nomenclature.published(nomenclature.standard(by_name["hs6"], end))
    fields = {name: value for name, value in fields.items() if value not in (0, "")}
    if base is not None:
        sums = {"base_value_minor": saturated(base.value), "base_net_mass_g": saturated(half_away(base.net, 1000))}
        fields.update({name: number for name, number in sums.items() if number})
        changes = zip(GROWTH, (growth(cell.value, base.value), growth(cell.net, base.net)), strict=True)
        fields.update({name: change for name, change in changes if change is not None})
    return key, fields


def records_of(found, nomenclature, reporter, currency, publish=None):
    """key -> fields of the records of these cells, and of the longer periods that views publish."""
    every = {**found, **longer(found, publish or {})}
    return dict(record(place, cell, reporter, currency, nomenclature, base_of(found, place)) for place, cell in every.items())


def expected(declarations, nomenclature, reporter, currency, views=None, publish=None):
    """key -> fields of every record that must be published with items."""
    return records_of(cells(declarations, nomenclature, views), nomenclature, reporter, currency, publish)


class Ledger:
    """Newest accepted version per id, and the verdict of each declaration in log order of its partition."""

    def __init__(self, what_counts):
        """what_counts: a Scope."""
        self.newest = {}
        self.scope = what_counts
        self.verdicts = {"counted": 0, "duplicate": 0, "stale": 0, "rejected": 0, "not_counted": 0}

    def take(self, head, rejected):
        self.verdicts[self.verdict(head, rejected)] += 1

    def verdict(self, head, rejected):
        if rejected:
            return "rejected"
        place = (head["version"], head["function"] == wire.CANCEL)
        standing = self.newest.get(head["declaration_id"])
        if standing is not None and standing[0] >= place:
            if standing[0] > place:
                return "stale"
            return "duplicate" if standing[1] == head else "rejected"  # VER-502: other content
        self.newest[head["declaration_id"]] = (place, head)
        return "not_counted" if self.scope.is_outside(head) else "counted"

    def standing(self):
        return [head for place, head in self.newest.values() if not place[1]]


class Consumer:
    """The rule of a reader of the statistics: upsert by key, ignore an as_of that is not larger and keys with '#'.

    With `rivals` a record may come too late, from a publisher that was cut off; its key is in `unrepaired` until it is
    published again, because compaction keeps the last record.
    """

    def __init__(self, rivals=False):
        self.held = {}
        self.broken = []
        self.rivals = rivals
        self.unrepaired = set()
        self.seen = self.ignored = 0

    def take(self, key, partition, as_of, fields):
        """fields None: a tombstone."""
        if key.startswith("#"):
            return
        self.seen += 1
        held = self.held.get(key)
        if held is not None and held[0] != partition:
            self.broken.append("%s is in partitions %d and %d" % (key, held[0], partition))
        if held is not None and as_of <= held[1]:
            self.ignored += 1
            if self.rivals and as_of < held[1]:
                self.unrepaired.add(key)
            elif fields != held[2]:
                self.broken.append("%s: as_of %d after %d with other content" % (key, as_of, held[1]))
            return
        self.unrepaired.discard(key)
        self.held[key] = (partition, as_of, fields)

    def records(self):
        """key -> fields of what stands with items."""
        return {
            key: fields for key, (_, _, fields) in self.held.items() if fields is not None and fields.get("items")
        }


def compare(want, got, limit=10):
    """Differences as lines, at most limit + 1."""
    lines = []
    differ = 0
    for key in sorted(want.keys() | got.keys()):
        if want.get(key) == got.get(key):
            continue
        differ += 1
        if differ > limit:
            continue
        if key not in got:
            lines.append("%s: not published, expected %s" % (key, want[key]))
        elif key not in want:
            lines.append("%s: published and not expected: %s" % (key, got[key]))
        else:
            names = sorted(n for n in want[key].keys() | got[key].keys() if want[key].get(n) != got[key].get(n))
            lines.append(
                "%s: %s"
                % (key, ", ".join("%s is %r, expected %r" % (n, got[key].get(n), want[key].get(n)) for n in names))
            )
    if differ > limit:
        lines.append("and %d records more" % (differ - limit))
    return lines


def read_dump(path, consumer):
    """Reads JSON lines of `dryport tail`: key, as_of and the fields, enums by short name, int64 as text."""
    enums = {
        "frequency": FREQUENCY,
        "flow": FLOW,
        "partner_basis": {"ORIGIN": 1, "DESTINATION": 2},
        "value_basis": {"CIF": 1, "FOB": 2, "MIXED": 3},
    }
    texts = {"view", "reporter", "currency", "classification", "supp_unit", "partner_group", "region_code"} | (
        set(FIELD_OF.values()) - {"transport_mode", "flow"}
    )
    with open(path, encoding="utf-8") as source:
        for line in source:
            row = json.loads(line)
            key, deleted = row.pop("key"), row.pop("deleted", False)
            as_of = int(row.get("as_of") or 0)
            fields = {}
            for name, value in row.items():
                if name in NOT_COMPARED or value is None or (name not in GROWTH and value in ("", 0, "0", "UNSPECIFIED", False)):
                    continue
                fields[name] = value if name in texts else enums.get(name, {}).get(value) or int(value)
            consumer.take(key, int(row.pop("partition", 0) or 0), as_of, None if deleted else fields)


def read_rejected(path):
    """The (file, record number) of each declaration that the lines of `dryport check --json` give a reject finding."""
    with open(path, encoding="utf-8") as source:
        rows = [json.loads(line) for line in source]
    return {(row["file"], int(row["record"])) for row in rows if row.get("severity") == "reject"}


def fill_ledger(paths, rejected, ledger):
    """Takes .pb files in order; what is rejected is not decoded, for it may not decode."""
    for path in paths:
        for number, data in enumerate(wire.read_pb(path), 1):
            bad = (path, number) in rejected
            ledger.take(None if bad else wire.decode(data), bad)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers")
    parser.add_argument("--input")
    parser.add_argument("--rejects")
    parser.add_argument("--statistics")
    parser.add_argument("--pb", action="append", default=[])
    parser.add_argument("--dump")
    parser.add_argument("--rejected", help="lines of `dryport check --json` about the same files, named the same way")
    parser.add_argument(
        "--reference", required=True, action="append", help="a list is read from the first folder that has it"
    )
    parser.add_argument("--reporter", default="CN")
    parser.add_argument("--currency", default="CNY")
    options = parser.parse_args()
    nomenclature = Nomenclature(*options.reference)
    ledger, consumer = Ledger(nomenclature.scope), Consumer()
    if options.brokers:
        import topics  # needs the test environment's packages; files do not

        topics.fill_ledger(options.brokers, options.input, options.rejects, ledger)
    fill_ledger(options.pb, read_rejected(options.rejected) if options.rejected else set(), ledger)
    if options.dump:
        read_dump(options.dump, consumer)
    else:
        import topics

        topics.fill_consumer(options.brokers, options.statistics, consumer)
    want = expected(ledger.standing(), nomenclature, options.reporter, options.currency)
    differences = compare(want, consumer.records()) + consumer.broken
    print(
        "recount: %s; %d cells expected, %d published, %d statistics read"
        % (
            ", ".join("%d %s" % (n, v) for v, n in ledger.verdicts.items()),
            len(want),
            len(consumer.records()),
            consumer.seen,
        )
    )
    for line in differences:
        print("  " + line)
    print("equal" if not differences else "NOT EQUAL")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
