#!/usr/bin/env python3
"""Our calls of Stripe's API against Stripe's own mock server, which checks every request against Stripe's schemas.

Needs what scripts/stripe-mock installs; skipped where that cannot be. Needs PyYAML and jsonschema as well.
"""
import os
import socket
import subprocess
import tempfile
import unittest
import urllib.request

import harness
from management_test import ManagementCase
from outside import until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class StripeMock(ManagementCase):
    @classmethod
    def setUpClass(cls):
        found = subprocess.run([harness.ROOT / "scripts" / "stripe-mock"], capture_output=True, text=True)
        if found.returncode != 0:
            harness.skip("stripe-mock is not here: " + found.stderr.strip())
        port, other = free_port(), free_port()
        cls.mock = subprocess.Popen([found.stdout.strip(), "-http-addr", f"127.0.0.1:{port}", "-https-addr",
                                     f"127.0.0.1:{other}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end_mock)
        until(lambda: listens(port))
        super().setUpClass()
        cls.server.stop()
        cls.folder = tempfile.TemporaryDirectory()
        key = os.path.join(cls.folder.name, "key")
        with open(key, "w") as file:
            file.write("sk_test_123\n")
        cls.server = harness.Server(cls.home, "--workers", "0", "--stripe-url", f"http://127.0.0.1:{port}",
                                    "--stripe-key-file", key)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    @classmethod
    def end_mock(cls):
        cls.mock.terminate()
        cls.mock.wait()

    def post(self, path, route, status, body=None, key=None):
        return self.call("POST", path, route, status, body, key=key or self.acme,
                         headers={"Idempotency-Key": os.urandom(8).hex()}).json

    def test_the_payers_page(self):
        made = self.post("/api/v1/payments", "/api/v1/payments", 201, {"provider": "stripe", "amount": 100, "currency": "USD"})
        begun = self.post(f"/api/v1/payments/{made['id']}/attempts", "/api/v1/payments/{id}/attempts", 201)
        attempt = begun["attempts"][0]
        self.assertEqual((attempt["state"], attempt["error"]), ("sent", None))
        self.assertTrue(attempt["provider_ref"].startswith("pi_"))
        self.assertIn("_secret_", begun["for_payer"])
        # It is asked about, too, by name.
        seen = "SELECT changed_at FROM payment_attempt WHERE id = ?"
        before = self.home.value(seen, attempt["id"])
        self.home.execute("UPDATE payment_attempt SET changed_at = changed_at - 3600000000")
        until(lambda: self.home.value(seen, attempt["id"]) >= before)
        self.assertEqual(self.home.value("SELECT state FROM payment_attempt WHERE id = ?", attempt["id"]), "sent")

    def test_a_saved_method_and_a_cancellation(self):
        made = self.post("/api/v1/payments", "/api/v1/payments", 201,
                         {"provider": "stripe", "amount": 100, "currency": "USD", "method": "pm_card_visa"})
        begun = self.post(f"/api/v1/payments/{made['id']}/attempts", "/api/v1/payments/{id}/attempts", 201)
        # The mock's intents are never confirmed: ours is cancelled, and no request is refused by the schema.
        self.assertEqual(begun["attempts"][0]["error"], "payer_needed")

    def test_a_refund(self):
        made = self.post("/api/v1/payments", "/api/v1/payments", 201,
                         {"provider": "stripe", "amount": 100, "currency": "USD", "method": "pm_x"})
        self.post(f"/api/v1/payments/{made['id']}/attempts", "/api/v1/payments/{id}/attempts", 201)
        self.home.execute(f"UPDATE payment_attempt SET state = 'succeeded', provider_ref = 'pi_1' WHERE payment_id = '{made['id']}'")
        self.home.execute(f"UPDATE payment SET state = 'succeeded', captured = amount WHERE id = '{made['id']}'")
        refund = self.post("/api/v1/refunds", "/api/v1/refunds", 201,
                           {"payment": made["id"], "amount": 40, "reason": "asked"}, key=self.house)
        until(lambda: self.home.value(f"SELECT state FROM refund WHERE id = '{refund['id']}'") == "succeeded")


if __name__ == "__main__":
    unittest.main()
