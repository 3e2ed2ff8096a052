#!/usr/bin/env python3
"""Limits of keys and tenants: told in OpenAI's headers, kept exactly, and let go again."""
import json
import re
import subprocess
import threading
import time
import unittest

import harness

DURATION = re.compile(r"^(?=.)(\d+h)?(\d+m)?(\d+(\.\d{1,3})?s)?$|^\d+ms$")


class LimitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = harness.Home()
        cls.server = harness.Server(cls.home, "--workers", "0")

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        holds, problems = cls.home.open_holds(), cls.home.problems_in_books()
        cls.home.remove()
        assert code == 0
        assert (holds, problems) == (0, [])

    def rootstock(self, *words):
        done = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "--json", *words],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def client(self, *limits, tenant="acme"):
        """With a new key of these limits; the server learns of it from the records."""
        made = self.rootstock("key", "create", "--tenant", tenant, *limits)
        client = harness.Client(self.server, made["secret"])
        client.key_id = made["id"]
        self.addCleanup(client.close)
        return client

    def test_requests_are_counted_and_told(self):
        client = self.client("--requests-per-minute", "3")
        for left in [2, 1, 0]:
            answer = client.classify("tickets", "where is my card?")
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(answer.headers["x-ratelimit-limit-requests"], "3")
            self.assertEqual(answer.headers["x-ratelimit-remaining-requests"], str(left))
            self.assertRegex(answer.headers["x-ratelimit-reset-requests"], DURATION)
            self.assertIsNone(answer.headers["x-ratelimit-limit-tokens"])
        answer = client.call("GET", "/v1/models")
        self.assertEqual(answer.status, 429)
        self.assertEqual((answer.error["type"], answer.error["code"]), ("rate_limit_error", "rate_limit_exceeded"))
        self.assertIn("3 requests per minute", answer.error["message"])
        self.assertTrue(50 < int(answer.headers["Retry-After"]) <= 61, answer.headers["Retry-After"])
        self.assertTrue(50_000 < int(answer.headers["retry-after-ms"]) <= 61_000)
        self.assertEqual(answer.headers["x-ratelimit-remaining-requests"], "0")
        self.assertEqual(client.call("GET", "/healthz").status, 200)  # what needs no key is not counted

    def test_tokens_are_held_and_given_back(self):
        client = self.client("--tokens-per-minute", "300")
        answer = client.classify("tickets", "where is my card?")
        used = answer.json["usage"]["prompt_tokens"]
        self.assertEqual(answer.headers["x-ratelimit-limit-tokens"], "300")
        self.assertEqual(answer.headers["x-ratelimit-remaining-tokens"], str(300 - used))
        # All that may be written is taken, what was not written comes back.
        answer = client.call("POST", "/v1/completions", {"model": "writer", "prompt": [5, 6, 7], "max_tokens": 100})
        self.assertEqual(answer.status, 200, answer.text)
        used += answer.json["usage"]["total_tokens"]
        self.assertEqual(answer.headers["x-ratelimit-remaining-tokens"], str(300 - used))
        # Who leaves the length open gets what fits, not a refusal.
        open_end = self.client("--tokens-per-minute", "40")
        answer = open_end.call("POST", "/v1/completions", {"model": "writer", "prompt": [5, 6, 7]})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertLessEqual(answer.json["usage"]["total_tokens"], 40)
        answer = client.call("POST", "/v1/completions", {"model": "writer", "prompt": [5] * 20, "max_tokens": 300 - 19})
        self.assertEqual((answer.status, answer.error["code"]), (429, "tokens_above_limit"))
        self.assertEqual(answer.headers["x-should-retry"], "false")
        self.assertIsNone(answer.headers["Retry-After"])
        answer = client.call("POST", "/v1/completions", {"model": "writer", "prompt": [5] * 20, "max_tokens": 280})
        self.assertEqual((answer.status, answer.error["code"]), (429, "rate_limit_exceeded"))
        self.assertIn("tokens per minute", answer.error["message"])
        self.assertTrue(1 <= int(answer.headers["Retry-After"]) <= 61)

    def test_a_failed_request_costs_no_tokens(self):
        client = self.client("--tokens-per-minute", "300", tenant="poor")
        answer = client.classify("tickets", ["card card card"] * 20)
        self.assertEqual((answer.status, answer.error["code"]), (429, "insufficient_quota"))
        self.assertEqual(answer.headers["x-ratelimit-remaining-tokens"], "300")

    def test_so_many_at_one_time(self):
        client = self.client("--parallel", "2")
        body = {"model": "writer", "prompt": [5] * 8, "max_tokens": 400, "stream": True}
        streams = [harness.Client(self.server, client.key) for _ in range(2)]
        waiting = []
        for stream in streams:
            stream.connection.request("POST", "/v1/completions", json.dumps(body),
                                      {"Authorization": "Bearer " + client.key, "Content-Type": "application/json"})
            waiting.append(stream.connection.getresponse())
        answer = client.call("GET", "/v1/models")
        self.assertEqual((answer.status, answer.error["code"]), (429, "rate_limit_exceeded"), answer.text)
        self.assertEqual(answer.headers["Retry-After"], "1")
        for response in waiting:  # to their ends
            self.assertIn(b"[DONE]", response.read())
        self.assertEqual(client.call("GET", "/v1/models").status, 200)
        # Those who leave give their places back too.
        for stream in streams:
            stream.connection.request("POST", "/v1/completions", json.dumps(body),
                                      {"Authorization": "Bearer " + client.key, "Content-Type": "application/json"})
            stream.connection.getresponse().read(10)
            stream.close()
        deadline = time.monotonic() + 5
        while client.call("GET", "/v1/models").status == 429:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_exactly_as_many_pass_under_attack(self):
        client = self.client("--requests-per-minute", "50")
        passed, lock = [], threading.Lock()

        def ask():
            mine = harness.Client(self.server, client.key)
            for _ in range(20):
                status = mine.call("GET", "/v1/models").status
                with lock:
                    passed.append(status)
            mine.close()

        askers = [threading.Thread(target=ask) for _ in range(10)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertEqual((passed.count(200), passed.count(429)), (50, 150))

    def test_all_keys_of_a_tenant_share_its_limit(self):
        self.rootstock("tenant", "create", "pair")
        one, two = self.client(tenant="pair"), self.client("--requests-per-minute", "100", tenant="pair")
        shown = self.rootstock("tenant", "limit", "pair", "--requests-per-minute", "4")
        self.assertEqual(shown["limits"], {"requests_per_minute": 4, "tokens_per_minute": None, "parallel": None})
        self.assertEqual([client.call("GET", "/v1/models").status for client in [one, two, one, two, one, two]],
                         [200, 200, 200, 200, 429, 429])
        self.assertEqual(two.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"], "4")
        self.rootstock("tenant", "limit", "pair")
        self.assertEqual(one.call("GET", "/v1/models").status, 200)

    def test_limits_change_with_the_next_request(self):
        client = self.client()
        self.assertIsNone(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"])
        shown = self.rootstock("key", "limit", client.key_id, "--requests-per-minute", "10")
        self.assertEqual(shown["limits"]["requests_per_minute"], 10)
        self.assertEqual(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"], "10")
        self.rootstock("key", "limit", client.key_id)
        self.assertIsNone(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
