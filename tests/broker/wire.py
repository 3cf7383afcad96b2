# SPDX-License-Identifier: Apache-2.0
"""Protobuf bytes of customs.v1 written and read by hand: shares no code with the processor and needs no library.

Field tables follow the message definition: number, name, kind. A declaration is a dict of fields by name; `items` is a
list of such dicts; what is absent is not in the dict. A .pb file is records with a varint length before each.
"""

U32, I64, TEXT, ENUM, BOOL, FIXED64, TEXTS, ITEMS = range(8)

ITEM = {
    "item_no": (1, U32),
    "hs_code": (2, TEXT),
    "net_mass_mg": (3, I64),
    "statistical_value_minor": (4, I64),
    "origin_country": (5, TEXT),
    "procedure": (6, TEXT),
    "customs_value_minor": (7, I64),
    "gross_mass_mg": (8, I64),
    "supp_quantity_micro": (9, I64),
    "supp_unit": (10, TEXT),
    "invoice_value_minor": (11, I64),
    "destination_country": (12, TEXT),
    "package_count": (13, U32),
    "package_type": (14, TEXT),
    "second_quantity_micro": (15, I64),
    "second_unit": (16, TEXT),
    "consignment_country": (17, TEXT),
    "region_code": (18, TEXT),
    "valuation_method": (19, U32),
    "preference": (20, TEXT),
    "additional_procedures": (21, TEXTS),
    "document_classes": (22, TEXTS),
    "description": (23, TEXT),
    "mass_estimated": (24, BOOL),
}

DECLARATION = {
    "declaration_id": (1, TEXT),
    "version": (2, U32),
    "function": (3, ENUM),
    "direction": (4, ENUM),
    "reference_date": (5, U32),
    "office_code": (6, TEXT),
    "border_office_code": (7, TEXT),
    "border_transport_mode": (8, U32),
    "trade_mode": (9, TEXT),
    "accepted_at_ms": (10, I64),
    "item_count": (11, U32),
    "total_gross_mass_mg": (12, I64),
    "items": (13, ITEMS),
    "invoice_currency": (14, TEXT),
    "zone_code": (15, TEXT),
    "schema_version": (16, U32),
    "scheme": (17, ENUM),
    "reporter": (18, TEXT),
    "declaration_type": (19, ENUM),
    "status": (20, ENUM),
    "released_at_ms": (21, I64),
    "crossing_date": (22, U32),
    "submitted_at_ms": (23, I64),
    "period_from": (24, U32),
    "period_to": (25, U32),
    "lrn": (26, TEXT),
    "previous_declaration_id": (27, TEXT),
    "declarant_id": (28, TEXT),
    "trader_id": (29, TEXT),
    "dispatch_country": (30, TEXT),
    "destination_country": (31, TEXT),
    "trading_country": (32, TEXT),
    "inland_transport_mode": (33, U32),
    "incoterm": (34, TEXT),
    "incoterm_place": (35, TEXT),
    "invoice_total_minor": (36, I64),
    "fx_rate_e8": (37, I64),
    "fx_per": (38, U32),
    "freight_minor": (39, I64),
    "freight_currency": (40, TEXT),
    "insurance_minor": (41, I64),
    "insurance_currency": (42, TEXT),
    "other_charges_minor": (43, I64),
    "other_charges_currency": (44, TEXT),
    "reporting_currency": (45, TEXT),
    "total_packages": (46, U32),
    "container_ids": (47, TEXTS),
    "vehicle_hash": (48, FIXED64),
    "platform_id": (49, TEXT),
    "order_count": (50, U32),
    "list_count": (51, U32),
    "buyer_hash": (52, FIXED64),
    "zone_line": (53, ENUM),
    "nature_of_transaction": (54, U32),
}

ENUMS = {
    "function": {"CANCEL": 1, "REPLACE": 5, "ORIGINAL": 9},
    "direction": {"IMPORT": 1, "EXPORT": 2},
    "scheme": {"CN": 1, "EU": 2, "EAEU": 3, "US": 4, "KR": 5, "OTHER": 6},
    "declaration_type": {"NORMAL": 1, "SIMPLIFIED": 2, "SUPPLEMENTARY": 3, "PERIODIC": 4, "LIST": 5, "SUMMARY": 6},
    "status": {"ACCEPTED": 1, "RELEASED": 2, "REFUSED": 3},
    "zone_line": {"FIRST": 1, "SECOND": 2},
}

