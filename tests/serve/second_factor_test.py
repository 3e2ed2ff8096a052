#!/usr/bin/env python3
"""A second factor over HTTP: set up, asked for, each code once; lost and reset. The authenticator here is this file's own,
after RFC 6238.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import base64
import hashlib
import hmac
import struct
import time
import unittest
from urllib.parse import parse_qs, urlsplit

import harness
from management_test import ManagementCase, command
from people_test import Person

SESSION, FACTOR = "/api/v1/session", "/api/v1/second-factor"


class Authenticator:
    def __init__(self, secret):
        self.secret = base64.b32decode(secret + "=" * (-len(secret) % 8))

    def code(self, steps_on=0):
        mac = hmac.new(self.secret, struct.pack(">q", int(time.time()) // 30 + steps_on), hashlib.sha1).digest()
        at = mac[19] & 15
        return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7FFFFFFF) % 10**6)


class SecondFactors(ManagementCase):
    def person(self, name):
        email = name + "@example.com"
        made = command(self.home, "user", "create", "--tenant", "acme", "--role", "owner", email)
        return email, made["password"]

    def sign_in(self, email, password, status=201, **more):
        answer = self.call("POST", SESSION, SESSION, status, {"email": email, "password": password, **more})
        return Person(self, answer) if status == 201 else answer

    def set_up(self, person, password):
        path = FACTOR + "/confirm"
        begun = person.call("POST", FACTOR, FACTOR, 201, {"password": password}).json
        authenticator = Authenticator(begun["secret"])
        self.assertEqual(parse_qs(urlsplit(begun["uri"]).query)["secret"], [begun["secret"]])
        codes = person.call("POST", path, path, 200, {"code": authenticator.code()}).json["recovery_codes"]
        self.assertEqual(len(set(codes)), 10)
        return authenticator, codes

    def test_it_is_asked_for_and_each_code_opens_once(self):
        email, password = self.person("ann")
        ann = self.sign_in(email, password)
        self.assertEqual(ann.call("GET", FACTOR, FACTOR, 200).json, {"enabled": False, "recovery_codes_left": 0})
        wrong = ann.call("POST", FACTOR, FACTOR, 403, {"password": "not the password"})
        self.assertEqual(wrong.json["code"], "password_wrong")
        ann.call("POST", FACTOR, FACTOR, 201, {"password": password})
        self.sign_in(email, password)  # begun only: nothing is asked for yet
        authenticator, codes = self.set_up(ann, password)
        self.assertEqual(self.sign_in(email, password, 401).json["code"], "code_needed")
        self.assertEqual(self.sign_in(email, "not the password", 401, code=codes[0]).json["code"], "sign_in_refused")
        self.assertEqual(self.sign_in(email, password, 401, code="000000x").json["code"], "sign_in_refused")
        code = authenticator.code(1)
        self.sign_in(email, password, code=code)
        self.assertEqual(self.sign_in(email, password, 401, code=code).json["code"], "sign_in_refused")
        self.sign_in(email, password, code=codes[0].lower())
        self.assertEqual(self.sign_in(email, password, 401, code=codes[0]).json["code"], "sign_in_refused")
        self.assertEqual(ann.call("GET", FACTOR, FACTOR, 200).json, {"enabled": True, "recovery_codes_left": 9})
        again = ann.call("POST", FACTOR, FACTOR, 409, {"password": password})
        self.assertEqual(again.json["code"], "second_factor_state")
        path = FACTOR + "/remove"
        ann.call("POST", path, path, 403, {"password": "not the password"})
        ann.call("POST", path, path, 200, {"password": password})
        self.sign_in(email, password)

    def test_guessing_codes_waits_like_guessing_passwords(self):
        email, password = self.person("bob")
        self.set_up(self.sign_in(email, password), password)
        for _ in range(10):
            self.assertEqual(self.sign_in(email, password, 401, code="000000x").json["code"], "sign_in_refused")
        self.assertIn("Retry-After", self.sign_in(email, password, 429, code="000000x").headers)

    def test_an_invitation_does_not_lead_around_it(self):
        email, password = self.person("carol")
        authenticator, _ = self.set_up(self.sign_in(email, password), password)
        made = self.call("POST", "/api/v1/invitations?tenant=umbra", "/api/v1/invitations", 201,
                         {"email": email, "role": "auditor"}, key=self.house).json
        body, path = {"token": made["token"], "password": password}, "/api/v1/invitations/accept"
        self.assertEqual(self.call("POST", path, path, 401, body).json["code"], "code_needed")
        self.call("POST", path, path, 201, {**body, "code": authenticator.code(1)})

    def test_whoever_has_the_machine_may_reset_it(self):
        email, password = self.person("dave")
        self.set_up(self.sign_in(email, password), password)
        self.sign_in(email, password, 401)
        self.assertFalse(command(self.home, "user", "reset-second-factor", email)["second_factor"])
        self.sign_in(email, password)

    def test_no_secret_is_kept(self):
        email, password = self.person("eve")
        eve = self.sign_in(email, password)
        key = {"Idempotency-Key": "set-up-1"}
        begun = eve.call("POST", FACTOR, FACTOR, 201, {"password": password}, **key).json
        repeated = eve.call("POST", FACTOR, FACTOR, 201, {"password": password}, **key)
        self.assertNotIn("secret", repeated.json)
        path = FACTOR + "/confirm"
        codes = eve.call("POST", path, path, 200, {"code": Authenticator(begun["secret"]).code()}).json["recovery_codes"]
        self.home.execute("PRAGMA wal_checkpoint(FULL)")
        kept = b"".join(f.read_bytes() for f in self.home.folder.glob("rootstock.db*"))
        for secret in [begun["secret"], base64.b32decode(begun["secret"]), *codes, codes[0].replace("-", "")]:
            self.assertNotIn(secret if isinstance(secret, bytes) else secret.encode(), kept)


if __name__ == "__main__":
    unittest.main()
