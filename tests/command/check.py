# SPDX-License-Identifier: Apache-2.0
"""`dryport check`: output, counts and exit codes, on files of our own; on the Korean set where it is there."""

import json
import os
import re
import sys

from command import LISTS, SHARED, SOURCE, expect, expect_run, folder, run, varint, write

# the offices of the test lists are not those of the map
LIST = ("-X", f"reference.dir={LISTS}", "-X", "rules.severity.COD-101=off")
KOREA = ("-X", "reporter=KR", "-X", "reporting.currency=KRW", "-X", "timezone=Asia/Seoul")
MAP = os.path.join(SOURCE, "deploy", "examples", "krd.map")
HEADER = ("declaration_id,date,office_id,import_type,mode_of_transport,declarant_id,importer_id,hs6_code,country_of_departure,"
          "country_of_origin,net_mass,item_price\n")


def row(**changes):
    cells = {"declaration_id": "1", "date": "2020-01-02", "office_id": "30", "import_type": "11", "mode_of_transport": "10",
             "declarant_id": "D", "importer_id": "T", "hs6_code": "HS", "country_of_departure": "CN", "country_of_origin": "CN",
             "net_mass": "10.5", "item_price": "100"}
    cells.update(changes)
    return ",".join(cells.values()) + "\n"


def kilogram_code():
    """A six-digit code of the test lists whose unit is the kilogram."""
    with open(os.path.join(LISTS, "hs2017.csv"), encoding="utf-8") as file:
        for line in file:
            cells = line.split(",")
            if len(cells[0]) == 6 and cells[3] == "kg":
                return cells[0]
    sys.exit("no kg code in tests/data/reference/hs2017.csv")


KG = kilogram_code()

with folder() as place:
    expect_run(64, "No such file", "check", *LIST, f"{place}/none.pb")
    expect_run(64, "can't tell its format", "check", *LIST, f"{place}/none.xml")
    expect_run(64, "needs a map", "check", *LIST, write(f"{place}/a.csv", b"a\n1\n"))

    # a cut file is an error of the file, an undecodable record a finding of the record
    cut = write(f"{place}/cut.pb", varint(5) + b"\x10")
    expect_run(65, "record 1 at byte 0: the file ends inside this record", "check", *LIST, cut)
    wrong = write(f"{place}/wrong.pb", varint(2) + b"\x0b\x01" + varint(0))
    done = run("check", *LIST, wrong)
    expect(done.returncode == 65, "rejected records exit with 65", done)
    lines = done.stdout.splitlines()
    expect(re.fullmatch(re.escape(wrong) + r":1 STR-002 reject (payload|-) \S.*", lines[0]), "STR-002 for what does not decode", done)
    expect(re.fullmatch(re.escape(wrong) + r":2 STR-001 reject (payload|-) \S.*", lines[1]), "STR-001 for what is empty", done)
    expect(lines[-3:] == ["counted 0", "rejected 2", "not_counted 0"], "counts per verdict", done)

    good = write(f"{place}/good.csv", (HEADER + row(hs6_code=KG)).encode())
    done = run("check", *LIST, *KOREA, "--map", MAP, good)
    expect(done.returncode == 0, "a good file exits with 0", done)
    expect(done.stdout.splitlines()[-3:] == ["counted 1", "rejected 0", "not_counted 0"], "one is counted", done)

    bad = write(f"{place}/bad.csv", (HEADER + row(hs6_code=KG) + row(hs6_code=KG, net_mass="0", country_of_origin="QQ")).encode())
    done = run("check", *LIST, *KOREA, "--map", MAP, bad)
    expect(done.returncode == 65, "65 if any is rejected", done)
    expect(re.search(re.escape(bad) + r":2 ARI-207 reject items\[0\]\.net_mass_mg \S", done.stdout), "ARI-207 with its place", done)
    expect(re.search(re.escape(bad) + r":2 COD-105 reject items\[0\]\.origin_country \S", done.stdout), "all findings", done)
    expect("ARI-207 reject 1 findings in 1 declarations" in done.stdout, "counts per code", done)
    done = run("check", *LIST, *KOREA, "-X", "rules.severity.ARI-207=warn", "-X", "rules.severity.COD-105=off", "--map", MAP, bad)
    expect(done.returncode == 0 and "ARI-207 warn" in done.stdout and "COD-105" not in done.stdout, "severities", done)

    done = run("check", *LIST, *KOREA, "--json", "--map", MAP, bad)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    expect(any(line.get("code") == "ARI-207" and line["record"] == "2" and line["field"] == "items[0].net_mass_mg"
               and line["severity"] == "reject" and line["file"] == bad and line["text"] for line in lines[:-1]), "JSON findings", done)
    expect(lines[-1]["verdicts"] == {"counted": "1", "rejected": "1", "not_counted": "0"}, "JSON verdicts", done)

    broken = write(f"{place}/broken.csv", (HEADER + row(hs6_code=KG) + row(net_mass="1e3")).encode())
    expect_run(65, f'{broken}:3: column "net_mass"', "check", *LIST, *KOREA, "--map", MAP, broken)
    column = write(f"{place}/column.csv", (HEADER + row()).replace("net_mass", "netmass").encode())
    expect_run(64, 'has no column "net_mass"; did you mean "netmass"?', "check", *LIST, *KOREA, "--map", MAP, column)

KRD = os.path.join(SHARED, "krd_import_declarations.csv.zst")
if os.path.exists(KRD):
    site = ("-X", f"reference.dir={SHARED}")
    done = run("check", *site, *KOREA, "--map", MAP, KRD)
    expect("HSC-604 reject 14520 findings in 14520 declarations" in done.stdout, "HSC-604 on 14,520 rows", done)
    expect("ARI-207 reject 340 findings in 340 declarations" in done.stdout, "ARI-207 on 340 rows", done)
    rejecting = set(re.findall(r"^(\S+) reject \d+ findings", done.stdout, re.M))
    expect(rejecting == {"HSC-604", "ARI-207"}, f"no other rule rejects: {rejecting}", done)
    expect(done.stdout.splitlines()[-3:] == ["counted 30777", "rejected 14742", "not_counted 0"], "30,777 counted, 14,742 rejected", done)
    done = run("check", *site, *KOREA, "-X", "rules.severity.HSC-604=warn", "--map", MAP, KRD)
    expect(done.stdout.splitlines()[-3:] == ["counted 45179", "rejected 340", "not_counted 0"], "HSC-604 as a warning", done)
else:
    print(f"SKIP: {KRD} is not there", file=sys.stderr)
print("check: all as expected")
