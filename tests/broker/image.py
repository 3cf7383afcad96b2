# SPDX-License-Identifier: Apache-2.0
"""The image of the Dockerfile, built here and run against a real broker that wants TLS, SCRAM and ACLs.

    contents   under 60 MB, no shell, nothing that another than root could change, a list of packages (SPDX) that names what ships
    confined   runs as a user without rights on a root that is read only, with no capability; its own health check works inside
    counted    one container counts, another publishes, each with the rights of its role: the Korean set equals its recount;
               SIGTERM to exit within 20 s
    wrong_password   is said, and waited out

Needs root: layers are mounted, and files of passwords are given to the user of the image.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tarfile
import time

import access
import korean
import topics
from cluster import SOURCE, Failed, Workplace, say, shared_data, tell, wait_until
from container import TOOL, USER, Container, build, podman, run_once, write_config

LARGEST = 60 * 1000 * 1000
STOP_S = 20
# Where OpenSSL looks for authorities; a site puts its own there.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PASSWORD = "/run/secrets/kafka-password"
PLACES = {"lists": "/lists", "data": "/data", "map": "/krd.map"}


def layout(image):
    """The members of the image's root, as tar has them, and the texts of the small files among them."""
    label = podman("create", "--no-healthcheck", image).strip()
    try:
        with subprocess.Popen([TOOL, "podman", "export", label], stdout=subprocess.PIPE) as export:
            with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
                members, texts = [], {}
                for member in tar:
                    members.append(member)
                    if member.isfile() and not member.name.startswith("usr/share/zoneinfo/"):
                        content = tar.extractfile(member)
                        texts[member.name] = content.read() if member.size < 1 << 20 else content.read(4)
            export.stdout.read()
        return members, texts
    finally:
        podman("rm", label)


def contents(place, image):
    members, texts = layout(image)
    size = sum(member.size for member in members)
    if size > LARGEST:
        raise Failed("the image has %d bytes, and %d may be" % (size, LARGEST))
    programs = sorted(name for name, text in texts.items() if text[:4] == b"\x7fELF" and not re.search(r"\.so(\.\d+)*$", name))
    scripts = sorted(name for name, text in texts.items() if text[:2] == b"#!")
    if programs != ["usr/bin/dryport"] or scripts:
        raise Failed("programs %s, scripts %s: there must be dryport alone" % (programs, scripts))
    open_ones = [m.name for m in members if not m.issym() and (m.uid != 0 or m.gid != 0 or m.mode & 0o7022)]
    # the runtime makes these where the image has none
    open_ones = [name for name in open_ones if name.split("/")[0] not in ("dev", "proc", "run", "sys")]
    if open_ones:
        raise Failed("not root's alone, or with special bits: %s" % open_ones[:10])
    inspected = json.loads(podman("image", "inspect", image))[0]
    config = inspected["Config"]
    want = {"User": "%d:%d" % (USER, USER), "Entrypoint": ["/usr/bin/dryport"], "Cmd": ["run"], "StopSignal": "SIGTERM"}
    found = {name: config.get(name) for name in want}
    if found != want or config.get("Volumes"):
        raise Failed("the image's configuration is %s, volumes %s" % (found, config.get("Volumes")))
    packages = check_list(place, members, texts)
    say("contents: %.1f MB, one program, %d packages in its list" % (size / 1e6, packages))
    return inspected["Healthcheck"]["Test"][1:]


