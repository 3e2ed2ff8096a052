#!/usr/bin/env python3
"""Plans, subscriptions, credit and quota from outside: over the management API, on the command line, and in what a request is
let to use.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import unittest

import harness
from management_test import ManagementCase, command

MONTH = {"tiers": [{"nano_per_million": 20_000_000_000}]}  # 0.02 of the major unit for 1,000, as the default plan


def plan(code, fee="0", **more):
    return {"code": code, "fee": fee, "credit_limit": "100", "prices": [{"meter": "input_tokens", "rating": MONTH}]} | more


class Selling(ManagementCase):
    def setUp(self):
        self.tries = 0

    def once(self):
        self.tries += 1
        return {"Idempotency-Key": f"{self.id()} {self.tries}"}

    def customer(self, name):
        """A new customer, whose books' first subscription has ended."""
        self.call("POST", "/api/v1/tenants", "/api/v1/tenants", 201, {"name": name}, key=self.house)
        found = self.call("GET", f"/api/v1/subscriptions?tenant={name}", "/api/v1/subscriptions", 200, key=self.house).json
        self.step(found["data"][0]["id"], "cancel", {"at_once": True})

    def step(self, one, word, body=None, status=200, key=None, headers=None):
        return self.call("POST", f"/api/v1/subscriptions/{one}/{word}", f"/api/v1/subscriptions/{{id}}/{word}", status, body,
                         key=key or self.house, headers=self.once() | (headers or {}))

    def make_plan(self, *words, status=201, **more):
        return self.call("POST", "/api/v1/plans", "/api/v1/plans", status, plan(*words, **more), key=self.house).json

    def subscribe(self, tenant, code, status=201, **more):
        return self.call("POST", "/api/v1/subscriptions", "/api/v1/subscriptions", status,
                         {"tenant": tenant, "plan": code} | more, key=self.house, headers=self.once()).json

    def ask(self, key, text="a b c"):
        client = harness.Client(self.server, key)
        answer = client.call("POST", "/v1/classify", {"model": "tickets", "input": text})
        client.close()
        return answer

    def test_a_plan_is_made_seen_and_never_changed(self):
        made = self.make_plan("seen", "20")
        self.assertEqual((made["version"], made["fee"], made["months"]), (1, "20.000000", 1))
        self.assertEqual(self.make_plan("seen", "25")["version"], 2)
        seen = self.call("GET", "/api/v1/plans/seen", "/api/v1/plans/{id}", 200, key=self.acme).json
        self.assertEqual(seen["fee"], "25.000000")
        self.assertEqual(command(self.home, "plan", "show", "seen", "--version", "1")["fee"], "20.000000")
        self.assertIn("seen", [one["code"] for one in command(self.home, "plan", "list")["plans"]])
        for wrong in [{"fee": 20}, {"fee": "0.001"}, {"currency": "XXX"}, {"currency": "usd"}, {"spend": "1"}, {"prices": []},
                      {"prices": [{"meter": "sunshine", "rating": MONTH}]},
                      {"prices": [{"meter": "requests", "rating": {"tiers": [{"nano_per_million": 1.5}]}}]}]:
            self.make_plan("wrong", status=400, **wrong)

    def test_a_customers_own_price_is_nobody_elses_to_see(self):
        self.make_plan("book")
        route = "/api/v1/plans/{id}/prices"
        own = {"tenant": "umbra", "meter": "input_tokens", "rating": {"tiers": [{"nano_per_million": 1}]}}
        made = self.call("POST", "/api/v1/plans/book/prices", route, 201, own, key=self.house).json
        prices = lambda key: [one["id"] for one in self.call("GET", "/api/v1/plans/book", "/api/v1/plans/{id}", 200, key=key).json["prices"]]
        self.assertIn(made["id"], prices(self.umbra))
        self.assertNotIn(made["id"], prices(self.acme))
        self.call("POST", "/api/v1/plans/book/prices", route, 400, own | {"effective_from": "2020-01-01"}, key=self.house)
        self.call("POST", "/api/v1/plans/nosuch/prices", route, 404, own, key=self.house)

    def test_a_subscription_goes_its_way(self):
        self.make_plan("small", "10")
        self.make_plan("large", "20")
        self.customer("walker")
        one = self.subscribe("walker", "small", timezone="Asia/Shanghai")
        self.assertEqual((one["status"], one["plan"], one["timezone"]), ("active", "small", "Asia/Shanghai"))
        self.assertEqual(self.subscribe("walker", "small", 409)["code"], "subscription_exists")
        self.assertEqual(self.subscribe("walker", "small", 400, timezone="Moon/Sea")["code"], "unknown_timezone")
        preview = self.step(one["id"], "preview", {"plan": "large"}).json
        self.assertTrue(preview["at_once"])
        self.assertEqual([line["amount_minor"] for line in preview["lines"]], [-1000, 2000])
        self.assertEqual(preview["amount_minor"], 1000)
        changed = self.step(one["id"], "change", {"plan": "large"}, headers={"If-Match": f'"{one["version"]}"'}).json
        self.assertEqual((changed["id"], changed["plan"]), (one["id"], "large"))
        self.step(one["id"], "change", {"plan": "small"}, status=412, headers={"If-Match": f'"{one["version"]}"'})
        down = self.step(one["id"], "change", {"plan": "small"}).json
        self.assertEqual((down["plan"], down["change_plan"], down["change_at"]), ("large", "small", down["current_period_end"]))
        self.assertIsNone(self.step(one["id"], "resume").json["change_plan"])
        self.assertEqual(self.step(one["id"], "resume", status=409).json["code"], "subscription_state")
        self.assertEqual(self.step(one["id"], "cancel", {}).json["cancel_at"], down["current_period_end"])
        self.assertEqual(command(self.home, "subscription", "resume", "walker")["cancel_at"], None)
        self.assertEqual(command(self.home, "subscription", "cancel", "walker", "--at-once")["status"], "canceled")
        for word, body in [("change", {"plan": "small"}), ("cancel", {}), ("resume", None), ("preview", {"plan": "small"})]:
            refused = self.step(one["id"], word, body, status=409).json
            self.assertEqual(refused["code"], "subscription_state")
            self.assertIn("canceled", refused["detail"], "it names the state")

    def test_a_change_repeated_is_made_once(self):
        self.make_plan("once")
        self.customer("repeater")
        body, headers = {"tenant": "repeater", "plan": "once"}, self.once()
        first = self.call("POST", "/api/v1/subscriptions", "/api/v1/subscriptions", 201, body, key=self.house, headers=headers)
        again = self.call("POST", "/api/v1/subscriptions", "/api/v1/subscriptions", 201, body, key=self.house, headers=headers)
        self.assertEqual(first.json, again.json)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        refused = self.call("POST", "/api/v1/subscriptions", "/api/v1/subscriptions", 400, body, key=self.house)
        self.assertEqual(refused.json["code"], "idempotency_key_missing")

    def test_credit_is_what_can_be_used(self):
        self.make_plan("prepaid", credit_limit="0")
        self.customer("payer")
        self.subscribe("payer", "prepaid")
        key = command(self.home, "key", "create", "--tenant", "payer")["secret"]
        refused = self.ask(key)
        self.assertEqual((refused.status, refused.json["error"]["code"]), (429, "insufficient_quota"))
        grant = {"tenant": "payer", "kind": "purchased", "amount": "0.01"}
        made = self.call("POST", "/api/v1/wallet/grants", "/api/v1/wallet/grants", 201, grant, key=self.house,
                         headers=self.once()).json
        promo = command(self.home, "wallet", "grant", "payer", "0.005", "--days", "3", "--source", "a test")
        self.assertEqual(self.ask(key).status, 200)
        wallet = self.call("GET", "/api/v1/wallet?tenant=payer", "/api/v1/wallet", 200, key=self.house).json
        self.assertEqual([one["id"] for one in wallet["grants"]], [promo["id"], made["id"]], "free before bought")
        self.assertLess(wallet["grants"][0]["remaining"], "0.005000")
        self.assertEqual(wallet["grants"][1]["remaining"], "0.010000")
        gone = self.call("DELETE", f"/api/v1/wallet/grants/{made['id']}", "/api/v1/wallet/grants/{id}", 200, key=self.house)
        self.assertEqual(gone.json["state"], "voided")
        self.call("DELETE", f"/api/v1/wallet/grants/{made['id']}", "/api/v1/wallet/grants/{id}", 409, key=self.house)
        listed = self.call("GET", "/api/v1/wallet/grants?tenant=payer", "/api/v1/wallet/grants", 200, key=self.house).json
        self.assertEqual(len(listed["data"]), 2)
        for wrong in [{"amount": 1}, {"amount": "-1"}, {"kind": "loan"}, {"days": 0}]:
            self.call("POST", "/api/v1/wallet/grants", "/api/v1/wallet/grants", 400, grant | wrong, key=self.house,
                      headers=self.once())

    def test_an_allowance_and_limits_of_the_plan_are_kept(self):
        self.make_plan("narrow", allowances=[{"meter": "requests", "quantity": 2, "hard": True}],
                       limits={"requests_per_minute": 3})
        self.customer("counted")
        self.subscribe("counted", "narrow")
        key = command(self.home, "key", "create", "--tenant", "counted")["secret"]
        self.assertEqual([self.ask(key).status for _ in range(2)], [200, 200])
        used = self.ask(key)
        self.assertEqual((used.status, used.json["error"]["code"]), (429, "allowance_used"))
        limited = self.ask(key)
        self.assertEqual((limited.status, limited.json["error"]["code"]), (429, "rate_limit_exceeded"))
        quota = self.call("GET", "/api/v1/quota?tenant=counted", "/api/v1/quota", 200, key=self.house).json
        self.assertEqual(quota["allowances"], [{"meter": "requests", "quantity": 2, "used": 2, "held": 0, "remaining": 0,
                                                "hard": True}])
        self.assertEqual(quota["limits"]["requests_per_minute"], 3)

    def test_the_books_balance(self):
        self.assertEqual(command(self.home, "ledger", "verify")["problems"], [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
