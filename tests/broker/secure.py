# SPDX-License-Identifier: Apache-2.0
"""A real broker with TLS, SCRAM, client certificates, tokens and ACLs: who may come in, who may do what, and how it is said.

logins    aggregate by SCRAM, publish by certificate, load by PLAIN, audit by token: exact, and each has just its rights
refused   wrong password, user, authority, host, certificate, token; no TLS: exit 69 or 503 with the broker and the mend, no secret, no crash
rights    what each role must not do, tried by a client of its own and by the program
renewal   the listener's certificate changes under load: a broken one is refused and shown, the next one is served without a restart, a stream goes on
rotation  a password changes at the broker and in its file: the processor goes on without a restart; last, for the others have the old one
"""

import argparse
import base64
import concurrent.futures
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

import access
from bad_input import Stream
from cluster import SOURCE, Failed, Workplace, command, default_binary, free_port, options, say, tell, wait_until

SEED = 8
TIMEOUT_S = 20
TOKEN_LIFE_S = 6
WRONG = "n0t-th1s-0ne"
KINDS = ("declarations", "journal", "statistics", "rejects")


class TokenServer:
    """Gives tokens signed by token.key to clients that know the secret, as an OAuth server does (client credentials)."""

    def __init__(self, folder, secret):
        self.given, self.refused = 0, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                kind, _, login = self.headers.get("Authorization", "").partition(" ")
                name, _, said = base64.b64decode(login).decode().partition(":") if kind == "Basic" else ("", "", "")
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                right = urllib.parse.unquote(said) == secret
                outer.given += right
                outer.refused += not right
                body = {"access_token": outer.token(urllib.parse.unquote(name)), "token_type": "Bearer"}
                data = json.dumps(body if right else {"error": "invalid_client"}).encode()
                self.send_response(200 if right else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.key = os.path.join(folder, "token.key")
        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, name):
        now = int(time.time())
        claims = {"sub": name, "iss": "dryport-test", "aud": "dryport-test", "iat": now, "exp": now + TOKEN_LIFE_S}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in ({"alg": "RS256", "kid": "test", "typ": "JWT"}, claims)
        ]
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.key], input=b".".join(parts), stdout=subprocess.PIPE, check=True
        ).stdout
        return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()

    def login(self, place, broker, role, secret):
        path = place.path("token-%s.secret" % secret)
        with open(path, "w", encoding="utf-8") as out:
            out.write(secret + "\n")
        return {
            "brokers": broker.outside,
            "kafka.security.protocol": "SASL_SSL",
            "kafka.ssl.ca.location": os.path.join(broker.tls, "ca.pem"),
            "kafka.sasl.mechanisms": "OAUTHBEARER",
            "kafka.sasl.oauthbearer.method": "oidc",
            "kafka.sasl.oauthbearer.client.id": access.user(role),
            "kafka.sasl.oauthbearer.client.secret.file": path,
            "kafka.sasl.oauthbearer.token.endpoint.url": "http://127.0.0.1:%d/token" % self.port,
        }


def of_role(stream, login):
    """Settings of the stream's topics for another login."""
    return {**stream.settings, **login}


def logins(place, broker, binary, stream, tokens):
    """The stream by four logins; audit's verify agrees with a recount that shares no code."""
    login = access.scram(broker, "load", "PLAIN")
    text = command(binary, "generate", "--count", "1500", "--seed", str(SEED), *options(of_role(stream, login)))
    aggregate = place.processor(
        binary, "aggregate", of_role(stream, {**access.scram(broker, "aggregate"), "role": "aggregate"})
    )
    publish = place.processor(
        binary, "publish", of_role(stream, {**access.certificate(broker, "publish"), "role": "publish"})
    )
    aggregate.start()
    publish.start()
    stream.processor = aggregate
    for each in (aggregate, publish):
        wait_until(lambda each=each: each.get("/readyz")[0] == 200, lambda each=each: each.name + each.tail(), 60)
    stream.exact()
    login = tokens.login(place, broker, "audit", "right")
    audit = of_role(stream, login)
    text = command(binary, "verify", "--recount", *options(audit))
    for each in (aggregate, publish):
        if "uthoriz" in each.logged():
            raise Failed("%s lacks a right of acls.csv:\n%s" % (each.name, each.tail()))
    say("logins: SCRAM, certificate, PLAIN and token work; verify: %s" % text.strip().splitlines()[-1])
    return aggregate, publish


