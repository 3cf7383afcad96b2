# SPDX-License-Identifier: Apache-2.0
"""deploy/compose.yaml without its images: what podman-compose makes of it, and that each part fits the others.

usage: compose.py DRYPORT COMPOSE-FILE PODMAN-COMPOSE

Its own reader is lenient, so that the rest is checked here: services and keys are known ones, images have a tag, files that are shown
to containers exist, ports are on loopback, settings and commands are those of the program, Prometheus understands its configuration.
"""

import os
import re
import subprocess
import sys

import yaml

SERVICES = {"kafka", "dryport", "generator", "prometheus", "grafana"}
KEYS = {
    "image", "build", "command", "environment", "depends_on", "read_only", "cap_drop", "security_opt", "mem_limit", "stop_grace_period",
    "restart", "ports", "volumes", "healthcheck",
}
INSTALLED = "/usr/share/dryport/reference"
STOP_S = 30

faults = []


def check(condition, text):
    if not condition:
        faults.append(text)


def run(*command, environment=None):
    return subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, timeout=100,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("DRYPORT_")}, **(environment or {})},
    )


def check_service(name, service, folder, services):
    check(set(service) <= KEYS, "%s: no key of compose, or not one that is checked: %s" % (name, sorted(set(service) - KEYS)))
    check(re.fullmatch(r"[a-z.]+/[a-z/]+:v?[0-9][0-9.]*", service["image"]) or "build" in service or service["image"] in built(services),
          "%s: %s: give an image of a registry with the tag of a version" % (name, service["image"]))
    for volume in service.get("volumes", ()):
        source, _, options = (volume.split(":") + [""])[:3]
        check(os.path.exists(os.path.join(folder, source)), "%s: %s does not exist" % (name, source))
        check(options == "ro", "%s: %s can be written by the container" % (name, source))
    for port in service.get("ports", ()):
        check(str(port).startswith("127.0.0.1:"), "%s: port %s is open to all hosts" % (name, port))
    for other, when in (service["depends_on"].items() if isinstance(service.get("depends_on"), dict) else ()):
        check(other in services, "%s waits for %s, which is no service" % (name, other))
        if isinstance(when, dict) and when.get("condition") == "service_healthy":
            tested = services[other].get("healthcheck") or "build" in services[other]  # our image has its own
            check(tested, "%s waits for the health of %s, which is not checked" % (name, other))


def built(services):
    return {service["image"] for service in services.values() if "build" in service}


def check_dryport(dryport, root, name, service):
    """The program takes these settings and this command; its lists are looked up in the source tree."""
    lists = os.path.join(root, "deploy", "reference")
    environment = {key: str(value).replace(INSTALLED, lists) for key, value in service["environment"].items()}
    arguments = service["command"]
    if arguments[0] == "run":
        done = run(dryport, *arguments, "--print-config", environment=environment)
    else:
        done = run(dryport, *arguments, "--count", "10", "--rate", "0", "--out", "/dev/null", environment=environment)
    check(done.returncode == 0, "%s: %s: %s" % (name, " ".join(arguments), done.stdout.strip()[-500:]))
    check(service.get("read_only") is True and service.get("cap_drop") == ["ALL"], "%s: not as confined as the image is made for" % name)
    broker = service["environment"]["DRYPORT_BROKERS"]
    return broker


def main():
    dryport, path, tool = sys.argv[1:4]
    folder = os.path.dirname(os.path.abspath(path))
    root = os.path.dirname(folder)
    done = run(tool, "-f", path, "config")
    check(done.returncode == 0, "podman-compose config: exit %d\n%s" % (done.returncode, done.stdout[-1000:]))
    with open(path, encoding="utf-8") as source:
        document = yaml.safe_load(source)
    if done.returncode == 0:
        kept = yaml.safe_load(done.stdout)["services"]
        check(set(kept) == set(document["services"]), "podman-compose has the services %s" % sorted(kept))
    services = document["services"]
    check(set(services) == SERVICES, "services %s, there must be %s" % (sorted(services), sorted(SERVICES)))
    for name, service in services.items():
        check_service(name, service, folder, services)
    advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for name in ("dryport", "generator"):
        broker = check_dryport(dryport, root, name, services[name])
        check("INSIDE://" + broker in advertised, "%s: the broker %s is not what Kafka advertises: %s" % (name, broker, advertised))
    grace = services["dryport"].get("stop_grace_period", "10s")
    check(re.fullmatch(r"\d+s", grace) and int(grace[:-1]) >= STOP_S, "dryport: %s to stop: it may take 20 s" % grace)
    done = run("promtool", "check", "config", os.path.join(folder, "prometheus", "prometheus.yaml"))
    check(done.returncode == 0, "promtool check config:\n%s" % done.stdout[-1000:])
    for text in faults:
        print("%s: %s" % (path, text), file=sys.stderr)
    print("%d services, %d faults" % (len(services), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
