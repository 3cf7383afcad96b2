# SPDX-License-Identifier: Apache-2.0
"""What a process costs that has nothing to do, and how soon it is ready: `dryport run` on empty topics of a real broker.

Each round starts a process with a fresh group on four empty topics (made before the first round, as a site has them) and takes the time until /readyz
says ready. In the last round it is left alone for SECONDS (20 s first, in which it comes to rest): its CPU and its resident memory, and nothing may have been
written meanwhile. Beside it a bare librdkafka consumer that waits on the same topics. Prints Markdown, for bench/record.sh. See bench/README.md.
"""

import os
import statistics
import subprocess
import sys
import time

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
import topics  # noqa: E402
from cluster import Failed, Workplace, tell, wait_until  # noqa: E402
from notes import cpu_of, figures, memory_of, note  # noqa: E402

NAME = "idle"
KINDS = {
    "declarations": {"cleanup.policy": "delete", "retention.ms": "-1"},
    "journal": {"cleanup.policy": "delete", "retention.ms": "-1"},
    "statistics": {"cleanup.policy": "compact"},
    "rejects": {"cleanup.policy": "delete", "retention.ms": "2592000000"},
}
MARK_READY_S, MARK_CPU, MARK_MIB = 0.5, 0.01, 30


def written(address):
    return [sorted(topics.ends(address, "%s.%s" % (NAME, kind)).items()) for kind in KINDS]


def start(place, chosen, address, number):
    """Starts a process; (it, seconds until it is ready)."""
    settings = {"topic." + kind: "%s.%s" % (NAME, kind) for kind in KINDS}
    settings.update({"brokers": address, "group": "%s-%d" % (NAME, number), "reference.dir": chosen.reference})
    processor = place.processor(chosen.dryport, "%s-%d" % (NAME, number), settings)
    processor.start()
    wait_until(lambda: processor.get("/readyz")[0] == 200, "ready", 60, 0.005)
    return processor, time.time() - processor.started


def main():
    parser = asked.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rest", type=float, default=20, help="seconds to come to rest before them")
    parser.add_argument("--partitions", type=int, default=4)
    asked.add_processor(parser)
    parser.add_argument("--probe", default=asked.program("idle_consumer"))
    chosen = parser.parse_args()
    with Workplace(NAME) as place:
        address = place.broker(heap="512m").address
        for kind, settings in KINDS.items():
            topics.create(address, ("%s.%s" % (NAME, kind), chosen.partitions, settings))
        ready = []
        for number in range(chosen.rounds + 1):
            processor, seconds = start(place, chosen, address, number)
            note("ready after %.3f s%s" % (seconds, " (warm-up)" if number == 0 else ""))
            if number > 0:
                ready.append(seconds)
            if number < chosen.rounds:
                processor.stop()
        time.sleep(chosen.rest)
        before = written(address)
        begun, cpu = time.monotonic(), cpu_of(processor.process.pid)
        time.sleep(chosen.seconds)
        share = (cpu_of(processor.process.pid) - cpu) / (time.monotonic() - begun)
        resident, peak = memory_of(processor.process.pid), memory_of(processor.process.pid, "VmHWM")
        if written(address) != before:
            raise Failed("an idle process wrote something")
        processor.stop()
        bare = measure_bare(chosen, address)
    print(report(chosen, ready, share, resident, peak, bare))
    return 0


def measure_bare(chosen, address):
    """(share of a core, resident bytes) of a librdkafka consumer that waits for the same input."""
    process = subprocess.Popen([chosen.probe, address, NAME + ".declarations", str(chosen.rest + chosen.seconds + 5)])
    time.sleep(chosen.rest)
    begun, cpu = time.monotonic(), cpu_of(process.pid)
    time.sleep(chosen.seconds)
    if process.poll() is not None:
        raise Failed("the bare consumer ended with %d before it was measured" % process.returncode)
    share = (cpu_of(process.pid) - cpu) / (time.monotonic() - begun)
    resident = memory_of(process.pid)
    process.wait(60)
    return share, resident


def report(chosen, ready, share, resident, peak, bare):
    return "\n".join(
        [
            "- Empty topics of %d partitions; %d starts behind one that is not counted; idle: %.0f s after %.0f s of rest"
            % (chosen.partitions, chosen.rounds, chosen.seconds, chosen.rest),
            "",
            "| | dryport run | a bare librdkafka consumer | mark |",
            "|---|---|---|---|",
            "| start to ready, s | %.3f (%.3f-%.3f) | | under %.1f |"
            % (statistics.median(ready), min(ready), max(ready), MARK_READY_S),
            "| idle, %% of a core | %.2f | %.2f | under %.0f |" % (100 * share, 100 * bare[0], 100 * MARK_CPU),
            "| idle, resident MiB | %.1f (peak %.1f) | %.1f | %d |" % (resident / 2**20, peak / 2**20, bare[1] / 2**20, MARK_MIB),
            figures(ready_s=statistics.median(ready), idle_cpu=share, idle_mib=resident / 2**20),
        ]
    )


if __name__ == "__main__":
    sys.exit(tell(main))