def refused(place, broker, binary, stream, tokens):
    scram, mtls = access.scram(broker, "load"), access.certificate(broker, "load")
    other_ca = os.path.join(broker.tls, "other-ca.pem")
    stranger = {
        "kafka.ssl.certificate.location": os.path.join(broker.tls, "stranger.pem"),
        "kafka.ssl.key.location": os.path.join(broker.tls, "stranger.key"),
    }
    without = {name: value for name, value in mtls.items() if "certificate" not in name and "key" not in name}
    worlds = {
        "wrong password": (access.scram(broker, "load", password=WRONG), "kafka.sasl.password.file"),
        "wrong PLAIN password": (access.scram(broker, "load", "PLAIN", WRONG), "kafka.sasl.password.file"),
        "unknown user": ({**scram, "kafka.sasl.username": "nobody"}, "kafka.sasl.username"),
        "unknown authority": ({**scram, "kafka.ssl.ca.location": other_ca}, "kafka.ssl"),
        "no certificate": (without, "kafka.ssl"),
        "certificate of a stranger": ({**mtls, **stranger}, "kafka.ssl"),
        "no TLS": ({**scram, "kafka.security.protocol": "SASL_PLAINTEXT"}, "kafka.security.protocol"),
        "wrong secret of a token": (tokens.login(place, broker, "load", WRONG), "kafka.sasl"),
    }
    running, said = {}, {}
    with concurrent.futures.ThreadPoolExecutor(len(worlds)) as pool:  # they wait more than they work
        for name, (login, _) in worlds.items():
            settings = of_role(stream, login)
            running[name] = place.processor(binary, name.replace(" ", "-"), settings)
            running[name].start()
            arguments = ("generate", "--count", "1", "--timeout", "4", *options(settings))
            said[name] = pool.submit(command, binary, *arguments, expect=69, timeout=60)
    for name, (login, mend) in worlds.items():
        text = said[name].result()
        if login["brokers"] not in text or mend not in text or WRONG in text.replace(WRONG + ".secret", ""):
            raise Failed("%s: it must name the broker and %s, and no secret: %s" % (name, mend, text))
        processor = running[name]
        wait_until(
            lambda processor=processor, login=login: login["brokers"] in processor.logged(),
            "%s: the log names the broker" % name,
        )
        wait_until(lambda processor=processor: processor.get("/livez")[0] == 200, name + ": alive", 20)
        if processor.get("/readyz")[0] != 503:
            raise Failed("%s: /readyz is %s" % (name, processor.get("/readyz")))
        processor.process.terminate()
        if WRONG in processor.logged().replace(WRONG + ".secret", ""):
            raise Failed("%s: a secret is in the log" % name)
        say("refused: %s: %s" % (name, text.strip().splitlines()[-1][:230]))
    for processor in running.values():
        processor.stop()
    unreadable = {**scram, "kafka.sasl.password.file": place.path("no-such-file")}
    text = command(binary, "generate", "--count", "1", *options(of_role(stream, unreadable)), expect=64)
    if "no-such-file: No such file" not in text:
        raise Failed("a missing password file: %s" % text)
    text = command(binary, "run", *options(of_role(stream, scram)), "-X", "kafka.sasl.password=" + WRONG, expect=64)
    if "kafka.sasl.password.file=PATH" not in text or WRONG in text:
        raise Failed("a password after -X: %s" % text)


# What each role must not do (reads and writes of topics), said here once more and not taken from acls.csv.
MUST_NOT = {
    "aggregate": {"read": {"statistics", "rejects"}, "write": {"declarations", "statistics"}},
    "publish": {"read": {"declarations", "rejects"}, "write": {"declarations", "journal", "rejects"}},
    "load": {"read": set(KINDS), "write": {"journal", "statistics", "rejects"}},
    "history": {"read": {"declarations", "journal", "rejects"}, "write": {"declarations", "journal", "rejects"}},
    "audit": {"read": set(), "write": set(KINDS)},
    "operator": {"read": {"statistics"}, "write": {"statistics", "rejects"}},
    "analytics": {"read": {"declarations", "journal", "rejects"}, "write": set(KINDS)},
    "monitor": {"read": set(KINDS), "write": set(KINDS)},
    "provisioner": {"read": set(KINDS), "write": set(KINDS)},
}


