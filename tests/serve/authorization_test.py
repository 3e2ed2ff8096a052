#!/usr/bin/env python3
"""The authorisation matrix, made from api/openapi.yaml: every route x {no credentials, a bad, an expired, a revoked key, a
stranger's, every role that is not named, a key without the scope}. A route of which nothing is known here fails.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import unittest

import harness
from management_test import ManagementCase, command

ROLES = ["owner", "admin", "developer", "billing", "support", "auditor"]
PRICE = {"meter": "requests", "rating": {"tiers": [{"nano_per_million": 1}]}}
# What a call needs so that nothing but the caller's rights refuses it; the rest have no body.
BODIES = {("POST", "/api/v1/webhook-endpoints"): {"url": "https://receiver.example/"},
          ("PATCH", "/api/v1/webhook-endpoints/{id}"): {"enabled": False},
          ("POST", "/api/v1/payments"): {"provider": "bank_transfer", "amount": 5, "currency": "USD"},
          ("POST", "/api/v1/payments/{id}/confirm"): {"reference": "x"},
          ("POST", "/api/v1/refunds"): {"payment": "nosuch", "amount": 5, "reason": "x"},
          ("POST", "/api/v1/refunds/{id}/confirm"): {"reference": "x"},
          ("POST", "/api/v1/tenants"): {"name": "matrix"}, ("PATCH", "/api/v1/tenants/{tenant}"): {"limits": {}},
          ("POST", "/api/v1/keys"): {}, ("POST", "/api/v1/keys/{id}/rotate"): {}, ("PATCH", "/api/v1/keys/{id}"): {"models": []},
          ("POST", "/api/v1/password"): {"old": "x", "new": "another password"},
          ("POST", "/api/v1/second-factor"): {"password": "x"}, ("POST", "/api/v1/second-factor/confirm"): {"code": "000000"},
          ("POST", "/api/v1/second-factor/remove"): {"password": "x"},
          ("POST", "/api/v1/invoices"): {"tenant": "acme", "month": "2026-01"},
          ("POST", "/api/v1/invoices/preview"): {"month": "2026-01"},
          ("POST", "/api/v1/invoices/{id}/pay"): {"amount": 1, "reference": "matrix"},
          ("POST", "/api/v1/credit-notes"): {"invoice": "nosuch", "reason": "matrix"},
          ("POST", "/api/v1/tax-rates"): {"name": "VAT", "country": "DE", "basis_points": 1, "from_month": "2026-01"},
          ("POST", "/api/v1/tax-rates/{id}/end"): {"last_month": "2026-01"},
          ("PUT", "/api/v1/billing-details"): {"name": "matrix"},
          ("PATCH", "/api/v1/members/{id}"): {"role": "auditor"},
          ("POST", "/api/v1/invitations"): {"email": "m@example.com", "role": "auditor"},
          ("POST", "/api/v1/plans"): {"code": "matrix", "prices": [PRICE]}, ("POST", "/api/v1/plans/{id}/prices"): PRICE,
          ("PUT", "/api/v1/offers/{id}"): {}, ("POST", "/api/v1/coupons"): {"code": "MATRIX", "basis_points": 1},
          ("POST", "/api/v1/coupon-redemptions"): {"code": "nosuch"},
          ("POST", "/api/v1/partners"): {"code": "matrix", "name": "x", "basis_points": 1},
          ("POST", "/api/v1/partners/{id}/attributions"): {"tenant": "nosuch"},
          ("POST", "/api/v1/partners/{id}/payouts"): {"currency": "USD", "reference": "x"},
          ("POST", "/api/v1/subscriptions"): {"tenant": "nosuch", "plan": "default"},
          ("POST", "/api/v1/subscriptions/{id}/preview"): {"plan": "default"},
          ("POST", "/api/v1/subscriptions/{id}/change"): {"plan": "default"}, ("POST", "/api/v1/subscriptions/{id}/cancel"): {},
          ("POST", "/api/v1/wallet/grants"): {"tenant": "nosuch", "kind": "promo", "amount": "1"}}
# Served to anybody; each for its reason.
OPEN = {("POST", "/api/v1/signup"), ("POST", "/api/v1/signup/confirm"),
        *((method, page) for method in ("GET", "POST") for page in ("/signup", "/zh/signup", "/signup/confirm", "/zh/signup/confirm")),
        ("GET", "/pricing"), ("GET", "/zh/pricing"), ("GET", "/sitemap.xml"), ("GET", "/robots.txt"),
        ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/openapi.json"),
        ("GET", "/v2"), ("GET", "/v2/health/live"), ("GET", "/v2/health/ready"),
        ("POST", "/api/v1/session"), ("POST", "/api/v1/invitations/accept"),
        ("POST", "/hooks/stripe")}

ELSEWHERES = ("/v2/", "/predict", "/embed", "/rerank")  # other servers' languages: their errors have no code


class Matrix(ManagementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people, cls.checked = {}, 0
        for role in ROLES:
            email = role + "@example.com"
            made = command(cls.home, "user", "create", "--tenant", "acme", "--role", role, email)
            client = harness.Client(cls.server)
            answer = client.call("POST", "/api/v1/session", {"email": email, "password": made["password"]})
            client.close()
            assert answer.status == 201, answer.text
            cls.people[role] = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": answer.json["csrf_token"]}
        narrow = command(cls.home, "key", "create", "--tenant", "acme", "--scope", "feedback")
        other = command(cls.home, "key", "create", "--tenant", "acme", "--scope", "models")
        cls.narrow, cls.other = narrow["secret"], other["secret"]
        cls.mine = cls.home.value("SELECT id FROM api_key WHERE tenant_id = (SELECT id FROM tenant WHERE name = 'umbra') LIMIT 1")

    def ask(self, method, route, key=None, headers=None, thing="nosuch", tenant="nosuch"):
        path = route.replace("{id}", thing).replace("{tenant}", tenant)
        headers = dict(headers or {}, **{"If-Match": "*", "Idempotency-Key": f"matrix-{self.checked}"})
        client = harness.Client(self.server, key)
        answer = client.call(method, path, BODIES.get((method, route)), headers)
        client.close()
        type(self).checked += 1
        return answer

    def code(self, answer):
        return answer.json["code"] if answer.headers["Content-Type"] == "application/problem+json" else answer.status

    def guarded(self):
        for (method, route), operation in self.operations():
            if operation.get("security") != []:
                yield method, route, operation

    def managed(self):
        return [row for row in self.guarded() if row[1].startswith("/api/v1/")]

    def test_nothing_is_open_that_is_not_meant_to_be(self):
        found = {route for route, operation in self.operations() if operation.get("security") == []}
        self.assertEqual(found, OPEN)

    def test_every_managed_route_with_a_body_is_known(self):
        needed = {(m, r) for m, r, operation in self.managed() if "requestBody" in operation}
        self.assertEqual(needed, set(BODIES))

    def test_without_credentials_that_hold_nothing_opens(self):
        for method, route, _ in self.guarded():
            for key in [None, "rsk_live_x", self.home.keys["expired"], self.home.keys["revoked"]]:
                answer = self.ask(method, route, key)
                self.assertEqual(answer.status, 401, f"{method} {route} {answer.text}")
            if route.startswith("/api/v1/"):
                answer = self.ask(method, route, headers={"Cookie": "rootstock_session=" + "x" * 43})
                self.assertEqual(self.code(answer), "session_ended", f"{method} {route}")
            self.assertEqual(self.ask(method, route, self.home.keys["suspended"]).status, 403, f"{method} {route}")

    def test_a_key_without_the_scope_is_refused_by_every_route(self):
        for method, route, operation in self.guarded():
            key = self.other if operation.get("x-scopes") == ["feedback"] else self.narrow
            answer = self.ask(method, route, key)
            self.assertEqual(answer.status, 403, f"{method} {route} {answer.text}")
            spoken = "lacks the scope" if route.startswith(ELSEWHERES) else "insufficient_scope"
            self.assertIn(spoken, answer.text, f"{method} {route}")

    def test_a_key_of_the_models_does_not_manage(self):
        for method, route, _ in self.managed():
            self.assertEqual(self.ask(method, route, self.home.keys["acme"]).status, 403, f"{method} {route}")

    def test_a_session_asks_no_models(self):
        for method, route, _ in self.guarded():
            if not route.startswith("/api/v1/"):
                self.assertEqual(self.ask(method, route, headers=self.people["owner"]).status, 401, f"{method} {route}")

    def test_a_wrong_role_is_refused_and_a_right_one_is_not(self):
        for method, route, operation in self.managed():
            subject = operation["x-subject"]
            for role in ROLES:
                if subject == "self":
                    continue  # everybody's own
                answer = self.ask(method, route, headers=self.people[role], tenant="acme")
                where = f"{method} {route} as {role}: {answer.text}"
                if subject == "house":
                    self.assertEqual(self.code(answer), "house_only", where)
                elif role not in operation["x-roles"]:
                    self.assertEqual(self.code(answer), "insufficient_role", where)
                else:
                    self.assertNotIn(answer.status, (401, 403), where)

    def test_a_change_needs_its_token(self):
        for method, route, _ in self.managed():
            if method != "GET":
                answer = self.ask(method, route, headers=self.people["owner"] | {"X-CSRF-Token": "x"}, tenant="acme")
                self.assertEqual(self.code(answer), "csrf_token_invalid", f"{method} {route}")

    def test_what_is_a_strangers_answers_like_nothing(self):
        for method, route, operation in self.managed():
            if "{id}" in route:
                theirs, none = self.ask(method, route, self.acme, thing=self.mine), self.ask(method, route, self.acme)
            elif "{tenant}" in route:
                theirs, none = self.ask(method, route, self.acme, tenant="umbra"), self.ask(method, route, self.acme)
            else:
                continue
            changing = {"instance": "", "request_id": ""}
            wanted = 403 if operation["x-subject"] == "house" else 404
            self.assertEqual(theirs.status, wanted, f"{method} {route} {theirs.text}")
            self.assertEqual(theirs.json | changing, none.json | changing, f"{method} {route}")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        print(f"{cls.checked} cells of the matrix")


if __name__ == "__main__":
    unittest.main(verbosity=1)
