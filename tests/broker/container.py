# SPDX-License-Identifier: Apache-2.0
"""The image of the Dockerfile, built and run without a Docker engine (scripts/containers.sh), as confined as a cluster would."""

import json
import os
import subprocess
import time

from cluster import SOURCE, Failed, Processor, die_with_parent

TOOL = os.path.join(SOURCE, "scripts", "containers.sh")
USER = 65532
# Nothing but what a pod with the strictest profile has; the network is the host's, because the broker listens on loopback.
CONFINED = (
    "--network=host",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=1g",
    "--ulimit=nofile=4096:4096",
    "--ulimit=nproc=4096:4096",
    "--no-healthcheck",  # podman wants systemd for it; the test runs the check itself
)


def podman(*arguments, expect=0, timeout=120):
    """A command of podman on the tests' own store; what it prints."""
    done = subprocess.run(
        [TOOL, "podman", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )
    if expect is not None and done.returncode != expect:
        raise Failed("podman %s: exit %d\n%s%s" % (" ".join(arguments), done.returncode, done.stdout, done.stderr))
    return done.stdout


def build(*arguments):
    """Builds what is not built yet; the name of the image."""
    done = subprocess.run(
        [os.path.join(SOURCE, "scripts", "image_build.sh"), *arguments], text=True, stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise Failed("scripts/image_build.sh ended with %d" % done.returncode)
    return done.stdout.strip()


def mounts(files):
    """Arguments that show files of the host, {place within: path}, read only."""
    return ["--volume=%s:%s:ro" % (path, place) for place, path in files.items()]


def write_config(path, settings):
    """A configuration file that only the image's user may read: passwords stand in it."""
    with open(path, "w", encoding="utf-8") as out:
        out.writelines("%s=%s\n" % pair for pair in settings.items())
    os.chmod(path, 0o400)
    os.chown(path, USER, USER)
    return path


def run_once(image, files, *arguments, expect=0, timeout=120):
    """A command of the image to its end; what it prints."""
    return podman("run", "--rm", *CONFINED, *mounts(files), image, *arguments, expect=expect, timeout=timeout)


class Container(Processor):
    """`dryport run` of the image; signals reach it through podman, its exit code comes back the same way."""

    CONFIG = "/etc/dryport/dryport.conf"

    def __init__(self, image, folder, name, settings, files=None):
        super().__init__(None, folder, name, {})
        self.label = "%s-%s" % (os.path.basename(folder), name)
        listen = "127.0.0.1:%d" % self.http
        path = write_config(os.path.join(folder, name + ".conf"), {**settings, "http.listen": listen})
        self.command = [TOOL, "podman", "run", "--rm", "--name=" + self.label, *CONFINED, "--env=DRYPORT_HTTP_LISTEN=" + listen]
        self.command += mounts({self.CONFIG: path, **(files or {})}) + [image, "run", "-c", self.CONFIG]
        self.guard = None

    def start(self):
        # Reads a pipe that only this process writes: if this process dies in whatever way, the container is removed.
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read -r _; exec "$0" podman rm --force --ignore --time 0 "$1"', TOOL, self.label],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with open(self.log, "ab") as log:
            self.started = time.time()
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent
            )

    def kill(self):
        podman("kill", "--signal=KILL", self.label, expect=None)
        self.process.wait(30)
        self.let_go()

    def wait(self, deadline_s, clean=(0,)):
        super().wait(deadline_s, clean)
        self.let_go()

    def let_go(self):
        if self.guard is not None:
            self.guard.communicate(b"\n")
            self.guard = None

    def run_inside(self, *arguments, expect=0):
        return podman("exec", self.label, *arguments, expect=expect)

    def inspect(self):
        return json.loads(podman("inspect", self.label))[0]

    def kernel_says(self):
        """What the kernel knows of the process: {name: value} of its status, and the options of the mount of its root."""
        pid = self.inspect()["State"]["Pid"]
        with open("/proc/%d/status" % pid, encoding="ascii") as source:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in source)
        with open("/proc/%d/mountinfo" % pid, encoding="utf-8") as source:
            root = [line.split()[5] for line in source if line.split()[4] == "/"]
        return status, root[-1].split(",")
