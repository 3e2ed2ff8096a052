#!/usr/bin/env python3
"""What leaves the house and comes in from providers: webhooks, letters, payments through a Stripe that fails on order.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import base64
import email.header
import hashlib
import hmac
import json
import os
import tempfile
import time
import unittest

import harness
from management_test import ManagementCase, command
from outside import FaultyStripe, MailServer, Receiver, text_of, until

KEY, HOOK = "sk_test_canary_4711", "whsec_canary_0815"


class Outside(ManagementCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver, cls.stripe, cls.mail = Receiver(), FaultyStripe(), MailServer()
        super().setUpClass()
        cls.server.stop()
        cls.folder = tempfile.TemporaryDirectory()
        for name, text in (("key", KEY), ("hook", HOOK)):
            with open(os.path.join(cls.folder.name, name), "w") as file:
                file.write(text + "\n")
        cls.options = ["--workers", "0", "--webhook-allow", "127.0.0.1", "--stripe-url", cls.stripe.url,
                       "--stripe-key-file", os.path.join(cls.folder.name, "key"),
                       "--stripe-webhook-secret-file", os.path.join(cls.folder.name, "hook"),
                       "--smtp-url", cls.mail.url, "--smtp-from", "house@example.com"]
        cls.server = harness.Server(cls.home, *cls.options)

    # A server with settings as long as these once stopped with a fault: the command line wrote them into memory that was
    # given back already. The class above looks at the exit code.
    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for service in (cls.receiver, cls.stripe, cls.mail):
            service.stop()
        cls.folder.cleanup()

    def setUp(self):
        self.stripe.fault, self.receiver.status, self.mail.refuse = None, 200, None

    def post(self, path, route, status, body=None, key=None, once=None):
        headers = {"Idempotency-Key": once or os.urandom(8).hex()}
        return self.call("POST", path, route, status, body, key=key or self.acme, headers=headers)

    # ---- webhooks ----

    def endpoint(self, **more):
        return self.post("/api/v1/webhook-endpoints", "/api/v1/webhook-endpoints", 201,
                         {"url": self.receiver.url + "/in", **more}).json

    def remove(self, endpoint):
        self.call("DELETE", "/api/v1/webhook-endpoints/" + endpoint["id"], "/api/v1/webhook-endpoints/{id}", 200,
                  key=self.acme)

    def verify(self, heard, secret):
        _, headers, body = heard
        headers = {k.lower(): v for k, v in headers.items()}
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        self.assertIn(wanted, headers["webhook-signature"].split(" "))
        self.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 60)
        return headers["webhook-id"], json.loads(body)

    def deliveries(self, endpoint):
        route = "/api/v1/webhook-endpoints/{id}/deliveries"
        return self.call("GET", route.replace("{id}", endpoint["id"]), route, 200, key=self.acme).json["data"]

    def test_an_event_is_told_signed_and_again_by_hand(self):
        endpoint = self.endpoint(events=["key.revoked"])
        self.assertTrue(endpoint["secret"].startswith("whsec_"))
        got = self.call("GET", "/api/v1/webhook-endpoints/" + endpoint["id"], "/api/v1/webhook-endpoints/{id}", 200,
                        key=self.acme)
        self.assertNotIn("secret", got.json)
        self.receiver.heard.clear()
        key = self.post("/api/v1/keys", "/api/v1/keys", 201, {"name": "gone soon"}).json["id"]
        self.call("DELETE", "/api/v1/keys/" + key, "/api/v1/keys/{id}", 200, key=self.acme)
        until(lambda: self.receiver.heard)
        event, body = self.verify(self.receiver.heard[0], endpoint["secret"])
        self.assertEqual((body["type"], body["data"]["id"]), ("key.revoked", key))
        delivery = until(lambda: [d for d in self.deliveries(endpoint) if d["state"] == "delivered"])[0]
        route = "/api/v1/webhook-deliveries/{id}/redeliver"
        self.post(route.replace("{id}", delivery["id"]), route, 404, key=self.umbra)
        self.post(route.replace("{id}", delivery["id"]), route, 200)
        until(lambda: len(self.receiver.heard) == 2)
        self.assertEqual(self.verify(self.receiver.heard[1], endpoint["secret"]), (event, body))
        # A new secret: for a day both sign.
        rotate = "/api/v1/webhook-endpoints/{id}/rotate"
        fresh = self.post(rotate.replace("{id}", endpoint["id"]), rotate, 201).json["secret"]
        self.assertNotEqual(fresh, endpoint["secret"])
        until(lambda: self.deliveries(endpoint)[0]["state"] == "delivered")
        self.post(route.replace("{id}", delivery["id"]), route, 200)
        until(lambda: len(self.receiver.heard) == 3)
        self.verify(self.receiver.heard[2], endpoint["secret"])
        self.verify(self.receiver.heard[2], fresh)
        self.remove(endpoint)

    def test_a_failing_receiver_is_asked_again_after_a_while(self):
        endpoint = self.endpoint(events=["key.revoked"])
        self.receiver.status = 503
        self.receiver.heard.clear()
        key = self.post("/api/v1/keys", "/api/v1/keys", 201, {"name": "x"}).json["id"]
        self.call("DELETE", "/api/v1/keys/" + key, "/api/v1/keys/{id}", 200, key=self.acme)
        waiting = until(lambda: [d for d in self.deliveries(endpoint) if d["last_status"] == 503])[0]
        self.assertEqual((waiting["state"], waiting["attempts"]), ("waiting", 1))
        self.receiver.status = 204
        until(lambda: self.deliveries(endpoint)[0]["state"] == "delivered")
        ids = {self.verify(heard, endpoint["secret"])[0] for heard in self.receiver.heard}
        self.assertEqual((len(ids), len(self.receiver.heard)), (1, 2))
        self.remove(endpoint)

    def test_private_addresses_are_refused(self):
        for url in ["https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://localhost/",
                    "http://example.com/", "https://user:secret@example.com/"]:
            answer = self.post("/api/v1/webhook-endpoints", "/api/v1/webhook-endpoints", 400, {"url": url})
            self.assertEqual(answer.json["param"], "url", url)

    # ---- letters ----

    def test_an_invitation_goes_by_mail_to_who_is_invited_alone(self):
        path = "/api/v1/invitations"
        told = self.call("POST", path, path, 201, {"email": "ada@example.com", "role": "auditor"}, key=self.acme).json
        self.assertIsNone(told["token"])
        to, letter = until(lambda: [entry for entry in self.mail.letters if entry[0] == ["ada@example.com"]])[0]
        self.assertEqual(str(email.header.make_header(email.header.decode_header(letter["Subject"]))), "Invitation to acme")
        token = [line.strip() for line in text_of(letter).splitlines() if len(line.strip()) == 43][0]
        until(lambda: self.home.value("SELECT state FROM letter WHERE recipient = 'ada@example.com'") == "sent")
        self.assertEqual(self.home.value("SELECT sealed FROM letter WHERE recipient = 'ada@example.com'"), "")
        accept = "/api/v1/invitations/accept"
        self.call("POST", accept, accept, 201, {"token": token, "password": "correct horse battery"})

    def test_a_mailbox_that_is_not_there_is_given_up_and_a_busy_one_is_not(self):
        path = "/api/v1/invitations"
        for code, state in ((550, "failed"), (451, "waiting")):
            self.mail.refuse = code
            to = f"nobody{code}@example.com"
            self.call("POST", path, path, 201, {"email": to, "role": "auditor"}, key=self.acme)
            until(lambda: self.home.value(f"SELECT last_error FROM letter WHERE recipient = '{to}'"))
            self.assertEqual(self.home.value(f"SELECT state FROM letter WHERE recipient = '{to}'"), state)

    # ---- payments ----

    def payment(self, amount=1234, provider="stripe", **more):
        body = {"provider": provider, "amount": amount, "currency": "USD", **more}
        return self.post("/api/v1/payments", "/api/v1/payments", 201, body).json

    def attempt(self, payment, status=201, once=None):
        route = "/api/v1/payments/{id}/attempts"
        return self.post(route.replace("{id}", payment["id"]), route, status, once=once).json

    def look(self, payment):
        return self.call("GET", "/api/v1/payments/" + payment["id"], "/api/v1/payments/{id}", 200, key=self.acme).json

    def hurry(self):  # an hour passes for what waits to be asked about
        self.home.execute("UPDATE payment_attempt SET changed_at = changed_at - 3600000000")
        self.home.execute("UPDATE refund SET changed_at = changed_at - 3600000000")

    def hook(self, event, kind, ref, status=200, secret=HOOK, at=None):
        body = json.dumps({"id": event, "type": "payment_intent.succeeded",
                           "data": {"object": {"id": ref, "object": kind}}})
        at = int(at or time.time())
        mac = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        return self.call("POST", "/hooks/stripe", "/hooks/stripe", status, body,
                         headers={"Stripe-Signature": f"t={at},v1={mac}", "Content-Type": "application/json"})

    def test_a_payment_with_a_saved_method(self):
        payment = self.payment(method="pm_card")
        once = "again-" + payment["id"]
        done = self.attempt(payment, once=once)
        self.assertEqual((done["state"], done["captured"]), ("succeeded", 1234))
        self.assertEqual(self.attempt(payment, once=once)["attempts"], done["attempts"])  # a repetition is told the same
        self.attempt(payment, 409)
        _, _, form, headers = [c for c in self.stripe.calls if c[1] == "/v1/payment_intents" and c[0] == "POST"][-1]
        self.assertEqual(headers["Idempotency-Key"], done["attempts"][0]["id"])
        self.assertEqual((form["amount"], form["currency"], form["off_session"]), ("1234", "usd", "true"))
        self.assertIn("Stripe-Version", headers)

    def test_whatever_is_lost_nobody_pays_twice(self):
        for fault in ("drop_before", "drop_after", "500_after", "409", "429"):
            self.stripe.fault = fault
            before = len(self.stripe.made("payment_intent"))
            payment = self.payment(method="pm_card", amount=777)
            self.assertEqual(self.attempt(payment)["attempts"][0]["state"], "unknown", fault)
            self.attempt(payment, 409)
            self.stripe.fault = None
            happened = len(self.stripe.made("payment_intent")) - before
            self.assertEqual(happened, 1 if fault.endswith("after") else 0, fault)
            self.home.execute("UPDATE payment_attempt SET created_at = created_at - 3600000000")
            self.hurry()
            ended = until(lambda: (now := self.look(payment))["attempts"][0]["state"] in ("succeeded", "failed") and now)
            self.assertEqual(ended["captured"], 777 * happened, fault)
            posts = [c for c in self.stripe.calls if c[0] == "POST" and c[2].get("metadata[payment]") == payment["id"]]
            self.assertEqual(len(posts), 1, fault)

    def test_a_decline_is_cancelled_and_may_be_tried_again(self):
        self.stripe.fault = "decline"
        payment = self.payment(method="pm_card")
        self.assertEqual(self.attempt(payment)["attempts"][0]["error"], "insufficient_funds")
        self.assertEqual(self.stripe.made("payment_intent")[-1]["status"], "canceled")
        self.stripe.fault = None
        self.assertEqual(self.attempt(payment)["state"], "succeeded")

    def test_the_payers_page_and_the_hook(self):
        payment = self.payment()
        once = os.urandom(8).hex()
        begun = self.attempt(payment, once=once)
        self.assertTrue(begun["for_payer"].endswith("_secret_canary"))
        self.assertIsNone(self.attempt(payment, once=once)["for_payer"])  # told once
        ref = begun["attempts"][0]["provider_ref"]
        event = "evt_" + ref
        for refused in (dict(secret="whsec_wrong"), dict(at=time.time() - 301), dict(at=time.time() + 360)):
            self.assertEqual(self.hook(event, "payment_intent", ref, 401, **refused).json["code"], "bad_signature")
        self.hook(event, "payment_intent", ref)  # it lies: Stripe itself still says otherwise
        self.assertEqual(self.look(payment)["state"], "open")
        self.stripe.objects[ref].update(status="succeeded", amount_received=1234)
        self.hook(event + "b", "payment_intent", ref)
        self.assertEqual(self.look(payment)["state"], "succeeded")
        self.hook(event + "b", "payment_intent", ref)
        self.assertEqual(self.look(payment)["captured"], 1234)

    def test_refunds_never_pass_what_came(self):
        payment = self.payment(amount=1000, method="pm_card")
        self.attempt(payment)

        def refund(amount, status=201):
            return self.post("/api/v1/refunds", "/api/v1/refunds", status,
                             {"payment": payment["id"], "amount": amount, "reason": "asked"}, key=self.house).json

        def state(made):
            return self.call("GET", "/api/v1/refunds/" + made["id"], "/api/v1/refunds/{id}", 200, key=self.acme).json["state"]

        self.stripe.fault = "drop_after"
        lost = refund(400)
        until(lambda: state(lost) == "unknown")
        self.assertEqual(refund(601, 409)["code"], "above_captured")
        self.stripe.fault = None
        self.hurry()
        until(lambda: state(lost) == "succeeded")
        rest = refund(600)
        until(lambda: state(rest) == "succeeded")
        self.assertEqual(refund(1, 409)["code"], "above_captured")
        self.assertEqual(sum(r["amount"] for r in self.stripe.made("refund")), 1000)

    def test_a_bank_transfer_is_confirmed_by_the_house(self):
        payment = self.payment(provider="bank_transfer")
        begun = self.attempt(payment)
        self.assertTrue(begun["for_payer"].startswith("RF"))
        route = "/api/v1/payments/{id}/confirm"
        path = route.replace("{id}", payment["id"])
        self.post(path, route, 403, {"reference": "statement 7"})
        done = self.post(path, route, 200, {"reference": "statement 7"}, key=self.house).json
        self.assertEqual(done["captured"], 1234)

    def test_zz_the_books_balance_and_no_secret_is_kept(self):
        verified = command(self.home, "ledger", "verify")
        self.assertEqual(verified["problems"], [])
        kept = "\n".join(path.read_bytes().decode("latin-1") for path in self.home.folder.iterdir() if path.is_file())
        for secret in (KEY, HOOK, "_secret_canary"):
            self.assertNotIn(secret, kept)


if __name__ == "__main__":
    unittest.main()
