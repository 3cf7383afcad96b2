# SPDX-License-Identifier: Apache-2.0
"""An independent recount: every cell of the nine default views, or of others, from the input, compared with the published statistics.

Shares no code with the processor: Python integers over declarations read by wire.py (a topic, .pb files) or mapping.py
(CSV). The total is, over declaration ids, the newest accepted version by (version, cancel); the first in log order stands.
Everything is compared but share_ppm and the fields 50 to 55; a record with no items equals an absent one. Hours are compared as far as
the watermark that the records tell keeps them (45 days); country groups have whom the list has on the last day of a period.

    recount.py --brokers HOST:PORT --input TOPIC --rejects TOPIC --statistics TOPIC --reference DIR [--reporter ...]
    recount.py --pb FILE --dump STATISTICS.jsonl --reference DIR [--rejected FINDINGS.jsonl]
               [--view hours=office,flow@hour]... [--publish blocs=day,month,quarter,ytd]... [--ahead HOURS]
                      (a dump of `dryport tail`; rejected are the records to which `dryport check --json` gives a reject)
"""

import argparse
import calendar
import csv
import datetime
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
GRAINS = {"hour": "HOUR", "day": "DAY", "month": "MONTH"}
FIELD_OF = {
    "office": "office_code",
    "border_office": "border_office_code",
    "zone": "zone_code",
    "mode": "transport_mode",
    "trade_mode": "trade_mode",
    "trade_class": "trade_mode",
    "partner": "partner",
    "partner_group": "partner_group",
    "hs2": "commodity_code",
    "hs4": "commodity_code",
    "hs6": "commodity_code",
    "flow": "flow",
}
FREQUENCY = {"HOUR": 1, "DAY": 2, "MONTH": 3, "QUARTER": 4, "YEAR": 5, "YEAR_TO_DATE": 6}
PUBLISH = {"quarter": "QUARTER", "year": "YEAR", "ytd": "YEAR_TO_DATE"}  # what a view may publish besides, by its name in view.NAME.publish
GROWTH = ("yoy_value_ppm", "yoy_net_mass_ppm")  # 0 is a figure there, absent is unknown
FLOW = {"M": 1, "X": 2, "RM": 3, "RX": 4, "T": 5}  # T: all of them together
BASIS = {"M": 1, "RM": 1, "X": 2, "RX": 2, "T": 3}  # CIF and origin, FOB and destination, mixed
NOT_COMPARED = {"share_ppm", "state", "as_of", "as_of_ms", "watermark_ms", "warned_items", "late_items"}


ECOMMERCE = {"1210", "1239", "9610", "9710", "9810"}  # trade modes of cross-border electronic commerce
HOUR_MS = 3600000
KEPT_DAYS = 45  # of hours


def view_of(definition):
    """office,flow@hour -> (grain, dimensions)"""
    dimensions, _, grain = definition.partition("@")
    return GRAINS[grain], tuple(dimensions.split(","))


def table_of(views):
    """name -> (grain, dimensions), of some of the nine by name, or of others by their definition; None: the nine."""
    if isinstance(views, dict):
        return {name: view_of(definition) for name, definition in views.items()}
    return {name: VIEWS[name] for name in views or VIEWS}


class Groups:
    """Which groups a country is in on a date (yyyymmdd), by country_groups.csv; the reporter is in none."""

    def __init__(self, rows, reporter="CN"):
        self.of_country = {}
        for row in rows:
            if row["alpha2"] != reporter:
                first, end = (row[name].replace("-", "") for name in ("from", "to_exclusive"))
                span = (row["group"], int(first or 0), int(end or 99999999))
                self.of_country.setdefault(row["alpha2"], []).append(span)

    def of(self, country, date):
        return sorted({group for group, first, end in self.of_country.get(country, ()) if first <= date < end})