CANCEL, REPLACE, ORIGINAL = 1, 5, 9
IMPORT, EXPORT = 1, 2


class Malformed(Exception):
    """The bytes are no protobuf message."""


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def length_field(number, payload):
    return tag(number, 2) + varint(len(payload)) + payload


def encode(fields, table=None):
    """The bytes of a declaration (or item) dict, fields in order of number, absent ones left out as proto3 does."""
    table = DECLARATION if table is None else table
    out = bytearray()
    for name in sorted(fields, key=lambda name: table[name][0]):
        number, kind = table[name]
        value = fields[name]
        if kind == ITEMS:
            for item in value:
                out += length_field(number, encode(item, ITEM))
        elif kind == TEXTS:
            for text in value:
                out += length_field(number, text.encode())
        elif not value:
            continue
        elif kind == TEXT:
            out += length_field(number, value.encode())
        elif kind == FIXED64:
            out += tag(number, 1) + value.to_bytes(8, "little")
        else:
            out += tag(number, 0) + varint(int(value))
    return bytes(out)


def read_varint(data, at, end):
    number = shift = 0
    while True:
        if at >= end or shift > 63:
            raise Malformed("varint cut off or too long at byte %d" % at)
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, at
        shift += 7


def walk(data, at=0, end=None):
    """Yields (field number, wire type, value, end of field); a value of type 2 is its (from, to)."""
    end = len(data) if end is None else end
    while at < end:
        key, at = read_varint(data, at, end)
        number, wire_type = key >> 3, key & 7
        if number == 0:
            raise Malformed("field number 0 at byte %d" % at)
        if wire_type == 0:
            value, at = read_varint(data, at, end)
        elif wire_type == 2:
            length, at = read_varint(data, at, end)
            value, at = (at, at + length), at + length
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        else:
            raise Malformed("wire type %d at byte %d" % (wire_type, at))
        if at > end:
            raise Malformed("field %d runs over the end" % number)
        yield number, wire_type, value


WIRE_TYPE = {U32: 0, I64: 0, ENUM: 0, BOOL: 0, FIXED64: 1, TEXT: 2, TEXTS: 2, ITEMS: 2}
BY_NUMBER = {
    id(table): {number: (name, kind) for name, (number, kind) in table.items()} for table in (DECLARATION, ITEM)
}


def decode(data, table=None, at=0, end=None):
    """A dict of the fields present. Unknown fields are skipped; a known one of another wire type is unknown, too."""
    table = DECLARATION if table is None else table
    fields = BY_NUMBER[id(table)]
    out = {}
    for number, wire_type, value in walk(data, at, end):
        name, kind = fields.get(number, (None, None))
        if name is None or WIRE_TYPE[kind] != wire_type:
            continue
        if kind == ITEMS:
            out.setdefault(name, []).append(decode(data, ITEM, *value))
        elif kind == TEXTS:
            out.setdefault(name, []).append(data[value[0] : value[1]].decode())
        elif kind == TEXT:
            out[name] = data[value[0] : value[1]].decode()
        elif kind == I64:
            out[name] = value - (1 << 64) if value >> 63 else value
        elif kind in (U32, ENUM):
            out[name] = value & 0xFFFFFFFF
        else:
            out[name] = value
    return {name: value for name, value in out.items() if value}  # proto3: zero and empty are absent


def write_pb(path, messages):
    """Writes encoded messages to a .pb file; the number of them."""
    count = 0
    with open(path, "wb") as out:
        for message in messages:
            out.write(varint(len(message)) + message)
            count += 1
    return count


def read_pb(path):
    """Yields the bytes of each record of a .pb file."""
    with open(path, "rb") as source:
        data = source.read()
    at = 0
    while at < len(data):
        length, at = read_varint(data, at, len(data))
        if at + length > len(data):
            raise Malformed("%s: the last record is cut off" % path)
        yield data[at : at + length]
        at += length
