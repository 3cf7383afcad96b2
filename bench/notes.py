# SPDX-License-Identifier: Apache-2.0
"""What the benches on a broker share: words on the way (stderr, since the report is stdout), numbers of a process from /proc, and a line
that says the figures once more for full.py."""

import json
import os
import sys
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def note(text):
    print("[%s] %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def cpu_of(pid):
    """CPU seconds so far."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as source:
        fields = source.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def memory_of(pid, what="VmRSS"):
    """Bytes: VmRSS resident now, VmHWM the most so far."""
    with open("/proc/%d/status" % pid, encoding="ascii") as source:
        return next(int(line.split()[1]) for line in source if line.startswith(what)) * 1024


def load():
    return " ".join("%.2f" % each for each in os.getloadavg())


def figures(**values):
    """A line of a report that people do not see and full.py reads."""
    return "<!-- figures %s -->" % json.dumps(values)


def read_figures(report):
    """What figures() put into a report."""
    found = {}
    for line in report.splitlines():
        if line.startswith("<!-- figures "):
            found.update(json.loads(line[len("<!-- figures ") : -len(" -->")]))
    return found
