# SPDX-License-Identifier: Apache-2.0
"""A rolling upgrade of two instances under load loses and doubles nothing, on a real broker.

As a Deployment with maxSurge 1 does it: a new instance starts, is ready, an old one gets SIGTERM; then the next pair. While
declarations keep coming, /readyz of each instance is asked all the time:

    a new one      says 503 until it has joined and restored, then 200
    an old one     says 503 from SIGTERM on, still answers while it drains, and has ended within 20 s with code 0

`dryport verify` is clean in the middle of it and, with --recount, at the end; the statistics equal an independent recount.
"""

import argparse
import json
import sys
import threading
import time
import urllib.error
import urllib.request

from cluster import Failed, Workplace, command, default_binary, options, say, tell, wait_until
from container import Container
from processes import Fleet

STOP_S = 20
TOLD_S = 0.5  # from SIGTERM to the first 503: the signal is seen in steps of 20 ms, the question takes its time
EVERY_S = 0.03
LISTS_INSIDE = "/usr/share/dryport/reference/demo"


class Watch(threading.Thread):
    """Asks /readyz of every instance again and again: {name: [(time, HTTP status or 0)]}."""

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet, self.seen, self.ends = fleet, {}, threading.Event()

    def run(self):
        while not self.ends.wait(EVERY_S):
            for name, member in list(self.fleet.members.items()):
                self.seen.setdefault(name, []).append((time.monotonic(), ask(member.http)))

    def stop(self):
        self.ends.set()
        self.join()

    def codes(self, name, since=0.0):
        """What it said, runs of the same answer told once."""
        said = [code for at, code in self.seen.get(name, ()) if at >= since]
        return [code for i, code in enumerate(said) if i == 0 or said[i - 1] != code]

    def without_ready(self):
        """The longest time in seconds in which no instance was ready, from when the first one was."""
        events = sorted((at, name, code == 200) for name, said in self.seen.items() for at, code in said)
        ready, since, longest = set(), None, 0.0
        for at, name, well in events:
            (ready.add if well else ready.discard)(name)
            if ready:
                since = at
            elif since is not None:
                longest = max(longest, at - since)
        return longest


def ask(port):
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/readyz" % port, timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Images(Fleet):
    """Instances of the image in place of processes of the binary; the load and `verify` stay the binary's."""

    image = None

    def start(self, name, **settings):
        settings = {**self.settings, "reference.dir": LISTS_INSIDE, **settings}
        member = Container(self.image, self.place.folder, "%s-%s" % (self.name, name), settings)
        self.place.processors.append(member)
        self.members[name] = member
        member.start()
        return member


def verify(fleet, *arguments):
    out = command(fleet.binary, "verify", "--json", *arguments, *options(fleet.settings))
    return json.loads(out)


def begin(fleet, watch, name):
    """A new instance, begun and ready; it was not ready before."""
    fleet.start(name)
    fleet.wait_ready(name)
    wait_until(lambda: 200 in watch.codes(name), "%s is seen ready" % name, 10)
    first = watch.codes(name)
    if 503 not in first[: first.index(200)] or set(first[: first.index(200)]) - {0, 503}:
        raise Failed("%s said %s from its start on: it must say 503 before 200" % (name, first))


def end(fleet, watch, name):
    """SIGTERM to an old one, and what it says until it is gone."""
    member = fleet.members[name]
    begun = time.monotonic()
    member.process.terminate()
    member.wait(STOP_S)
    took = time.monotonic() - begun
    del fleet.members[name]
    late = [code for at, code in watch.seen[name] if at >= begun + TOLD_S and code == 200]
    if late or 503 not in watch.codes(name, begun):
        raise Failed("%s said %s from SIGTERM on: it must say 503, and 200 no more" % (name, watch.codes(name, begun)))
    say("%s: SIGTERM to exit in %.1f s; /readyz said %s" % (name, took, watch.codes(name, begun)))


def rolling(place, broker, binary, kind, rate):
    fleet = kind(place, broker, "rolling", binary)
    watch = Watch(fleet)
    watch.start()
    for name in ("a-old", "b-old"):
        begin(fleet, watch, name)
    fleet.shared("a-old", "b-old")
    fleet.generate(rate)
    fleet.wait_position(2 * rate)
    for old, new, other in (("a-old", "a-new", "b-old"), ("b-old", "b-new", "a-new")):
        begin(fleet, watch, new)
        at = fleet.positions()
        end(fleet, watch, old)
        fleet.shared(new, other)
        fleet.wait_ready(new, other)
        fleet.wait_position(at + rate)
        found = verify(fleet)
        say("%s is replaced by %s; verify beside the load: %s" % (old, new, summary(found)))
    watch.stop()
    say("longest time without any instance that is ready: %.1f s" % watch.without_ready())
    fleet.exact()
    say("verify --recount at the end: %s" % summary(verify(fleet, "--recount")))


def summary(found):
    return ", ".join("%s %s" % (name, value) for name, value in found.items() if not isinstance(value, (dict, list)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--image", help="instances of this image, each in a container")
    parser.add_argument("--rate", type=int, default=2000, help="declarations a second (default 2000)")
    chosen = parser.parse_args()
    Images.image = chosen.image
    with Workplace("rolling") as place:
        rolling(place, place.broker(), chosen.dryport, Images if chosen.image else Fleet, chosen.rate)
    say("all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
