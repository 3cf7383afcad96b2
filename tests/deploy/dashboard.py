# SPDX-License-Identifier: Apache-2.0
"""deploy/grafana/dryport.json: what Grafana needs of it, every metric is one of metrics.def with the labels that it has, and promtool
parses every expression. tests/broker/monitoring.py asks a live Prometheus for each."""

import json
import os
import re
import subprocess
import sys
import tempfile

VARIABLES = {"$job": ".*", "$instance": ".*", "$__rate_interval": "1m"}
THEMES = (
    "dryport_declarations_total", "dryport_consumer_lag_records", "dryport_event_lag_seconds",
    "dryport_watermark_timestamp_seconds", "dryport_end_to_end_latency_seconds", "dryport_journal_bytes_total",
    "dryport_ledger_entries", "dryport_restore_seconds",
)  # fmt: skip


def load(root):
    with open(os.path.join(root, "deploy", "grafana", "dryport.json"), encoding="utf-8") as source:
        return json.load(source)


def expressions(dashboard):
    """(title of the panel, expression as Prometheus gets it)"""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


def metrics(root):
    """name -> (type, labels), of metrics.def."""
    with open(os.path.join(root, "proc", "ops", "metrics.def"), encoding="utf-8") as source:
        rows = re.findall(r'METRIC\(\w+, "((?:dryport|process)_\w+)", (\w+), "\w*", "([\w,]*)"', source.read())
    return {name: (kind, set(labels.split(",")) - {""}) for name, kind, labels in rows}


def check_metrics(expression, known):
    """Yields what is wrong with the names and labels of an expression."""
    for name, selector in re.findall(r"\b((?:dryport|process)_\w+)(?:\{([^}]*)\})?", expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        kind, labels = known.get(base if known.get(base, ("",))[0] == "HISTOGRAM" else name, (None, set()))
        if kind is None or (kind == "HISTOGRAM") != (base != name):
            yield "%s is no metric of metrics.def" % name
            continue
        for label in re.findall(r"(\w+)\s*[=!]", selector):
            if label not in labels | {"job", "instance"}:
                yield "%s has no label %s" % (name, label)


def check_shape(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield "%s: beyond the right edge" % panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    yield "%s lies over %s" % (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
        if panel["type"] == "row":
            continue
        for part in ("title", "description", "targets"):
            if not panel.get(part):
                yield "panel %d has no %s" % (panel["id"], part)
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield "%s has no unit" % panel["title"]
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${datasource}":
                yield "%s names a data source of its own" % panel["title"]
    wanted = {"datasource", "job", "instance"}
    if {variable["name"] for variable in dashboard["templating"]["list"]} != wanted:
        yield "variables are not %s" % sorted(wanted)


def parse(found):
    """promtool must be able to read each expression as a recording rule."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rules.yaml")
        with open(path, "w", encoding="utf-8") as out:
            rules = [{"record": "dashboard:n%d" % at, "expr": text} for at, (_, text) in enumerate(found)]
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, out)  # JSON is YAML
        done = subprocess.run(
            ["promtool", "check", "rules", "--lint=none", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode != 0:
            yield done.stdout.strip()


def main(root):
    dashboard = load(root)
    known = metrics(root)
    found = list(expressions(dashboard))
    wrong = list(check_shape(dashboard)) + list(parse(found))
    for title, expression in found:
        wrong += ["%s: %s" % (title, text) for text in check_metrics(expression, known)]
    shown = " ".join(expression for _, expression in found)
    wrong += ["no panel shows %s" % name for name in THEMES if name not in shown]
    for text in wrong:
        print("deploy/grafana/dryport.json: " + text, file=sys.stderr)
    if not wrong:
        print("%d panels, %d expressions" % (len(dashboard["panels"]), len(found)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
