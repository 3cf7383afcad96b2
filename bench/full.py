# SPDX-License-Identifier: Apache-2.0
"""Every bench, one after the other, and a table of all marks: what was asked for, what was measured, whether it is reached.

Each program prints its own report, which follows the table. --smoke runs all of them with the smallest sizes, so that a test can tell that each still
runs, checks its totals and gives its figure: its figures mean nothing. --only NAME,NAME runs some. Prints Markdown, for bench/record.sh.
"""

import os
import re
import subprocess
import sys

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
from cluster import Failed, tell  # noqa: E402
from notes import load, note, read_figures  # noqa: E402

# name -> figure, words, mark, unit, True if less is better
MARKS = (
    ("end_to_end", "rate", "all roles: rate / null consumer's", 0.80, "", False),
    ("end_to_end", "cpu", "all roles: CPU / null consumer's", 1.8, "", True),
    ("end_to_end", "aggregate_cpu", "aggregate role alone: CPU / null consumer's", 1.5, "", True),
    ("job_j", "job_j_rate", "job J: rate / C++ peer's", 1.5, "", False),
    ("job_j", "job_j_cpu", "job J: CPU / C++ peer's", 0.5, "", True),
    ("batches", "batch_ratio", "batches of 100, zstd by Kafka: rate / null consumer's", 0.85, "", False),
    ("batches", "frames_rate", "batches of 100 as zstd frames: declarations/s", 4e6, "", False),
    ("decode", "decode_times", "decode: times as fast as protobuf-c", 10, "", False),
    ("decode", "decode_gb", "decode: one core, cached input", 1, "GB/s", False),
    ("table", "table_small", "delta table update, Zipf keys in cache", 6, "ns", True),
    ("table", "table_large", "delta table update, 1 M keys", 25, "ns", True),
    ("curves", "ledger_10m", "ledger probe + insert, up to 10 M live ids", 120, "ns", True),
    ("curves", "ledger_50m", "ledger probe + insert, up to 50 M live ids", 160, "ns", True),
    ("ledger", "ledger_bytes", "ledger, a one-item declaration in all, worst from 1 M on", 72, "bytes", True),
    ("latency", "p50_ms", "produce to visible, median", 150, "ms", True),
    ("latency", "p99_ms", "produce to visible, 99 of 100", 400, "ms", True),
    ("restore", "restore_rate", "restore: entries/s a partition", 1.5e6, "", False),
    ("idle", "idle_cpu", "idle: share of a core", 0.01, "", True),
    ("idle", "idle_mib", "idle: resident memory", 30, "MiB", True),
    ("idle", "ready_s", "start to ready, empty", 0.5, "s", True),
)
TRIALS = ("end_to_end", "batches", "job_j", "latency", "idle", "decode", "table", "ledger", "restore", "curves")


def on_broker(script, *arguments):
    return [os.path.join(SOURCE, "tests", "broker", "run.sh"), os.path.join(SOURCE, "bench", script), *arguments]


def commands(chosen):
    """name -> command line."""
    smoke, build = chosen.smoke, chosen.build

    def program(name):
        return os.path.join(build, name)

    small = ["--count", "20000", "--pairs", "1", "--warm-up", "0"]
    with_null = ["--dryport", chosen.dryport, "--null-consumer", program("null_consumer")]
    return {
        "end_to_end": on_broker(
            "end_to_end.py", "--aggregate", *(small if smoke else ["--once", "--rules", "--frequencies"]), *with_null
        ),
        "batches": on_broker("batches.py", *(small if smoke else []), *with_null),
        "job_j": on_broker(
            "job_j.py", *(["--count", "40000", "--rounds", "1", "--warm-up", "0"] if smoke else []), "--programs", build
        ),
        "latency": on_broker(
            "latency.py",
            *(["--rate", "1000", "--probes", "40", "--lead", "1", "--runs", "1"] if smoke else []),
            *("--dryport", chosen.dryport, "--probe", program("latency_probe")),
        ),
        "idle": on_broker(
            "idle.py",
            *(["--rounds", "1", "--seconds", "2", "--rest", "3"] if smoke else []),
            *("--dryport", chosen.dryport, "--probe", program("idle_consumer")),
        ),
        "decode": [program("bench_decode"), *(["--smoke"] if smoke else [])],
        "table": [program("bench_table"), *(["--smoke"] if smoke else [])],
        "ledger": [program("bench_ledger"), *(["--smoke"] if smoke else [])],
        "restore": [program("bench_restore"), *(["--smoke"] if smoke else [])],
        "curves": [os.path.join(SOURCE, "bench", "curves.sh"), *(["2000", "8192", "50000"] if smoke else [])],
    }


