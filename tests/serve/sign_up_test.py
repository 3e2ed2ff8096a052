#!/usr/bin/env python3
"""Strangers become customers: the form, the letter, the link, and what there is then; and what nobody learns.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import re
import unittest
import urllib.parse

import harness
from management_test import ManagementCase, command
from outside import MailServer, text_of, until
from shop_test import Page

URL = "https://models.example"
PASSWORD = "correct horse battery"
PRICE = {"meter": "input_tokens", "rating": {"tiers": [{"nano_per_million": 20_000_000_000}]}}


class SigningUp(ManagementCase):
    @classmethod
    def setUpClass(cls):
        cls.mail = MailServer()
        super().setUpClass()
        cls.server.stop()
        terms = {"credit_limit": "100", "prices": [PRICE]}
        cls.server = harness.Server(cls.home, "--workers", "0", "--public-url", URL, "--sign-up", "true", "--smtp-url",
                                    cls.mail.url, "--smtp-from", "house@example.com")
        for code, more in [("trial", {"trial_days": 14, "trial_credit": "0.01", "fee": "19"}), ("paid", {"fee": "5"}),
                           ("hidden", {"trial_days": 14})]:
            cls.do("POST", "/api/v1/plans", {"code": code, "name": code.title(), **terms, **more})
        for code in ["trial", "paid"]:
            cls.do("PUT", f"/api/v1/offers/{code}", {})

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.mail.stop()

    @classmethod
    def do(cls, method, path, body):
        client = harness.Client(cls.server, cls.house)
        answer = client.call(method, path, body)
        client.close()
        assert answer.status in (200, 201), answer.text

    def setUp(self):
        # Six a minute from one address are let in: each test begins with a server that has counted none.
        type(self).server.stop()
        type(self).server = harness.Server(self.home, "--workers", "0", "--public-url", URL, "--sign-up", "true",
                                           "--smtp-url", self.mail.url, "--smtp-from", "house@example.com")
        self.mail.letters.clear()

    def ask(self, email, status=202, **more):
        return self.call("POST", "/api/v1/signup", "/api/v1/signup", status,
                         {"email": email, "name": "Acme GmbH", "plan": "trial"} | more)

    def confirm(self, token, status=201, **more):
        return self.call("POST", "/api/v1/signup/confirm", "/api/v1/signup/confirm", status,
                         {"token": token, "password": PASSWORD} | more)

    def letter(self, email):
        """The last letter to an address."""
        found = lambda: [letter for to, letter in self.mail.letters if email in to]
        return text_of(until(found)[-1])

    def token(self, email):
        return re.search(re.escape(URL) + r"/signup/confirm\?token=(\S+)", self.letter(email)).group(1)

    def later(self):
        """The pause between two letters to one owner is over."""
        self.home.execute("UPDATE sign_up SET created_at = created_at - 3600000000")

    def form(self, path, status, **fields):
        return self.call("POST", path, path, status, urllib.parse.urlencode(fields),
                         headers={"Content-Type": "application/x-www-form-urlencoded"})

    def test_a_trial_begins_with_what_was_promised(self):
        self.assertEqual(self.ask("ann@one.example").json, {"accepted": True})
        token = self.token("ann@one.example")
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM person WHERE email = 'ann@one.example'"), 0)
        made = self.confirm(token).json
        self.assertEqual((made["email"], made["plan"], made["tenant_name"]), ("ann@one.example", "trial", "acme-gmbh"))
        self.assertEqual(self.confirm(token, 404).json["code"], "sign_up_not_found")
        client = harness.Client(self.server)
        signed = client.call("POST", "/api/v1/session", {"email": "ann@one.example", "password": PASSWORD})
        self.assertEqual(signed.status, 201, signed.text)
        self.assertEqual([(m["tenant_name"], m["role"]) for m in signed.json["memberships"]], [("acme-gmbh", "owner")])
        headers = {"Cookie": signed.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": signed.json["csrf_token"]}
        key = client.call("POST", "/api/v1/keys", {}, headers).json["secret"]
        one = client.call("GET", "/api/v1/subscriptions", headers=headers).json["data"][0]
        self.assertEqual((one["status"], one["trial_end"]), ("trial", made["trial_end"]))
        client.close()
        client = harness.Client(self.server, key)
        embedded = client.embed(["card"])
        self.assertEqual(embedded.status, 200, embedded.text)
        spent = [client.embed(["card " * 100] * 5).status for _ in range(2)]
        self.assertIn(429, spent, "a trial's credit is all that can be used")
        client.close()
        self.assertEqual(command(self.home, "ledger", "verify")["problems"], [])

    def test_one_trial_for_one_owner(self):
        self.ask("bea.two@gmail.com")
        self.confirm(self.token("bea.two@gmail.com"))
        self.later()
        for again in ["b.e.a.two@gmail.com", "beatwo+x@googlemail.com"]:
            self.mail.letters.clear()
            self.assertEqual(self.ask(again).json, {"accepted": True})
            self.assertIn("There was one already", self.letter(again))
            self.assertNotIn("token=", self.letter(again))
            self.later()

    def test_nobody_learns_who_is_known(self):
        known = self.ask("owner-known@example.com")
        self.confirm(self.token("owner-known@example.com"))
        self.later()
        again, never = self.ask("owner-known@example.com"), self.ask("never-seen@example.com")
        told = lambda answer: (answer.status, answer.text, sorted(set(answer.headers) - {"Date"}))
        self.assertEqual(told(again), told(never))
        self.assertEqual(told(known), told(never))
        self.assertEqual(self.ask("never-seen@example.com").json, {"accepted": True})
        self.letter("never-seen@example.com")
        self.assertEqual(len([to for to, _ in self.mail.letters if "never-seen@example.com" in to]), 1, "one letter in ten minutes")

    def test_who_has_an_account_brings_its_password(self):
        made = command(self.home, "user", "create", "--tenant", "acme", "--role", "developer", "carl@three.example")
        self.ask("carl@three.example", name="Carl's own")
        token = self.token("carl@three.example")
        self.assertEqual(self.confirm(token, 401).json["code"], "sign_in_refused")
        opened = self.confirm(token, password=made["password"]).json
        self.assertTrue(opened["tenant_name"].startswith("carl-s-own"))

    def test_what_is_not_offered_is_not_had(self):
        for plan in ["nosuch", "paid", "hidden", "default"]:
            self.assertEqual(self.ask("dora@four.example", 404, plan=plan).json["code"], "plan_not_found", plan)
        self.ask("nonsense", 400)
        self.assertEqual(self.confirm("x", 404).json["code"], "sign_up_not_found")

    def test_asking_too_often_is_refused(self):
        answers = [self.call("POST", "/api/v1/signup", "/api/v1/signup", 202, {"email": f"e{i}@five.example", "name": "x", "plan": "trial"})
                   for i in range(6)]
        self.assertEqual(len(answers), 6)
        self.assertEqual(self.ask("e7@five.example", 429).json["code"], "rate_limit_exceeded")

    def test_the_forms_do_the_same(self):
        shown = Page(self.call("GET", "/pricing", "/pricing", 200).text)
        self.assertIn({"class": "button", "href": "/signup?plan=trial"}, [a for tag, a in shown.tags if tag == "a"])
        page = Page(self.call("GET", "/signup?plan=trial&ref=%22%3E%3Cb%3E", "/signup", 200).text)
        self.assertIn({"value": "trial", "selected": None}, [a for tag, a in page.tags if tag == "option"])
        self.assertIn('"><b>', [a.get("value") for tag, a in page.tags if tag == "input"])
        wrong = self.form("/signup", 400, email="<i>@", name="Fritz", plan="trial")
        self.assertIn("<i>@", [a.get("value") for tag, a in Page(wrong.text).tags if tag == "input"])
        self.form("/signup", 202, email="fritz@six.example", name="Fritz & Co", plan="trial")
        token = self.token("fritz@six.example")
        seen = Page(self.call("GET", f"/signup/confirm?token={token}", "/signup/confirm", 200).text)
        self.assertIn(token, [a.get("value") for tag, a in seen.tags if tag == "input"])
        self.call("GET", f"/signup/confirm?token={token}", "/signup/confirm", 200)
        self.assertIn("12 to 256 bytes", self.form("/signup/confirm", 400, token=token, password="short").text)
        welcome = Page(self.form("/signup/confirm", 201, token=token, password=PASSWORD).text)
        self.assertIn("fritz-co", welcome.text)
        used = self.form("/signup/confirm", 404, token=token, password=PASSWORD)
        looked = self.call("GET", f"/signup/confirm?token={token}", "/signup/confirm", 404)
        for answer in (used, looked):
            self.assertNotIn(token, answer.text)
            self.assertIn({"href": "/signup"}, [a for tag, a in Page(answer.text).tags if tag == "a"])

    def test_a_strange_token_is_not_said_back(self):
        for token in ("stray-secret", "stray.secret", ""):
            answer = self.call("GET", f"/signup/confirm?token={token}", "/signup/confirm", 404)
            self.assertNotIn("stray", answer.text)
            self.assertIn("its link was used or is too old", answer.text)

    def test_in_chinese(self):
        self.assertIn("开始试用", self.call("GET", "/zh/signup", "/zh/signup", 200).text)
        self.form("/zh/signup", 202, email="gao@seven.example", name="高科技", plan="trial")
        letter = self.letter("gao@seven.example")
        self.assertIn(URL + "/zh/signup/confirm?token=", letter)
        token = letter.split("token=")[1].split()[0]
        self.assertIn("设置密码", self.call("GET", f"/zh/signup/confirm?token={token}", "/zh/signup/confirm", 200).text)
        self.assertIn("欢迎", self.form("/zh/signup/confirm", 201, token=token, password=PASSWORD).text)


class Closed(ManagementCase):
    def test_it_is_off_unless_switched_on(self):
        body = {"email": "a@b.example", "name": "x", "plan": "trial"}
        self.assertEqual(self.call("POST", "/api/v1/signup", "/api/v1/signup", 403, body).json["code"], "sign_up_closed")
        self.call("POST", "/api/v1/signup/confirm", "/api/v1/signup/confirm", 403, {"token": "x", "password": PASSWORD})
        self.assertIn("not open here", self.call("GET", "/signup", "/signup", 200).text)
        with self.assertRaisesRegex(RuntimeError, "public-url"):
            harness.Server(self.home, "--sign-up", "true")


if __name__ == "__main__":
    unittest.main(verbosity=1)
