# SPDX-License-Identifier: Apache-2.0
"""Tables in a DuckDB file from `dryport report --format csv`, written anew every few seconds, for SQL over the statistics.

    duckdb_report.py --database customs.duckdb --table "chapters=--view chapter --by month,hs2,partner --period 2024-01..2025-07"
    duckdb_report.py --database customs.duckdb --once --table "..." --query "select * from chapters limit 5"

What a report is said in is what `dryport report --help` lists; its settings come from -c or from the environment (DRYPORT_BROKERS ...). All
numbers are whole: minor units, grams, millionths; HUGEINT, because sums of a report have no limit at 64 bits.
"""

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import duckdb

# Codes are text though they look like numbers: leading zeros matter.
TEXTS = {
    "view", "month", "quarter", "period", "flow", "office_code", "border_office_code", "zone_code", "partner", "partner_group",
    "commodity_code", "trade_mode", "trade_class", "region_code", "currency", "supp_unit", "presentation_currency",
}  # fmt: skip
DECIMALS = {"presentation_value": "DECIMAL(38, 2)", "presentation_rate": "DECIMAL(18, 8)"}


class Trouble(Exception):
    """Something that whoever started the program must mend."""


def quoted(name):
    return '"%s"' % name.replace('"', '""')


def report(command, arguments):
    """The CSV of a report, as a file that is read once."""
    out = tempfile.NamedTemporaryFile(suffix=".csv")
    done = subprocess.run([*command, *arguments, "--format", "csv"], stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Trouble("%s: exit %d: %s" % (" ".join(arguments), done.returncode, done.stderr.strip()))
    return out


def type_of(column):
    return "VARCHAR" if column in TEXTS else DECIMALS.get(column, "HUGEINT")


def replace(database, table, path):
    """The table holds what the file says, all or nothing; the number of rows."""
    names = [row[0] for row in database.execute("describe select * from read_csv(?, header = true, all_varchar = true)", [path]).fetchall()]
    # all_varchar reads an empty field as NULL: unknown in a measure, the absent code in a dimension
    casts = ", ".join(
        "coalesce(%s, '') as %s" % (quoted(n), quoted(n)) if n in TEXTS else "cast(%s as %s) as %s" % (quoted(n), type_of(n), quoted(n))
        for n in names
    )
    database.begin()
    database.execute("create or replace table %s as select %s from read_csv(?, header = true, all_varchar = true)" % (quoted(table), casts), [path])
    database.commit()
    return database.execute("select count(*) from %s" % quoted(table)).fetchone()[0]


def refresh(chosen, command, tables):
    # Opened for each round: a DuckDB file has one writer, and others want to read it in between.
    with duckdb.connect(chosen.database) as database:
        for table, arguments in tables.items():
            with report(command, arguments) as file:
                rows = replace(database, table, file.name)
            print("duckdb_report.py: %s: %d rows" % (table, rows), file=sys.stderr, flush=True)


def ask(chosen):
    with duckdb.connect(chosen.database, read_only=True) as database:
        for query in chosen.query:
            for row in database.execute(query).fetchall():
                print("\t".join("" if value is None else str(value) for value in row))


def run(chosen):
    command = [chosen.dryport, "report"] + (["-c", chosen.config] if chosen.config else [])
    tables = {name: shlex.split(arguments) for name, _, arguments in (table.partition("=") for table in chosen.table)}
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    while not stopped:
        begun_s = time.monotonic()
        try:
            refresh(chosen, command, tables)
        except Trouble as trouble:
            if chosen.once:
                raise
            print("duckdb_report.py: %s; tried again" % trouble, file=sys.stderr, flush=True)
        if chosen.once:
            break
        while not stopped and time.monotonic() - begun_s < chosen.every:
            time.sleep(0.1)
    if chosen.query:
        ask(chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="a file of DuckDB; made if it is not there")
    parser.add_argument("--table", action="append", required=True, metavar="NAME=OPTIONS", help="a table and the options of its report")
    parser.add_argument("--dryport", default="dryport", help="the program")
    parser.add_argument("-c", dest="config", help="its configuration file")
    parser.add_argument("--every", type=float, default=10, help="seconds from one round to the next")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--query", action="append", default=[], help="SQL, asked at the end; columns are separated by tabs")
    try:
        run(parser.parse_args())
    except (Trouble, OSError, duckdb.Error) as trouble:
        print("duckdb_report.py: %s" % trouble, file=sys.stderr)
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
