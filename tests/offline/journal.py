# SPDX-License-Identifier: Apache-2.0
"""A second reader of the journal, written from docs/JOURNAL.md alone: what the page does not say, this does not know.

Frames in, cells of the nine default views out, both from the CELLS sections and from the contributions of the LEDGER sections;
every control total is checked on the way.
"""

import struct

CRC = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC.append(byte)
MASK = (1 << 64) - 1
P0, P1, P2 = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3
OPEN, DATA, SNAP = 1, 2, 3
CODES, CELLS, COUNTS, REJECTS, _LEDGER_WIDE, CONTROL, ID_KEY, REASON, WINDOW, SLICE, LISTED, WHOLE, _UNITS, LEDGER = range(1, 15)
SLICES = 32
VERDICTS = ("counted", "duplicate", "stale", "rejected", "not_counted", "late_out")
MEASURES = ("value", "customs", "net", "gross", "supp", "estimated", "declarations", "items", "packages", "warned", "late")
# name, by month, digits of the code, codes (office, border office, zone, trade mode), partner, flow, mode, leaf
VIEWS = (
    ("flow", False, 0, (), False, True, False, 2),
    ("office", False, 0, (0, 1, 2), False, True, True, 1),
    ("trade_mode", False, 0, (0, 2, 3), False, True, False, 2),
    ("partner", True, 0, (), True, True, True, 3),
    ("chapter", True, 2, (), True, True, False, 6),
    ("heading", True, 4, (), False, True, False, 6),
    ("commodity", True, 6, (), True, True, False, 6),
    ("commodity_office", True, 6, (0,), False, True, False, 7),
    ("partner_office", True, 0, (0,), True, True, False, 8),
)
NO_HS = (1 << 34) - 1


class Corrupt(Exception):
    """The bytes are not what the page says."""

T = 5  # a cell of this flow holds corrections of `declarations` alone; all flows together are the sum


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def mix(a, b):
    product = a * b
    return (product ^ product >> 64) & MASK


def long_key(short):
    """The two words of a key that stands in nine bytes: four bits a symbol instead of six."""
    first, second = int.from_bytes(short[:5], "little"), int.from_bytes(short[5:], "little")
    return (sum((first >> 4 * i & 15) << 6 * i for i in range(10)), sum((second >> 4 * i & 15) << 6 * i for i in range(8)))


def hash_of_id(key):
    return mix(mix(key[0] ^ P0, key[1] ^ P1), P2)


def hash_of_cell(key):
    """Of the four words of a cell's key, which also name its slice."""
    view, day, commodity, numbers, partners, rest = key
    by_code = dict(zip(VIEWS[view][3], numbers))
    office, border, zone, mode = (by_code.get(i, 0) for i in range(4))
    words = (view << 58 | VIEWS[view][1] << 57 | day + (1 << 21) << 34 | commodity, office << 32 | border, zone << 32 | mode,
             partners << 32 | rest)
    return mix(mix(words[0] ^ P0, words[1] ^ P1) ^ mix(words[2] ^ P2, words[3] ^ P0), P1)


def sum_of_cell(key, measures):
    own = hash_of_cell(key)
    for number in measures:
        own = mix(own ^ number & MASK, P1 ^ number >> 64 & MASK)
    return own


