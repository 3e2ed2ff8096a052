#!/usr/bin/env python3
"""Coupons, partners and economics from outside: the API and the command line, an invoice with a discount, a commission that
follows it, and what customers to come would cost.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import os
import tempfile
import unittest
import xml.etree.ElementTree

import harness
from management_test import ManagementCase, command
from outside import until


class Growing(ManagementCase):
    def post(self, path, route, body, status=201, key=None):
        headers = {"Idempotency-Key": os.urandom(8).hex()}
        return self.call("POST", path, route, status, body, key=key or self.house, headers=headers).json

    def get(self, path, route, key=None, status=200):
        return self.call("GET", path, route, status, key=key or self.house).json

    def test_a_coupon_is_a_line_of_the_invoice(self):
        made = self.post("/api/v1/coupons", "/api/v1/coupons", {"code": "spring", "basis_points": 2500, "redemptions_max": 1})
        self.assertEqual((made["code"], made["months"], made["redeemed"]), ("SPRING", None, 0))
        self.assertEqual(self.post("/api/v1/coupons", "/api/v1/coupons", {"code": "SPRING", "basis_points": 1}, 409)["code"],
                         "coupon_exists")
        route = "/api/v1/coupon-redemptions"
        self.assertEqual(self.post(route, route, {"code": "nosuch"}, 404, self.acme)["code"], "coupon_not_found")
        self.post(route, route, {"code": "spring"}, 201, self.acme)
        self.assertEqual(self.post(route, route, {"code": "spring"}, 404, self.umbra)["code"], "coupon_not_found", "used up")
        self.assertEqual([one["coupon"] for one in self.get(route, route, self.acme)["data"]], ["SPRING"])
        self.assertEqual(self.get(route, route, self.umbra)["data"], [])
        client = harness.Client(self.server, self.home.keys["acme"])
        for _ in range(20):
            self.assertEqual(client.classify("tickets", ["card " * 40] * 10).status, 200)
        client.close()
        preview = self.post("/api/v1/invoices/preview?tenant=acme", "/api/v1/invoices/preview",
                            {"month": self.home.value("SELECT strftime('%Y-%m', 'now')")}, 200)
        usage = sum(line["amount"] for line in preview["lines"] if line["kind"] == "usage")
        discount = [line for line in preview["lines"] if line["kind"] == "discount"]
        self.assertEqual([line["amount"] for line in discount], [-((usage * 25 + 50) // 100)])
        self.assertEqual(command(self.home, "coupon", "list")["coupons"][0]["redeemed"], 1)
        self.assertTrue(command(self.home, "coupon", "end", "spring")["ended_at"])

    def test_a_partner_earns_by_what_is_paid(self):
        route = "/api/v1/partners"
        made = self.post(route, route, {"code": "leaf", "name": "Leaf", "basis_points": 1000, "hold_days": 0})
        self.assertEqual(self.post(f"{route}/leaf/attributions", route + "/{id}/attributions", {"tenant": "umbra"})["partner"],
                         made["id"])
        self.assertEqual(self.post(f"{route}/leaf/attributions", route + "/{id}/attributions", {"tenant": "umbra"}, 409)["code"],
                         "attributed")
        own = command(self.home, "partner", "add", "own", "--name", "Own", "--basis-points", "100", "--tenant", "poor")
        self.assertEqual(self.post(f"{route}/own/attributions", route + "/{id}/attributions", {"tenant": "poor"}, 400)["code"],
                         "self_referral")
        self.assertEqual(self.get(f"{route}/{own['id']}", route + "/{id}")["code"], "own")
        month = self.home.value("SELECT strftime('%Y-%m', 'now', '-1 month')")
        invoice = self.post("/api/v1/invoices", "/api/v1/invoices",
                            {"tenant": "umbra", "month": month, "lines": [{"text": "help", "amount": 12345}]})
        self.post(f"/api/v1/invoices/{invoice['id']}/finalize", "/api/v1/invoices/{id}/finalize", None, 200)
        self.post(f"/api/v1/invoices/{invoice['id']}/pay", "/api/v1/invoices/{id}/pay", {"amount": 12345, "reference": "bank"}, 200)
        statement = lambda: self.get(f"{route}/leaf/statement", route + "/{id}/statement")
        until(lambda: statement()["data"])
        self.assertEqual(statement()["balances"], [{"currency": "USD", "held_minor": 0, "due_minor": 1235, "paid_minor": 0}])
        self.post("/api/v1/credit-notes", "/api/v1/credit-notes", {"invoice": invoice["id"], "reason": "a gift"})
        until(lambda: len(statement()["data"]) == 2)
        self.assertEqual([one["amount_minor"] for one in statement()["data"]], [1235, -1235])
        payout = {"currency": "USD", "reference": "wire 1"}
        self.assertEqual(self.post(f"{route}/leaf/payouts", route + "/{id}/payouts", payout, 409)["code"], "nothing_due")
        self.assertEqual(command(self.home, "partner", "statement", "leaf")["balances"], statement()["balances"])
        self.assertEqual(command(self.home, "ledger", "verify")["problems"], [])

    def test_economics_and_what_if(self):
        client = harness.Client(self.server, self.home.keys["umbra"])
        self.assertEqual(client.embed(["card " * 50] * 5).status, 200)
        client.close()
        told = self.get("/api/v1/economics", "/api/v1/economics")
        self.assertIn("umbra", [row["tenant"] for row in told["by_tenant"]])
        self.assertEqual(command(self.home, "economics")["total"], told["total"])
        path = "/api/v1/economics/what-if"
        answer = self.get(path + "?customers=1,100,10000&mix=embed=1000&price=5&machine=1&utilisation=50", path)
        costs = [float(row["cost_per_customer"]) for row in answer["rows"]]
        self.assertEqual(costs, sorted(costs, reverse=True), "it falls with scale")
        self.assertEqual(answer["rows"][0]["cost"], "730.000000")
        with tempfile.TemporaryDirectory() as folder:
            chart = os.path.join(folder, "chart.svg")
            same = command(self.home, "economics", "what-if", "--customers", "1,100,10000", "--mix", "embed=1000", "--price",
                           "5", "--machine", "1", "--utilisation", "50", "--chart", chart)
            self.assertEqual(same, answer)
            with open(chart) as file:
                drawn = file.read()
        svg = self.call("GET", path + "?customers=1,100,10000&mix=embed=1000&price=5&machine=1&utilisation=50&format=svg", path,
                        200, key=self.house)
        self.assertEqual(svg.text, drawn)
        self.assertEqual(xml.etree.ElementTree.fromstring(drawn).tag, "{http://www.w3.org/2000/svg}svg")
        for wrong in ["customers=0", "customers=1,", "mix=sing=1", "mix=embed", "price=-1", "utilisation=0", "month=2026-13", "x=1"]:
            self.get(path + "?" + wrong, path, status=400)
        self.assertEqual(self.get(path + "?month=2001-01", path, status=404)["code"], "nothing_measured")


if __name__ == "__main__":
    unittest.main(verbosity=1)