def client_settings(login):
    """Settings of the program as those of a client of another make."""
    out = {"bootstrap.servers": login["brokers"], "log_level": 0}
    for name, value in login.items():
        if name == "kafka.sasl.password.file":
            with open(value, encoding="utf-8") as source:
                out["sasl.password"] = source.read().strip()
        elif name.startswith("kafka."):
            out[name[len("kafka.") :]] = value
    return out


def may_write(settings, topics):
    """topic -> whether a record is taken. The record is one that every reader of the topic takes for void."""
    errors = {}
    producer = Producer(settings)
    for topic in topics:
        producer.produce(topic, b"void", b"#void", partition=0, on_delivery=lambda e, m: errors.update({m.topic(): e}))
    if producer.flush(TIMEOUT_S) != 0:
        raise Failed("no answer to a write to %s as %s" % (topics, settings.get("sasl.username")))
    return {topic: allowed(errors[topic]) for topic in topics}


def allowed(error):
    denied = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)
    if error is not None and error.code() not in denied:
        raise Failed("neither allowed nor denied: %s" % error)
    return error is None


def may_read(settings, topics):
    """topic -> whether records or the end of partition 0 come. A right to read brings one to see the topic."""
    seen = AdminClient(settings).list_topics(timeout=TIMEOUT_S).topics
    found = {topic: False for topic in topics if topic not in seen}
    consumer = Consumer(
        {**settings, "group.id": "unused", "enable.partition.eof": True, "auto.offset.reset": "earliest",
         "enable.auto.commit": False}
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0) for topic in topics if topic in seen])
        end = time.monotonic() + TIMEOUT_S
        while len(found) < len(topics) and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                error = None
            if message.topic() is not None:
                found.setdefault(message.topic(), allowed(error))
    finally:
        consumer.close()
    if len(found) < len(topics):
        raise Failed("no answer to a read of %s as %s" % (set(topics) - set(found), settings.get("sasl.username")))
    return found


def rights(place, broker, binary, stream):
    """On topics of the same rights that nothing reads: what is written here must not disturb the stream."""
    other = Stream(place, broker, "rights", binary)
    other.create()
    access.grant(broker, other.settings)
    kind_of = {other.settings["topic." + kind]: kind for kind in KINDS}
    if set(MUST_NOT) != set(access.roles()):
        raise Failed("roles of acls.csv: %s, of this test: %s" % (access.roles(), sorted(MUST_NOT)))
    tried = 0
    for role, must_not in MUST_NOT.items():
        settings = client_settings(access.scram(broker, role))
        for verb, attempt in (("write", may_write), ("read", may_read)):
            for topic, may in attempt(settings, list(kind_of)).items():
                tried += 1
                if may and kind_of[topic] in must_not[verb]:
                    raise Failed("%s may %s %s" % (role, verb, topic))
                if not may and verb == "read" and kind_of[topic] not in must_not[verb]:
                    raise Failed("%s may not %s %s" % (role, verb, topic))
    wrong = {
        "analytics runs the processor": (["run"], "analytics", {"role": "all"}),
        "analytics verifies": (["verify", "--timeout", "4"], "analytics", {}),
        "load reads statistics": (["tail", "--until-idle", "1", "--timeout", "4"], "load", {}),
        "audit sends declarations": (["generate", "--count", "10", "--timeout", "4"], "audit", {}),
        "publish counts": (["run"], "publish", {"role": "aggregate"}),
    }
    for name, (arguments, role, more) in wrong.items():
        settings = of_role(stream, {**access.scram(broker, role), **more})
        if arguments == ["run"]:
            processor = place.processor(binary, name.replace(" ", "-"), settings)
            processor.start()
            wait_until(lambda processor=processor: "uthorization failed" in processor.logged(), name, 40)
            wait_until(lambda processor=processor: processor.get("/livez")[0] == 200, name + ": alive", 20)
            if processor.get("/readyz")[0] != 503:
                raise Failed("%s: ready:\n%s" % (name, processor.tail()))
            processor.stop()
            text = next(line for line in processor.logged().splitlines() if "uthorization failed" in line)
        else:
            text = command(binary, *arguments, *options(settings), expect=69)
            if "uthorization failed" not in text or "ACL" not in text:
                raise Failed("%s: %s" % (name, text))
        say("rights: %s: %s" % (name, text.strip().splitlines()[-1][:230]))
    say("rights: %d attempts of %d roles, each as the table says" % (tried, len(MUST_NOT)))