def sum_of_entry(key, c):
    return mix(hash_of_id(key) ^ (c["version"] * 2 + c["cancel"]), c["digest"] | 1)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if self.left() < count:
            raise Corrupt("cut short")
        self.at += count
        return self.data[self.at - count:self.at]

    def fixed(self, count):
        return int.from_bytes(self.take(count), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.fixed(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def scaled(self, scale):
        value = self.varint()
        if value == 1:
            return self.zigzag()
        return ((value >> 1) >> 1 ^ -(value >> 1 & 1)) * scale


def flow_of(key):
    return key[5] >> 9 & 7


def month_of(day):
    """The first of the month of a day since 1970-01-01."""
    import datetime
    date = datetime.date(1970, 1, 1) + datetime.timedelta(day)
    return (date.replace(day=1) - datetime.date(1970, 1, 1)).days


def contribution(data):
    r = Reader(data)
    out = {"digest": r.fixed(8), "declarant": r.fixed(4)}
    flags = r.fixed(1)
    out.update(cancel=flags & 1, late=flags >> 1 & 1, warned=flags >> 2 & 1, version=r.varint(), day=r.zigzag(), hour=r.zigzag(),
               mode=r.varint(), codes=tuple(r.varint() for _ in range(4)), items=[])
    for _ in range(r.varint()):
        has = r.fixed(1)
        code = r.fixed(5)
        item = {"hs": code >> 4, "digits": code & 15, "partner": r.fixed(2), "value": r.zigzag(), "net": r.scaled(1000)}
        item["customs"] = r.zigzag() if has & 2 else item["value"]
        item["gross"] = r.scaled(1000) if has & 4 else item["net"]
        item["supp"] = r.scaled(1000000) if has & 8 else 0
        item["packages"] = r.varint() if has & 16 else 0
        item["consignment"] = r.varint() if has & 32 else 0
        item["region"] = r.varint() if has & 64 else 0
        item["flow"] = r.fixed(1) if has & 128 else 2 if flags & 8 else 1
        item["estimated"] = item["net"] if has & 1 else 0
        out["items"].append(item)
    if r.left():
        r.zigzag()  # submission, minutes after the hour of acceptance
    if r.left():
        raise Corrupt("bytes behind a contribution")
    return out


class Partition:
    """The reader's state of one partition."""

    def __init__(self):
        self.nonce, self.seq, self.hi, self.buffer, self.seen = None, 0, 0, [], []
        self.codes = [b""]
        self.cells, self.ledger = {}, {}
        self.verdicts = [0] * len(VERDICTS)
        self.frames = self.counting = self.compared = 0
        self.trimmed = False
        self.have = set(range(SLICES))  # slices that are there
        self.slice = None  # of the group that is being applied, unless it is DATA
        self.listed = {}  # (offset, index) -> rule

    def feed(self, data):
        self.frames += 1
        head = struct.unpack_from("<4sBBHII16sQqqQqqII", data)
        magic, version, kind, flags, payload, crc, nonce, seq, lo, hi = head[:10]
        if magic != b"DRYJ" or version not in (1, 2) or payload != len(data) - 88 or crc != crc32c(data[:12] + bytes(4) + data[16:]):
            raise Corrupt("no frame")
        if self.frames == 1 and kind == SNAP:
            self.begin_trimmed(data[88:], nonce, seq, lo)
        if kind == OPEN:
            if nonce not in self.seen[-64:]:
                self.seen.append(nonce)
                self.nonce, self.seq, self.buffer = nonce, 0, []
            return
        if nonce != self.nonce or seq != self.seq + 1:
            return
        self.seq = seq
        self.buffer.append(data[88:])
        self.counting += 1
        if flags & 1:
            if lo != self.hi:
                raise Corrupt("group [%d, %d) after %d" % (lo, hi, self.hi))
            if kind == SNAP:
                self.apply_slice()
            else:
                for part in self.buffer:
                    self.sections(part, lo)
            self.hi, self.buffer = hi, []

    @staticmethod
    def head_of(payload):
        """Window, slice and flags: the first two sections of a SNAP group."""
        r = Reader(payload)
        if r.fixed(1) != WINDOW:
            raise Corrupt("no head of a slice")
        window = Reader(r.take(r.fixed(4)))
        count = window.fixed(1)
        nonces = [window.take(16) for _ in range(64)][:count]
        if r.fixed(1) != SLICE:
            raise Corrupt("no head of a slice")
        head = Reader(r.take(r.fixed(4)))
        number, slices, flags = head.varint(), head.varint(), head.fixed(1)
        if slices != SLICES or number >= SLICES:
            raise Corrupt("slice %d of %d" % (number, slices))
        return nonces, number, flags

    def begin_trimmed(self, payload, nonce, seq, lo):
        window, number, _ = self.head_of(payload)
        if number != 0:
            raise Corrupt("the log begins with slice %d" % number)
        self.trimmed, self.have = True, set()
        self.nonce, self.seq, self.seen, self.hi = nonce, seq - 1, window, lo

    def apply_slice(self):
        """Reads the slice into a reader of its own; then it is taken, or compared with what is there."""
        _, number, flags = self.head_of(self.buffer[0])
        if flags & 1:
            raise Corrupt("REPLAN, and there was no other plan")
        part = Partition()
        part.codes, part.slice = self.codes, number
        for payload in self.buffer:
            part.sections(payload, 0, self)
        mine = ({k: m for k, m in self.cells.items() if hash_of_cell(k) >> 59 == number and any(m)},
                {k: c for k, c in self.ledger.items() if hash_of_id(k) >> 59 == number})
        if number in self.have:
            self.compared += 1
            if mine != (part.cells, part.ledger):
                raise Corrupt("slice %d is not what the groups before it add up to" % number)
            listed = {k: rule for k, rule in self.listed.items() if k[0] % SLICES == number}
            if listed != part.listed:
                raise Corrupt("slice %d lists other rejects" % number)
            return
        if not self.have:
            self.verdicts = part.verdicts
        self.cells.update(part.cells)
        self.ledger.update(part.ledger)
        self.listed.update(part.listed)
        self.have.add(number)

    def sections(self, payload, lo, whole=None):
        r = Reader(payload)
        while r.left():
            section = r.fixed(1)
            content = Reader(r.take(r.fixed(4)))
            if section == CODES:
                self.take_codes(content)
            elif section == CELLS:
                self.take_cells(content)
            elif section == COUNTS:
                for i in range(len(VERDICTS)):
                    self.verdicts[i] += content.zigzag()
            elif section == LEDGER:
                while content.left():
                    head = content.varint()
                    key = (content.fixed(8), content.fixed(8)) if head & 1 else long_key(content.take(9))
                    entry = contribution(content.take(head >> 1))
                    if self.wants(hash_of_id(key) >> 59):
                        self.ledger[key] = entry
            elif section == REJECTS:
                while content.left():
                    place = (lo + content.varint(), content.zigzag())
                    rule = content.varint()
                    if self.wants(place[0] % SLICES):
                        self.listed[place] = rule
            elif section == LISTED:
                self.take_listed(content)
            elif section == WHOLE:
                own = (sum(sum_of_entry(k, c) for k, c in self.ledger.items()) & MASK, len(self.ledger),
                       sum(sum_of_cell(k, m) for k, m in self.cells.items()) & MASK, len(self.cells))
                if own != (content.fixed(8), content.varint(), content.fixed(8), content.varint()):
                    raise Corrupt("control totals of slice %d" % self.slice)
            elif section == CONTROL and len((whole or self).have) == SLICES and not whole:
                self.check(content)

    def wants(self, number):
        if self.slice is not None and number != self.slice:
            raise Corrupt("of slice %d in slice %d" % (number, self.slice))
        return number in self.have

    def take_codes(self, r):
        number = r.varint()
        if number > len(self.codes) or self.slice is None and number != len(self.codes):
            raise Corrupt("codes out of order")
        while r.left():
            code = r.take(8).rstrip(b"\0")
            if number == len(self.codes):
                self.codes.append(code)
            elif self.codes[number] != code:
                raise Corrupt("another code with number %d" % number)
            number += 1

    def take_listed(self, r):
        offset = day = 0
        while r.left():
            offset += r.zigzag()
            index, rule = r.zigzag(), r.varint()
            day += r.zigzag()
            if self.wants(offset % SLICES):
                self.listed[(offset, index)] = rule

    def take_cells(self, r):
        view = r.varint()
        _, _, digits, codes, partner, flow, mode, _ = VIEWS[view]
        day = 0
        for _ in range(r.fixed(4)):
            day += r.zigzag()
            commodity = r.varint() if digits else 0
            numbers = tuple(r.varint() for _ in codes)
            partners = r.varint() if partner else 0
            rest = r.varint() if flow or mode else 0
            key = (view, day, commodity, numbers, partners, rest)
            cell = self.cells.setdefault(key, [0] * len(MEASURES)) if self.wants(hash_of_cell(key) >> 59) else [0] * len(MEASURES)
            mask = r.varint()
            for i in range(len(MEASURES)):
                if mask >> i & 1:
                    cell[i] += r.zigzag()

    def check(self, r):
        value, net, items, total, entries = r.zigzag(), r.zigzag(), r.zigzag(), r.fixed(8), r.varint()
        standing = list(self.ledger.items())
        own = sum(sum_of_entry(key, c) for key, c in standing)
        sums = [sum(i[name] for _, c in standing for i in c["items"]) for name in ("value", "net")]
        if (own & MASK, len(standing), sums, sum(len(c["items"]) for _, c in standing)) != (total, entries, [value, net], items):
            raise Corrupt("control totals")
        if [r.zigzag() for _ in VERDICTS] != self.verdicts:
            raise Corrupt("verdicts")

    def from_ledger(self):
        """Cells of the leaf views as the contributions that stand make them."""
        out = {}
        for c in self.ledger.values():
            for view, (_, by_month, digits, codes, partner, _, mode, leaf) in enumerate(VIEWS):
                if leaf != view:
                    continue
                touched = set()
                for item in c["items"]:
                    commodity = 0
                    if digits:
                        commodity = item["hs"] // 10 ** (10 - digits) + 1 if item["digits"] >= digits else NO_HS
                    key = (view, month_of(c["day"]) if by_month else c["day"], commodity, tuple(c["codes"][i] for i in codes),
                           item["partner"] << 16 if partner else 0, item["flow"] << 9 | (c["mode"] if mode else 0))
                    add = [item[name] for name in MEASURES[:6]] + [0, 1, item["packages"], c["warned"], c["late"]]
                    add[4] = add[4] if digits >= 6 else 0
                    add[6] = key not in touched
                    touched.add(key)
                    out[key] = [a + b for a, b in zip(out.get(key, [0] * len(MEASURES)), add)]
        return out


class Found:
    def __init__(self, partitions):
        self.frames = sum(p.frames for p in partitions)
        self.counting = sum(p.counting for p in partitions)
        self.trimmed = sum(p.trimmed for p in partitions)
        self.compared = sum(p.compared for p in partitions)
        self.epochs = sum(len(p.seen) for p in partitions)
        sums = [sum(p.verdicts[i] for p in partitions) for i in range(len(VERDICTS))]
        self.verdicts = {name: count for name, count in zip(VERDICTS, sums) if count}
        self.cells = {}  # (view, day, commodity, texts, partners, rest) -> measures, derived views complete
        for p in partitions:
            leaves = {key: m for key, m in p.cells.items() if VIEWS[key[0]][7] == key[0] and flow_of(key) != T and any(m)}
            if leaves != {key: m for key, m in p.from_ledger().items() if any(m)}:
                raise Corrupt("the cells are not what the contributions make")
            for key, measures in p.cells.items():
                self.add(self.texts(key, p), measures)
                for view, (_, by_month, digits, codes, partner, _, mode, leaf) in enumerate(VIEWS):
                    if leaf == key[0] and view != leaf and flow_of(key) != T:
                        self.add(self.derive(self.texts(key, p), view, by_month, digits, codes, partner, mode), measures)

        for key, measures in [(key, m) for key, m in self.cells.items() if flow_of(key) != T]:
            self.add((*key[:5], key[5] & ~(7 << 9) | T << 9), measures)  # beside the corrections of `declarations` that stand there

    @staticmethod
    def texts(key, partition):
        return (*key[:3], tuple(partition.codes[number] for number in key[3]), *key[4:])

    @staticmethod
    def derive(key, view, by_month, digits, codes, partner, mode):
        leaf, day, commodity, texts, partners, rest = key
        if digits and commodity != NO_HS:
            commodity = (commodity - 1) // 10 ** (VIEWS[leaf][2] - digits) + 1
        by_code = dict(zip(VIEWS[leaf][3], texts))
        return (view, month_of(day) if by_month else day, commodity if digits else 0, tuple(by_code[i] for i in codes),
                partners if partner else 0, rest if mode else rest & ~511)

    def add(self, key, measures):
        cell = self.cells.setdefault(key, [0] * len(MEASURES))
        for i, number in enumerate(measures):
            cell[i] += number


def read(path):
    partitions = {}
    with open(path, "rb") as source:
        r = Reader(source.read())
    while r.left():
        number = r.fixed(4)
        partitions.setdefault(number, Partition()).feed(r.take(r.fixed(4)))
    return Found(list(partitions.values()))


NUMBERS = ("value_minor", "customs_value_minor", "supp_quantity_micro", "declarations", "items", "packages", "warned_items")
GRAIN = {name: "MONTH" if by_month else "DAY" for name, by_month, *_ in VIEWS}


def published(state):
    """What was published at each view's own grain: key -> numbers."""
    return {key: {name: int(row[name] or 0) for name in NUMBERS} for key, row in state.items() if row["frequency"] == GRAIN[row["view"]]}


def key_of(cell):
    import datetime
    import calendar
    view, day, commodity, texts, partners, rest = cell
    name, by_month, digits, codes, partner, _, mode, _ = VIEWS[view]
    first = datetime.date(1970, 1, 1) + datetime.timedelta(day)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1]) if by_month else first
    parts = [name, GRAIN[name], first.strftime("%Y%m%d"), last.strftime("%Y%m%d")]
    named = {("office", "border_office", "zone", "trade_mode")[i]: text.decode() for i, text in zip(codes, texts)}
    named["flow"] = ("", "M", "X", "RM", "RX", "T")[flow_of(cell)]
    if mode:
        named["mode"] = str(rest & 511)
    if partner:
        named["partner"] = chr(partners >> 24) + chr(partners >> 16 & 255) if partners >> 16 else ""
    if digits:
        named["hs%d" % digits] = "%0*d" % (digits, commodity - 1)
    return parts, named


def records(found, state):
    """The same from the journal; the order of dimensions is taken from the published keys of the view."""
    order = {}
    for key in state:
        parts = key.split("|")
        order.setdefault(parts[0], [part.split("=")[0] for part in parts[4:]])
    out = {}
    for cell, m in found.cells.items():
        if m[7] == 0:
            continue
        parts, named = key_of(cell)
        key = "|".join(parts + ["%s=%s" % (name, named[name]) for name in order[parts[0]]])
        # a quantity is published with hs6 or finer only
        supplementary = m[4] if VIEWS[cell[0]][2] >= 6 else 0
        out[key] = dict(zip(NUMBERS, (m[0], m[1], supplementary, m[6], m[7], m[8], m[9])))
    return out
