# SPDX-License-Identifier: Apache-2.0
"""Lists that change in a running processor, and rejects that are produced again when the list is mended.

The processor runs beside a broker in its own process (mock_processor); everything else is the program from outside.
"""

import json
import os
import re
import subprocess
import urllib.request

from command import ENVIRONMENT, PROGRAM, expect, folder, run
from processor import DEADLINE_S, DEMO, Processor

OFFICES = ["9901", "9902", "9903", "9904", "9905", "9906", "9907", "9908"]
MISSING = "9908"


def write_offices(place, offices, broken=False):
    """Whole, and then renamed: nobody reads half of it."""
    with open(f"{place}/.offices.new", "w", encoding="ascii") as file:
        file.write("code,valid_from,valid_to\n" + "".join(f"{office},,\n" for office in offices))
        if broken:
            file.write("9999,2025-02-30,\n")
    os.replace(f"{place}/.offices.new", f"{place}/offices.csv")


def make_lists(place, offices):
    os.makedirs(place)
    for name in os.listdir(DEMO):
        with open(os.path.join(DEMO, name), "rb") as source, open(f"{place}/{name}", "wb") as to:
            to.write(source.read())
    write_offices(place, offices)
    return place


def verified(processor, lists=None):
    arguments = ["verify", "--recount", "--json"] + (["-X", f"reference.dir={lists}"] if lists else [])
    done = run(*arguments, "-X", f"brokers={processor.brokers}", *([] if lists else ["-X", f"reference.dir={processor.lists}"]))
    expect(done.returncode == 0, "verified", done)
    return json.loads(done.stdout)


def totals(processor):
    """What a consumer holds of the largest view that knows the office, without what is of the publisher."""
    rows = processor.run("report", "--view", "office", "--by", "office,flow", "--period", "1990-01-01..2090-12-31", "--format", "csv")
    return sorted(rows.splitlines())


