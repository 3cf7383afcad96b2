#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes deploy/reference/countries.csv and currencies.csv from Debian's package iso-codes.

Codes, numbers and names come from iso-codes (ISO 3166-1, ISO 4217); regions are not taken. What it does not hold is written here as
facts: the decimals of currencies, landlocked developing countries (UN list), and the currencies withdrawn since 2014 with their month,
which a declaration of an earlier reference date may still name.

    scripts/make_reference.py [--check]     writes the two files, or fails if they are not what it would write
"""
import csv
import io
import json
import pathlib
import sys

ISO_CODES = pathlib.Path("/usr/share/iso-codes/json")
TARGET = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "reference"

# ISO 4217: every other current currency has two decimals.
DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# Metals, bond units, special drawing rights, tests: no decimals, no currency of a declaration (COD-107).
NO_DECIMALS = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"

# Month from which the currency is no longer current; names as ISO 4217 had them. The first rows are not in the package any more, the
# others still are.
WITHDRAWN = {
    "LVL": ("428", "Latvian Lats", "2014-01"),
    "LTL": ("440", "Lithuanian Litas", "2015-01"),
    "BYR": ("974", "Belarusian Ruble", "2017-01"),
    "MRO": ("478", "Ouguiya", "2018-01"),
    "STD": ("678", "Dobra", "2018-01"),
    "VEF": ("937", "Bolivar Fuerte", "2018-08"),
    "CUC": ("931", "Peso Convertible", "2021-06"),
    "HRK": ("191", "Kuna", "2023-01"),
    "SLL": ("694", "Leone", "2024-01"),
    "ZWL": ("932", "Zimbabwe Dollar", "2024-09"),
    "ANG": ("532", "Netherlands Antillean Guilder", "2025-04"),
    "BGN": ("975", "Bulgarian Lev", "2026-01"),
}
# Current and younger than the package.
ADDED = {
    "XCG": ("532", "Caribbean Guilder"),
    "ZWG": ("924", "Zimbabwe Gold"),
    "UYW": ("927", "Unidad Previsional"),
}

# UN list of landlocked developing countries.
LANDLOCKED_DEVELOPING = (
    "AF AM AZ BF BI BO BT BW CF ET KG KZ LA LS MD MK ML MN MW NE NP PY RW SS SZ TD TJ TM UG UZ ZM ZW"
)


def table(name, key):
    with open(ISO_CODES / name, encoding="utf-8") as file:
        return json.load(file)[key]


def text_of(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def countries():
    landlocked = set(LANDLOCKED_DEVELOPING.split())
    rows = [
        [c["alpha_2"], c["alpha_3"], c["numeric"], c.get("common_name", c["name"]), int(c["alpha_2"] in landlocked)]
        for c in table("iso_3166-1.json", "3166-1")
    ]
    return text_of(["alpha2", "alpha3", "numeric", "name", "lldc"], sorted(rows))


def currencies():
    decimals = {code: str(n) for n, codes in DECIMALS.items() for code in codes.split()}
    decimals.update({code: "" for code in NO_DECIMALS.split()})
    current = {c["alpha_3"]: (c["numeric"], c["name"]) for c in table("iso_4217.json", "4217")}
    current.update(ADDED)
    rows = {code: [code, number, decimals.get(code, "2"), name, ""] for code, (number, name) in current.items()}
    for code, (number, name, month) in WITHDRAWN.items():
        rows[code] = [code, number, decimals.get(code, "2"), name, month]
    return text_of(["code", "numeric", "minor_unit", "name", "withdrawn"], [rows[code] for code in sorted(rows)])


def main():
    if not ISO_CODES.is_dir():
        sys.exit(f"make_reference.py: {ISO_CODES} is not there; install the package iso-codes")
    stale = []
    for name, text in (("countries.csv", countries()), ("currencies.csv", currencies())):
        path = TARGET / name
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"make_reference.py: {' and '.join(stale)} in {TARGET} is stale; run it without --check")


if __name__ == "__main__":
    main()
