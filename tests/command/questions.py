# SPDX-License-Identifier: Apache-2.0
"""/v1/statistics of a running processor says what `dryport report` says of the topic: the same bytes of CSV, the same objects of JSON."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request

from command import expect, folder, run
from processor import DEMO, Processor

COUNT = 6000
# view, by, period, where, and what else is asked
QUESTIONS = [
    ("flow", None, "2025-01..2025-07", None, {}),
    ("flow", "month,flow", "2025", None, {}),
    ("flow", "period", "2025-03", "flow=M+X", {}),
    ("office", "office,mode", "2025-02-10..2025-06-10", "flow=T", {}),
    ("office", "zone", "2025-Q2", "mode=2+3", {"sort": "net"}),
    ("trade_mode", "trade_class,flow", "2025", None, {}),
    ("partner", "partner", "2025", "flow=M", {"share": "partner"}),
    ("partner", "flow", "2025", "partner_group=SCO_MEMBER", {"count": "partner"}),
    ("partner", "partner_group", "2025", "partner_group=SCO_MEMBER+EAEU", {"composition": "2024-01-01"}),
    ("chapter", "hs2", "2025-01..2025-06", "hs2=01-40", {"sort": "name"}),
    ("commodity", "hs4,flow", "2025", None, {}),
    ("commodity", "hs6", "2025", "hs2=84-87", {}),
    ("partner_office", "office,partner", "2025-05", None, {}),
]
WRONG = [
    ("view=nosuch&period=2025", "view=nosuch: there are flow, office"),
    ("view=flow", "period is missing"),
    ("view=flow&period=2025&office=9402", "office is no parameter: there are view, period"),
    ("view=flow&period=2025&flow=Q", "where flow=Q: there are M, X, RM, RX"),
    ("view=flow&period=2025&by=hs2", "by hs2: view flow has flow, period, month, quarter, year"),
    ("view=partner&period=2025-01-01..2025-01-10", "view partner has records of months only"),
    ("view=flow&period=2025&limit=1000000", "limit=1000000: a number of rows, 1 to 100000"),
    ("view=flow&period=2025&format=xml", "format=xml: there are json and csv"),
    ("view=partner&period=2025&partner_group=NOSUCH", "country_groups.csv of reference.dir has no such group"),
]


def ask(processor, **parameters):
    query = urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None})
    with urllib.request.urlopen(f"http://127.0.0.1:{processor.port}/v1/statistics?{query}", timeout=30) as answer:
        return answer.read().decode(), answer.headers


def refused(processor, query):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{processor.port}/v1/statistics?{query}", timeout=30)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]
    return 200, ""


def report(processor, form, view, by, period, where, more):
    options = [part for name, value in {"by": by, "where": where, **more}.items() if value is not None for part in (f"--{name}", value)]
    return processor.run("report", "--view", view, "--period", period, "--format", form, *options)


with folder() as place:
    processor = Processor(place, DEMO)
    expect(refused(processor, "view=flow&period=2025")[0] in (200, 503), "before anything is counted it answers, or says that it does not publish")
    stream = f"{place}/stream.pb"
    done = run("generate", "-X", f"reference.dir={DEMO}", "--count", str(COUNT), "--bad", "0", "--from", "2024-03-01", "--to", "2025-07-31", "--out", stream)
    expect(done.returncode == 0, "generated", done)
    processor.run("load", stream)
    processor.rest(COUNT)

    status = processor.status()["publisher"]
    for view, by, period, where, more in QUESTIONS:
        what = f"{view} by {by} of {period} where {where}"
        text, headers = ask(processor, view=view, by=by, period=period, where=where, format="csv", limit="100000", **more)
        should = report(processor, "csv", view, by, period, where, more)
        expect(len(should.splitlines()) > 1, f"{what}: the report says something")
        expect(text == should, f"{what}: {text[:600]} is not {should[:600]}")
        expect(headers["Content-Type"] == "text/csv; charset=utf-8", "it is CSV")
        expect(headers["X-Dryport-As-Of"] == status["as_of"], f"{headers['X-Dryport-As-Of']} is the as_of of /status, {status['as_of']}")
        text, _ = ask(processor, view=view, by=by, period=period, where=where, limit="100000", **more)
        answer = json.loads(text)
        expect(answer["rows"] == json.loads(report(processor, "json", view, by, period, where, more)), f"{what}: JSON")
        expect(answer["as_of"] == status["as_of"] and answer["watermark_ms"] == processor.status()["watermark_ms"], f"{what}: of which moment")

    # dimensions and fields are parameters by themselves; + may be written in any way; the limit says what it leaves out
    rows = json.loads(ask(processor, view="partner", period_from="20250101", period_to="2025-07-31", by="partner", flow="M,X", transport_mode="2 3", limit="3")[0])
    whole = json.loads(ask(processor, view="partner", period="2025-01..2025-07", by="partner", where="flow=M+X,mode=2+3")[0])
    expect(rows["rows"] == whole["rows"][:3] and rows["left_out"] == len(whole["rows"]) - 3, "the first three")
    expect(any("SCO_MEMBER: as of" in note for note in json.loads(ask(processor, view="partner", period="2025", by="", partner_group="SCO_MEMBER")[0])["notes"]), "notes")

    for query, why in WRONG:
        code, text = refused(processor, query)
        expect(code == 400 and why in text and "--" not in text, f"{query}: {code} {text}")

    # many at once, while declarations come: each answer is of one moment, and the listener goes on answering the rest
    second = f"{place}/second.pb"
    run("generate", "-X", f"reference.dir={DEMO}", "--count", str(COUNT), "--bad", "0", "--seed", "2", "--first-number", "1000000", "--from", "2024-03-01",
        "--to", "2025-07-31", "--out", second)
    answers = []

    def keep_asking():
        for _ in range(15):
            code, _ = refused(processor, "view=office&period=2025&by=office&limit=100000")
            answers.append(code)

    askers = [threading.Thread(target=keep_asking) for _ in range(12)]
    for asker in askers:
        asker.start()
    processor.run("load", second)
    with urllib.request.urlopen(f"http://127.0.0.1:{processor.port}/livez", timeout=10) as answer:
        expect(answer.status == 200, "alive")
    for asker in askers:
        asker.join()
    expect(set(answers) <= {200, 503} and answers.count(200) >= 12, f"answers, or too many wait: {[(code, answers.count(code)) for code in set(answers)]}")
    processor.rest(2 * COUNT)
    expect(ask(processor, view="office", by="office", period="2025", format="csv", limit="100000")[0] == report(processor, "csv", "office", "office", "2025", None, {}), "the end")

    processor.end()
