# SPDX-License-Identifier: Apache-2.0
"""A table of one view, kept up to date from the statistics topic. Holds all of the view in memory and nothing on disk: it reads the
(compacted) topic from its beginning at each start.

    table.py --view partner --frequency MONTH --period-from 20250701 --top 10
    table.py --format csv --once                    every cell of every view, all fields of customs.v1.Statistic
"""

import argparse
import csv
import sys
import time

import customs_topic

MEASURES = ("value_minor", "net_mass_g", "declarations", "items")
CLEAR = "\x1b[H\x1b[2J"


class Cells:
    """What a consumer holds when it follows the rule."""

    def __init__(self):
        self.as_of = {}  # of deleted keys, too
        self.statistic = {}
        self.upserted = self.deleted = self.ignored = 0

    def take(self, change):
        if change.as_of <= self.as_of.get(change.key, -1):
            self.ignored += 1
            return
        self.as_of[change.key] = change.as_of
        if change.statistic is None:
            self.deleted += self.statistic.pop(change.key, None) is not None
        else:
            self.upserted += 1
            self.statistic[change.key] = change.statistic


def text_of(field, statistic):
    if field.has_presence and not statistic.HasField(field.name):
        return ""
    value = getattr(statistic, field.name)
    return customs_topic.enum_name(field, value) if field.enum_type else str(value)


def print_csv(cells, fields, out):
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["key", *(field.name for field in fields)])
    for key in sorted(cells.statistic):
        writer.writerow([key, *(text_of(field, cells.statistic[key]) for field in fields)])


def is_chosen(chosen, key, statistic):
    view, frequency, _ = key.split("|", 2)
    return (
        view == chosen.view
        and frequency == chosen.frequency
        and statistic.items > 0  # a cell whose items are all gone stands with zeros until it is deleted
        and chosen.period_from in (None, statistic.period_from)
    )


def print_table(cells, chosen, out):
    """The largest cells of the view, and what all of them add up to. Integers, as the record has them."""
    rows = [(key, one) for key, one in cells.statistic.items() if is_chosen(chosen, key, one)]
    rows.sort(key=lambda row: (-row[1].value_minor, row[0]))
    lines = [("from", "to", "dimensions", *MEASURES)]
    for key, one in rows[: chosen.top]:
        lines.append((str(one.period_from), str(one.period_to), " ".join(key.split("|")[4:]), *(str(getattr(one, m)) for m in MEASURES)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cut = [text.ljust(w) if column < 3 else text.rjust(w) for column, (text, w) in enumerate(zip(line, widths, strict=True))]
        out.write("  ".join(cut).rstrip() + "\n")
    # declarations are not additive over every dimension: a total of them would say something wrong
    sums = ["%s %d" % (measure, sum(getattr(one, measure) for _, one in rows)) for measure in MEASURES if measure != "declarations"]
    out.write("%d cells: %s\n" % (len(rows), ", ".join(sums)))


def run(chosen):
    topic = customs_topic.Topic(chosen.brokers, chosen.topic, proto=chosen.proto, settings=customs_topic.settings_of(chosen))
    fields = [field for field in topic.statistic.DESCRIPTOR.fields]
    cells, stop, shown_s, is_new = Cells(), customs_topic.Stop(), time.monotonic(), False
    is_live = sys.stdout.isatty() and chosen.format == "table"
    while not stop and not (chosen.once and topic.is_at_end()):
        for change in topic.take():
            cells.take(change)
            is_new = True
        if is_new and not chosen.once and chosen.format == "table" and time.monotonic() - shown_s >= chosen.every:
            sys.stdout.write(CLEAR if is_live else "")
            print_table(cells, chosen, sys.stdout)
            sys.stdout.flush()
            shown_s, is_new = time.monotonic(), False
    topic.close()
    if chosen.format == "csv":
        print_csv(cells, fields, sys.stdout)
    else:
        print_table(cells, chosen, sys.stdout)
    print("table.py: %d upserted, %d deleted, %d ignored" % (cells.upserted, cells.deleted, cells.ignored), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    customs_topic.add_arguments(parser)
    parser.add_argument("--view", default="partner")
    parser.add_argument("--frequency", default="MONTH", help="as in the record key: DAY, MONTH ...")
    parser.add_argument("--period-from", type=int, help="first day of the period, yyyymmdd; default: all periods")
    parser.add_argument("--top", type=int, default=20)
    parser.add_argument("--every", type=float, default=2, help="seconds between two tables")
    parser.add_argument("--format", choices=("table", "csv"), default="table", help="csv: printed once, at the end")
    try:
        run(parser.parse_args())
    except customs_topic.Trouble as trouble:
        print("table.py: %s" % trouble, file=sys.stderr)
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
