#!/usr/bin/env python3
"""Invoices from outside: drafted, previewed, finalised, paid, credited and voided over /api/v1 and on the command line; every
answer is held against api/openapi.yaml.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import subprocess
import unittest

import harness
from management_test import ManagementCase, command

INVOICES, ONE = "/api/v1/invoices", "/api/v1/invoices/{id}"


class Invoices(ManagementCase):
    keys = 0

    def post(self, path, route, status, body=None, key=None, headers=None):
        type(self).keys += 1
        headers = {"Idempotency-Key": f"money {self.keys}", **(headers or {})}
        return self.call("POST", path, route, status, body, key=key or self.house, headers=headers)

    def draft(self, month="2026-01", *amounts):
        body = {"tenant": "acme", "month": month}
        if amounts:
            body["lines"] = [{"text": "hours of help", "amount": amount} for amount in amounts]
        return self.post(INVOICES, INVOICES, 201, body).json

    def step(self, invoice, step, status=200, body=None):
        return self.post(f"{INVOICES}/{invoice['id']}/{step}", f"{ONE}/{step}", status, body).json

    def seen(self, invoice, key=None):
        return self.call("GET", f"{INVOICES}/{invoice['id']}", ONE, 200, key=key or self.house).json

    def test_from_draft_to_paid(self):
        draft = self.draft("2026-01", 10000, -2500)
        self.assertEqual((draft["status"], draft["number"], draft["total"]), ("draft", "draft", 7500))
        bill = self.step(draft, "finalize")
        self.assertEqual((bill["status"], bill["total"]), ("open", 7500))
        self.assertRegex(bill["number"], r"^INV-[0-9]{6}$")
        self.assertEqual(self.step(draft, "finalize", 409)["code"], "invoice_state")
        part = self.step(bill, "pay", body={"amount": 500, "reference": "bank 1"})
        self.assertEqual((part["status"], part["left"]), ("open", 7000))
        again = self.step(bill, "pay", body={"amount": 500, "reference": "bank 1"})
        self.assertEqual(again["left"], 7000, "the bank told it twice")
        self.assertEqual(self.step(bill, "void", 409)["code"], "invoice_state")
        self.assertEqual(self.step(bill, "pay", body={"amount": 7000, "reference": "bank 2"})["status"], "paid")
        self.assertEqual(self.seen(bill, self.acme)["status"], "paid")

    def test_a_repeated_finalize_takes_one_number(self):
        draft = self.draft("2026-01", 100)
        path = f"{INVOICES}/{draft['id']}/finalize"
        first, second = [self.call("POST", path, f"{ONE}/finalize", 200, key=self.house,
                                   headers={"Idempotency-Key": "finalize once"}) for _ in range(2)]
        self.assertEqual(first.json["number"], second.json["number"])
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        self.call("POST", path, f"{ONE}/finalize", 400, key=self.house)

    def test_the_preview_is_the_bill(self):
        body = {"month": "2025-11"}
        ahead = self.call("POST", INVOICES + "/preview", INVOICES + "/preview", 200, body, key=self.acme).json
        bill = self.step(self.draft("2025-11"), "finalize")
        for field in ["subtotal", "tax", "total", "lines", "taxes"]:
            self.assertEqual(ahead[field], bill[field], field)
        self.assertEqual(self.post(INVOICES, INVOICES, 409, {"tenant": "acme", "month": "2025-11"}).json["code"],
                         "invoice_exists")

    def test_papers(self):
        bill = self.step(self.draft("2026-01", 12345), "finalize")
        papers = {}
        for ending, kind in [(".pdf", "application/pdf"), (".csv", "text/csv; charset=utf-8")]:
            client = harness.Client(self.server, self.acme)
            client.connection.request("GET", f"{INVOICES}/{bill['id']}{ending}",
                                      headers={"Authorization": "Bearer " + self.acme})
            answer = client.connection.getresponse()
            papers[ending] = answer.read()
            client.close()
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, kind))
            self.assertIn(bill["number"], answer.headers["Content-Disposition"])
        self.assertTrue(papers[".pdf"].startswith(b"%PDF-"))
        self.assertIn(f"{bill['number']},".encode(), papers[".csv"])
        self.assertIn(b"123.45", papers[".csv"])

    def test_credit_and_reissue(self):
        bill = self.step(self.draft("2026-01", 1000), "finalize")
        notes = "/api/v1/credit-notes"
        order = {"invoice": bill["id"], "reason": "the line was down", "lines": [{"position": 1, "amount": 400}]}
        note = self.post(notes, notes, 201, order).json
        self.assertEqual((note["kind"], note["total"]), ("offset", 400))
        self.assertEqual(self.post(notes, notes, 400, order | {"lines": [{"position": 1, "amount": 601}]}).json["code"],
                         "above_invoice")
        self.assertEqual(self.seen(bill)["left"], 600)
        self.call("GET", f"{notes}/{note['id']}", notes + "/{id}", 200, key=self.acme)
        self.call("GET", f"{notes}/{note['id']}", notes + "/{id}", 404, key=self.umbra)
        self.assertIn(note["id"], [n["id"] for n in self.call("GET", notes, notes, 200, key=self.acme).json["data"]])
        other = self.step(self.draft("2026-01", 1000), "finalize")
        again = self.step(other, "reissue")
        self.assertEqual((again["status"], again["replaces"]), ("draft", other["id"]))
        self.assertEqual(self.seen(other)["status"], "void")
        self.call("DELETE", f"{INVOICES}/{again['id']}", ONE, 200, key=self.house)
        third = self.step(self.draft("2026-01", 1000), "finalize")
        self.assertEqual(self.step(third, "uncollectible")["status"], "uncollectible")

    def test_taxes_and_details(self):
        rates, details = "/api/v1/tax-rates", "/api/v1/billing-details"
        rate = self.call("POST", rates, rates, 201, {"name": "VAT", "country": "DE", "basis_points": 1900,
                                                     "from_month": "2020-01"}, key=self.house).json
        before = self.call("GET", details, details, 200, key=self.umbra)
        self.call("PUT", details, details, 200, {"name": "Umbra GmbH", "country": "DE"}, key=self.umbra,
                  headers={"If-Match": before.headers["ETag"]})
        self.call("PUT", details, details, 412, {"name": "Other"}, key=self.umbra,
                  headers={"If-Match": before.headers["ETag"]})
        self.call("PUT", details, details, 400, {"name": "x", "status": "paid"}, key=self.umbra)
        draft = self.post(INVOICES, INVOICES, 201, {"tenant": "umbra", "month": "2026-01", "lines": [
            {"text": "help", "amount": 1000}]}).json
        self.assertEqual((draft["tax"], draft["total"], draft["customer"]["name"]), (190, 1190, "Umbra GmbH"))
        ended = self.call("POST", f"{rates}/{rate['id']}/end", rates + "/{id}/end", 200, {"last_month": "2030-12"},
                          key=self.house).json
        self.assertEqual(ended["ends_at"], "2031-01-01T00:00:00Z")
        self.assertEqual(self.call("POST", f"{rates}/{rate['id']}/end", rates + "/{id}/end", 409,
                                   {"last_month": "2030-12"}, key=self.house).json["code"], "tax_rate_ended")
        self.call("GET", rates, rates, 200, key=self.house)

    def test_a_strangers_invoice_is_not_there(self):
        bill = self.draft("2026-01", 100)
        for key in [self.umbra]:
            theirs = self.call("GET", f"{INVOICES}/{bill['id']}", ONE, 404, key=key).json
            none = self.call("GET", f"{INVOICES}/inv_{'0' * 32}", ONE, 404, key=key).json
            self.assertEqual(theirs["detail"], none["detail"])
            self.call("GET", f"{INVOICES}/{bill['id']}.pdf", ONE, 404, key=key)
        listed = self.call("GET", INVOICES + "?limit=100", INVOICES, 200, key=self.umbra).json["data"]
        self.assertNotIn(bill["id"], [invoice["id"] for invoice in listed])
        listed = self.call("GET", INVOICES + "?status=draft&limit=100", INVOICES, 200, key=self.house).json["data"]
        self.assertIn(bill["id"], [invoice["id"] for invoice in listed])
        self.assertEqual({invoice["status"] for invoice in listed}, {"draft"})
        self.call("GET", INVOICES + "?status=lost", INVOICES, 400, key=self.house)

    def test_what_is_wrong_is_named(self):
        for body, param in [({"tenant": "acme", "month": "2026-13"}, "month"),
                            ({"tenant": "acme", "month": "2026-01", "lines": [{"text": "x", "amount": 1.5}]}, "lines[0].amount"),
                            ({"tenant": "acme", "month": "2026-01", "status": "paid"}, "status")]:
            answer = self.post(INVOICES, INVOICES, 400, body).json
            self.assertIn(param, answer.get("param", "") + answer["detail"], answer)

    def test_the_command_line_does_the_same(self):
        draft = command(self.home, "invoice", "draft", "poor", "--month", "2026-01", "--line", "two days of help=120.50")
        self.assertEqual(draft["total"], 12050)
        bill = command(self.home, "invoice", "finalize", draft["id"])
        pdf = self.home.folder / "bill.pdf"
        command(self.home, "invoice", "show", bill["id"], "--pdf", str(pdf))
        self.assertTrue(pdf.read_bytes().startswith(b"%PDF-"))
        note = command(self.home, "credit-note", "issue", bill["id"], "--reason", "late", "--line", "1=20.50")
        self.assertEqual(note["total"], 2050)
        paid = command(self.home, "invoice", "pay", bill["id"], "--amount", "100", "--reference", "bank cli")
        self.assertEqual(paid["status"], "paid")
        self.assertEqual([i["id"] for i in command(self.home, "invoice", "list", "--tenant", "poor")["invoices"]], [bill["id"]])
        self.assertEqual(len(command(self.home, "credit-note", "list", "--invoice", bill["id"])["credit_notes"]), 1)
        rate = command(self.home, "tax", "add", "--country", "FR", "--name", "TVA", "--percent", "20", "--from", "2020-01")
        self.assertEqual(rate["tax_rates"][0]["basis_points"], 2000)
        self.assertEqual(command(self.home, "invoice", "acme", "--month", "2026-01")["month"], "2026-01")
        run = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "invoice"], capture_output=True)
        self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=1)