def rotation(place, broker, binary, stream):
    """The password of aggregate changes while it runs; the broker forgets all connections, as a rolling restart makes it."""
    login = access.scram(broker, "aggregate")
    path = place.path("rotated.password")
    fresh = "fresh-and-long"
    with open(login["kafka.sasl.password.file"], encoding="utf-8") as old, open(path, "w", encoding="utf-8") as out:
        out.write(old.read())
    settings = of_role(stream, {**login, "kafka.sasl.password.file": path, "role": "aggregate"})
    processor = place.processor(binary, "rotation", settings)
    processor.start()
    wait_until(lambda: processor.get("/readyz")[0] == 200, processor.tail, 60)
    change = UserScramCredentialUpsertion(
        access.user("aggregate"), ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), fresh.encode()
    )
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    for done in admin.alter_user_scram_credentials([change]).values():
        done.result(TIMEOUT_S)
    broker.kill()
    broker.restart()
    wait_until(lambda: "invalid credentials" in processor.logged(), processor.tail, 40)
    wait_until(lambda: processor.get("/readyz")[0] == 503, "503 with the old password", 40)
    with open(path, "w", encoding="utf-8") as out:
        out.write(fresh + "\n")
    wait_until(lambda: processor.get("/readyz")[0] == 200, processor.tail, 60)
    more = of_role(stream, access.scram(broker, "load"))
    command(binary, "generate", "--count", "1000", "--seed", str(SEED + 1), *options(more))
    stream.processor = processor
    stream.caught_up()
    processor.stop()
    if processor.logged().count("credentials_changed") != 1 or fresh in processor.logged():
        raise Failed("the change must be said once, the password never:\n%s" % processor.tail(40))
    say("rotation: 503 with the old password, ready again with the new one, no restart")


class Browser:
    """Asks the listener by TLS, trusting one authority, as a user of http.users."""

    def __init__(self, processor, folder, login):
        self.processor, self.folder = processor, folder
        self.login = "Basic " + base64.b64encode(login.encode()).decode()

    def open(self, path, ca, **headers):
        context = ssl.create_default_context(cafile=os.path.join(self.folder, ca, "ca.pem"))
        request = urllib.request.Request(
            "https://127.0.0.1:%d%s" % (self.processor.http, path), headers={"Authorization": self.login, **headers}
        )
        return urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context)

    def text(self, path, ca):
        """None where nobody answers, or with another certificate."""
        try:
            with self.open(path, ca) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def metric(self, name, ca):
        lines = (self.text("/metrics", ca) or "").splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(name + " ")), None)

    def event(self, stream):
        """The next event of a stream: (id, event, data), None at its end. A stream that only shows signs of life is a failure."""
        event = {}
        deadline = time.monotonic() + 2 * TIMEOUT_S
        for line in stream:
            if time.monotonic() > deadline:
                raise Failed("no event came for %d s:\n%s" % (2 * TIMEOUT_S, self.processor.tail()))
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "data" in event:
                return event["id"], event["event"], json.loads(event["data"])
        return None


