# SPDX-License-Identifier: Apache-2.0
"""Runs the program from outside; a test is a list of expectations, and the first that does not hold ends it."""

import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LISTS = os.path.join(SOURCE, "tests", "data", "reference")
SHARED = os.path.join(os.path.dirname(SOURCE), "shared", "data")
# settings of the machine must not decide a test
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("DRYPORT_")}


def run(*arguments, environment=None, timeout=60):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, env={**ENVIRONMENT, **(environment or {})}, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False)
    done.stdout = done.stdout.decode("utf-8", "replace")
    done.stderr = done.stderr.decode("utf-8", "replace")
    return done


def expect(condition, what, done=None):
    if condition:
        return
    print(f"FAILED: {what}")
    if done is not None:
        print(f"  command: {' '.join(done.args)}\n  exit code: {done.returncode}\n  stdout: {done.stdout[-2000:]}\n  stderr: {done.stderr[-2000:]}")
    sys.exit(1)


def expect_run(code, text, *arguments, **options):
    """Exit code, and text that stands in stderr (or in stdout where the code is 0)."""
    done = run(*arguments, **options)
    expect(done.returncode == code, f"exit code {code}", done)
    expect(text in (done.stdout if code == 0 else done.stderr), f"says {text!r}", done)
    return done


def folder():
    return tempfile.TemporaryDirectory(prefix="dryport-command-")


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path