def check_list(place, members, texts):
    """The SPDX document is valid by the tool of its authors, and names a package for each library."""
    name = "usr/share/doc/dryport/sbom.spdx.json"
    path = place.path("sbom.spdx.json")
    with open(path, "wb") as out:
        out.write(texts[name])
    environment = subprocess.run(
        [os.path.join(SOURCE, "scripts", "test_venv.sh"), os.path.join(SOURCE, "tests", "image", "requirements.txt")],
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.strip()
    done = subprocess.run(
        [os.path.join(environment, "bin", "pyspdxtools"), "--infile", path],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise Failed("%s is not valid:\n%s" % (name, done.stdout[-2000:]))
    document = json.loads(texts[name])
    listed = {package["name"]: package["versionInfo"] for package in document["packages"]}
    copyrights = {m.name.split("/")[3] for m in members if re.fullmatch(r"usr/share/doc/[^/]+/copyright", m.name)}
    libraries = [m.name for m in members if re.search(r"\.so(\.\d+)*$", m.name)]
    if copyrights != set(listed) - {"dryport"} or len(libraries) < len(listed) // 2:
        raise Failed("listed %s, licences of %s, %d libraries" % (sorted(listed), sorted(copyrights), len(libraries)))
    if not listed.get("librdkafka1", "").startswith("2.8.") or "libc6" not in listed or "tzdata" not in listed:
        raise Failed("the list has %s" % listed)
    return len(listed) - 1


def confined(container, health):
    """What the kernel says of the process, and what the health check says inside."""
    status, root = container.kernel_says()
    users = {name: set(status[name].split()) for name in ("Uid", "Gid")}
    powers = {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")}
    if users != {"Uid": {str(USER)}, "Gid": {str(USER)}} or any(powers.values()) or status["NoNewPrivs"] != "1" or "ro" not in root:
        raise Failed("users %s, capabilities %s, NoNewPrivs %s, root %s" % (users, powers, status["NoNewPrivs"], root))
    container.run_inside(*health)
    container.run_inside("/usr/bin/dryport", "health", "--ready")
    for shell in ("/bin/sh", "/bin/bash", "/usr/bin/env"):
        if podman("exec", container.label, shell, expect=None) or container.process.poll() is not None:
            raise Failed("%s can be run inside" % shell)
    say("confined: user %d, no capability, no new privileges, root read only; `%s` answers inside" % (USER, " ".join(health[1:])))


def make_topics(broker, names):
    """The four topics with the settings of deploy/kafka/topics.csv: no role may make them."""
    with open(os.path.join(SOURCE, "deploy", "kafka", "topics.csv"), encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    topics.create(
        broker.address,
        *((name, 4, {row["setting"]: row["value"] for row in rows if row["topic"] == topic}) for topic, name in names.items())
    )


class Fleet:
    """The processor as Case knows it, in two containers: what is asked about input goes to the one that counts."""

    def __init__(self, counting, publishing):
        self.counting, self.publishing = counting, publishing
        self.process = None

    def __getattr__(self, name):
        return getattr(self.counting, name)

    def start(self):
        for each in (self.counting, self.publishing):
            each.start()
        self.process = self.counting.process

    def stop(self):
        for each in (self.counting, self.publishing):
            begun = time.monotonic()
            each.process.terminate()
            each.wait(STOP_S)
            say("%s: SIGTERM to exit in %.1f s" % (each.name, time.monotonic() - begun))

    def tail(self):
        return self.counting.tail() + self.publishing.tail()


class Case(korean.Case):
    """The Korean set, loaded and processed by containers that log in by TLS and SCRAM, each as its role."""

    def __init__(self, place, broker, data, image):
        super().__init__(place, broker, korean.Set(data), "image", "reject", None, data)
        self.image = image
        common = {**self.settings, "reference.dir": PLACES["lists"], "topics.create": "false"}
        self.files = {AUTHORITIES: os.path.join(broker.tls, "ca.pem"), PLACES["lists"]: data}
        self.roles = {role: {**common, **self.login(role)} for role in ("aggregate", "publish", "load")}
        for role in ("aggregate", "publish"):
            self.roles[role]["role"] = role
        make_topics(broker, {name: self.settings["topic." + name] for name in ("declarations", "journal", "statistics", "rejects")})
        access.grant(broker, self.settings)
        self.processor = Fleet(*(self.container(role) for role in ("aggregate", "publish")))

    def login(self, role):
        """As a site does it: the password in a mounted file, its authority in the image's own store of them."""
        settings = {**access.scram(self.broker, role), "kafka.sasl.password.file": PASSWORD}
        del settings["kafka.ssl.ca.location"]
        return settings

    def secret(self, role, password=None):
        """{place within: file} of a password, which only the image's user may read."""
        path = access.password_file(self.broker, role, password)
        os.chown(path, USER, USER)
        return {PASSWORD: path}

    def container(self, role, name=None, password=None):
        files = {**self.files, **self.secret(role, password)}
        container = Container(self.image, self.place.folder, name or role, self.roles[role], files)
        self.place.processors.append(container)
        return container

    def load(self, path, declarations, with_map=True):
        config = write_config(self.place.path("load.conf"), self.roles["load"])
        inside = PLACES["data"] + "/" + os.path.basename(path)
        files = {**self.files, **self.secret("load"), Container.CONFIG: config, PLACES["map"]: self.korean.map, inside: path}
        run_once(self.image, files, "load", "-c", Container.CONFIG, "--map", PLACES["map"], inside)
        self.loaded += declarations

    def wrong_password(self):
        """Says so, and does not end."""
        container = self.container("aggregate", "wrong", "wrong")
        container.start()
        wait_until(lambda: "uthentication failed" in container.logged(), lambda: "the refusal is said:\n" + container.tail(), 30)
        code, text = wait_until(lambda: container.get("/readyz")[0] and container.get("/readyz"), "it listens", 10)
        if code != 503:
            raise Failed("/readyz answers %d %s with a wrong password" % (code, text))
        container.stop(STOP_S)
        say("a wrong password: /readyz 503: %s" % text.strip())


def counted(case, health):
    """From the file to the statistics; each container is looked at while it runs."""
    begun = time.monotonic()
    case.load(case.korean.csv, case.korean.declarations)
    case.take_log()
    case.processor.start()
    for each in (case.processor.counting, case.processor.publishing):
        wait_until(lambda each=each: each.get("/readyz")[0] == 200, lambda each=each: "ready:\n" + each.tail(), 60)
        confined(each, health)
    case.published()
    per_code = case.check_counters()
    case.processor.stop()
    case.check_end()
    verdicts = case.ledger.verdicts
    if (verdicts["counted"], verdicts["rejected"]) != korean.KNOWN["reject"] or per_code != korean.KNOWN_CODES:
        raise Failed("%s %s" % (verdicts, per_code))
    case.summary(begun)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test-stage", action="store_true", help="the unit tests within the image's build, too")
    parser.add_argument("--image", help="this image, instead of building one")
    chosen = parser.parse_args()
    data = shared_data()
    if data is None:
        raise Failed("without the Korean set there is nothing to show")
    begun = time.monotonic()
    image = chosen.image or build()
    if not chosen.image:
        say("%s is built: %.0f s" % (image, time.monotonic() - begun))
    if chosen.test_stage:
        begun = time.monotonic()
        build("--target", "test")
        say("its unit tests passed on the distribution of the image: %.0f s" % (time.monotonic() - begun))
    with Workplace("image") as place:
        health = contents(place, image)
        case = Case(place, place.broker(users=access.users()), data, image)
        counted(case, health)
        case.wrong_password()
        case.statistics.close()
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