def renewal(place, broker, binary, stream):
    """The certificate of the listener of a processor that counts and publishes from a broker with TLS, SCRAM and ACLs."""
    folder = place.path("renewal")
    for name in ("first", "second"):
        subprocess.run([os.path.join(SOURCE, "scripts", "test_certificates.sh"), os.path.join(folder, name)], check=True)

    def put(name, *kinds):
        for kind in kinds:
            path = os.path.join(folder, "live." + kind)
            shutil.copy(os.path.join(folder, name, "server." + kind), path + ".next")
            os.replace(path + ".next", path)

    put("first", "key", "pem")
    with open(os.path.join(folder, "users"), "w", encoding="ascii") as out:
        out.write("operator:%s\n" % WRONG)
    settings = of_role(stream, {**access.scram(broker, "aggregate"), "role": "aggregate"})
    counting = place.processor(binary, "renewal-counting", settings)
    files = {"http.tls.certificate": "live.pem", "http.tls.key": "live.key", "http.users": "users"}
    listener = {name: os.path.join(folder, file) for name, file in files.items()}
    publish = place.processor(binary, "renewal", of_role(stream, {**access.certificate(broker, "publish"), "role": "publish", **listener}))
    counting.start()
    publish.start()
    browser = Browser(publish, folder, "operator:" + WRONG)
    wait_until(lambda: browser.text("/readyz", "first"), publish.tail, 60)
    wait_until(lambda: json.loads(browser.text("/status", "first"))["publisher"]["state"] == "publishing", publish.tail, 60)
    began = json.loads(browser.text("/status", "first"))
    events = browser.open("/v1/stream?view=flow", "first")
    command(binary, "generate", "--count", "500", "--seed", str(SEED + 2), *options(of_role(stream, access.scram(broker, "load"))))
    had = browser.event(events)

    put("second", "pem")  # not yet its key
    wait_until(lambda: browser.metric("dryport_certificate_refused", "first") == 1, publish.tail, TIMEOUT_S)
    if publish.logged().count("certificate_refused") != 1 or browser.text("/readyz", "second") is not None:
        raise Failed("a certificate without its key must be said once and not be served:\n%s" % publish.tail())
    put("second", "key")
    wait_until(lambda: browser.text("/readyz", "second") is not None, publish.tail, TIMEOUT_S)
    if browser.text("/readyz", "first") is not None or browser.metric("dryport_certificate_refused", "second") != 0:
        raise Failed("the certificate of before is in force still, or shown as refused:\n%s" % publish.tail())
    while (event := browser.event(events)) is not None:
        had = event  # the stream with the certificate of before ends
    again = browser.open("/v1/stream?view=flow", "second", **{"Last-Event-ID": had[0]})
    more = options(of_role(stream, access.scram(broker, "load")))
    command(binary, "generate", "--count", "500", "--seed", str(SEED + 3), *more)
    event = browser.event(again)
    if event[1] != "statistic" or int(event[0]) <= int(had[0]) or event[2]["view"] != "flow":
        raise Failed("the stream goes on behind %s, not with %s" % (had[0], event))
    again.close()

    with open(os.path.join(folder, "live.pem"), "w", encoding="ascii") as out:
        out.write("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    wait_until(lambda: browser.metric("dryport_certificate_refused", "second") == 1, publish.tail, TIMEOUT_S)
    ended = json.loads(browser.text("/status", "second"))
    if ended["publisher"]["term"] != began["publisher"]["term"] or "certificate_renewed" not in publish.logged():
        raise Failed("it published on by one claim: %s, %s" % (began["publisher"], ended["publisher"]))
    for each in (publish, counting):
        each.stop()
    if WRONG in publish.logged():
        raise Failed("the password of the listener is in the log")
    say("renewal: two broken certificates refused, one renewed; no restart, the stream went on behind its last event")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--only", help="logins, refused, rights, renewal or rotation")
    given = parser.parse_args()
    os.environ["LD_LIBRARY_PATH"] = access.library()
    began = time.monotonic()
    with Workplace("secure") as place:
        broker = place.broker(users=access.users())
        tokens = TokenServer(broker.tls, "right")
        stream = Stream(place, broker, "secure", given.dryport)
        stream.create()
        access.grant(broker, stream.settings)
        steps = {
            "logins": lambda: logins(place, broker, given.dryport, stream, tokens),
            "refused": lambda: refused(place, broker, given.dryport, stream, tokens),
            "rights": lambda: rights(place, broker, given.dryport, stream),
            "renewal": lambda: renewal(place, broker, given.dryport, stream),
            "rotation": lambda: rotation(place, broker, given.dryport, stream),
        }
        for name, step in steps.items():
            if given.only in (None, name):
                step()
                say("%s: done after %.0f s" % (name, time.monotonic() - began))
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
