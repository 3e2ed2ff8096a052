#!/usr/bin/env python3
"""People: the first owner of the house, signing in and out, invitations, roles, guesses; and what keys are bound to.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import time
import unittest

import harness
from management_test import ManagementCase, command


class Person:
    """A browser: the session's cookie, and its csrf_token with every change."""

    def __init__(self, case, answer):
        self.case, self.facts = case, answer.json
        self.set_cookie = answer.headers["Set-Cookie"]
        self.cookie = self.set_cookie.split(";")[0]

    def call(self, method, path, route, status, body=None, **more):
        headers = {"Cookie": self.cookie, "X-CSRF-Token": self.facts["csrf_token"], **more}
        return self.case.call(method, path, route, status, body, headers=headers)


class People(ManagementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = command(cls.home, "user", "create", "--house", "--role", "owner", "Boss@Example.com")
        cls.password = made["password"]

    def sign_in(self, email, password, status=201):
        answer = self.call("POST", "/api/v1/session", "/api/v1/session", status, {"email": email, "password": password})
        return Person(self, answer) if status == 201 else answer

    def invited(self, email, role, tenant="acme"):
        path = "/api/v1/invitations?tenant=" + tenant
        boss = self.sign_in("boss@example.com", self.password)
        token = boss.call("POST", path, "/api/v1/invitations", 201, {"email": email, "role": role}).json["token"]
        body = {"token": token, "password": "correct horse " + role}
        route = "/api/v1/invitations/accept"
        answer = self.call("POST", route, route, 201, body)
        self.assertEqual(self.call("POST", route, route, 404, body).json["code"], "invitation_not_found")  # once
        return Person(self, answer)

    def test_the_first_owner_of_the_house(self):
        boss = self.sign_in("boss@example.com", self.password)
        for word in ["HttpOnly", "SameSite=Strict", "Path=/"]:
            self.assertIn(word, boss.set_cookie)
        self.assertEqual(boss.facts["memberships"], [{"tenant": None, "tenant_name": "(house)", "role": "owner"}])
        boss.call("POST", "/api/v1/tenants", "/api/v1/tenants", 201, {"name": "bosses"})
        boss.call("GET", "/api/v1/keys?tenant=umbra", "/api/v1/keys", 200)
        answer = boss.call("POST", "/api/v1/tenants", "/api/v1/tenants", 403, {"name": "x"}, **{"X-CSRF-Token": "x"})
        self.assertEqual(answer.json["code"], "csrf_token_invalid")
        token = boss.cookie.split("=")[1]
        self.assertEqual(self.home.rows("SELECT 1 FROM sign_in WHERE token_hash = ? OR id = ?", token, token), [])
        hashes = [row[0] for row in self.home.rows("SELECT password FROM person")]
        self.assertTrue(all(hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for hash in hashes), hashes)

    def test_signing_out_ends_the_session(self):
        one, two, three = (self.sign_in("boss@example.com", self.password) for _ in range(3))
        one.call("DELETE", "/api/v1/session", "/api/v1/session", 200)
        self.assertEqual(one.call("GET", "/api/v1/session", "/api/v1/session", 401).json["code"], "session_ended")
        two.call("GET", "/api/v1/session", "/api/v1/session", 200)
        two.call("DELETE", "/api/v1/sessions", "/api/v1/sessions", 200)
        three.call("GET", "/api/v1/session", "/api/v1/session", 401)

    def test_a_session_rests_an_hour_and_lives_twelve(self):
        boss = self.sign_in("boss@example.com", self.password)
        self.home.execute("UPDATE sign_in SET used_at = used_at - 3600000000")
        boss.call("GET", "/api/v1/session", "/api/v1/session", 401)
        boss = self.sign_in("boss@example.com", self.password)
        self.home.execute("UPDATE sign_in SET expires_at = expires_at - 43200000000")
        boss.call("GET", "/api/v1/session", "/api/v1/session", 401)

    def test_a_role_does_what_the_document_says(self):
        auditor = self.invited("auditor@example.com", "auditor")
        auditor.call("GET", "/api/v1/keys", "/api/v1/keys", 200)
        answer = auditor.call("POST", "/api/v1/keys", "/api/v1/keys", 403, {})
        self.assertEqual(answer.json["code"], "insufficient_role")
        self.assertEqual(auditor.call("POST", "/api/v1/tenants", "/api/v1/tenants", 403, {"name": "y"}).json["code"], "house_only")
        auditor.call("GET", "/api/v1/keys?tenant=umbra", "/api/v1/keys", 404)
        developer = self.invited("developer@example.com", "developer")
        developer.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"name": "mine"})
        answer = developer.call("GET", "/api/v1/members", "/api/v1/members", 403)

    def test_only_owners_make_owners_and_one_stays(self):
        owner = self.invited("owner@example.com", "owner", "umbra")
        admin = self.invited("admin@example.com", "admin", "umbra")
        route = "/api/v1/members/{id}"
        path = "/api/v1/members/" + admin.facts["id"]
        self.assertEqual(admin.call("PATCH", path, route, 403, {"role": "owner"}).json["code"], "insufficient_role")
        admin.call("DELETE", "/api/v1/members/" + owner.facts["id"], route, 403)
        answer = owner.call("PATCH", "/api/v1/members/" + owner.facts["id"], route, 409, {"role": "admin"})
        self.assertEqual(answer.json["code"], "last_owner")
        owner.call("PATCH", path, route, 200, {"role": "owner"})
        owner.call("DELETE", "/api/v1/members/" + owner.facts["id"], route, 200)
        owner.call("GET", "/api/v1/members", "/api/v1/members", 403)  # at once
        admin.call("GET", "/api/v1/members/".rstrip("/"), "/api/v1/members", 200)
        admin.call("PATCH", "/api/v1/members/nosuch", route, 404, {"role": "admin"})

    def test_nobody_hands_on_more_than_he_may(self):
        developer = self.invited("second@example.com", "developer")
        route = "/api/v1/keys"
        answer = developer.call("POST", route, route, 403, {"scopes": ["people:write"]})
        self.assertEqual(answer.json["code"], "insufficient_scope")
        developer.call("POST", route, route, 201, {"scopes": ["keys:write", "predictions"]})
        strong = self.call("POST", route, route, 201, {"scopes": ["people:write", "keys:write"]}, key=self.acme).json
        rotate = "/api/v1/keys/{id}/rotate"
        developer.call("POST", rotate.replace("{id}", strong["id"]), rotate, 403, {})
        weak = self.call("POST", route, route, 201, {"scopes": ["keys:write"]}, key=self.acme).json["secret"]
        self.call("POST", rotate.replace("{id}", strong["id"]), rotate, 403, {}, key=weak)

    def test_a_suspended_tenant_does_not_let_itself_go_on(self):
        owner = self.invited("poor@example.com", "owner", "suspended")
        path, route = "/api/v1/tenants/suspended", "/api/v1/tenants/{tenant}"
        self.assertEqual(owner.call("GET", path, route, 200).json["status"], "suspended")
        answer = owner.call("PATCH", path, route, 403, {"status": "active"}, **{"If-Match": "*"})
        self.assertEqual(answer.json["code"], "house_only")

    def test_another_password(self):
        support = self.invited("support@example.com", "support")
        elsewhere = self.sign_in("support@example.com", "correct horse support")
        path = "/api/v1/password"
        support.call("POST", path, path, 403, {"old": "x", "new": "battery staple"})
        support.call("POST", path, path, 400, {"old": "correct horse support", "new": "short"})
        support.call("POST", path, path, 200, {"old": "correct horse support", "new": "battery staple"})
        support.call("GET", "/api/v1/session", "/api/v1/session", 200)
        elsewhere.call("GET", "/api/v1/session", "/api/v1/session", 401)
        self.sign_in("support@example.com", "correct horse support", 401)
        self.sign_in("support@example.com", "battery staple")

    def test_who_guesses_waits(self):
        for _ in range(10):
            self.assertEqual(self.sign_in("guessed@example.com", "wrong", 401).json["code"], "sign_in_refused")
        self.sign_in("guessed@example.com", "wrong", 429)
        self.sign_in("boss@example.com", self.password)  # others are not locked out

    def test_a_key_calls_from_its_networks(self):
        near = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"networks": ["127.0.0.0/8", "2001:db8::/32"]}, key=self.acme).json
        far = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"networks": ["10.0.0.0/8"]}, key=self.acme).json
        for made, status in [(near, 200), (far, 403)]:
            client = harness.Client(self.server, made["secret"])
            self.assertEqual(client.call("GET", "/v1/models").status, status)
            client.close()
        deadline, seen = time.monotonic() + 5, {"last_used_on": None}
        while seen["last_used_on"] is None and time.monotonic() < deadline:  # nobody waits for it
            seen = self.call("GET", "/api/v1/keys/" + near["id"], "/api/v1/keys/{id}", 200, key=self.acme).json
        self.assertRegex(str(seen["last_used_on"]), r"^\d{4}-\d\d-\d\d$")
        for wrong in ["10.0.0.1/8", "10.0.0.0/33", "x/8", "::1/-1"]:
            self.call("POST", "/api/v1/keys", "/api/v1/keys", 400, {"networks": [wrong]}, key=self.acme)

    def test_a_key_is_rotated_with_an_overlap(self):
        old = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"scopes": ["models"]}, key=self.acme).json
        route, path = "/api/v1/keys/{id}/rotate", f"/api/v1/keys/{old['id']}/rotate"
        new = self.call("POST", path, route, 201, {"overlap_seconds": 3600}, key=self.acme).json
        self.assertEqual(new["scopes"], ["models"])
        self.call("POST", path, route, 400, {"overlap_seconds": 86401}, key=self.acme)
        clients = [harness.Client(self.server, made["secret"]) for made in (old, new)]
        self.assertEqual([client.call("GET", "/v1/models").status for client in clients], [200, 200])
        self.call("POST", path, route, 201, {}, key=self.acme)
        self.assertEqual([client.call("GET", "/v1/models").status for client in clients], [401, 200])
        self.assertEqual(self.call("POST", path, route, 409, {}, key=self.acme).json["code"], "key_state")


if __name__ == "__main__":
    unittest.main(verbosity=1)
