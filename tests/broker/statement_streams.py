# SPDX-License-Identifier: Apache-2.0
"""Seeded streams of declarations whose totals are what a published statement says, and the same streams made untidy.

A part of a stream has exact totals over a window: mass in grams, value in minor units. The untidy stream has redeliveries,
replacements, cancels and reopened declarations in any order, some of them late, and nets out to the same declarations.
"""

import csv
import datetime
import functools
import os

import wire

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
EPOCH = datetime.date(1970, 1, 1)
GHOSTS_FROM = 900000000
RELEASED = 2


class Item:
    __slots__ = ("gross_g", "hs", "net_g", "partner", "quantity", "region", "value")

    def __init__(self, hs, partner, net_g, gross_g, value, quantity=0, region=""):
        self.hs, self.partner, self.region = hs, partner, region
        self.net_g, self.gross_g, self.value, self.quantity = net_g, gross_g, value, quantity


class Header:
    """What a declaration says of persons and vehicles."""

    __slots__ = ("containers", "crossing", "declarant", "trader", "vehicle")

    def __init__(self, trader="TRADER1", declarant="DECLARANT1", vehicle=0, containers=(), crossing=0):
        self.trader, self.declarant, self.vehicle = trader, declarant, vehicle
        self.containers, self.crossing = containers, crossing


class Declared:
    """One version of a declaration."""

    __slots__ = ("accepted_ms", "day", "function", "header", "id", "items", "part", "version")

    def __init__(self, part, identifier, day, accepted_ms, items, version=1, function=wire.ORIGINAL, header=None):
        self.part, self.id, self.day, self.accepted_ms = part, identifier, day, accepted_ms
        self.items, self.version, self.function = items, version, function
        self.header = header or Header()


