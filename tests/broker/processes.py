# SPDX-License-Identifier: Apache-2.0
"""Several processes in one group on a real broker: every case ends with statistics equal to an independent recount.

    scale             1 -> 3 -> 1 processes under load; what was let go clean is taken back warm, the rest is restored
    static            static members: a restart within the session moves no partition of the others; one id twice is said
    roles             role=aggregate and role=publish apart: each runs its part only, /readyz and /status say so
    lease             the publisher is killed (kill -9) under load, the one that stands by takes over
    zombie_publisher  the publisher stops (SIGSTOP) beyond its session, another takes over, it wakes: late records are repaired
    zombie_aggregate  the same with the owner of partitions
    sigterm           a graceful stop under load: within 20 s, code 0, and the others go on at once
    sigterm_twice     the second signal ends the process at once, with nothing lost
    producer_error    journal, then statistics refuse every write for a while: epochs are rebuilt, groups stamped again
    stuck             one thread of a process is held: /livez fails and says which (begun first, looked at last)

In each case the last record of each key in the log is the one with the largest as_of: late ones were published again.
"""

import argparse
import ctypes
import os
import random
import signal
import subprocess
import sys
import time

import confluent_kafka

import recount
import topics
from bad_input import alter
from cluster import (
    SOURCE,
    Failed,
    Workplace,
    default_binary,
    die_with_parent,
    options,
    say,
    tell,
    wait_until,
)

SEED = 20251122
PARTITIONS = 6
SESSION_S = 6
REFERENCE = os.path.join(SOURCE, "deploy", "reference", "demo")
TERM_SHIFT = 40
VIEWS = ("office", "partner", "commodity")  # of each grain and with quantities; the others are shown elsewhere


