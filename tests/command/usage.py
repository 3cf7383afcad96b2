# SPDX-License-Identifier: Apache-2.0
"""The command line: help, wrong commands, wrong options and settings name the mend and exit with 64."""

from command import LISTS, expect, expect_run, folder, run, write

for arguments in (["--help"], ["-h"], ["help"]):
    done = expect_run(0, "usage: dryport COMMAND", *arguments)
    for command in ("generate", "load", "check", "tail", "verify", "explain", "rejects"):
        expect(f"\n  {command} " in done.stdout, f"--help lists {command}", done)
expect_run(0, "dryport ", "--version")
for command in ("generate", "load", "check", "tail", "verify", "explain", "rejects"):
    expect_run(0, f"usage: dryport {command}", command, "--help")
    expect_run(0, "--timeout SECONDS", command, "-X", "x=y", "--help")
    expect_run(64, f'dryport {command}: unknown option --timeot; did you mean "timeout"?', command, "--timeot", "3")
    expect_run(64, f"dryport {command}: option --timeout needs a value", command, "--timeout")
    expect_run(64, f"dryport {command}: --timeout 1e3: seconds", command, "--timeout", "1e3")
    expect_run(64, f"dryport {command}: unknown option -q", command, "-q")
    expect_run(64, 'did you mean "reporter"?', command, "-X", "reportr=CN")
    expect_run(64, "/nonexistent.conf", command, "-c", "/nonexistent.conf")
    expect_run(64, "DRYPORT_REPORTR", command, environment={"DRYPORT_REPORTR": "CN"})

expect_run(64, "a command is missing")
expect_run(64, 'unknown command "chek"; did you mean "check"?', "chek")
expect_run(64, "no file is named", "check")
expect_run(64, "no file is named", "load")
expect_run(64, "no argument is taken", "tail", "x")
expect_run(64, "no argument is taken", "generate", "x")
expect_run(64, "no argument is taken", "verify", "x")
expect_run(64, "--wait soon: seconds", "verify", "--wait", "soon")
expect_run(64, "takes no value", "verify", "--recount=yes")
expect_run(64, "no declaration is named", "explain")
expect_run(64, "one ID is taken", "explain", "A", "B")
expect_run(64, "1 to 35 characters", "explain", "A" * 36)
expect_run(64, "1 to 35 characters", "explain", "")
expect_run(64, "--partition x: a whole number", "explain", "--partition", "x", "A")
expect_run(64, "--where id=x finds", "rejects", "x")
expect_run(64, "there is no such rule", "rejects", "--where", "code=STR-904")
expect_run(64, "--where \"cod=STR-004\": write code=", "rejects", "--where", "cod=STR-004")
expect_run(64, "--where \"partition=-1\": write", "rejects", "--where", "partition=-1")
expect_run(64, "--where from=yesterday: ", "rejects", "--where", "code=STR,from=yesterday")
expect_run(64, '--format "xml": there are', "rejects", "--format", "xml")
for command in (["verify"], ["explain", "A"], ["rejects"]):
    unreachable = ("-X", f"reference.dir={LISTS}", "-X", "brokers=127.0.0.1:9", "--timeout", "0.5")
    expect_run(69, "127.0.0.1:9", *command, *unreachable)
expect_run(64, "--timestamp yesterday", "generate", "--timestamp", "yesterday")
expect_run(64, "--timestamp yesterday", "load", "--timestamp", "yesterday", "x.pb")
expect_run(64, "--count -1: a whole number", "generate", "--count", "-1")
expect_run(64, "--bad 101%: a share", "generate", "--bad", "101%")
expect_run(64, "--out needs a --count", "generate", "--out", "x.pb", "--count", "0")
expect_run(64, "--profile xx: cn, kz or kr", "generate", "--profile", "xx")
expect_run(64, "--from 2025-13-01: a date", "generate", "--from", "2025-13-01")
expect_run(64, "--to 2024-01-01: a date not before", "generate", "--to", "2024-01-01")
expect_run(64, "takes no value", "check", "--json=yes", "x.pb")
expect_run(64, "can warn or be off", "check", "-X", f"reference.dir={LISTS}", "-X", "rules.severity.VER-506=reject", "x.pb")
expect_run(64, "there is no such rule", "check", "-X", f"reference.dir={LISTS}", "-X", "rules.severity.STR-904=warn", "x.pb")
with folder() as place:
    conf = write(f"{place}/a.conf", b"reporter=CN\nreporting.curency=CNY\n")
    expect_run(64, "a.conf:2:", "check", "-c", conf, "x.pb")
# what stands after -- is no option
done = run("check", "-X", f"reference.dir={LISTS}", "--", "--help")
expect(done.returncode == 64 and "--help" in done.stderr, "-- ends the options", done)
print("usage: all as expected")