def date_of(number):
    return datetime.date(number // 10000, number // 100 % 100, number % 100)


def number_of(date):
    return date.year * 10000 + date.month * 100 + date.day


class Part:
    """What a stream declares within a window, with its totals. `names` are dimension values that all its declarations share."""

    def __init__(self, first, last, count, value, partners, hs, net_g=None, gross_g=None, flow="MX", items=1, **names):
        self.first, self.last, self.count = date_of(first), date_of(last), count
        self.value, self.partners, self.hs, self.flow, self.items = value, partners, hs, flow, items
        self.net_g = net_g if net_g is not None else (gross_g * 19 // 20 if gross_g is not None else value // 2)
        self.gross_g = gross_g if gross_g is not None else self.net_g * 21 // 20
        self.quantity = names.pop("quantity", 0)
        self.traders, self.vehicles, self.containers = (names.pop(name, 0) for name in ("traders", "vehicles", "containers"))
        self.names = names

    def header(self, index, day):
        """So many different traders, vehicles and containers in all, if the part has as many declarations. Vehicles cross a day later."""
        number = "%s%d" % (self.names["office"], index % self.traders) if self.traders else "1"
        vehicle = (1 << 40) + index % self.vehicles if self.vehicles else 0
        containers = tuple(
            "KRPU%07d" % (c % self.containers) for c in range(2 * index, 2 * index + 2) if self.containers
        )  # the same one in several declarations
        return Header("TRADER" + number, "DECLARANT" + number, vehicle, containers, number_of(day + datetime.timedelta(1)) if vehicle else 0)

    def direction(self, index):
        flow = self.flow[index % len(self.flow)]
        if self.names.get("trade_mode") in ("9710", "9810"):
            flow = "X"
        return wire.IMPORT if flow == "M" else wire.EXPORT


def cut(total, weights):
    """Whole parts of a total in proportion to weights: they add up to it exactly."""
    whole, done, passed, out = sum(weights), 0, 0, []
    for weight in weights:
        passed += weight
        out.append(total * passed // whole - done)
        done += out[-1]
    return out


def items_of(draw, part, net_g, gross_g, value, quantity):
    weights = [draw.randint(60, 140) for _ in range(draw.randint(1, part.items))]
    partner, region = draw.choice(part.partners), part.names.get("region", "")
    return tuple(
        Item(draw.choice(part.hs), partner, *each, region)
        for each in zip(*(cut(total, weights) for total in (net_g, gross_g, value, quantity)), strict=True)
    )


def declare(draw, reporter, parts):
    """The declarations of all parts, one version each."""
    out = []
    for part in parts:
        weights = [draw.randint(50, 150) for _ in range(part.count)]
        totals = [cut(total, weights) for total in (part.net_g, part.gross_g, part.value)]
        quantities = cut(part.quantity, [1] * part.count)
        days = (part.last - part.first).days
        for index in range(part.count):
            day = part.first + datetime.timedelta(draw.randint(0, days))
            accepted_ms = (day - EPOCH).days * DAY_MS + 5 * HOUR_MS
            items = items_of(draw, part, totals[0][index], totals[1][index], totals[2][index], quantities[index])
            direction = part.direction(index)
            identifier = identify(reporter, part, day, direction, len(out) + 1)
            header = part.header(index, day)
            out.append((direction, Declared(part, identifier, number_of(day), accepted_ms, items, header=header)))
    return out


def identify(reporter, part, day, direction, number):
    if reporter == "KZ":
        return "%s/%s/%07d" % (part.names["office"], day.strftime("%d%m%y"), number % 10000000)
    return "%s%04d%d%09d" % (part.names["office"], day.year, direction == wire.IMPORT, number)


# ---- the untidy stream ----


def wrong(draw, part, right):
    """Items as somebody first declared them: other amounts, another partner, another day."""
    partner = draw.choice(part.partners)
    return tuple(
        Item(i.hs, partner, i.net_g // 2 + 17, i.gross_g // 2 + 1700, i.value * 7 // 5 + 3, i.quantity, i.region) for i in right
    )


def wrong_header(draw, header):
    """Other firms and vehicles, which nobody else has."""
    number = draw.randrange(1 << 30)
    containers = tuple("WRNU%07d" % (number % 10**7 + c) for c in range(len(header.containers)))
    return Header("WRONG%d" % number, "WRONG%d" % number, header.vehicle and (1 << 50) + number, containers, header.crossing)


def later(draw, declared, is_late):
    """When a correction is accepted; late: after its month was closed. In the same year, as the numbers of China have it."""
    date = date_of(declared.day)
    delay = DAY_MS * 45 if is_late else HOUR_MS * 2
    if is_late and (date + datetime.timedelta(46)).year != date.year:
        delay = HOUR_MS
    return declared.accepted_ms + delay + draw.randint(0, 1000)


def untidy(draw, reporter, stream):
    """The same with redeliveries, replacements, cancels, reopened and late ones, in any order. Gives the records and the counts."""
    out, counts = [], {"duplicates": 0, "replaced": 0, "cancelled": 0, "reopened": 0, "late": 0}
    for direction, right in stream:
        part, luck = right.part, draw.random()
        is_late = draw.random() < 0.3
        if luck < 0.06:
            counts["replaced"] += 1
            counts["late"] += is_late
            day = number_of(min(part.last, date_of(right.day) + datetime.timedelta(draw.randint(0, 20))))
            header = wrong_header(draw, right.header)
            out.append((direction, Declared(part, right.id, day, right.accepted_ms, wrong(draw, part, right.items), header=header)))
            out.append((direction, corrected(draw, right, is_late, 2)))
        elif luck < 0.08:
            counts["reopened"] += 1
            counts["late"] += is_late
            out.append((direction, right))
            out.append((direction, cancelled(draw, right, False)))
            out.append((direction, corrected(draw, right, is_late, 2)))
        else:
            out.append((direction, right))
        if luck > 0.95:
            counts["duplicates"] += 1
            out += [out[-1]] * draw.randint(1, 2)
        if 0.10 < luck < 0.13:
            counts["cancelled"] += 1
            counts["late"] += is_late
            identifier = identify(reporter, part, date_of(right.day), direction, GHOSTS_FROM + len(out))
            if reporter == "KZ":
                identifier = identifier[:-7] + "9%06d" % (len(out) % 1000000)
            header = wrong_header(draw, right.header)
            ghost = Declared(part, identifier, right.day, right.accepted_ms, wrong(draw, part, right.items), header=header)
            out.append((direction, ghost))
            out.append((direction, cancelled(draw, ghost, is_late)))
    draw.shuffle(out)
    return out, counts


def corrected(draw, right, is_late, version):
    return Declared(right.part, right.id, right.day, later(draw, right, is_late), right.items, version, wire.REPLACE, right.header)


def cancelled(draw, declared, is_late):
    return Declared(declared.part, declared.id, declared.day, later(draw, declared, is_late), (), 1, wire.CANCEL)


def standing(stream):
    """The declarations that count: of each id the newest version, where a cancel is newer than what it cancels."""
    newest = {}
    for direction, declared in stream:
        rank = (declared.version, declared.function == wire.CANCEL)
        if declared.id not in newest or rank > newest[declared.id][0]:
            newest[declared.id] = (rank, direction, declared)
    return [(direction, one) for _, direction, one in newest.values() if one.function != wire.CANCEL]


# ---- bytes ----


@functools.lru_cache(maxsize=1 << 16)
def text_field(number, text):
    return wire.length_field(number, text.encode()) if text else b""


def number_field(number, value):
    return wire.tag(number, 0) + wire.varint(value) if value else b""


def item_bytes(number, item, direction, procedure):
    is_import = direction == wire.IMPORT
    body = [
        number_field(1, number),
        text_field(2, item.hs + "0000"),
        number_field(3, item.net_g * 1000),
        number_field(4, item.value),
        text_field(5, item.partner if is_import else ""),
        text_field(6, procedure),
        number_field(7, item.value if is_import else 0),
        number_field(8, item.gross_g * 1000),
        number_field(9, item.quantity * 1000000),
        text_field(10, "H87" if item.quantity else ""),
        text_field(12, "" if is_import else item.partner),
        text_field(18, item.region),
        text_field(23, "goods of this test"),
    ]
    return wire.length_field(13, b"".join(body))


def encode(direction, one, reporter, currency):
    """The bytes of a declaration, fields in order of number."""
    names, is_china = one.part.names, reporter == "CN"
    if one.function == wire.CANCEL:
        parts = [text_field(1, one.id), number_field(2, one.version), number_field(3, one.function)]
        return b"".join([*parts, number_field(10, one.accepted_ms), number_field(16, 1)])
    trade_mode = names.get("trade_mode", "0110" if is_china else "")
    is_ecommerce = trade_mode in ("1210", "1239", "9610", "9710", "9810")
    procedure = "4000" if direction == wire.IMPORT else "1000"
    value = sum(item.value for item in one.items)
    fields = [
        text_field(1, one.id),
        number_field(2, one.version),
        number_field(3, one.function),
        number_field(4, direction),
        number_field(5, one.day),
        text_field(6, names["office"]),
        text_field(7, names.get("border_office", "")),
        number_field(8, names.get("mode", 3)),
        text_field(9, trade_mode),
        number_field(10, one.accepted_ms),
        number_field(11, len(one.items)),
        *(item_bytes(number + 1, item, direction, procedure) for number, item in enumerate(one.items)),
        text_field(15, names.get("zone", "")),
        number_field(16, 1),
        number_field(17, 1 if is_china else 3),
        text_field(18, reporter),
        number_field(19, 1),
        number_field(20, RELEASED),
        number_field(21, one.accepted_ms + HOUR_MS),
        number_field(22, one.header.crossing),
        number_field(23, one.accepted_ms - 600000),
        text_field(28, one.header.declarant),
        text_field(29, one.header.trader),
        text_field(45, currency),
        *(wire.length_field(47, container.encode()) for container in one.header.containers),
        wire.tag(48, 1) + one.header.vehicle.to_bytes(8, "little") if one.header.vehicle else b"",
        text_field(49, "PLATFORM1" if is_ecommerce else ""),
        number_field(50, max(1, value // 300000) if is_ecommerce else 0),
        number_field(53, 1 if "zone" in names else 0),
    ]
    return b"".join(fields)


def kg_codes(data, chapters):
    """HS6 codes of these chapters that both editions have with kg as their unit."""
    found = []
    for name in ("hs2017.csv", "hs2022.csv"):
        with open(os.path.join(data, name), encoding="utf-8") as source:
            found.append({row["code"] for row in csv.DictReader(source) if len(row["code"]) == 6 and row["std_unit"] == "kg"})
    return sorted(code for code in found[0] & found[1] if int(code[:2]) in chapters)[:400]
