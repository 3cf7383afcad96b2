# SPDX-License-Identifier: Apache-2.0
"""Map files read a second time, from their description alone: `field = constant` or `field = $column | op | op`.

Used to know what `dryport load --map` must have produced. Integers and text only; what is finer than the unit is rounded
half away from zero.
"""

import csv
import datetime
import functools
import io
import subprocess
import zoneinfo

import wire

MINOR_DIGITS = {"KRW": 0, "JPY": 0}  # ISO 4217 exponents that are not 2, for the currencies of our examples


def scaled(text, digits):
    """Decimal text x 10^digits as an integer, rounded half away from zero."""
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("+-").partition(".")
    if not (whole + fraction).isdigit():
        raise ValueError("not a decimal number: %r" % text)
    fraction = fraction.ljust(digits + 1, "0")
    number = int((whole or "0") + fraction[:digits]) + (fraction[digits] >= "5")
    return -number if negative else number


def milliseconds(text, zone):
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return int(
        (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1)
    )


@functools.lru_cache(maxsize=1 << 16)
def apply(operation, text):
    name, _, argument = operation.strip().partition("(")
    argument = argument[:-1] if argument.endswith(")") else argument
    if name == "date":
        return text[0:4] + text[5:7] + text[8:10]
    if name == "millis":
        return str(milliseconds(text, argument))
    if name in ("kg", "g"):
        return str(scaled(text, 6 if name == "kg" else 3))
    if name == "money":
        return str(scaled(text, MINOR_DIGITS.get(argument, 2)))
    if name == "number":
        return str(scaled(text, len(argument) - 1))
    if name == "table":
        pairs = dict(pair.strip().split(":", 1) for pair in argument.split(","))
        return pairs[text]
    if name == "append":
        return text + argument
    if name == "prefix":
        return argument + text
    raise ValueError("unknown operation %r" % operation)


def read(path):
    """The map as a list of (target path, constant or None, column or None, operations)."""
    rows = []
    with open(path, encoding="utf-8") as source:
        for line in source:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            target, _, rest = (part.strip() for part in line.partition("="))
            if rest.startswith("$"):
                column, *operations = [part.strip() for part in rest.split("|")]
                rows.append((target.split("."), None, column[1:], operations))
            else:
                rows.append((target.split("."), rest, None, []))
    return rows


def typed(table, name, text):
    kind = table[name][1]
    if kind == wire.TEXT:
        return text
    if kind == wire.ENUM and not text.isdigit():
        return wire.ENUMS[name][text.upper()]
    return int(text)


def declaration(rows, record):
    """The declaration that a CSV record (dict by column) becomes; absent fields are left out."""
    out = {}
    for target, constant, column, operations in rows:
        text = constant if column is None else record[column]
        if column is not None and text == "":
            continue
        for operation in operations:
            text = apply(operation, text)
        if target[0] == "items":
            items = out.setdefault("items", [])
            while len(items) <= int(target[1]):
                items.append({})
            items[int(target[1])][target[2]] = typed(wire.ITEM, target[2], text)
        else:
            out[target[0]] = typed(wire.DECLARATION, target[0], text)
    if "item_count" not in out:
        out["item_count"] = len(out.get("items", []))
    return out


def records(path):
    """Yields the records of a CSV file, plain or zstd, as dicts."""
    if str(path).endswith(".zst"):
        text = subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout.decode()
    else:
        with open(path, encoding="utf-8") as source:
            text = source.read()
    yield from csv.DictReader(io.StringIO(text))
