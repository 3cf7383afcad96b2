# SPDX-License-Identifier: Apache-2.0
"""What `dryport report` must say of a list of declarations: the batch recount, with figures rounded by decimal arithmetic."""

import csv
import os
from decimal import ROUND_HALF_UP, Decimal, getcontext
from fractions import Fraction

import wire

getcontext().prec = 60
NAMES = {"CNY": "yuan", "USD": "US dollars"}
SUMS = ("value", "net", "gross", "quantity", "declarations")
ECOMMERCE = {"1210", "1239", "9610", "9710", "9810"}


def groups_on(data, names, date, reporter):
    """The countries of several groups on a date, without the reporter."""
    with open(os.path.join(data, "country_groups.csv"), encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["group"] in names]
    iso = "%04d-%02d-%02d" % (date // 10000, date // 100 % 100, date % 100)
    inside = {r["alpha2"] for r in rows if (r["from"] or "0") <= iso and (not r["to_exclusive"] or iso < r["to_exclusive"])}
    return inside - {reporter}


def dashed(date):
    return "%04d-%02d-%02d" % (date // 10000, date // 100 % 100, date % 100) if date else ""


class Selection:
    """Conditions as --where has them, read once more."""

    def __init__(self, where, data, date, reporter):
        self.tests = []
        for text in where.split(",") if where else ():
            name, _, values = text.partition("=")
            self.tests.append((name, self.test(name, values.split("+"), data, date, reporter)))

    @staticmethod
    def test(name, values, data, date, reporter):
        if name == "partner_group":
            countries = groups_on(data, values, date, reporter)
            return lambda direction, one, item: item.partner in countries
        if name in ("trader", "declarant"):
            return lambda direction, one, item: getattr(one.header, name) in values
        if name == "crossing":
            return lambda direction, one, item: dashed(one.header.crossing) in values
        if name == "trade_class":
            return lambda direction, one, item: one.part.names.get("trade_mode") in ECOMMERCE
        if name == "partner":
            return lambda direction, one, item: item.partner in values
        if name == "region":
            return lambda direction, one, item: item.region in values
        if name == "flow":
            return lambda direction, one, item: ("M" if direction == wire.IMPORT else "X") in values
        if name.startswith("hs"):
            digits, ends = int(name[2:]), [value.split("-") for value in values]
            return lambda direction, one, item: any(e[0] <= item.hs[:digits] <= e[-1] for e in ends)
        return lambda direction, one, item: str(one.part.names.get(name, "")) in values

    def has(self, direction, one, item, but=None):
        return all(test(direction, one, item) for name, test in self.tests if name != but)


class Counted:
    """Sums of the selected items of a window."""

    def __init__(self, declared, selection, first, last, but=None):
        self.value = self.net = self.gross = self.quantity = 0
        ids, self.years = set(), {}
        self.different = {name: set() for name in ("partner", "trader", "declarant", "vehicle", "container")}
        for direction, one in declared:
            if not first <= one.day <= last:
                continue
            for item in one.items:
                if selection.has(direction, one, item, but):
                    self.value += item.value
                    self.net += item.net_g
                    self.gross += item.gross_g
                    self.quantity += item.quantity
                    ids.add(one.id)
                    self.different["partner"].add(item.partner)
                    for name in ("trader", "declarant", "vehicle"):
                        self.different[name].add(getattr(one.header, name))
                    self.different["container"].update(one.header.containers)
                    year = one.day // 10000
                    self.years[year] = self.years.get(year, 0) + item.value
        self.declarations = len(ids)

    def __getitem__(self, measure):
        return getattr(self, measure)


# ---- figures ----


def rounded(number, places):
    """Half away from zero at so many decimals (below zero: tens, hundreds ...)."""
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def grouped(number):
    return format(number, ",f")


def dropped(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant(number, digits):
    once = rounded(number, digits - 1 - number.adjusted())
    again = rounded(number, digits - 1 - once.adjusted())
    return grouped(rounded(again, max(0, digits - 1 - once.adjusted())))


def mass_text(grams):
    tonnes = Decimal(grams) / 10**6
    if tonnes >= Decimal("999500"):
        return significant(tonnes / 10**6, 3) + " Mt"
    return significant(tonnes, 3) + " t" if tonnes >= Decimal("0.9995") else significant(tonnes * 1000, 3) + " kg"


def money_text(units):
    for exponent, name, below in ((12, " tn", 9), (9, " bn", 6), (6, " M", 0)):
        if rounded(units.scaleb(-below), 2) >= Decimal(10) ** (exponent - below):
            return dropped(grouped(rounded(units.scaleb(-exponent), 2))) + name
    return dropped(grouped(rounded(units, 2)))


def percent_text(part):
    """A Fraction x 100 with at most one decimal."""
    tenths = Decimal(part.numerator * 1000) / Decimal(part.denominator)
    return dropped(grouped(rounded(tenths, 0) / 10)) + " %"


def growth(now, base):
    return None if base == 0 else Fraction(now - base, base)


def mean_growth(first, last, steps):
    """Geometric, to 40 digits."""
    return (Decimal(last) / Decimal(first)) ** (Decimal(1) / steps) - 1


class Saying:
    """The sentence and the CSV fields that a statement must have."""

    def __init__(self, statement, declared, data, reporter, currency):
        self.statement, self.currency = statement, currency
        first, last = statement.window
        selection = Selection(statement.where, data, last, reporter)
        self.now = Counted(declared, selection, first, last)
        within_a_year = last < first + 10000
        self.base = Counted(declared, selection, first - 10000, last - 10000) if within_a_year else None
        if self.base is not None and not self.base.declarations:
            self.base = None
        self.whole = Counted(declared, selection, first, last, statement.share).value if statement.share else self.now.value
        self.years = (first // 10000 + (first % 10000 > 101), last // 10000 - (last % 10000 < 1231))

    def figure(self, measure, counted):
        units = Decimal(counted.value) / 100
        if measure == "value":
            rate = self.statement.rate
            units = units / Decimal(rate) if rate else units
            return "%s %s" % (money_text(units), NAMES["USD" if rate else self.currency])
        if measure in ("net", "gross"):
            kind = " gross" if measure == "gross" else " net" if "gross" in self.statement.show else ""
            return mass_text(counted[measure]) + kind
        if measure == "quantity":
            return "%s u" % grouped(Decimal(counted.quantity))
        if measure == "declarations":
            return "%s declaration%s" % (grouped(Decimal(counted.declarations)), "s" if counted.declarations != 1 else "")
        if measure == "share":
            return "%s of the total of every %s" % (percent_text(Fraction(counted.value, self.whole)), self.statement.share)
        if measure == "count":
            return "%s %ss" % (grouped(Decimal(len(counted.different[self.statement.count]))), self.statement.count)
        mean = mean_growth(counted.years[self.years[0]], counted.years[self.years[1]], self.years[1] - self.years[0])
        return dropped(grouped(rounded(mean * 100, 1))) + " % mean annual growth"

    def figures(self, counted, measures):
        out = ""
        for index, measure in enumerate(measures):
            before = measures[index - 1] if index else None
            joint = " worth " if measure == "value" and before in ("net", "gross", "quantity", "declarations") else ", "
            out += (joint if index else "") + self.figure(measure, counted)
        return out

    def sentence(self):
        """The first line, and the one of the year before if there was one."""
        show = self.statement.show.split(",")
        line = "%s: %s" % (self.statement.name, self.figures(self.now, show))
        if self.base is None:
            return [line]
        sums = [measure for measure in show if measure in SUMS]
        if not sums:
            return [line]
        changes = [growth(self.now[measure], self.base[measure]) for measure in sums]
        if any(change is None or change <= 0 for change in changes):
            raise ValueError("%s: only growth is expected here" % self.statement.id)
        texts = [percent_text(change) for change in changes]
        line += ", up " + (", ".join(texts[:-1]) + " and " if texts[1:] else "") + texts[-1] + " year on year"
        return [line, "a year before, %s: %s" % (self.statement.name_before, self.figures(self.base, sums))]

    def fields(self):
        """CSV fields by name; empty where nothing is known."""
        out = {
            "value_minor": self.now.value,
            "net_mass_g": self.now.net,
            "gross_mass_g": self.now.gross,
            "share_ppm": ppm(self.now.value, self.whole),
            "base_value_minor": "",
            "base_net_mass_g": "",
            "base_gross_mass_g": "",
            "yoy_value_ppm": "",
            "yoy_net_mass_ppm": "",
            "yoy_gross_mass_ppm": "",
        }
        for name, measure in (("value_minor", "value"), ("net_mass_g", "net"), ("gross_mass_g", "gross")):
            if self.base is not None:
                out["base_" + name] = self.base[measure]
                yoy = "yoy_%s_ppm" % name.rsplit("_", 1)[0]
                out[yoy] = ppm(self.now[measure] - self.base[measure], self.base[measure])
        if "declarations" in self.statement.show:
            out["declarations"] = self.now.declarations
        if "quantity" in self.statement.show:
            out.update(supp_quantity_micro=self.now.quantity * 10**6, supp_unit="H87")
        if "count" in self.statement.show:
            out["distinct_count"] = len(self.now.different[self.statement.count])
        return {name: str(value) for name, value in out.items()}


def ppm(part, whole):
    return int(rounded(Decimal(part * 10**6) / Decimal(whole), 0))