with folder() as place:
    old = make_lists(f"{place}/old", [office for office in OFFICES if office != MISSING])
    new = make_lists(f"{place}/new", OFFICES)
    lists = make_lists(f"{place}/lists", [office for office in OFFICES if office != MISSING])
    stream = f"{place}/stream.pb"
    count = 12000
    run("generate", "-X", f"reference.dir={lists}", "--count", str(count), "--bad", "0", "--out", stream)

    # what there should be in the end: the same stream, counted by the whole list from its beginning
    whole = Processor(place, new)
    whole.run("load", stream)
    whole.rest(count)
    should = totals(whole)
    standing = verified(whole)["journals"]
    expect(whole.document("rejects", "--counts", "--json")["rejected"] == "0", "with the whole list nothing is rejected")
    whole.end()

    # a reload in the middle of the stream, under load
    processor = Processor(place, lists)
    first_plan = processor.status()["plan"]
    feeding = subprocess.Popen([PROGRAM, "generate", "-X", f"brokers={processor.brokers}", "-X", f"reference.dir={lists}", "--count", str(count),
                                "--bad", "0", "--rate", "1200"], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processor.wait("a part of the stream", lambda: int(processor.status().get("declarations", 0)) > count // 6)

    # a list that is wrong changes nothing and says why
    write_offices(lists, OFFICES, broken=True)
    processor.hang_up("refused")
    refused = processor.lines("lists_refused")
    expect(len(refused) == 1 and re.search(r"offices\.csv:10:.*valid_from.*2025-02-30.*lists of before stay in force", refused[0]["message"]),
           f"one line with file, line and mend: {refused}")
    status = processor.status()
    expect(status["plan"] == first_plan and "2025-02-30" in status["lists"]["trouble"], "the id in force, and the last failure")
    expect(processor.metric("dryport_lists_refused") == 1, "a metric to alert on")

    write_offices(lists, OFFICES)
    processor.hang_up("applied")
    second_plan = processor.status()["plan"]
    expect(second_plan != first_plan and second_plan[8:] == first_plan[8:], f"{first_plan}, then {second_plan}: other rules, the same cells")
    expect(processor.metric("dryport_lists_refused") == 0 and processor.status()["lists"]["trouble"] == "", "nothing is wrong any more")
    processor.wait("partitions to take the list", lambda: all(part["plan"] == second_plan for part in processor.status()["partitions"]))
    expect(int(processor.status()["declarations"]) < count * 9 // 10, "declarations come after the reload still")
    expect(feeding.wait(timeout=DEADLINE_S) == 0, "the stream is fed")
    processor.rest(count)
    expect(all(part["plan"] == second_plan for part in processor.status()["partitions"]), "every partition judges by the new list")
    expect(processor.metric(f'dryport_plan_info{{plan="{second_plan}"}}') == 1, "the metric shows the id in force")

    # the journal says where each partition went on with the other list; all rejects lie before it, for the one office
    boundaries = {}
    for part in verified(processor, new)["partitions"]:
        judged = part["judged"]
        expect([row["plan"] for row in judged] == [first_plan, second_plan], f"two plans, one after the other: {judged}")
        expect(judged[0]["from"] == "0" and judged[0]["to"] == judged[1]["from"] and judged[1]["to"] == part["position"], "without a gap")
        boundaries[part["partition"]] = int(judged[0]["to"])
    rejects = [json.loads(line) for line in processor.run("rejects", "--json").splitlines()]
    sums = rejects.pop()
    rejected = int(sums["rejected"])
    expect(rejected == len(rejects) > 100, f"{rejected} declarations of office {MISSING} were rejected before the reload")
    for reject in rejects:
        expect(reject["plan"] == first_plan and {"COD-101"} <= {finding["code"] for finding in reject["findings"]} <= {"COD-101", "COD-102"}, f"by the first list: {reject}")
        expect(int(reject["offset"]) < boundaries[reject["partition"]], f"before the boundary: {reject}")

    # each group is what its own list makes of its range: one audit recounts the groups of either list by rules, the others by their reject lists
    found = {}
    for name in (old, new):
        recount = verified(processor, name)["recount"]
        found[name] = (int(recount["groups"]), int(recount["of_other_rules"]))
        expect(recount["believed"] == "0" and recount["of_older_plans"] == "0", f"nothing is believed: {recount}")
    expect(found[old][0] == found[new][0] == found[old][1] + found[new][1] and min(found[old][1], found[new][1]) > 0,
           f"groups, and of them by reject lists: {found}")

    # filters and counts
    def rejects_where(condition):
        return int(processor.document("rejects", "--counts", "--json", "--where", condition)["rejected"])
    expect(rejects_where(f"office={MISSING}") == rejected and rejects_where("office=9901") == 0, "by office, which stands in the input")
    expect(rejects_where("code=COD-101,field=office_code") == rejected and rejects_where("field=items.hs_code") == 0, "by field")
    expect(rejects_where(f"plan={first_plan[:8]}") == rejected and rejects_where(f"plan={second_plan[:8]}") == 0, "by plan")
    expect(sum(rejects_where(f"partition={part}") for part in boundaries) == rejected, "by partition")
    expect(rejects_where("id=" + rejects[0]["declaration_id"]) >= 1 and rejects_where("to=1990-01-01") == 0, "by id and time")
    fields = processor.document("rejects", "--by-field", "--json")["fields"]
    by_field = {(row["code"], row["severity"], row["field"]): int(row["declarations"]) for row in fields}
    expect(by_field.pop(("COD-101", "reject", "office_code")) == rejected and list(by_field) == [("COD-102", "reject", "border_office_code")],
           f"by field: {fields}")

    # the rejects go again: dry first, then really, then once more, which changes nothing
    where = ("--replay", "--where", f"code=COD-101,office={MISSING}")
    dry = processor.document("rejects", *where, "--dry-run", "--json")
    distinct = int(dry["replayed"])
    expect(distinct + int(dry["same"]) == rejected and dry["gone"] == "0" and dry["dry_run"], f"all can be read still: {dry}")
    expect(int(processor.status()["declarations"]) == count, "a dry run produces nothing")
    expect(f"replayed {distinct} records of customs.declarations" in processor.run("rejects", *where), "as many as the dry run said")
    processor.rest(count + distinct)
    after = totals(processor)
    expect(after == should, f"as with the whole list from the beginning: {set(after) ^ set(should)}")
    entries = sum(int(part["ledger_entries"]) for part in verified(processor, new)["partitions"])
    processor.run("rejects", *where)
    processor.rest(count + 2 * distinct)
    expect(totals(processor) == should, "a second replay doubles nothing")
    expect(sum(int(part["ledger_entries"]) for part in verified(processor, new)["partitions"]) == entries, "nor any entry")
    expect(standing["declarations"]["counted"] != "0", "the first run counted")

    # a restore from the journal agrees, and goes on
    processor.restart()
    processor.wait("the restart", lambda: processor.status()["state"] == "running" and processor.status()["publisher"]["state"] == "publishing"
                   and processor.status()["publisher"]["dirty"] == "0")
    expect(processor.status()["plan"] == second_plan, "the same plan")
    processor.run("rejects", *where)
    processor.rest(distinct)
    expect(int(processor.status()["verdicts"]["duplicate"]) + int(processor.status()["verdicts"]["stale"]) == distinct, "restored: all were counted already")
    expect(totals(processor) == should, "after the restore")

    # a file that has changed and stands still is read without being asked
    write_offices(lists, OFFICES + ["9909"])
    processor.wait("the files to be noticed", lambda: processor.reloads("applied") == 1)
    processor.hang_up("unchanged")
    os.remove(f"{lists}/offices.csv")
    processor.wait("a list that is gone", lambda: processor.reloads("refused") == 1)
    expect("offices.csv is gone: put it back" in processor.status()["lists"]["trouble"], "it says what to do")
    processor.end()

    # options
    for arguments, text in ((["--replay"], "needs --where"), (["--dry-run"], "goes with --replay"), (["--where", "colour=red"], "office=CODE"),
                            (["--replay", "--where", "code=COD-101", "--timestamp", "then"], "original and now")):
        done = run("rejects", *arguments)
        expect(done.returncode == 64 and text in done.stderr, f"{arguments}: {text}", done)
print("reload: all as expected")
