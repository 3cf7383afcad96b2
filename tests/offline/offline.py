# SPDX-License-Identifier: Apache-2.0
"""The shipped worker and publisher on a virtual clock, over generated declarations, against an independent recount.

    offline.py --dryport PROGRAM --offline PROGRAM --count N

One input, run undisturbed, with every record sent twice, shuffled, and killed again and again: the final statistics must be the
recount's each time, equal to each other in all that does not tell of time, and the same arguments must print the same bytes. With
--only views: the same of views by hour, of country groups and of trade classes, two ways; with --only editions: of views with a commodity over
the turn from HS 2017 to HS 2022.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
import recount  # noqa: E402

import journal  # noqa: E402

SHIPPED = os.path.join(SOURCE, "deploy", "reference")
OF_TIME = {"state", "as_of", "as_of_ms", "watermark_ms", "share_ppm"}
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("DRYPORT_")}
SNAPSHOTS = ("--portions", "25", "--snapshot-bytes", "4000", "--kill-every", "977", "--partitions", "2")
# a life must be long enough for its claims and the rejects of a group (a hundredth of the records each partition), or nothing moves
VARIANTS = {
    "undisturbed": (),
    "another seed and other partitions": ("--seed", "99", "--partitions", "7"),
    "twice": ("--twice",),
    "shuffled": ("--shuffle", "5"),
    "shuffled and twice": ("--shuffle", "6", "--twice"),
    "killed": ("--kill-every", "1499", "-X", "frame.interval.ms=20"),
    "killed, two partitions": ("--kill-every", "1777", "--partitions", "2"),
    "snapshots and trims": SNAPSHOTS,
    "killed, shuffled and twice": ("--kill-every", "3001", "--shuffle", "7", "--twice"),
}


# Views by hour, of groups and of classes, in place of the nine; the ways in which they are counted.
OTHER_VIEWS = {"hours": "office,flow@hour", "desks": "partner_group,flow,mode@hour", "bloc": "partner_group,flow@day", "sales": "trade_class,partner_group,flow@month"}
OTHER_PUBLISH = {"hours": ("hour",), "desks": ("hour",), "bloc": ("day", "month", "quarter", "year", "ytd"), "sales": ("month", "quarter", "ytd")}
OTHER_WAYS = ("killed, shuffled and twice", "snapshots and trims")


# Views with a commodity over the turn from HS 2017 to HS 2022.
EDITION_VIEWS = {"goods": "hs6,flow@month", "heads": "hs4,flow@day", "chaps": "hs2,partner,flow@month", "bloc": "hs6,partner_group,flow@month"}
EDITION_PUBLISH = {"goods": ("month", "quarter", "year", "ytd"), "heads": ("day", "month"), "chaps": ("month", "ytd"), "bloc": ("month", "ytd")}


class Failure(Exception):
    """An expectation that does not hold."""


def run(codes, *arguments):
    done = subprocess.run(arguments, capture_output=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL, check=False, text=True)
    if done.returncode not in codes:
        raise Failure("%s: exit code %d\n%s" % (" ".join(arguments), done.returncode, done.stderr[-3000:]))
    return done


def final_state(path):
    """key -> all fields of the newest record but those of time, as a reader holds it who follows the rule."""
    held = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if int(row["as_of"]) > held.get(row["key"], (0, None))[0]:
                held[row["key"]] = (int(row["as_of"]), row)
    return {key: {name: value for name, value in row.items() if name not in OF_TIME}
            for key, (_, row) in held.items() if row.get("items", "0") != "0"}


def write_moves(path, codes):
    """A list of what became of the codes of HS 2017: of ten codes one is new for another, one is two that were joined, two are of one that was split,
    and the others stayed. Returns the older codes of each."""
    then, rows = {}, []
    for number, code in enumerate(codes):
        old = ["97%04d" % (3000 + 2 * number), "97%04d" % (3001 + 2 * number)]
        kind = number % 10
        if kind == 1:
            then[code] = old[:1]
        elif kind == 2:
            then[code] = old
        elif kind in (3, 4):
            then[code] = ["97%04d" % (3000 + 2 * (number - kind + 3))]
        else:
            then[code] = [code]
        rows += ["%s,%s,n:n,1" % (code, one) for one in then[code]]
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(["hs2022,hs2017,relationship,is_conversion", *rows]) + "\n")
    return then


def with_older_codes(data, then):
    """A declaration of 2021 in the codes that its goods had; one of two that were joined, by its number."""
    head = recount.wire.decode(data)
    if head.get("reference_date", 0) >= 20220101 or not head.get("items"):
        return data
    for item in head["items"]:
        older = then.get(item["hs_code"][:6], [item["hs_code"][:6]])
        item["hs_code"] = older[(item["item_no"] + head["accepted_at_ms"] // 1000) % len(older)] + item["hs_code"][6:]
    return recount.wire.encode(head)


class Trial:
    """One input and what must come of it."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        lists = os.path.join(folder, "lists")  # the shipped lists and the demo's nomenclature in one: no other is found then
        shutil.copytree(SHIPPED, lists)
        shutil.copytree(os.path.join(SHIPPED, "demo"), lists, dirs_exist_ok=True)
        self.lists = ("-X", "reference.dir=" + lists)
        self.input = os.path.join(folder, "input.pb")
        run((0,), options.dryport, "generate", *self.lists, "--count", str(options.count), "--seed", "11", "--amend", "0.1",
            "--cancel", "0.04", "--duplicate", "0.02", "--late", "0.02", "--bad", "0.03", "--out", self.input)
        findings = os.path.join(folder, "findings.jsonl")
        with open(findings, "w", encoding="utf-8") as out:
            out.write(run((0, 65), options.dryport, "check", "--json", *self.lists, self.input).stdout)
        nomenclature = recount.Nomenclature(lists)
        self.ledger = recount.Ledger(nomenclature.scope)
        recount.fill_ledger([self.input], recount.read_rejected(findings), self.ledger)
        self.nomenclature = nomenclature
        self.want = recount.expected(self.ledger.standing(), nomenclature, "CN", "CNY")
        self.first = None

    def offline(self, *arguments):
        """Path of the printed statistics, and the verdicts."""
        done = run((0,), self.options.offline, *self.lists, *arguments, self.input)
        path = os.path.join(self.folder, "statistics.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.write(done.stdout)
        last = json.loads(done.stderr.splitlines()[-1])
        return path, int(last["lives"]), {name: int(count) for name, count in last["verdicts"].items() if count != "0"}

    def expected_verdicts(self, arguments):
        """None where the order decides which version is stale."""
        verdicts = dict(self.ledger.verdicts)
        if "--shuffle" in arguments:
            return None
        if "--twice" in arguments:
            accepted = verdicts["counted"] + verdicts["not_counted"]
            verdicts = {"counted": verdicts["counted"], "duplicate": 2 * verdicts["duplicate"] + accepted,
                        "stale": 2 * verdicts["stale"], "rejected": 2 * verdicts["rejected"],
                        "not_counted": verdicts["not_counted"]}
        return {name: count for name, count in verdicts.items() if count}

    def compare(self, name, arguments):
        path, lives, verdicts = self.offline(*arguments)
        consumer = recount.Consumer()
        recount.read_dump(path, consumer)
        differences = recount.compare(self.want, consumer.records()) + consumer.broken
        want = self.expected_verdicts(arguments)
        if want is not None and verdicts != want:
            differences.append("verdicts are %s, expected %s" % (verdicts, want))
        if sum(verdicts.values()) != self.options.count * (2 if "--twice" in arguments else 1):
            differences.append("the verdicts %s do not add up" % verdicts)
        state = final_state(path)
        if self.first is None:
            self.first = state
        elif state != self.first:
            differences.append("other statistics than undisturbed: %s" % next(
                key for key in sorted(state.keys() | self.first.keys()) if state.get(key) != self.first.get(key)))
        print("%s: %d lives, %s, %d cells, %d statistics" % (name, lives, verdicts, len(self.want), consumer.seen), flush=True)
        if "--kill-every" in arguments and lives < 5:
            differences.append("killed only %d times: this shows little" % (lives - 1))
        if differences:
            raise Failure("%s (offline %s):\n  %s" % (name, " ".join(arguments), "\n  ".join(differences)))

    def other_views(self, name):
        """The same input in views by hour, of groups and of classes."""
        settings = []
        for view, definition in OTHER_VIEWS.items():
            settings += ["-X", "view.%s=%s" % (view, definition), "-X", "view.%s.publish=%s" % (view, ",".join(OTHER_PUBLISH[view]))]
        path, lives, _ = self.offline(*VARIANTS[name], *settings)
        consumer = recount.Consumer()
        recount.read_dump(path, consumer)
        got = consumer.records()
        hours_from = recount.kept_from(consumer.watermark_ms)
        want = recount.expected(self.ledger.standing(), self.nomenclature, "CN", "CNY", OTHER_VIEWS, OTHER_PUBLISH, hours_from)
        every = recount.expected(self.ledger.standing(), self.nomenclature, "CN", "CNY", OTHER_VIEWS, OTHER_PUBLISH)
        differences = recount.compare(want, got) + consumer.broken
        hours, groups = (sum(word in key for key in want) for word in ("|HOUR|", "partner_group="))
        if hours < 100 or groups < 100 or len(every) - len(want) < 100:
            differences.append("%d hours, %d rows of groups, %d hours that ended: this shows little" % (hours, groups, len(every) - len(want)))
        if differences:
            raise Failure("hours and groups, %s:\n  %s" % (name, "\n  ".join(differences)))
        print("hours and groups, %s: %d lives, %d records of hours, %d of groups, %d hours that ended" % (name, lives, hours, groups, len(every) - len(want)), flush=True)

    def editions(self):
        """Declarations of 2021 and 2022, the older ones with codes that moved, were joined or split since then: bases of 2022 are of what came whole."""
        folder = os.path.join(self.folder, "editions")
        shutil.copytree(os.path.join(self.folder, "lists"), folder)
        codes = [code for code in sorted(self.nomenclature.unit["2022"]) if len(code) == 6]
        then = write_moves(os.path.join(folder, "hs2022_hs2017.csv"), codes)
        drawn, moved = (os.path.join(self.folder, name) for name in ("drawn.pb", "moved.pb"))
        records = []
        settings = ["-X", "reference.dir=" + folder, "-X", "month.first=202001", "-X", "rules.severity.HSC-602=warn", "-X", "rules.severity.HSC-603=warn"]
        for view, definition in EDITION_VIEWS.items():
            settings += ["-X", "view.%s=%s" % (view, definition), "-X", "view.%s.publish=%s" % (view, ",".join(EDITION_PUBLISH[view]))]
        for year in (2021, 2022):
            run((0,), self.options.dryport, "generate", *self.lists, "--count", str(self.options.count // 2), "--seed", str(year), "--bad", "0",
                "--first-number", str(year * 100000), "--from", "%d-03-01" % year, "--to", "%d-12-31" % year, "--out", drawn)
            records += [with_older_codes(data, then) for data in recount.wire.read_pb(drawn)]
        recount.wire.write_pb(moved, records)
        findings = os.path.join(self.folder, "editions.jsonl")
        with open(findings, "w", encoding="utf-8") as out:
            out.write(run((0, 65), self.options.dryport, "check", "--json", *settings[:8], moved).stdout)
        nomenclature = recount.Nomenclature(folder)
        ledger = recount.Ledger(nomenclature.scope)
        recount.fill_ledger([moved], recount.read_rejected(findings), ledger)
        want = recount.expected(ledger.standing(), nomenclature, "CN", "CNY", EDITION_VIEWS, EDITION_PUBLISH)
        path = os.path.join(self.folder, "statistics.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.write(run((0,), self.options.offline, *settings, "--portions", "4", "--shuffle", "7", moved).stdout)
        consumer = recount.Consumer()
        recount.read_dump(path, consumer)
        differences = recount.compare(want, consumer.records()) + consumer.broken
        of_2022 = [one for key, one in want.items() if one["period_to"] > 20220101]
        with_base = sum("base_value_minor" in one for one in of_2022)
        if with_base < 100 or len(of_2022) - with_base < 100 or ledger.verdicts["counted"] < self.options.count / 2:
            differences.append("%d records of 2022, %d with a base, %s: this shows little" % (len(of_2022), with_base, ledger.verdicts))
        if differences:
            raise Failure("editions:\n  %s" % "\n  ".join(differences))
        print("editions: %d records, %d of 2022, %d of them with a base" % (len(want), len(of_2022), with_base), flush=True)

    def journal(self):
        """A reader written from docs/JOURNAL.md finds the same sums in the frames as the publisher."""
        frames = os.path.join(self.folder, "journal.bin")
        for name in ("killed, two partitions", "snapshots and trims"):
            self.read_journal(name, frames)

    def read_journal(self, name, frames):
        path, lives, verdicts = self.offline(*VARIANTS[name], "--journal", frames)
        found = journal.read(frames)
        differences = recount.compare(journal.records(found, final_state(path)), journal.published(final_state(path)))
        if found.verdicts != verdicts:
            differences.append("verdicts are %s, in the journal %s" % (verdicts, found.verdicts))
        if name == "snapshots and trims" and (found.trimmed < 2 or found.compared < 32):
            differences.append("%d partitions were trimmed, %d slices compared: this shows little" % (found.trimmed, found.compared))
        if differences:
            raise Failure("the journal (%s) as docs/JOURNAL.md reads it:\n  %s" % (name, "\n  ".join(differences)))
        print("docs/JOURNAL.md reads %d frames of %d epochs, of which %d count; %d partitions begin with a slice, %d slices compared"
              % (found.frames, found.epochs, found.counting, found.trimmed, found.compared))

    def repeat(self):
        arguments = (*VARIANTS["killed, two partitions"], "--shuffle", "3")
        outputs = []
        for _ in range(2):
            path, _, _ = self.offline(*arguments)
            with open(path, "rb") as file:
                outputs.append(file.read())
        if outputs[0] != outputs[1]:
            raise Failure("two runs of offline %s print other bytes" % " ".join(arguments))
        print("the same arguments print the same %d bytes" % len(outputs[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", required=True)
    parser.add_argument("--offline", required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--only", choices=["repeat", "journal", "views", "editions", *VARIANTS], action="append", help="these variants only")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="dryport-offline-") as folder:
            trial = Trial(options, folder)
            for name, arguments in VARIANTS.items():
                if name == "undisturbed" and not {"journal", "views", "editions"}.issuperset(options.only or [""]) or not options.only or name in options.only:
                    trial.compare(name, arguments)
            for name in OTHER_WAYS if options.only and "views" in options.only else ():
                trial.other_views(name)
            if options.only and "editions" in options.only:
                trial.editions()
            if not options.only or "journal" in options.only:
                trial.journal()
            if not options.only or "repeat" in options.only:
                trial.repeat()
    except Failure as failure:
        print("FAILED: %s" % failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