def cells(report, *beginning):
    """The cells of each row of a table that begins with these cells."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in report.splitlines() if line.startswith("|")]
    found = [row for row in rows if row[: len(beginning)] == list(beginning)]
    if not found:
        raise Failed("no row begins with %s in:\n%s" % (beginning, report))
    return found


def number(cell):
    return float(re.match(r"[0-9.]+", cell).group())


def curve(report, heading):
    """{first column: second column} of the table under this heading."""
    lines = report.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("| " + heading))
    out = {}
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        row = [cell.strip() for cell in line.strip("|").split("|")]
        out[int(row[0])] = row
    return out


def read(name, report, smoke):
    """The figures of a report."""
    if name == "decode":
        ours, theirs = cells(report, "wire_decode")[0], cells(report, "protobuf-c: unpack and free")[0]
        return {"decode_times": number(theirs[1]) / number(ours[1]), "decode_gb": number(ours[3])}
    if name == "table":
        rows = cells(report, "own table per thread, batches of 64 with prefetch")
        rows = [row for row in rows if row[2] == "1" and len(row) == 5]
        return {"table_small": number(rows[0][3]), "table_large": number(rows[-1][3])}
    if name == "ledger":
        rows = curve(report, "declarations").values()  # the first table: one item each
        return {"ledger_bytes": max(number(row[2]) for row in rows if smoke or int(row[0]) >= 1_000_000)}
    if name == "restore":
        return {"restore_rate": 1e6 * number(cells(report, "trimmed")[0][5])}
    if name == "curves":
        rows = curve(report, "live ids")
        most = max(rows)
        near = {at: row for at, row in rows.items() if at >= 9_999_000} or rows
        return {"ledger_10m": number(near[min(near)][1]), "ledger_50m": number(rows[most][1])}
    return read_figures(report)


def table(trials, figures, smoke):
    lines = ["| | mark | measured | |", "|---|---|---|---|"]
    for name, figure, words, mark, unit, is_most in MARKS:
        if name not in trials:
            continue
        if figure not in figures:
            raise Failed("%s gave no %s" % (name, figure))
        value = figures[figure]
        reached = value <= mark if is_most else value >= mark
        lines.append(
            "| %s | at %s %s | %s | %s |"
            % (
                words,
                "most" if is_most else "least",
                ("%g %s" % (mark, unit)).strip(),
                ("%.3g %s" % (value, unit)).strip(),
                "" if smoke else "reached" if reached else "not reached",
            )
        )
    return lines


def main():
    parser = asked.parser(__doc__)
    parser.add_argument("--build", default=asked.PROGRAMS, help="the folder of the bench programs")
    parser.add_argument("--dryport", default=asked.program("dryport"))
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--only", default=",".join(TRIALS), help="of " + ", ".join(TRIALS))
    chosen = parser.parse_args()
    trials = chosen.only.split(",")
    unknown = [name for name in trials if name not in TRIALS]
    if unknown:
        parser.error("--only %s: there are %s" % (unknown[0], ", ".join(TRIALS)))
    of = commands(chosen)
    reports, figures = {}, {}
    for name in trials:
        note("%s, load average %s" % (name, load()))
        before = load()
        done = subprocess.run(of[name], text=True, stdout=subprocess.PIPE, check=False, env={**os.environ, "BUILD": chosen.build})
        if done.returncode != 0:
            raise Failed("%s ended with %d:\n%s" % (name, done.returncode, done.stdout))
        reports[name] = "load average before it: %s\n\n%s" % (before, done.stdout.strip())
        figures.update(read(name, done.stdout, chosen.smoke))
    if chosen.smoke:
        print("Smallest sizes, to see that everything runs: the figures mean nothing.\n")
    print("\n".join(table(trials, figures, chosen.smoke)))
    for name in trials:
        print("\n## %s\n\n%s" % (name, reports[name].replace("\n# ", "\n### ")))
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
