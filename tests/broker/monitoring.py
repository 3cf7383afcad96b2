# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the processes on a real broker: both text formats, every metric, every expression of the dashboard; and four
faults make their alerts fire: a spike of rejects, a stuck watermark, no publisher, a halted partition.

The rules are those of deploy/prometheus/alerts.yaml with their durations shortened to seconds; thresholds stay.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import confluent_kafka
from confluent_kafka.admin import AdminClient

import topics
import wire
from cluster import SOURCE, Failed, Workplace, command, default_binary, die_with_parent, free_port, options, say, tell, wait_until

sys.path.insert(0, os.path.join(SOURCE, "tests", "deploy"))
import dashboard  # noqa: E402

SEED = 20250731
RATE = 200
CERTIFICATE_DAYS = 40


def shortened(text):
    """The alert rules with seconds for minutes."""
    for pattern, seconds in ((r"\[1d\]", "[1m]"), (r"\[\d+m\]", "[10s]"), (r"for: \d+[mh]", "for: 2s"), (r"interval: 30s", "interval: 1s")):
        text, count = re.subn(pattern, seconds, text)
        if count == 0:
            raise Failed("alerts.yaml has no %s any more: this test must shorten other durations" % pattern)
    return text


class Prometheus:
    """The real one, with a folder and a port of its own."""

    def __init__(self, place, targets):
        self.address = "http://127.0.0.1:%d" % free_port()
        self.log = place.path("prometheus.log")
        with open(os.path.join(SOURCE, "deploy", "prometheus", "alerts.yaml"), encoding="utf-8") as source:
            rules = shortened(source.read())
        with open(place.path("alerts.yaml"), "w", encoding="utf-8") as out:
            out.write(rules)
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [place.path("alerts.yaml")],
            "scrape_configs": [{"job_name": "dryport", "static_configs": [{"targets": targets}]}],
        }
        with open(place.path("prometheus.yml"), "w", encoding="utf-8") as out:
            json.dump(config, out)  # JSON is YAML
        self.command = [
            "prometheus",
            "--config.file=" + place.path("prometheus.yml"),
            "--storage.tsdb.path=" + place.path("tsdb"),
            "--web.listen-address=" + self.address[len("http://") :],
            "--log.level=warn",
        ]
        self.process = None

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, preexec_fn=die_with_parent)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def get(self, path, **parameters):
        try:
            query = urllib.parse.urlencode(parameters)
            with urllib.request.urlopen("%s/api/v1/%s?%s" % (self.address, path, query), timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is starting
                return None
            raise Failed("%s %s: %s" % (path, parameters, error.read().decode())) from error
        except OSError:
            return None

    def are_up(self, count):
        found = (self.get("targets") or {"activeTargets": []})["activeTargets"]
        wrong = [each["lastError"] for each in found if each["lastError"]]
        if any("connection refused" not in text for text in wrong):
            raise Failed("Prometheus can't read a page: %s" % wrong)
        return sum(each["health"] == "up" for each in found) == count

    def firing(self):
        """{alert name: summary}"""
        alerts = (self.get("alerts") or {"alerts": []})["alerts"]
        for each in alerts:
            if "error" in " ".join(each["annotations"].values()) or "<no value>" in str(each["annotations"]):
                raise Failed("a template does not work: %s" % each)
        return {each["labels"]["alertname"]: each["annotations"]["summary"] for each in alerts if each["state"] == "firing"}

    def await_alert(self, name, cause, deadline_s=60):
        begin = time.monotonic()
        wait_until(lambda: name in self.firing(), lambda: "%s fires; there are %s" % (name, self.firing()), deadline_s, 0.3)
        say("%s: %s fires after %.0f s: %s" % (cause, name, time.monotonic() - begin, self.firing().get(name, "")))


class Pipeline:
    def __init__(self, place, broker, binary):
        self.place, self.broker, self.binary = place, broker, binary
        self.topic = "live.declarations"
        self.settings = {"brokers": broker.address, "group": "live", "time.idle.ms": "3600000"}
        self.settings.update({"topic." + name: "live." + name for name in ("declarations", "journal", "statistics", "rejects")})
        self.next_number = 1
        # This broker asks for no certificate; the metric is about the file.
        certificate = place.path("client.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", place.path("client.key")]
            + ["-days", str(CERTIFICATE_DAYS), "-out", certificate],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        with_certificate = {**self.settings, "role": "aggregate", "kafka.ssl.certificate.location": certificate}
        self.aggregate = place.processor(binary, "aggregate", with_certificate)
        self.publish = place.processor(binary, "publish", {**self.settings, "role": "publish"})

    def start(self):
        for each in (self.aggregate, self.publish):
            each.start()
            wait_until(lambda each=each: each.get("/readyz")[0] == 200, "%s is ready" % each.name)

    def generate(self, count, *more):
        arguments = ["generate", "--count", str(count), "--seed", str(SEED), "--first-number", str(self.next_number)]
        self.next_number += count
        return command(self.binary, *arguments, *more, *options(self.settings))

    def counted_all(self):
        ends = topics.ends(self.broker.address, self.topic)
        return self.aggregate.position() == sum(high for _, high in ends.values())


def check_formats(pipeline):
    """promtool reads the older format; the newer one comes when it is asked for."""
    for each in (pipeline.aggregate, pipeline.publish):
        done = subprocess.run(
            ["promtool", "check", "metrics"],
            input=each.get("/metrics")[1],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0 or done.stdout:
            raise Failed("promtool check metrics, %s: %s" % (each.name, done.stdout))
        request = urllib.request.Request(
            "http://127.0.0.1:%d/metrics" % each.http, headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            kind, text = answer.headers["Content-Type"], answer.read().decode()
        if not kind.startswith("application/openmetrics-text; version=1.0.0") or not text.endswith("# EOF\n"):
            raise Failed("%s: %s for OpenMetrics" % (each.name, kind))
    say("formats: promtool has nothing to say of text 0.0.4; OpenMetrics when Accept asks for it")


def check_metrics(pipeline):
    """Every metric of metrics.def is there."""
    page = pipeline.aggregate.get("/metrics")[1] + pipeline.publish.get("/metrics")[1]
    shown = set(re.findall(r"^# TYPE (\S+)", page, re.M))
    known = set(dashboard.metrics(SOURCE))
    if known != shown:
        raise Failed("not shown: %s; not in metrics.def: %s" % (known - shown, shown - known))
    for name in ("stage_duration", "kafka_rtt", "journal_ack", "end_to_end_latency", "restore"):
        counts = re.findall(r"^dryport_%s_seconds_count\S* (\d+)" % name, page, re.M)
        if sum(map(int, counts)) == 0:
            raise Failed("nothing was measured for dryport_%s_seconds" % name)
    left_s = pipeline.aggregate.metrics()["dryport_certificate_expiry_timestamp_seconds"] - time.time()
    if not 0 < CERTIFICATE_DAYS * 86400 - left_s < 600:
        raise Failed("the certificate of %d days expires in %d s" % (CERTIFICATE_DAYS, left_s))
    say("metrics: all %d families, all histograms filled" % len(shown))


def check_dashboard(prometheus):
    found = list(dashboard.expressions(dashboard.load(SOURCE)))
    empty = set()
    for title, expression in found:
        if not prometheus.get("query", query=expression.replace("1m]", "20s]"))["result"]:
            empty.add(title)
    if empty:
        raise Failed("panels without data: %s" % sorted(empty))
    say("dashboard: %d expressions asked, each has data" % len(found))


def reject_spike(pipeline, prometheus):
    """While it comes: the alert ends with it."""
    sender = threading.Thread(
        target=pipeline.generate,
        args=(RATE * 25, "--rate", str(RATE), "--bad", "0.4", "--from", "2025-01-01", "--to", "2025-01-01"),
    )
    sender.start()
    try:
        prometheus.await_alert("DryportRejectSpike", "four in ten are bad")
    finally:
        sender.join()


def stuck_watermark(pipeline, prometheus):
    """One partition gets what is a day later, the others nothing, and nobody calls them idle."""
    path = pipeline.place.path("later.pb")
    pipeline.generate(500, "--bad", "0", "--out", path, "--from", "2025-01-05", "--to", "2025-01-05")
    kind = topics.declaration_class()
    with open(path, "rb") as source:
        data = source.read()
    messages, at = [], 0
    while at < len(data):
        size, at = wire.read_varint(data, at, len(data))
        value = data[at : at + size]
        messages.append((kind.FromString(value).declaration_id.encode(), value, 0))
        at += size
    topics.produce(pipeline.broker.address, pipeline.topic, messages)
    prometheus.await_alert("DryportWatermarkStuck", "three of four partitions get nothing")


def publisher_stopped(pipeline, prometheus):
    pipeline.publish.kill()
    prometheus.await_alert("DryportPublishStale", "the publisher is killed")
    pipeline.publish.start()
    wait_until(lambda: "DryportPublishStale" not in prometheus.firing(), "the alert ends with a new publisher", 90, 0.3)
    say("a new publisher: DryportPublishStale has ended")


def halted_partition(pipeline, prometheus):
    pipeline.aggregate.stop()
    pipeline.generate(1000, "--bad", "0")
    position = topics.ends(pipeline.broker.address, pipeline.topic)[2][1]
    admin = AdminClient({"bootstrap.servers": pipeline.broker.address, "log_level": 0})
    where = confluent_kafka.TopicPartition(pipeline.topic, 2, position)
    for done in admin.delete_records([where]).values():
        done.result(30)
    pipeline.aggregate.start()
    prometheus.await_alert("DryportPartitionHalted", "input was deleted before it was counted")
    if "input_lost" not in prometheus.firing()["DryportPartitionHalted"]:
        raise Failed("the alert does not say why: %s" % prometheus.firing())


FAULTS = {
    "DryportRejectSpike": reject_spike,
    "DryportWatermarkStuck": stuck_watermark,  # it stays so until the end
    "DryportPublishStale": publisher_stopped,
    "DryportPartitionHalted": halted_partition,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    chosen = parser.parse_args()
    with Workplace("monitoring") as place:
        broker = place.broker()
        pipeline = Pipeline(place, broker, chosen.dryport)
        pipeline.start()
        targets = ["127.0.0.1:%d" % each.http for each in (pipeline.aggregate, pipeline.publish)]
        with Prometheus(place, targets) as prometheus:
            wait_until(lambda: prometheus.are_up(2), "both are scraped", 30)
            # Two days, so that the watermark is not at the beginning; then what is usual.
            pipeline.generate(2000, "--bad", "0", "--from", "2025-01-01", "--to", "2025-01-01")
            pipeline.generate(RATE * 25, "--rate", str(RATE), "--bad", "0.005", "--from", "2025-01-01", "--to", "2025-01-01")
            wait_until(pipeline.counted_all, "all is counted")
            check_formats(pipeline)
            check_metrics(pipeline)
            check_dashboard(prometheus)
            for name, fault in FAULTS.items():
                wait_until(
                    lambda: not set(prometheus.firing()) & (set(FAULTS) - {"DryportWatermarkStuck"} | {name}),
                    lambda: "nothing is wrong, and there are %s" % prometheus.firing(),
                )
                fault(pipeline, prometheus)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
