# SPDX-License-Identifier: Apache-2.0
"""The status listener from outside: TLS, users, and clients that are slow, large or many. No broker: /readyz says so, the rest answers."""

import atexit
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
import warnings

from command import ENVIRONMENT, PROGRAM, expect, folder, run

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DEADLINE_S = 30
REQUEST_S = 15  # HTTP_REQUEST_MS of proc/ops/http.h


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def curl(url, *arguments):
    """(status, body); status 0 when there was no answer."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "10", "-w", "\n%{http_code}", *arguments, url], text=True, capture_output=True, check=False
    )
    body, _, code = done.stdout.rpartition("\n")
    return int(code or 0), body or done.stderr


class Listener:
    def __init__(self, place, name, *settings):
        self.port = free_port()
        self.log = f"{place}/{name}.log"
        arguments = [f"http.listen=127.0.0.1:{self.port}", "brokers=127.0.0.1:1", *settings]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "run"] + [part for each in arguments for part in ("-X", each)], env=ENVIRONMENT, stdout=log, stderr=log
            )
        atexit.register(self.process.kill)
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        with open(self.log, encoding="utf-8") as log:
            raise AssertionError(f"{name} does not listen: {log.read()}")

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)

    def end(self):
        self.process.terminate()
        expect(self.process.wait(DEADLINE_S) == 0, "ended by SIGTERM with 0")


def closed_after(connection, feed, deadline_s):
    """Seconds until the server ends the connection, to which `feed` is sent, a byte each half second; None if it does not."""
    began = time.monotonic()
    connection.settimeout(0.5)
    for at in range(int(deadline_s * 2)):
        try:
            connection.sendall(feed[at % len(feed) : at % len(feed) + 1])
            if connection.recv(4096) == b"":
                return time.monotonic() - began
        except socket.timeout:
            continue
        except OSError:
            return time.monotonic() - began
    return None


with folder() as place:
    subprocess.run([f"{SOURCE}/scripts/test_certificates.sh", f"{place}/tls"], check=True)
    users = f"{place}/users"
    with open(users, "w", encoding="ascii") as out:
        out.write("reader:right\n")
    tls = [f"http.tls.certificate={place}/tls/server.pem", f"http.tls.key={place}/tls/server.key"]
    ca = ["--cacert", f"{place}/tls/ca.pem"]

    # TLS and users
    secure = Listener(place, "secure", *tls, f"http.users={users}")
    url = f"https://127.0.0.1:{secure.port}"
    expect(curl(url + "/livez", *ca)[0] == 200, "/livez needs no password")
    expect(curl(url + "/readyz", *ca)[0] == 503, "/readyz needs no password")
    for path in ("/status", "/metrics", "/v1/statistics", "/v1/stream", "/", "/nothing", "/livez/../status"):
        expect(curl(url + path, "--path-as-is", *ca)[0] == 401, f"{path} without a password is 401")
        expect(curl(url + path, *ca, "-u", "reader:wrong")[0] == 401, f"{path} with a wrong one is 401")
    expect(curl(url + "/status", *ca, "-u", "reader:right")[0] == 200, "the right password")
    with open(users, "w", encoding="ascii") as out:
        out.write("reader:other\n")
    expect(curl(url + "/status", *ca, "-u", "reader:right")[0] == 401, "the password of before is out of force")
    expect(curl(url + "/status", *ca, "-u", "reader:other")[0] == 200, "the new one is in force")
    code, text = curl(url + "/v1/stream", *ca, "-u", "reader:other")
    expect(code == 503 and "not connected yet" in text, f"a stream without a broker: {code} {text}")
    expect(curl(url + "/livez", "--cacert", f"{place}/tls/other-ca.pem")[0] == 0, "another authority")
    expect(curl(f"http://127.0.0.1:{secure.port}/livez")[0] != 200, "no answer without TLS")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is the point
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        old.wrap_socket(secure.dial())
        expect(False, "TLS 1.1 is refused")
    except (ssl.SSLError, OSError):
        pass
    health = ["-X", f"http.listen=127.0.0.1:{secure.port}", "-X", tls[0]]
    expect(run("health", *health).returncode == 0, "dryport health asks by TLS")
    expect(run("health", "-X", health[1], "-X", f"http.tls.certificate={place}/tls/stranger.pem").returncode == 69, "and knows its own")

    # what can't be used ends the program before it connects
    for wrong, word in (
        ([tls[0]], "belong together"),
        ([tls[0], f"http.tls.key={place}/tls/stranger.key"], "can't be used"),
        ([f"http.users={place}/none"], "http.users: can't read"),
    ):
        done = run("run", "-X", f"http.listen=127.0.0.1:{free_port()}", "-X", "brokers=127.0.0.1:1", *[p for w in wrong for p in ("-X", w)])
        expect(done.returncode == 64 and word in done.stderr + done.stdout, f"{wrong}: {word}", done)

    # a certificate that changes while it listens; nobody is refused meanwhile
    for number in ("before", "after"):
        subprocess.run([f"{SOURCE}/scripts/test_certificates.sh", f"{place}/{number}"], check=True)

    def put(number, kinds=("key", "pem")):
        for kind in kinds:
            shutil.copy(f"{place}/{number}/server.{kind}", f"{place}/live.{kind}.next")
            os.replace(f"{place}/live.{kind}.next", f"{place}/live.{kind}")

    def logged(listener, event):
        with open(listener.log, encoding="utf-8") as log:
            return log.read().count(f'"event":"{event}"')

    def is_refused(listener, number):
        text = curl(f"https://127.0.0.1:{listener.port}/metrics", "--cacert", f"{place}/{number}/ca.pem")[1]
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("dryport_certificate_refused "))

    put("before")
    rotated = Listener(place, "rotated", f"http.tls.certificate={place}/live.pem", f"http.tls.key={place}/live.key")
    url = f"https://127.0.0.1:{rotated.port}/livez"
    expect(curl(url, "--cacert", f"{place}/before/ca.pem")[0] == 200, "the first certificate")
    trusting = ssl.create_default_context(cafile=f"{place}/before/ca.pem")
    kept = http.client.HTTPSConnection("127.0.0.1", rotated.port, timeout=DEADLINE_S, context=trusting)
    kept.request("GET", "/livez")
    expect(kept.getresponse().read() == b"ok\n", "a connection that stays")
    put("after", ("pem",))  # without its key it can't be used
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and not logged(rotated, "certificate_refused"):
        time.sleep(0.1)
    expect(logged(rotated, "certificate_refused") == 1, "a certificate without its key is said, once")
    expect(is_refused(rotated, "before") == 1, "and shown")
    expect(curl(url, "--cacert", f"{place}/before/ca.pem")[0] == 200, "and the one of before stays")
    put("after")
    end, renewed = time.monotonic() + DEADLINE_S, False
    while time.monotonic() < end and not renewed:
        expect(curl(url, "-k")[0] == 200, "no connection is refused while the certificate changes")
        renewed = curl(url, "--cacert", f"{place}/after/ca.pem")[0] == 200
    expect(renewed and logged(rotated, "certificate_renewed") == 1, "the new certificate is in force without a restart")
    expect(curl(url, "--cacert", f"{place}/before/ca.pem")[0] == 0, "the one of before is not")
    expect(is_refused(rotated, "after") == 0, "nothing is refused")
    kept.sock.settimeout(DEADLINE_S)
    expect(kept.sock.recv(1) == b"", "the connection with it is ended")
    for _ in range(3):  # each change is another daemon on the same socket
        for number in ("before", "after"):
            put(number)
            end, renewed = time.monotonic() + DEADLINE_S, False
            while time.monotonic() < end and not renewed:
                renewed = curl(url, "--cacert", f"{place}/{number}/ca.pem")[0] == 200
            expect(renewed, "again and again")
    rotated.end()

    # slow, large, many
    plain = Listener(place, "plain")
    url = f"http://127.0.0.1:{plain.port}"
    slow = [plain.dial() for _ in range(3)]
    slow_tls = secure.dial()
    expect(curl(url + "/livez", "-H", "X: " + "x" * 5000)[0] in (0, 413, 431), "a header of 5000 bytes is refused")
    expect(curl(url + "/livez?" + "x" * 5000)[0] in (0, 414, 431), "a query of 5000 bytes is refused")
    expect(curl(url + "/status", "-d", "x" * 100000)[0] in (0, 405), "a body is refused")
    crowd = [plain.dial() for _ in range(60)]
    sent_away = 0
    for connection in crowd:
        connection.settimeout(0.2)
        try:
            sent_away += connection.recv(1) == b""
        except OSError:
            pass
        connection.close()
    expect(sent_away >= 60 + len(slow) - 48, f"one address has at most 48 connections; {sent_away} of 60 were sent away")
    times = [closed_after(slow[0], b"GET /livez HTTP/1.1\r\nX: " + b"y" * 100, 2 * REQUEST_S)]
    expect(times[0] is not None and times[0] < REQUEST_S + 5, f"a byte now and then keeps nobody: {times}")
    for connection in (*slow[1:], slow_tls):
        connection.settimeout(DEADLINE_S)
        try:
            while connection.recv(4096):  # TLS says goodbye
                pass
        except ConnectionError:
            pass
        except socket.timeout:
            expect(False, "who says nothing is sent away, in a TLS handshake too")
    expect(curl(url + "/livez")[0] == 200, "and the next one is served")
    plain.end()
    secure.end()
    with open(secure.log, encoding="utf-8") as log:
        text = log.read()
        expect("right" not in text and "other" not in text.replace("another", ""), "no password in the log")
print("listener: TLS, users, another certificate, limits of size, number and time")
