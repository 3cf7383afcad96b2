# SPDX-License-Identifier: Apache-2.0
"""The Korean set by month, chapter and origin, year to date and year on year: `dryport report` against Python integers.

The set has January 2020 to March 2021, so January to March have a year before. Checked, each figure and each row, of the view
`chapter` and, by days, of the view `flow`:
    months        every month by chapter and origin, with the month a year before where there was one
    year to date  from January to each of the fifteen months, with the same window a year before; by chapter alone as well
    days          from 1 January to a day in the middle of a month
"""

import csv
import io

import recount
import wire
from cluster import Failed, command, options, say

FIRST, LAST = 202001, 202103
SUMS = (
    ("value_minor", "statistical_value_minor"),
    ("customs_value_minor", "customs_value_minor"),
    ("net_mass_g", "net_mass_mg"),
    ("gross_mass_g", "gross_mass_mg"),
    ("packages", "package_count"),
)
BASES = (("value", "value_minor"), ("net_mass", "net_mass_g"), ("gross_mass", "gross_mass_g"))


def months():
    month = FIRST
    while month <= LAST:
        yield month
        month += 89 if month % 100 == 12 else 1


def dashed(month):
    return "%04d-%02d" % (month // 100, month % 100)


class Cells:
    """Sums of the declarations that stand, by day, chapter, origin and flow. Grams are rounded in each record, of a month or a day."""

    def __init__(self, standing, scope):
        self.milli = {}
        for head in standing:
            for item in head["items"]:
                flow = scope.flow(head, item)
                if flow is None or head["direction"] != wire.IMPORT:
                    raise Failed("the Korean set has imports alone, %s is none" % head["declaration_id"])
                place = (head["reference_date"], item["hs_code"][:2], item["origin_country"], flow)
                sums = self.milli.setdefault(place, [0] * (len(SUMS) + 1))
                for number, (_, field) in enumerate(SUMS):
                    sums[number] += item.get(field, 0)
                sums[-1] += 1

    def records(self, by_day, view):
        """(day or month, dimensions of the view) -> named sums, as the records of a view hold them."""
        exact = {}
        for (date, *codes), sums in self.milli.items():
            place = (date if by_day else date // 100, *view(*codes))
            held = exact.setdefault(place, [0] * len(sums))
            for number, part in enumerate(sums):
                held[number] += part
        return {place: self.rounded(sums) for place, sums in exact.items()}

    @staticmethod
    def rounded(sums):
        named = {name: recount.half_away(sums[n], 1000) if name.endswith("_g") else sums[n] for n, (name, _) in enumerate(SUMS)}
        return dict(named, items=sums[-1])


def total(records, first, last, group):
    """group(place) -> named sums of the records from `first` to `last`."""
    out = {}
    for place, named in records.items():
        if first <= place[0] <= last:
            held = out.setdefault(group(place), dict.fromkeys(named, 0))
            for name, number in named.items():
                held[name] += number
    return out


def growth(now, base):
    return "" if base == 0 else str(recount.half_away((now - base) * 10**6, base))


def row_of(now, base):
    """The fields of a row of CSV; a group that was there a year before alone stands with zeros."""
    now = now or dict.fromkeys([name for name, _ in SUMS] + ["items"], 0)
    out = {name: str(number) for name, number in now.items()}
    for name, field in BASES:
        out["base_" + field] = str(base[field]) if base else ""
        out["yoy_%s_ppm" % name] = growth(now[field], base[field]) if base else ""
    return out


def expected(now, base):
    return {group: row_of(now.get(group), base.get(group)) for group in now.keys() | base.keys()}


class Reports:
    def __init__(self, case):
        self.case = case
        self.count = self.figures = self.with_base = 0

    def compare(self, what, view, period, by, want):
        """The report's rows must be `want`: the values of `by` -> fields."""
        text = command(
            self.case.binary, "report", *options(self.case.settings), "--view", view, "--period", period, "--format", "csv",
            "--by", ",".join(by),
        )  # fmt: skip
        fields = [{"hs2": "commodity_code"}.get(name, name) for name in by]
        got = {tuple(row[field] for field in fields): row for row in csv.DictReader(io.StringIO(text))}
        if got.keys() != want.keys():
            raise Failed("%s: rows %s" % (what, sorted(got.keys() ^ want.keys())[:5]))
        for group, row in want.items():
            differ = {name: (got[group][name], value) for name, value in row.items() if got[group][name] != value}
            if differ:
                raise Failed("%s, %s: got, expected: %s" % (what, group, differ))
            self.figures += len(row)
            self.with_base += row["base_value_minor"] != ""
        self.count += 1


def check(case):
    """`case` has published what its ledger holds."""
    cells = Cells(case.ledger.standing(), case.korean.nomenclature.scope)
    records = cells.records(False, lambda chapter, origin, flow: (chapter, origin, flow))
    reports = Reports(case)

    by_month = total(records, FIRST, LAST, lambda place: (dashed(place[0]), *place[1:3]))
    month_before = total(records, FIRST, LAST - 100, lambda place: (dashed(place[0] + 100), *place[1:3]))
    reports.compare("months", "chapter", "2020-01..2021-03", ("month", "hs2", "partner"), expected(by_month, month_before))

    for month in months():
        january = month // 100 * 100 + 1
        period = "%s..%s" % (dashed(january), dashed(month))
        for by, group in ((("hs2", "partner"), lambda place: place[1:3]), (("hs2",), lambda place: place[1:2])):
            now = total(records, january, month, group)
            base = total(records, january - 100, month - 100, group)
            reports.compare("year to date " + period, "chapter", period, by, expected(now, base))

    days = cells.records(True, lambda chapter, origin, flow: (flow,))
    for day in (20200229, 20200617, 20210110, 20210228, 20210315):
        january = day // 10000 * 10000 + 101
        # 28 February ends a whole month, and so does the window a year before: with the 29th
        before = 20200229 if day == 20210228 else day - 10000
        now = total(days, january, day, lambda place: ())
        base = total(days, january - 10000, before, lambda place: ())
        period = "%d-01-01..%s-%s" % (day // 10000, dashed(day // 100), "%02d" % (day % 100))
        reports.compare("to a day " + period, "flow", period, (), expected(now, base))

    say(
        "%s: report: by month, chapter and origin, year to date, to a day: %d reports, %d figures equal to the recount,"
        " %d rows with a year before" % (case.name, reports.count, reports.figures, reports.with_base)
    )