class Editions:
    """What became of the codes of HS 2017 in HS 2022, by hs2022_hs2017.csv, for codes of two, four and six digits; of national digits behind
    six no list says what they are now. Goods move whole or not at all; a code that no row names is itself in both."""

    def __init__(self, rows):
        self.now, self.then = {}, {}
        for row in rows:
            for digits in (2, 4, 6):
                old, new = row["hs2017"][:digits], row["hs2022"][:digits]
                self.now.setdefault(old, set()).add(new)
                self.then.setdefault(new, set()).add(old)

    def before(self, code):
        """The codes of HS 2017 whose sum is what a code of HS 2022 has; None: some of their goods have other codes."""
        if len(code) > 6:
            return [code] if self.before(code[:6]) == [code[:6]] else None
        if code not in self.then:
            return [] if code in self.now else [code]
        sources = self.then[code]
        return sorted(sources) if all(len(self.now[source]) == 1 for source in sources) else None

    def after(self, code):
        """The code of HS 2022 that has a code of HS 2017 as one of those; None: none has it whole."""
        codes = {code} | (self.now.get(code[:6], set()) if len(code) <= 6 else set())
        found = [new for new in codes if code in (self.before(new) or ())]
        return found[0] if found else None


class Nomenclature:
    """Standard units of HS codes and how units convert to them, from hs2017.csv, hs2022.csv and units.csv; and what counts."""

    def __init__(self, *folders):
        """A list is read from the first folder that has it."""
        self.unit = {
            edition: {row["code"]: row["std_unit"] for row in self.rows(folders, "hs%s.csv" % edition)}
            for edition in ("2017", "2022")
        }
        self.scope = scope.Scope(*folders)
        self.editions = Editions(self.rows(folders, "hs2022_hs2017.csv"))
        self.groups = Groups(self.rows(folders, "country_groups.csv"))
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
    if dimension == "trade_class":
        return "ECOMMERCE" if head.get("trade_mode", "") in ECOMMERCE else "OTHER"
    if dimension in ("partner", "partner_group"):  # of which a row of a group is the sum
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
    """(view, frequency, from, codes) -> Cell over the declarations that stand; a view of days publishes months besides. `from` of an hour is
    its number since 1970; in the place of a group stands the partner."""
    out = {}
    table = table_of(views)
    for head in declarations:
        touched = set()
        date = head["reference_date"]
        starts = {"DAY": date, "MONTH": date // 100 * 100 + 1, "HOUR": head.get("accepted_at_ms", 0) // HOUR_MS}
        for item in head.get("items", ()):
            flow = nomenclature.scope.flow(head, item)
            if flow is None:
                continue
            standard = nomenclature.standard(item["hs_code"][:6], date)
            supplementary = nomenclature.convert(item, standard)
            code = {dimension: code_of(dimension, head, item, flow) for dimension in FIELD_OF}
            for view, (grain, dimensions) in table.items():
                single = tuple(code[dimension] for dimension in dimensions)
                together = tuple("T" if dimension == "flow" else code[dimension] for dimension in dimensions)
                kinds = {grain} if grain == "HOUR" else {grain, "MONTH"}
                for frequency, codes in itertools.product(kinds, (single, together)):
                    place = (view, frequency, starts[frequency], codes)
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


def commodity_place(dimensions):
    """Index of the commodity among them, None without one; a view has one alone here."""
    return next((at for at, name in enumerate(dimensions) if name.startswith("hs")), None)


def total(found, places):
    """The sum of those cells, None if none of them is there: a declaration is in one month alone."""
    out = None
    for place in places:
        if place in found:
            out = out or Cell()
            out.merge(found[place])
    return out


def base_of(found, place, table=None, editions=None):
    """The same window a year before, None if nothing was there. 29 February has none of its own. Of 2022, the codes that the goods had then, if
    they came whole."""
    view, frequency, start, codes = place
    at = commodity_place(table[view][1]) if editions else None
    if at is not None and start // 10000 == 2022 and frequency != "HOUR":
        before = editions.before(codes[at])
        cells = [base_of(found, (view, frequency, start, codes[:at] + (old,) + codes[at + 1 :])) for old in before or ()]
        out = None
        for cell in filter(None, cells):
            out = out or Cell()
            out.merge(cell)
        return out
    if frequency == "HOUR":
        return None  # none is kept for a year
    if frequency == "DAY":
        return found.get((view, "DAY", start - 10000, codes))
    return total(found, [(view, "MONTH", month - 10000, codes) for month in months_of(frequency, start)])


def longer(found, publish):
    """Cells of quarters, years and years to date of the views in `publish` (view -> names), one where a month of it has a cell; to date
    where its last month has."""
    out = {}
    for view, frequency, start, codes in found:
        for name in PUBLISH.keys() & set(publish.get(view, ())) if frequency == "MONTH" else ():
            month = start // 100 % 100
            first = {"quarter": start - (month - 1) % 3 * 100, "year": start - (month - 1) * 100, "ytd": start}[name]
            place = (view, PUBLISH[name], first, codes)
            if place not in out:
                out[place] = total(found, [(view, "MONTH", m, codes) for m in months_of(PUBLISH[name], first)])
    return out


def longer_starts(frequency, start, publish):
    """(frequency, from) of each period that a day's or a month's cell falls into; to date, those that end with its month or later."""
    yield frequency, start
    month = start // 100 % 100
    if frequency != "MONTH":
        return
    if "quarter" in publish:
        yield "QUARTER", start - (month - 1) % 3 * 100
    if "year" in publish:
        yield "YEAR", start - (month - 1) * 100
    if "ytd" in publish:
        yield from (("YEAR_TO_DATE", start // 10000 * 10000 + last * 100 + 1) for last in range(month, 13))


def day_later(frequency, start):
    """The same day or month a year later; None for 29 February."""
    return None if frequency == "DAY" and start % 10000 == 229 else start + 10000


def later_codes(codes, at, begin, editions):
    """The codes that have a cell as their year before in the year of `begin`; None: no code has its goods whole."""
    if at is None or begin // 10000 != 2022:
        return codes
    code = editions.after(codes[at])
    return code and codes[:at] + (code,) + codes[at + 1 :]


def of_groups(found, table, nomenclature, publish, ahead):
    """place with a group -> [Cell, Cell of the year before, items of the last month], for views with country groups: each cell falls into the
    groups that its partner is in on the last day of each period, and of each period a year later."""
    out = {}
    for (view, kind, start, codes), cell in found.items():
        dimensions = table[view][1]
        if "partner_group" not in dimensions:
            continue
        at = dimensions.index("partner_group")
        for later in (0, 1) if kind != "HOUR" else (0,):
            begin = day_later(kind, start) if later else start
            own = later_codes(codes, commodity_place(dimensions), begin, nomenclature.editions) if later and begin else codes
            for frequency, first in longer_starts(kind, begin, publish.get(view, ())) if begin and own else ():
                for group in nomenclature.groups.of(codes[at], last_day(frequency, first, ahead)):
                    place = (view, frequency, first, own[:at] + (group,) + own[at + 1 :])
                    sums = out.setdefault(place, [Cell(), Cell(), 0])
                    sums[later].merge(cell)
                    sums[2] += cell.items if not later and begin == first else 0
    for place, sums in out.items():
        sums[0].declarations = 0  # one may have items of several of the countries
        if place[1] == "YEAR_TO_DATE" and not sums[2]:
            sums[0] = Cell()
    return {place: sums for place, sums in out.items() if sums[0].items}


def date_of_day(number):
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=number)
    return day.year * 10000 + day.month * 100 + day.day


def last_day(frequency, start, ahead=8):
    """Of a period, yyyymmdd; of an hour, the civil day that it begins in, so many hours before UTC."""
    if frequency == "HOUR":
        return date_of_day((start + ahead) // 24)
    return start if frequency == "DAY" else month_end(months_of(frequency, start)[-1])


def kept_from(watermark_ms, ahead=8):
    """The first hour that is kept: of the watermark's day and the 44 before it. All are while no watermark was told."""
    return ((watermark_ms // HOUR_MS + ahead) // 24 - KEPT_DAYS + 1) * 24 - ahead if watermark_ms else -(1 << 40)


def name_of_hour(hour):
    return "%08dT%02dZ" % (date_of_day(hour // 24), hour % 24)


def month_end(date):
    return date // 100 * 100 + calendar.monthrange(date // 10000, date // 100 % 100)[1]


def saturated(number):
    return max(-INT64_MAX - 1, min(INT64_MAX, number))


def growth(now, base):
    """In ppm of exact sums; None without a base."""
    return None if base == 0 else half_away((now - base) * 10**6, base)


def record(place, cell, reporter, currency, nomenclature, base=None, table=None, ahead=8):
    """(key, fields) as the statistics topic must have them; `base` is the cell of the same window a year before."""
    view, frequency, start, codes = place
    dimensions = (table or VIEWS)[view][1]
    hour = start
    end = last_day(frequency, start, ahead)
    start = {"DAY": start, "HOUR": end}.get(frequency) or months_of(frequency, start)[0]
    by_name = dict(zip(dimensions, codes))
    times = [name_of_hour(hour)] * 2 if frequency == "HOUR" else ["%08d" % start, "%08d" % end]
    key = "|".join([view, frequency] + times + ["%s=%s" % (d, escape(c)) for d, c in by_name.items()])
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
    if frequency == "HOUR":
        fields.update(hour_from_ms=hour * HOUR_MS, hour_to_ms=(hour + 1) * HOUR_MS)
    if ("partner" in by_name or "partner_group" in by_name) and by_name["flow"] != "T":
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


def records_of(found, nomenclature, reporter, currency, publish=None, views=None, hours_from=None, ahead=8):
    """key -> fields of the records of these cells, and of the longer periods that views publish; hours from `hours_from` on. Views without
    commodities and groups need no nomenclature: None."""
    table, publish = table_of(views), publish or {}
    found = {place: cell for place, cell in found.items() if place[1] != "HOUR" or hours_from is None or place[2] >= hours_from}
    plain = {place: cell for place, cell in found.items() if "partner_group" not in table[place[0]][1]}
    every = {**plain, **longer(plain, publish)}
    options = {"table": table, "ahead": ahead}
    editions = nomenclature.editions if nomenclature else None
    base = {place: base_of(plain, place, table, editions) for place in every}
    out = dict(record(place, cell, reporter, currency, nomenclature, base[place], **options) for place, cell in every.items())
    for place, (cell, before, _) in of_groups(found, table, nomenclature, publish, ahead).items():
        out.update([record(place, cell, reporter, currency, nomenclature, before if before.items else None, **options)])
    return out


def expected(declarations, nomenclature, reporter, currency, views=None, publish=None, hours_from=None, ahead=8):
    """key -> fields of every record that must be published with items."""
    found = cells(declarations, nomenclature, views)
    return records_of(found, nomenclature, reporter, currency, publish, views, hours_from, ahead)


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
        self.watermark_ms = 0  # the largest that was told

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
            consumer.watermark_ms = max(consumer.watermark_ms, int(row.get("watermark_ms") or 0))
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
    parser.add_argument("--view", action="append", default=[], help="NAME=dim,dim@grain: these views and not the nine")
    parser.add_argument("--publish", action="append", default=[], help="NAME=quarter,year,ytd: periods besides")
    parser.add_argument("--ahead", type=int, default=8, help="hours of the reporter's zone before UTC")
    options = parser.parse_args()
    views = dict(view.split("=", 1) for view in options.view) or None
    publish = {name: periods.split(",") for name, periods in (one.split("=", 1) for one in options.publish)}
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
    hours_from = kept_from(consumer.watermark_ms, options.ahead)
    want = expected(ledger.standing(), nomenclature, options.reporter, options.currency, views, publish, hours_from, options.ahead)
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
