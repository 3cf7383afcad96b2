# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/REPORT.md: commands in ```sh blocks, and in the ```text block behind each what it must print."""

import os
import re
import shlex
import subprocess
import xml.etree.ElementTree

from cluster import SOURCE, Failed, options, say

PAGE = os.path.join(SOURCE, "docs", "REPORT.md")
EXAMPLE = re.compile(r"```sh\n(?P<command>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.S)
SVG = "{http://www.w3.org/2000/svg}"


def output_of(case, line, folder):
    words = shlex.split(line)
    done = subprocess.run(
        [case.binary, *words[1:], *options(case.settings)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        timeout=60,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise Failed("docs/REPORT.md: %s: exit %d: %s" % (line, done.returncode, done.stderr))
    return done.stdout


def check_chart(path, bars, title):
    """It is XML, has a bar for each figure and the title; everything is inside the picture."""
    root = xml.etree.ElementTree.parse(path).getroot()
    texts = [text.text for text in root.iter(SVG + "text")]
    rects = list(root.iter(SVG + "rect"))
    width, height = int(root.get("width")), int(root.get("height"))
    outside = [r for r in rects if int(r.get("x", 0)) + int(r.get("width")) > width or int(r.get("y", 0)) + int(r.get("height")) > height]
    colors = {}
    for rect in rects:
        colors[rect.get("fill")] = colors.get(rect.get("fill"), 0) + 1
    if root.tag != SVG + "svg" or texts[0] != title or outside or colors != bars:
        raise Failed("%s: %s, bars %s, expected %s %s, %d outside" % (path, texts[:1], colors, title, bars, len(outside)))


def check(case, folder, write=False):
    """Runs every example; with `write` puts what they print into the page instead."""
    with open(PAGE, encoding="utf-8") as source:
        page = source.read()
    count = 0

    def example(match):
        nonlocal count
        if "load --statistics" in match["command"]:  # of years that this stream counts itself; tests/command/history.py does it
            return match[0]
        printed = "".join(output_of(case, line, folder) for line in match["command"].splitlines())
        count += 1
        if match["output"] is None:
            return match[0]
        if printed != match["output"] and not write:
            raise Failed("docs/REPORT.md: %s prints\n%s" % (match["command"], printed))
        return "```sh\n%s```\n\n```text\n%s```\n" % (match["command"], printed)

    page = EXAMPLE.sub(example, page)
    if write:
        with open(PAGE, "w", encoding="utf-8") as out:
            out.write(page)
    # the background, ten months and the year before of each, and their two squares in the legend
    check_chart(
        os.path.join(folder, "horgos.svg"),
        {"#fff": 1, "#1f5fa8": 11, "#b9c7d6": 11},
        "January-October 2025, value in CNY by month",
    )
    check_chart(os.path.join(folder, "origins.svg"), {"#fff": 1, "#1f5fa8": 12}, "October-December 2024, value in CNY by partner")
    say("docs/REPORT.md: %d examples print what the page says" % count)