class Fleet:
    """Processes on the same topics, the load, and the recount of what they published."""

    def __init__(self, place, broker, name, binary, **settings):
        self.place, self.broker, self.binary, self.name = place, broker, binary, name
        self.settings = {
            "brokers": broker.address,
            "group": name,
            "topic.declarations": name + ".declarations",
            "topic.journal": name + ".journal",
            "topic.statistics": name + ".statistics",
            "topic.rejects": name + ".rejects",
            "topics.partitions": PARTITIONS,
            "reference.dir": REFERENCE,
            "publish.interval.ms": 200,
            **{"view." + view: "%s@%s" % (",".join(recount.VIEWS[view][1]), recount.VIEWS[view][0].lower()) for view in VIEWS},
            "kafka.consumer.session.timeout.ms": SESSION_S * 1000,
            **settings,
        }
        self.members = {}
        self.load = None
        self.nomenclature = recount.Nomenclature(REFERENCE, os.path.dirname(REFERENCE))
        self.statistics = topics.Statistics(broker.address, self.settings["topic.statistics"])
        self.statistics.state = recount.Consumer(rivals=True)

    def start(self, name, **settings):
        """A process with settings of its own, begun and added."""
        member = self.place.processor(self.binary, "%s-%s" % (self.name, name), {**self.settings, **settings})
        self.members[name] = member
        member.start()
        return member

    def generate(self, rate=1500):
        """Begins to write declarations in the background, until exact()."""
        self.load = subprocess.Popen(
            [self.binary, "generate", "--count", "0", "--rate", str(rate), "--seed", str(SEED)]
            + options(self.settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def end_load(self):
        if self.load.poll() is not None:
            raise Failed("%s: generate ended with %d before it was asked to" % (self.name, self.load.returncode))
        self.load.send_signal(signal.SIGINT)
        if self.load.wait(60) != 0:
            raise Failed("%s: generate ended with %d" % (self.name, self.load.returncode))

    def running(self):
        return {name: m for name, m in self.members.items() if m.process.poll() is None}

    def status(self, name):
        return self.members[name].status() or {}

    def owned(self):
        """name -> the partitions that a process has running."""
        return {
            name: {p["partition"] for p in (self.status(name).get("partitions") or ()) if p["state"] == "running"}
            for name in self.running()
        }

    def positions(self, only=None):
        found = {}
        for name in only or self.running():
            for row in self.status(name).get("partitions") or ():
                found[row["partition"]] = max(found.get(row["partition"], 0), int(row["position"]))
        return sum(found.values())

    def shared(self, *names, deadline_s=60):
        """Waits until these processes, and no other, run all partitions, each its part."""

        def even():
            owned = self.owned()
            held = [p for part in owned.values() for p in part]
            return (
                sorted(held) == list(range(PARTITIONS))
                and all(len(owned.get(name, ())) in (PARTITIONS // len(names), -(-PARTITIONS // len(names))) for name in names)
                and owned
            )

        return wait_until(even, lambda: "%s: %s share: %s" % (self.name, names, self.owned()), deadline_s)

    def wait_ready(self, *names, deadline_s=60):
        for name in names:
            wait_until(
                lambda name=name: self.members[name].get("/readyz")[0] == 200,
                lambda name=name: "%s is ready: %s\n%s"
                % (name, self.members[name].get("/readyz"), self.members[name].tail()),
                deadline_s,
            )

    def wait_position(self, least, deadline_s=60):
        return wait_until(
            lambda: self.positions() >= least and self.positions(),
            lambda: "%s: position %d reached, at %d" % (self.name, least, self.positions()),
            deadline_s,
        )

    def metric(self, name, metric):
        return int(self.members[name].metrics().get("dryport_" + metric, 0))

    def exact(self, deadline_s=90):
        """All input is counted, and the statistics equal a recount of it; as_of never fell."""
        say("%s: shown, now the totals" % self.name)
        self.end_load()
        bounds = topics.ends(self.broker.address, self.settings["topic.declarations"])
        total = sum(high for _, high in bounds.values())
        wait_until(
            lambda: self.positions() == total,
            lambda: "%s: %d of %d counted; %s" % (self.name, self.positions(), total, self.tails()),
            deadline_s,
            0.1,
        )
        ledger = recount.Ledger(self.nomenclature.scope)
        topics.fill_ledger(
            self.broker.address, self.settings["topic.declarations"], self.settings["topic.rejects"], ledger
        )
        want = recount.expected(ledger.standing(), self.nomenclature, "CN", "CNY", VIEWS)
        last = ["nothing was read"]

        def equal():
            if self.statistics.advance() == 0 and last[0] != "nothing was read":
                return False
            last[:] = recount.compare(want, self.statistics.state.records())
            return not last

        wait_until(equal, lambda: "%s equals the recount:\n  %s\n%s" % (self.name, "\n  ".join(last), self.tails()), deadline_s, 0.2)
        for member in self.running().values():
            member.stop()
        self.statistics.advance()
        state = self.statistics.state
        broken = recount.compare(want, state.records()) + state.broken
        broken += ["%s: its last record came too late" % key for key in sorted(state.unrepaired)]
        if broken:
            raise Failed("%s after the end:\n  %s" % (self.name, "\n  ".join(broken[:10])))
        self.statistics.close()
        say(
            "%s: equal to the recount: %d cells, %s; %d statistics read, %d of them late"
            % (
                self.name,
                len(want),
                ", ".join("%d %s" % (n, v) for v, n in ledger.verdicts.items() if n),
                self.statistics.state.seen,
                self.statistics.state.ignored,
            )
        )

    def tails(self):
        return "\n".join("--- %s\n%s" % (name, m.tail(8)) for name, m in self.members.items())

    def publishing(self):
        """The one process that publishes, or None."""
        found = [n for n in self.running() if (self.status(n).get("publisher") or {}).get("state") == "publishing"]
        return found[0] if len(found) == 1 else None

    def wait_publisher(self, *names, deadline_s=60):
        return wait_until(
            lambda: self.publishing() in names and self.publishing(),
            lambda: "%s: one of %s publishes\n%s" % (self.name, names, self.tails()),
            deadline_s,
        )


def scale(place, broker, binary):
    fleet = Fleet(place, broker, "scale", binary)
    fleet.start("a")
    fleet.wait_ready("a")
    fleet.generate()
    fleet.wait_position(3000)
    fleet.start("b")
    fleet.start("c")
    fleet.shared("a", "b", "c")
    fleet.wait_ready("a", "b", "c")
    grown = fleet.positions()
    fleet.wait_position(grown + 3000)
    for name in ("a", "b"):  # the first owner leaves too: the publisher moves with partition 0
        fleet.members[name].stop()
    fleet.shared("c")
    warm = fleet.metric("c", 'epochs_opened_total{reason="warm"}')
    logged = fleet.members["a"].logged() + fleet.members["b"].logged()
    fleet.exact()
    say("scale: from %d on three, then one again; c took back %d partitions warm; %d revoked before" % (grown, warm, logged.count('"partition_revoked"')))


def static(place, broker, binary):
    fleet = Fleet(place, broker, "static", binary)
    key = "kafka.consumer.group.instance.id"
    for name in ("a", "b", "c"):
        fleet.start(name, **{key: "member-" + name})
    owned = fleet.shared("a", "b", "c")
    fleet.wait_ready("a", "b", "c")
    fleet.generate()
    fleet.wait_position(3000)
    kinds = ['rebalances_total{kind="%s"}' % kind for kind in ("revoked", "lost")]
    before = {name: [fleet.metric(name, kind) for kind in kinds] for name in ("a", "b")}
    fleet.members["c"].stop()
    fleet.members["c"].start()
    if fleet.shared("a", "b", "c") != owned:
        raise Failed("static: other partitions after a restart: %s, before %s" % (fleet.owned(), owned))
    after = {name: [fleet.metric(name, kind) for kind in kinds] for name in ("a", "b")}
    if after != before:
        raise Failed("static: a restart of one rebalanced the others: %s, before %s" % (after, before))
    fleet.members["b"].kill()  # and a killed one has its own again
    fleet.members["b"].start()
    if fleet.shared("a", "b", "c") != owned:
        raise Failed("static: other partitions after a kill: %s, before %s" % (fleet.owned(), owned))
    twin = fleet.start("twin", **{key: "member-a"})
    wait_until(
        lambda: any("give each its own" in m.logged() for m in (twin, fleet.members["a"])),
        "one of two with the same group.instance.id says so",
        30,
    )
    twin.kill()
    fleet.shared("a", "b", "c")
    fleet.exact()


def check_role(fleet, name, role, publisher, partitions):
    def got():
        status = fleet.status(name)
        return status["role"], status["publisher"]["state"], len(status["partitions"]) > 0, status["state"]

    want = (role, publisher, partitions, "running")
    wait_until(lambda: got() == want, lambda: "%s: %s is %s, not %s" % (fleet.name, name, got(), want), 15)


def roles(place, broker, binary):
    fleet = Fleet(place, broker, "roles", binary)
    fleet.start("a", role="aggregate")
    fleet.wait_ready("a")
    fleet.generate()
    fleet.wait_position(3000)
    if fleet.statistics.advance():
        raise Failed("roles: statistics without a publisher")
    fleet.start("p", role="publish")
    fleet.wait_ready("p")
    fleet.start("b", role="aggregate")
    fleet.shared("a", "b")
    fleet.wait_ready("a", "b")
    check_role(fleet, "a", "aggregate", "off", True)
    check_role(fleet, "b", "aggregate", "off", True)
    check_role(fleet, "p", "publish", "publishing", False)
    threads = {name: fleet.members[name].metrics() for name in ("a", "p")}
    if any('thread="worker-0"' in name for name in threads["p"]):
        raise Failed("roles: the publisher has workers")
    if any(value for name, value in threads["a"].items() if name.startswith("dryport_publish_keys_total")):
        raise Failed("roles: role=aggregate publishes")
    fleet.members["a"].stop()
    fleet.shared("b")
    fleet.exact()


def publishers(place, broker, binary, name):
    """An aggregate and two publishers under load; the name of the one that publishes first and of the other."""
    fleet = Fleet(place, broker, name, binary)
    fleet.start("a", role="aggregate")
    fleet.start("p", role="publish")
    fleet.start("q", role="publish")
    fleet.wait_ready("a", "p", "q")
    first = fleet.wait_publisher("p", "q")
    other = "q" if first == "p" else "p"
    check_role(fleet, other, "publish", "standby", False)
    return fleet, first, other


def lease(place, broker, binary):
    fleet, first, other = publishers(place, broker, binary, "lease")
    fleet.generate()
    fleet.wait_position(3000)
    fleet.members[first].kill()
    started = time.monotonic()
    fleet.wait_publisher(other)
    took = time.monotonic() - started
    if took > 3 * SESSION_S:
        raise Failed("lease: handed over after %.1f s" % took)
    fleet.members[first].start()  # comes back, and the lease is held by one of them
    fleet.wait_ready(first)
    second = fleet.wait_publisher(first, other)
    fleet.members[second].stop()  # a stop hands it over at once, without the session time-out
    started = time.monotonic()
    fleet.wait_publisher(first if second == other else other)
    say("lease: taken over %.1f s after kill -9, %.1f s after SIGTERM" % (took, time.monotonic() - started))
    fleet.exact()


def late_records(fleet, count):
    """Writes again what keys had in an earlier term, as a publisher does that was cut off: the keys."""
    topic = fleet.settings["topic.statistics"]
    records = [m for m in topics.read(fleet.broker.address, topic) if not m.key().startswith(b"#")]
    term = {id(m): int(dict(m.headers())["as_of"]) >> TERM_SHIFT for m in records}
    last = max(term.values())
    newest = {m.key().decode("ascii"): m for m in records if term[id(m)] < last}
    if len(newest) < count:
        raise Failed("%d keys were published before the last term %d" % (len(newest), last))
    chosen = random.Random(SEED).sample(sorted(newest), count)
    client = confluent_kafka.Producer({"bootstrap.servers": fleet.broker.address, "log_level": 0})
    for key in chosen:
        late = newest[key]
        client.produce(topic, late.value(), late.key(), late.partition(), headers=late.headers())
    if client.flush(10):
        raise Failed("late records can't be written")
    return chosen


def zombie_publisher(place, broker, binary):
    fleet, first, other = publishers(place, broker, binary, "zombie-publisher")
    fleet.generate()
    fleet.wait_position(3000)
    zombie = fleet.members[first].process
    zombie.send_signal(signal.SIGSTOP)
    stopped = fleet.members.pop(first)  # it does not answer meanwhile
    fleet.wait_publisher(other)
    zombie.send_signal(signal.SIGCONT)
    fleet.members[first] = stopped
    wait_until(
        lambda: "lease_let_go" in stopped.logged() and fleet.publishing(),
        lambda: "the zombie has let go, and one publishes:\n%s" % fleet.tails(),
        30,
    )

    def repairs():
        return [int(fleet.status(name)["publisher"]["repairs"]) for name in (first, other)]

    before = repairs()
    keys = late_records(fleet, 20)
    wait_until(
        lambda: any(now - was >= len(keys) for now, was in zip(repairs(), before)),
        lambda: "%d late records are repaired: %s, before %s" % (len(keys), repairs(), before),
        30,
    )
    say("zombie_publisher: %d records of the zombie came late, %d of ours" % (sum(before), len(keys)))
    fleet.exact()


def zombie_aggregate(place, broker, binary):
    fleet = Fleet(place, broker, "zombie-aggregate", binary)
    for name in ("a", "b"):
        fleet.start(name)
    fleet.shared("a", "b")
    fleet.wait_ready("a", "b")
    fleet.generate()
    fleet.wait_position(3000)
    leader = fleet.wait_publisher("a", "b")
    other = "b" if leader == "a" else "a"
    zombie = fleet.members[leader].process
    zombie.send_signal(signal.SIGSTOP)
    stopped = fleet.members.pop(leader)
    fleet.shared(other)
    fleet.wait_publisher(other)
    zombie.send_signal(signal.SIGCONT)
    fleet.members[leader] = stopped
    fleet.shared("a", "b")
    fenced = {name: fleet.metric(name, "fenced_total") for name in ("a", "b")}
    if fenced[other] > 0:
        raise Failed("zombie_aggregate: the zombie claimed partitions of the living: %s" % fenced)
    fleet.exact()
    say("zombie_aggregate: %s was cut off, and dropped %d partitions" % (leader, fenced[leader]))


def sigterm(place, broker, binary):
    fleet = Fleet(place, broker, "sigterm", binary)
    for name in ("a", "b"):
        fleet.start(name)
    fleet.shared("a", "b")
    fleet.wait_ready("a", "b")
    fleet.generate()
    fleet.wait_position(3000)
    leader = fleet.wait_publisher("a", "b")
    other = "b" if leader == "a" else "a"
    started = time.monotonic()
    fleet.members[leader].process.terminate()
    wait_until(
        lambda: fleet.members[leader].process.poll() is not None
        or fleet.members[leader].get("/readyz")[0] in (0, 503),
        "not ready while it stops",
        5,
    )
    taken = None
    while fleet.members[leader].process.poll() is None and time.monotonic() - started < 25:
        if taken is None and len(fleet.owned().get(other, ())) == PARTITIONS:
            taken = time.monotonic() - started
        time.sleep(0.02)
    took = time.monotonic() - started
    if fleet.members[leader].process.poll() != 0 or took > 20:
        raise Failed("sigterm: %s after %.1f s:\n%s" % (fleet.members[leader].process.poll(), took, fleet.tails()))
    fleet.shared(other)
    taken = taken or time.monotonic() - started
    if taken > SESSION_S:
        raise Failed("sigterm: the other had its partitions after %.1f s" % taken)
    say("sigterm: ended in %.1f s; the other had all partitions after %.1f s" % (took, taken))
    fleet.exact()


def sigterm_twice(place, broker, binary):
    fleet = Fleet(place, broker, "sigterm-twice", binary)
    member = fleet.start("a")
    fleet.wait_ready("a")
    fleet.generate()
    fleet.wait_position(3000)
    broker.pause()  # so that the stop can't be over before the second signal
    member.process.terminate()
    wait_until(lambda: '"stopping"' in member.logged(), "the stop begins", 10)
    if member.process.poll() is not None:
        raise Failed("sigterm_twice: ended by one signal without a broker that answers")
    started = time.monotonic()
    member.process.terminate()
    code = member.process.wait(5)
    took = time.monotonic() - started
    broker.resume()
    if code != 0 or took > 1:
        raise Failed("sigterm_twice: ended with %s after %.1f s" % (code, took))
    member.start()
    fleet.exact()


def refuse(fleet, kind, seconds):
    """Every write to the topic fails at once for a while: its records are always too old."""
    topic = fleet.settings["topic." + kind]
    alter(fleet.broker.address, topic, message_timestamp_before_max_ms="0")
    time.sleep(seconds)
    alter(fleet.broker.address, topic, message_timestamp_before_max_ms="9223372036854775807")


def producer_error(place, broker, binary):
    fleet = Fleet(place, broker, "producer-error", binary)
    for name in ("a", "b"):
        fleet.start(name)
    fleet.shared("a", "b")
    fleet.wait_ready("a", "b")
    fleet.generate()
    fleet.wait_position(3000)
    refuse(fleet, "journal", 2)
    stamped = {name: fleet.metric(name, 'epochs_opened_total{reason="producer"}') for name in ("a", "b")}
    if not all(stamped.values()):
        raise Failed("producer_error: the journal refused, and no epoch was rebuilt: %s" % stamped)
    at = fleet.positions()
    fleet.wait_position(at + 3000)
    leader = fleet.wait_publisher("a", "b")
    term = int(fleet.status(leader)["publisher"]["term"])
    refuse(fleet, "statistics", 2)
    leader = fleet.wait_publisher("a", "b")
    wait_until(
        lambda: int(fleet.status(leader)["publisher"]["term"]) > term,
        lambda: "a larger term than %d after producer errors: %s" % (term, fleet.status(leader)["publisher"]),
        30,
    )
    dropped = {name: fleet.metric(name, "fenced_total") for name in ("a", "b")}
    fleet.exact()
    say("producer_error: epochs rebuilt %s, states dropped %s" % (stamped, dropped))


class Stuck:
    """A process one of whose threads is held by a debugger; begun first, because the watchdog waits 30 s."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, place, broker, binary):
        self.fleet = Fleet(place, broker, "stuck", binary, workers=2)
        self.member = self.fleet.start("a")
        self.fleet.wait_ready("a")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.thread = self.find("worker-1")
        for request in (self.SEIZE, self.INTERRUPT):
            if self.libc.ptrace(request, self.thread, None, None) != 0:
                raise Failed("ptrace of a child: %s" % os.strerror(ctypes.get_errno()))
        self.since = time.monotonic()

    def find(self, name):
        folder = "/proc/%d/task" % self.member.process.pid
        for thread in os.listdir(folder):
            with open("%s/%s/comm" % (folder, thread), encoding="ascii") as comm:
                if comm.read().strip() == name:
                    return int(thread)
        raise Failed("stuck: no thread %s" % name)

    def release(self):
        """Lets the thread go on; a process that is held can't be waited for."""
        if self.thread is not None:
            os.waitpid(self.thread, 0x40000000)  # __WALL: a thread that is not ours by fork
            self.libc.ptrace(self.DETACH, self.thread, None, None)
            self.thread = None

    def check(self):
        member = self.member
        wait_until(
            lambda: member.get("/livez")[0] == 503,
            lambda: "/livez fails: %s" % (member.get("/livez"),),
            45,
        )
        text = member.get("/livez")[1]
        if "worker-1" not in text or '"thread_stuck"' not in member.logged():
            raise Failed("stuck: /livez says %r\n%s" % (text, member.tail()))
        if time.monotonic() - self.since < 29:
            raise Failed("stuck: /livez failed after %.1f s" % (time.monotonic() - self.since))
        if self.fleet.metric("a", 'thread_step_age_seconds{thread="worker-1"}') < 29:
            raise Failed("stuck: the metric is %s" % member.metrics())
        self.release()
        wait_until(lambda: member.get("/livez")[0] == 200, "alive again when the thread goes on", 10)
        self.fleet.generate()
        self.fleet.wait_position(2000)
        self.fleet.exact()
        say("stuck: /livez said: %s" % text.strip())


CASES = {
    "scale": scale,
    "static": static,
    "roles": roles,
    "lease": lease,
    "zombie_publisher": zombie_publisher,
    "zombie_aggregate": zombie_aggregate,
    "sigterm": sigterm,
    "sigterm_twice": sigterm_twice,
    "producer_error": producer_error,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--case", action="append", choices=[*CASES, "stuck"], help="default: all")
    chosen = parser.parse_args()
    names = chosen.case or [*CASES, "stuck"]
    say("seed %d" % SEED)
    with Workplace("processes") as place:
        broker = place.broker()
        stuck = Stuck(place, broker, chosen.dryport) if "stuck" in names else None
        try:
            for name in names:
                if name in CASES:
                    started = time.monotonic()
                    CASES[name](place, broker, chosen.dryport)
                    say("%s: %.0f s" % (name, time.monotonic() - started))
            if stuck:
                stuck.check()
        finally:
            if stuck:
                stuck.release()
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
