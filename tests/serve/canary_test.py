#!/usr/bin/env python3
"""Canary secrets: known secrets of every kind go through every route of api/openapi.yaml, in the places where they belong and
where they do not; none may be found again in an answer to somebody else, an error, the log, the metrics, the records, any
other file of the home, or an invoice.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import base64
import os
import re
import tempfile
import unittest
import urllib.parse
import zlib

import harness
from authorization_test import BODIES
from management_test import ManagementCase, command
from outside import FaultyStripe, MailServer, Receiver, text_of, until
from second_factor_test import FACTOR, Authenticator
from people_test import Person

STRAY = "canary-7f3a-stray"  # stands for a secret that was put where none belongs
CONTROL = "canary-5e21-control"  # no secret: the search must find it among the records, or it finds nothing at all
SECRET_FIELDS = ["password", "old", "new", "token", "secret", "code", "api_key", "key", "authorization"]
ENDS = {("DELETE", "/api/v1/session"), ("DELETE", "/api/v1/sessions"), ("POST", "/api/v1/password")}  # the session that asks
TEXT_FIELDS = ["input", "text", "prompt", "messages", "query"]


class Canary(ManagementCase):
    @classmethod
    def setUpClass(cls):
        cls.services = cls.receiver, cls.stripe, cls.mail = Receiver(), FaultyStripe(), MailServer()
        super().setUpClass()
        cls.server.stop()
        cls.secrets = {"a key of the house": cls.house, "a key of a customer": cls.acme, "another key": cls.umbra,
                       "a revoked key": cls.home.keys["revoked"], "an expired key": cls.home.keys["expired"],
                       "Stripe's key": "sk_live_canary4711canary4711", "the hook's secret": "whsec_canary0815canary0815",
                       "the mail server's password": "canary mail password", "a stray secret": STRAY}
        cls.folder = tempfile.TemporaryDirectory()
        files = {name: os.path.join(cls.folder.name, name) for name in ("key", "hook", "mail")}
        for name, secret in (("key", "Stripe's key"), ("hook", "the hook's secret"), ("mail", "the mail server's password")):
            with open(files[name], "w") as file:
                file.write(cls.secrets[secret] + "\n")
        cls.server = harness.Server(
            cls.home, "--workers", "0", "--log-level", "debug", "--webhook-allow", "127.0.0.1", "--stripe-url", cls.stripe.url, "--stripe-key-file",
            files["key"], "--stripe-webhook-secret-file", files["hook"], "--smtp-url", cls.mail.url, "--smtp-from",
            "house@example.com", "--smtp-user", "house", "--smtp-password-file", files["mail"])
        cls.answers = []  # (who asked for what, the answer's head and body)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for service in cls.services:
            service.stop()
        cls.folder.cleanup()

    def ask(self, method, path, body=None, key=None, headers=None, telling=False):
        """An answer, kept to be searched unless it is the one that tells a secret."""
        client = harness.Client(self.server, key)
        answer = client.call(method, path, body, {"Idempotency-Key": f"canary-{len(self.answers)}", **(headers or {})})
        client.close()
        self.answers.append((f"{method} {path}", "" if telling else f"{answer.headers}{answer.text}"))
        return answer

    # ---- secrets are made, where they are told once ----

    def people(self):
        """Passwords, a session with its tokens, an invitation, a second factor with its codes."""
        secrets = self.secrets
        made = command(self.home, "user", "create", "--tenant", "acme", "--role", "owner", "ann@example.com")
        secrets["a first password"] = made["password"]
        signed = self.ask("POST", "/api/v1/session", {"email": "ann@example.com", "password": made["password"]}, telling=True)
        person = Person(self, signed)
        secrets["a session"] = person.cookie.split("=", 1)[1]
        secrets["a token against forged requests"] = person.facts["csrf_token"]
        browser = {"Cookie": person.cookie, "X-CSRF-Token": person.facts["csrf_token"]}
        secrets["a password"] = "canary horse battery"
        changed = self.ask("POST", "/api/v1/password", {"old": made["password"], "new": secrets["a password"]}, headers=browser)
        self.assertEqual(changed.status, 200, changed.text)
        self.ask("POST", "/api/v1/invitations?tenant=acme", {"email": "bob@example.com", "role": "auditor"}, self.house)
        letter = until(lambda: self.mail.letters)[0][1]
        secrets["an invitation"] = [line.strip() for line in text_of(letter).splitlines() if len(line.strip()) == 43][0]
        until(lambda: self.home.value("SELECT state FROM letter") == "sent")
        secrets["a guest's password"] = "canary guest password"
        accepted = self.ask("POST", "/api/v1/invitations/accept",
                            {"token": secrets["an invitation"], "password": secrets["a guest's password"]})
        self.assertEqual(accepted.status, 201, accepted.text)
        signed = self.ask("POST", "/api/v1/session", {"email": "ann@example.com", "password": secrets["a password"]}, telling=True)
        browser = {"Cookie": Person(self, signed).cookie, "X-CSRF-Token": signed.json["csrf_token"]}
        secrets["a second session"] = browser["Cookie"].split("=", 1)[1]
        begun = self.ask("POST", FACTOR, {"password": secrets["a password"]}, headers=browser, telling=True).json
        secrets["a second factor"] = begun["secret"]
        codes = self.ask("POST", FACTOR + "/confirm", {"code": Authenticator(begun["secret"]).code()}, headers=browser,
                         telling=True).json["recovery_codes"]
        for number, code in enumerate(codes):
            secrets[f"recovery code {number}"] = code
        self.ask("POST", "/api/v1/session", {"email": "ann@example.com", "password": secrets["a password"]})
        self.ask("POST", "/api/v1/session", {"email": "ann@example.com", "password": secrets["a password"], "code": codes[0]},
                 telling=True)
        self.ask("POST", "/api/v1/session", {"email": "ann@example.com", "password": STRAY})
        return browser

    def machines(self):
        """Keys over the API, webhooks with their secret, a payment with the provider's key."""
        made = self.ask("POST", "/api/v1/keys", {"name": CONTROL}, self.acme, telling=True).json
        self.secrets["a made key"] = made["secret"]
        rotated = self.ask("POST", f"/api/v1/keys/{made['id']}/rotate", {}, self.acme, telling=True).json
        self.secrets["a rotated key"] = rotated["secret"]
        hook = self.ask("POST", "/api/v1/webhook-endpoints", {"url": self.receiver.url + "/in"}, self.acme, telling=True).json
        self.secrets["a webhook's secret"] = hook["secret"].removeprefix("whsec_")
        self.ask("DELETE", "/api/v1/keys/" + made["id"], key=self.acme)
        for fault in (None, "decline", "500_after"):
            self.stripe.fault = fault
            self.ask("POST", "/api/v1/payments", {"provider": "stripe", "amount": 500, "currency": "USD"}, self.acme)
        self.ask("POST", "/hooks/stripe", {"id": "evt_1", "type": "x"}, headers={"Stripe-Signature": "t=1,v1=" + STRAY})

    # ---- and go everywhere ----

    def bodies(self, method, route):
        known = BODIES.get((method, route), {})
        yield known
        yield {**known, **{field: STRAY for field in SECRET_FIELDS}}
        yield {"model": "tickets", **{field: STRAY for field in TEXT_FIELDS}}
        yield '{"password": "' + STRAY  # broken JSON
        yield [STRAY]

    def everywhere(self, browser):
        callers = [{"key": self.house}, {"key": self.acme}, {"key": self.secrets["a revoked key"]},
                   {"key": "rsk_live_" + STRAY}, {"headers": {"Authorization": "Basic " + STRAY}}, {"headers": browser},
                   {"headers": {"Cookie": "rootstock_session=" + STRAY, "X-CSRF-Token": STRAY}}]
        for (method, route), operation in self.operations():
            if route.startswith("/hooks/"):
                continue  # asked above, with a signature
            path = route.replace("{id}", "nosuch").replace("{tenant}", "acme")
            path = re.sub(r"\{[a-z_]+\}", "nosuch", path)
            for number, caller in enumerate(callers):
                bodies = self.bodies(method, route) if number < 2 and "requestBody" in operation else [None]
                for body in bodies:
                    if number == 5 and (method, route) in ENDS:
                        continue
                    headers = {"Content-Type": "application/json", "If-Match": "*", **caller.get("headers", {})}
                    told = self.tells(method, route)
                    self.ask(method, path, body, caller.get("key"), headers, telling=told)
            for name in ("api_key", "key", "token", "cursor"):
                self.ask(method, f"{path}?{name}={STRAY}", key=self.acme, headers={"If-Match": "*"}, telling=self.tells(method, route))

    @staticmethod
    def tells(method, route):
        """The routes whose answer is a new secret, told this once."""
        return method == "POST" and route in ("/api/v1/keys", "/api/v1/webhook-endpoints", "/api/v1/invitations", FACTOR,
                                              "/api/v1/session", FACTOR + "/confirm")

    # ---- where none may be found ----

    def forms(self, secret):
        """As it is, and as it might be hidden."""
        plain = secret.encode()
        yield plain
        yield urllib.parse.quote_plus(secret).encode()
        yield base64.b64encode(plain).rstrip(b"=")
        yield plain.hex().encode()

    def places(self):
        self.home.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for what, text in self.answers:
            yield "the answer to " + what.replace(STRAY, "(stray)"), self.without_echo(text).encode()
        metrics = harness.Client(self.server, self.house)
        yield "the metrics", metrics.call("GET", "/metrics").text.encode()
        metrics.close()
        for folder, _, names in os.walk(self.home.folder):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path) and os.path.isfile(path):
                    with open(path, "rb") as file:
                        yield "the file " + os.path.relpath(path, self.home.folder), file.read()
        for form in ("", ".csv", ".pdf"):
            for (invoice,) in self.home.rows("SELECT id FROM invoice"):
                client = harness.Client(self.server, self.acme)
                client.connection.request("GET", f"/api/v1/invoices/{invoice}{form}", headers={"Authorization": "Bearer " + self.acme})
                body = client.connection.getresponse().read()
                client.close()
                streams = re.findall(rb"stream\r?\n(.*?)endstream", body, re.S)
                yield "an invoice" + form, body + b"".join(zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x")

    @staticmethod
    def without_echo(text):
        """A problem's `instance` is the caller's own path, told to the caller alone."""
        return re.sub(r'"instance":"[^"]*"', "", text)

    def test_no_secret_is_found_again(self):
        browser = self.people()
        self.machines()
        bill = self.ask("POST", "/api/v1/invoices", {"tenant": "acme", "month": "2026-01"}, self.house)
        self.assertEqual(bill.status, 201, bill.text)
        self.everywhere(browser)
        asked = {what.split("?")[0].split("/nosuch")[0] for what, _ in self.answers}
        for (method, route), _ in self.operations():
            self.assertIn(f"{method} {route}".replace("{tenant}", "acme").split("/{")[0], asked)
        hits, found, searched = set(), set(), 0
        for place, content in self.places():
            searched += 1
            if CONTROL.encode() in content:
                found.add(place)
            for name, secret in self.secrets.items():
                if any(form in content for form in self.forms(secret)):
                    hits.add((name, place))
        self.assertEqual(sorted(hits), [])
        self.assertIn("the file rootstock.db", found)
        print(f"{len(self.secrets)} secrets, {len(self.answers)} calls, {searched} places: no hit")


if __name__ == "__main__":
    unittest.main()
