# SPDX-License-Identifier: Apache-2.0
"""What the benches on a broker are asked on the command line: the words that several of them have, each with one default."""

import argparse
import os

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
PROGRAMS = os.path.join(SOURCE, "build", "release")
COUNT = 10_000_000


def parser(words):
    """One that prints the words of the bench as they are."""
    return argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)


def program(name):
    """A program of the release build."""
    return os.path.join(PROGRAMS, name)


def add_sample(to, rounds, count=COUNT, times=5):
    """--count, --seed, --warm-up, and --pairs or --rounds."""
    to.add_argument("--count", type=int, default=count, help="declarations (%(default)s)")
    to.add_argument("--seed", type=int, default=1)
    to.add_argument("--" + rounds, type=int, default=times, help="how many are counted (%(default)s)")
    to.add_argument(
        "--warm-up", type=int, default=1, help="%s before them that are not: a new broker is still compiling itself" % rounds
    )


def add_processor(to):
    """--dryport and --reference."""
    to.add_argument("--dryport", default=program("dryport"))
    to.add_argument("--reference", default=os.path.join(SOURCE, "deploy", "reference", "demo"))


def setting(text):
    if "=" not in text:
        raise argparse.ArgumentTypeError("%s is no KEY=VALUE" % text)
    return text


def add_settings(to):
    """-X, for settings()."""
    to.add_argument(
        "-X", dest="more", type=setting, action="append", default=[], metavar="KEY=VALUE", help="a setting of dryport run"
    )


def settings(chosen):
    return dict(each.split("=", 1) for each in chosen.more)
