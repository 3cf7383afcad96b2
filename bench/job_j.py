# SPDX-License-Identifier: Apache-2.0
"""Job J (bench/job_j.h): our decoder and table, a peer written by hand in C++, and the null consumer, on one topic.

job_j_fill makes the topic once and says what must be found. Runs of the three programs alternate in each round, which begins with another one each
time; each program of the job writes into a topic of its own. What each says it found must be what the filler put in; cells and updates must agree, and in the
first round the newest record of each key is read back from the output and added up. Prints Markdown, for bench/record.sh. See bench/README.md.
"""

import json
import os
import statistics
import struct
import subprocess
import sys

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
import end_to_end  # noqa: E402
import topics  # noqa: E402
from cluster import Failed, Workplace, tell  # noqa: E402
from notes import figures, note  # noqa: E402

INPUT = "bench.job_j"
SUMS = struct.Struct("<qqq")
FOUND = ("messages", "invalid", "items", "value", "mass_mg")
NAMES = {
    "null_consumer": "null consumer",
    "job_j": "ours: flow/wire, base/table",
    "peer_job_j": "C++, Google protobuf, reused message",
}


class Run:
    """One run of a program on the topic."""

    def __init__(self, chosen, address, program, output):
        arguments = [os.path.join(chosen.programs, program), address, INPUT]
        if output:
            topics.create(address, (output, end_to_end.PARTITIONS, {"cleanup.policy": "delete"}))
            arguments.append(output)
        done = subprocess.run(arguments, text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failed("%s ended with %d" % (program, done.returncode))
        self.answer = json.loads(done.stdout)
        self.seconds = self.answer["seconds"]
        self.cpu = self.answer["user_s"] + self.answer["system_s"]
        self.peak_mib = self.answer["peak_kib"] / 1024


def read_back(address, output, answer):
    """The newest record of each key adds up to what the program said."""
    newest = {message.key(): message.value() for message in topics.read(address, output)}
    sums = [sum(column) for column in zip(*(SUMS.unpack(value) for value in newest.values()))]
    if len(newest) != answer["cells"] or sums != [answer["items"], answer["value"], answer["mass_mg"]]:
        raise Failed("%s holds %d cells of %s, its program says %s" % (output, len(newest), sums, answer))


def check(program, run, expected):
    wanted = ("messages",) if program == "null_consumer" else FOUND
    wrong = [name for name in wanted if run.answer[name] != expected[name]]
    if wrong:
        raise Failed("%s found %s, the topic holds %s: %s" % (program, run.answer, expected, wrong))


def main():
    parser = asked.parser(__doc__)
    asked.add_sample(parser, "rounds")
    parser.add_argument("--programs", default=asked.PROGRAMS, help="the folder of the programs")
    chosen = parser.parse_args()
    for program in NAMES:
        if not os.path.exists(os.path.join(chosen.programs, program)):
            raise Failed("%s is not built: run scripts/install_deps.sh build bench, configure and build again" % program)
    results = {program: [] for program in NAMES}
    with Workplace("job-j") as place:
        address = place.broker(heap="1g", log_roll_hours=876000).address
        topics.create(address, (INPUT, end_to_end.PARTITIONS, {"retention.ms": "-1", "cleanup.policy": "delete"}))
        note("filling the topic with %d declarations" % chosen.count)
        fill = [os.path.join(chosen.programs, "job_j_fill"), address, INPUT, str(chosen.count), str(chosen.seed)]
        filled = json.loads(subprocess.run(fill, check=True, text=True, stdout=subprocess.PIPE).stdout)
        for number in range(-chosen.warm_up, chosen.rounds):
            order = list(NAMES)[number % 3 :] + list(NAMES)[: number % 3]
            cells = set()
            for program in order:
                output = None if program == "null_consumer" else "%s.%d" % (program, number + chosen.warm_up)
                run = Run(chosen, address, program, output)
                note(
                    "%s: %.2f s, %.2f CPU-s, %.0f MiB%s"
                    % (NAMES[program], run.seconds, run.cpu, run.peak_mib, " (warm-up)" if number < 0 else "")
                )
                check(program, run, filled["expected"])
                if output:
                    cells.add(run.answer["cells"])
                    if number <= 0:
                        read_back(address, output, run.answer)
                if number >= 0:
                    results[program].append(run)
            if len(cells) != 1:
                raise Failed("the programs have %s cells" % sorted(cells))
    print(report(chosen, filled, results))
    return 0


def report(chosen, filled, results):
    ours, peers, nulls = results["job_j"], results["peer_job_j"], results["null_consumer"]
    expected = filled["expected"]
    rate = statistics.median(p.seconds / o.seconds for o, p in zip(ours, peers))
    cost = statistics.median(o.cpu / p.cpu for o, p in zip(ours, peers))
    return "\n".join(
        [
            "- %d declarations (seed %d), %.0f bytes and %.2f items each, %d invalid; %d partitions, zstd; %d cells"
            % (
                chosen.count,
                chosen.seed,
                filled["bytes"] / chosen.count,
                expected["items"] / max(1, expected["messages"] - expected["invalid"]),
                expected["invalid"],
                end_to_end.PARTITIONS,
                ours[0].answer["cells"],
            ),
            "- %d rounds behind %d that are not counted; medians, lowest and highest in brackets; librdkafka %s; updates written: ours %s, "
            "peer %s"
            % (
                chosen.rounds,
                chosen.warm_up,
                nulls[0].answer["librdkafka"],
                "-".join(sorted({str(r.answer["written"]) for r in ours})),
                "-".join(sorted({str(r.answer["written"]) for r in peers})),
            ),
            "",
            "| program | k declarations/s | CPU-s per million | peak memory MiB |",
            "|---|---|---|---|",
            *(end_to_end.row(NAMES[program], chosen.count, runs) for program, runs in results.items()),
            "",
            "- Ours against the peer, medians of rounds: rate %.2f times (mark: at least 1.5), CPU %.2f times (mark: at most 0.5)."
            % (rate, cost),
            "- CPU beyond the null consumer's, per million: ours %.2f s, peer %.2f s."
            % tuple(
                statistics.median(r.cpu - n.cpu for r, n in zip(runs, nulls)) * 1e6 / chosen.count for runs in (ours, peers)
            ),
            "- Totals of every run are what the filler put in; those of the first rounds stand in their topics, cell by cell.",
            figures(job_j_rate=rate, job_j_cpu=cost),
        ]
    )


if __name__ == "__main__":
    sys.exit(tell(main))
