#!/usr/bin/env python3
"""What the server promises to those who ask: right answers, clear refusals, exact charges."""
import base64
import json
import math
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import harness

TEXT = "where is my card?"
LONG = "my card is lost and I cannot find it " * 100  # more than the 512 tokens of any model the tests use


class AnswersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = harness.Home()
        cls.server = harness.Server(cls.home)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        problems, holds = cls.home.problems_in_books(), cls.home.open_holds()
        cls.home.remove()
        assert code == 0, f"the server ended with {code}"
        assert not problems, problems
        assert holds == 0, f"{holds} holds are left"

    def client(self, name="acme"):
        client = harness.Client(self.server, self.home.keys.get(name, name))
        self.addCleanup(client.close)
        return client

    def events(self, request_id):
        return self.home.rows("SELECT input_tokens, inputs, amount, operation, adapter FROM usage_event "
                              "WHERE event_id = ?", request_id)

    def assertProblem(self, answer, status, code, param=None, words=()):
        self.assertEqual((answer.status, answer.error["code"]), (status, code), answer.text)
        if param:
            self.assertEqual(answer.error["param"], param)
        for word in words:
            self.assertIn(word, answer.error["message"])
        self.assertEqual(self.events(answer.request_id), [], "a refused request was charged")

    # ---- classify ----

    def test_one_text(self):
        answer = self.client().classify("tickets", TEXT)
        self.assertEqual(answer.status, 200, answer.text)
        body = answer.json
        self.assertEqual((body["object"], body["model"], len(body["data"])), ("list", "tickets@1", 1))
        row = body["data"][0]
        scores = [p["score"] for p in row["probabilities"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertAlmostEqual(sum(scores), 1, places=5)
        self.assertEqual(sorted(p["label"] for p in row["probabilities"]), sorted(self.home.facts["labels"]))
        self.assertEqual((row["label"], row["score"], row["index"]), (row["probabilities"][0]["label"], scores[0], 0))

    def test_the_charge_is_the_usage(self):
        answer = self.client().classify("mood", [TEXT, "my phone is lost"])
        tokens = answer.json["usage"]["prompt_tokens"]
        self.assertEqual(self.events(answer.request_id), [(tokens, 2, tokens * 20, "classify", "mood@2")])
        rows = self.home.rows('SELECT id FROM prediction WHERE request_id = ? ORDER BY "row"', answer.request_id)
        self.assertEqual([r[0] for r in rows], [d["prediction_id"] for d in answer.json["data"]])

    def test_many_texts_answer_like_each_alone(self):
        client = self.client()
        texts = [TEXT, "", "card " * 20, "卡", "lost card 🙂", TEXT] * 5
        together = client.classify("tickets", texts).json
        self.assertEqual([row["index"] for row in together["data"]], list(range(30)))
        for row, text in zip(together["data"][:6], texts):
            alone = client.classify("tickets", text).json["data"][0]
            self.assertEqual(alone["label"], row["label"])
            self.assertAlmostEqual(alone["score"], row["score"], places=4)

    def test_tenants_share_batches_and_keep_their_answers(self):
        wanted, wrong = {}, []
        cases = [("acme", "tickets"), ("acme", "mood@1"), ("acme", "mood@2"), ("acme", "mood@3"), ("umbra", "secret")]
        for name, model in cases:
            wanted[model] = self.client(name).classify(model, TEXT).json["data"][0]["probabilities"]

        def ask(name, model):
            client = harness.Client(self.server, self.home.keys[name])
            for _ in range(30):
                got = client.classify(model, TEXT).json["data"][0]["probabilities"]
                if any(a["label"] != b["label"] or abs(a["score"] - b["score"]) > 1e-4
                       for a, b in zip(got, wanted[model])):
                    wrong.append((model, got))
            client.close()

        threads = [threading.Thread(target=ask, args=case) for case in cases * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len({json.dumps(w) for w in wanted.values()}), len(cases))

    def test_top_k(self):
        row = self.client().classify("tickets", TEXT, top_k=1).json["data"][0]
        self.assertEqual([p["label"] for p in row["probabilities"]], [row["label"]])
        self.assertProblem(self.client().classify("tickets", TEXT, top_k=0), 400, "invalid_value", "top_k")

    def test_too_long_says_by_how_much(self):
        client = self.client()
        refused = client.classify("tickets", [TEXT, LONG])
        self.assertProblem(refused, 400, "context_length_exceeded", "input", ["input 1", "tokens", "more than", "truncate"])
        answer = client.classify("tickets", LONG, truncate=True)
        self.assertEqual(answer.status, 200, answer.text)
        limit = answer.json["usage"]["prompt_tokens"]
        self.assertIn(f" {limit} this model takes", refused.error["message"])

    def test_names_what_is_wrong_with_a_body(self):
        client = self.client()
        good = {"model": "tickets", "input": TEXT}
        for change, code, param in [({"spend": 1}, "unknown_field", "spend"), ({"input": 5}, "invalid_value", "input"),
                                    ({"input": []}, "invalid_value", "input"), ({"model": 1}, "invalid_value", "model"),
                                    ({"input": ["a", 1]}, "invalid_value", "input[1]"), ({"input": [[1]]}, "invalid_value", "input[0]"),
                                    ({"truncate": "yes"}, "invalid_value", "truncate"), ({"top_k": 1.5}, "invalid_value", "top_k")]:
            self.assertProblem(client.call("POST", "/v1/classify", {**good, **change}), 400, code, param, [param])
        self.assertProblem(client.call("POST", "/v1/classify", {"input": "x"}), 400, "invalid_value", "model", ["missing"])
        self.assertProblem(client.classify("tickets", ["x"] * 2049), 400, "too_many_inputs", "input", ["2049", "2048"])
        self.assertProblem(client.classify("tickets", "x" * 1_100_000, truncate=True), 400, "context_length_exceeded")
        json_type = {"Content-Type": "application/json"}
        for text, code in [("", "invalid_json"), ("{", "invalid_json"), ('{"model": "a", "model": "b"}', "duplicate_field"),
                           ("[" * 100_000, "invalid_json"), ('{"model": NaN}', "invalid_json"), ('"\\ud800"', "invalid_json"),
                           ("[]", "invalid_value")]:
            self.assertProblem(client.call("POST", "/v1/classify", text, json_type), 400, code)
        self.assertProblem(client.call("POST", "/v1/classify", b'{"model": "\xff"}', json_type), 400, "invalid_json")
        self.assertProblem(client.call("POST", "/v1/classify", "model=x"), 415, "unsupported_media_type")

    # ---- who may ----

    def test_keys(self):
        for name, status, code in [("revoked", 401, "revoked"), ("expired", 401, "invalid_api_key"),
                                   ("rsk_live_nonsense", 401, "invalid_api_key"), ("suspended", 403, "tenant_suspended")]:
            for method, path in [("POST", "/v1/classify"), ("POST", "/v1/embeddings"), ("GET", "/v1/models"),
                                 ("GET", "/v1/models/tickets")]:
                self.assertProblem(self.client(name).call(method, path), status, code)
        nobody = harness.Client(self.server)
        self.assertProblem(nobody.call("GET", "/v1/models"), 401, "invalid_api_key", words=["Authorization: Bearer"])
        for header in ["", "Bearer", "Bearer ", "Basic abc", self.home.keys["acme"]]:
            self.assertProblem(nobody.call("GET", "/v1/models", headers={"Authorization": header}), 401, "invalid_api_key")
        self.assertEqual(nobody.call("GET", "/v1/models", headers={"Authorization": "bearer " + self.home.keys["acme"]}).status, 200)
        nobody.close()

    def test_a_revocation_holds_at_once(self):
        secret = self.home.keys["umbra"]
        client = self.client("umbra")
        self.assertEqual(client.call("GET", "/v1/models").status, 200)
        key_id = self.home.value("SELECT id FROM api_key WHERE tenant_id = (SELECT id FROM tenant WHERE name = 'umbra')")
        ran = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "key", "create", "--tenant", "umbra", "--json"],
                             capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr + ran.stdout)
        self.home.keys["umbra"] = json.loads(ran.stdout)["secret"]
        subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "key", "revoke", key_id], check=True,
                       capture_output=True)
        self.assertProblem(client.call("GET", "/v1/models"), 401, "revoked")
        self.assertEqual(self.client("umbra").call("GET", "/v1/models").status, 200)
        self.assertNotEqual(secret, self.home.keys["umbra"])

    def test_a_foreign_model_answers_like_a_missing_one(self):
        client = self.client("acme")
        for method, path, body in [("POST", "/v1/classify", {"model": "%", "input": TEXT}), ("GET", "/v1/models/%", None),
                                   ("POST", "/v1/embeddings", {"model": "%", "input": TEXT})]:
            told = []
            for name in ["secret", "nosuch", "secret@1", "elsewhere"]:
                filled = {**body, "model": name} if body else None
                answer = client.call(method, path.replace("%", name), filled)
                self.assertProblem(answer, 404, "model_not_found", "model")
                told.append(answer.text.replace(name, "%"))
            self.assertEqual(told[0], told[1])
            self.assertEqual(told[1], told[2])

    def test_models(self):
        listed = self.client().call("GET", "/v1/models").json
        classes = json.loads((harness.MODEL / "config.json").read_text())["architectures"]
        own = "classify" if any(name.endswith("ForSequenceClassification") for name in classes) else "embed"
        self.assertEqual([(m["id"], m["task"]) for m in listed["data"]][:2], [("fixture", own), ("writer", "chat")])
        names = {m["id"]: m["owned_by"] for m in listed["data"]}
        self.assertEqual(names, {"fixture": "rootstock", "writer": "rootstock", "tickets": "rootstock", "mood": "acme", "broken": "acme", "voice": "acme"})
        self.assertEqual(self.client().call("GET", "/v1/models/mood@1").json["version"], 1)
        self.assertEqual(self.client().call("GET", "/v1/models/mood").json["version"], 2)
        self.assertEqual(self.client().call("GET", "/v1/models/" + self.home.facts["digest"]).json["id"], "fixture")

    def test_each_base_model_answers_for_itself(self):
        bert = self.client().embed(TEXT).json
        writer = self.client().embed(TEXT, model="writer").json
        self.assertEqual((bert["model"], writer["model"]), ("fixture", "writer"))
        self.assertNotEqual(len(bert["data"][0]["embedding"]), len(writer["data"][0]["embedding"]))
        self.assertEqual(len(writer["data"][0]["embedding"]), 64)
        self.assertProblem(self.client().embed(TEXT, model="nosuch"), 404, "model_not_found", "model", ["fixture, writer"])

    def test_an_adapter_that_fails_its_self_test_is_not_served(self):
        self.assertProblem(self.client().classify("broken", TEXT), 503, "model_broken", "model")

    # ---- paths and methods ----

    def test_paths(self):
        client = self.client()
        for path in ["/", "/v1", "/v2/classify", "/v1/classify/", "/v1/models/a/b", "/..%2f..%2fetc%2fpasswd"]:
            self.assertProblem(client.call("GET", path), 404, "unknown_url")
        self.assertProblem(client.call("GET", "/v1/models/..%2f..%2frootstock.db"), 404, "model_not_found")
        wrong = client.call("DELETE", "/v1/classify")
        self.assertProblem(wrong, 405, "method_not_allowed")
        self.assertEqual(wrong.headers["Allow"], "POST")
        head = client.call("HEAD", "/healthz")
        self.assertEqual((head.status, head.text), (200, ""))

    def test_every_answer_names_its_request(self):
        seen = {self.client().call("GET", "/healthz").request_id for _ in range(20)}
        self.assertEqual(len(seen), 20)

    # ---- embeddings ----

    def test_embeddings(self):
        client = self.client()
        body = client.embed([TEXT, "lost card"]).json
        first = body["data"][0]["embedding"]
        self.assertAlmostEqual(math.sqrt(sum(x * x for x in first)), 1, places=5)
        coded = client.embed(TEXT, encoding_format="base64").json["data"][0]["embedding"]
        unpacked = struct.unpack(f"<{len(first)}f", base64.b64decode(coded))
        self.assertTrue(all(abs(a - b) < 1e-5 for a, b in zip(first, unpacked)))
        self.assertEqual(client.embed(TEXT, dimensions=len(first)).status, 200)
        self.assertProblem(client.embed(TEXT, dimensions=7), 400, "invalid_value", "dimensions", [str(len(first))])
        self.assertProblem(client.embed(TEXT, encoding_format="hex"), 400, "invalid_value", "encoding_format")
        charged = client.embed(TEXT, user="someone")
        tokens = charged.json["usage"]["total_tokens"]
        self.assertEqual(self.events(charged.request_id), [(tokens, 1, tokens * 20, "embed", "")])

    def test_embeddings_of_token_ids(self):
        client = self.client()
        one = client.embed([2, 50, 51, 3]).json
        two = client.embed([[2, 50, 51, 3], [2, 3]]).json
        self.assertEqual(one["usage"]["total_tokens"], 4)
        self.assertEqual(two["usage"]["total_tokens"], 6)
        self.assertTrue(all(abs(a - b) < 1e-5 for a, b in
                            zip(one["data"][0]["embedding"], two["data"][0]["embedding"])))
        self.assertProblem(client.embed([1, 999_999_999]), 400, "invalid_value", "input", ["999999999"])
        self.assertProblem(client.embed([1, -1]), 400, "invalid_value", "input[1]")
        self.assertProblem(client.embed([[]]), 400, "invalid_value", "input[0]")
        self.assertProblem(client.embed([1, "a"]), 400, "invalid_value", "input[1]")

    # ---- money ----

    def test_an_idempotency_key_is_charged_once(self):
        client = self.client()
        key = {"Idempotency-Key": "order-1"}
        first = client.classify("tickets", TEXT, headers=key)
        again = client.classify("tickets", TEXT, headers=key)
        self.assertEqual((again.status, again.text, again.headers["Idempotent-Replayed"]), (200, first.text, "true"))
        self.assertNotIn("Idempotent-Replayed", first.headers)
        self.assertEqual((len(self.events(first.request_id)), self.events(again.request_id)), (1, []))
        self.assertProblem(client.classify("tickets", "another", headers=key), 422, "idempotency_key_reused")
        # The same key of another tenant, or for another route, is another key.
        self.assertEqual(self.client("umbra").classify("tickets", "another", headers=key).status, 200)
        self.assertEqual(client.embed(TEXT, headers=key).status, 200)
        self.assertProblem(client.classify("tickets", TEXT, headers={"Idempotency-Key": "x" * 256}), 400, "invalid_value")

    def test_a_failed_request_leaves_its_key_free(self):
        client = self.client()
        key = {"Idempotency-Key": "order-2"}
        self.assertProblem(client.classify("nosuch", TEXT, headers=key), 404, "model_not_found")
        self.assertEqual(client.classify("tickets", TEXT, headers=key).status, 200)

    def test_a_key_in_flight_is_charged_once(self):
        told = []

        def ask():
            client = harness.Client(self.server, self.home.keys["acme"])
            told.append(client.classify("tickets", [TEXT] * 200, headers={"Idempotency-Key": "order-3"}))
            client.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        charged = [t for t in told if t.status == 200 and "Idempotent-Replayed" not in t.headers]
        self.assertEqual(len(charged), 1, [t.status for t in told])
        for other in told:
            self.assertIn((other.status, "Idempotent-Replayed" in other.headers),
                          [(200, False), (200, True), (409, False)])

    def test_credit_is_never_overspent(self):
        """The tenant's limit is 50 tokens; sixty requests race for it."""
        tokens = self.client().classify("tickets", "my card").json["usage"]["total_tokens"]
        statuses, lock = [], threading.Lock()

        def ask():
            client = harness.Client(self.server, self.home.keys["poor"])
            for _ in range(4):
                answer = client.classify("tickets", "my card")
                with lock:
                    statuses.append(answer.status)
                if answer.status != 200:
                    assert answer.error["code"] == "insufficient_quota", answer.text
                    assert answer.headers["x-should-retry"] == "false"
            client.close()

        threads = [threading.Thread(target=ask) for _ in range(15)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses.count(200), 50 // tokens)
        self.assertEqual(statuses.count(429), 60 - 50 // tokens)

    def test_an_answer_that_cannot_be_booked_does_not_leave(self):
        """The records refuse the entry after the work is done: no answer, no charge, no hold, and the key stays free."""
        client = self.client()
        key = {"Idempotency-Key": "order-4"}
        for table in ["usage_event", "ledger_transfer", "prediction"]:
            self.home.execute(f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'CANARY'); END")
            answer = client.classify("tickets", TEXT, headers=key)
            self.home.execute("DROP TRIGGER broken")
            self.assertIn(answer.status, (500, 503), answer.text)
            self.assertNotIn("CANARY", answer.text)
            self.assertEqual(self.events(answer.request_id), [])
            self.assertEqual(self.home.rows("SELECT state FROM reservation WHERE request_id = ?", answer.request_id), [("voided",)])
        again = client.classify("tickets", TEXT, headers=key)
        self.assertEqual((again.status, len(self.events(again.request_id))), (200, 1))
        # What was computed for nothing is booked as our cost.
        self.assertGreaterEqual(self.home.value("SELECT COUNT(*) FROM cost_event"), 3)

    # ---- for the operator ----

    def test_operations(self):
        nobody = harness.Client(self.server)
        self.assertEqual(nobody.call("GET", "/healthz").json, {"status": "ok"})
        self.assertEqual(nobody.call("GET", "/readyz").json, {"status": "ready"})
        self.client().classify("tickets", TEXT)
        text = nobody.call("GET", "/metrics").text
        for name in ["rootstock_http_requests_total{", "rootstock_http_request_seconds_bucket{", "rootstock_queue_rows{base=\"fixture\"} ",
                     "rootstock_batch_rows_bucket", "rootstock_tokens_total{", "rootstock_resident_adapters{base=\"fixture\"} ",
                     'route="/v1/classify",status="200"']:
            self.assertIn(name, text)
        for secret in [*self.home.keys.values(), "acme", TEXT]:
            self.assertNotIn(secret, text)
        nobody.close()


class LifeTest(unittest.TestCase):
    """Starting and stopping."""

    def setUp(self):
        self.home = harness.Home()
        self.addCleanup(self.home.remove)

    def run_serve(self, *options, home=None):
        return subprocess.run([harness.BIN / "rootstock", "--home", home or self.home.folder, "serve", *options],
                              capture_output=True, text=True, timeout=20)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ran = self.run_serve("--base", "fixture", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("another program uses this port", ran.stderr)

    def test_bad_addresses(self):
        for address in ["8080", ":1", "127.0.0.1:99999", "no.such.host.invalid:1"]:
            ran = self.run_serve("--base", "fixture", "--listen", address)
            self.assertEqual((ran.returncode, "cannot listen" in ran.stderr or "not an address" in ran.stderr), (1, True))

    def test_a_second_server_on_the_same_home(self):
        server = harness.Server(self.home)
        ran = self.run_serve("--listen", "127.0.0.1:0")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("another server already serves", ran.stderr)
        self.assertEqual(server.stop(), 0)

    def test_no_model(self):
        ran = self.run_serve("--listen", "127.0.0.1:0", home=self.home.folder / "empty")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("rootstock pull", ran.stderr)
        ran = self.run_serve("--listen", "127.0.0.1:0", "--base", "nosuch")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("nosuch", ran.stderr)
        ran = self.run_serve("--listen", "127.0.0.1:0")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("each with --base: fixture, writer", ran.stderr)
        ran = self.run_serve("--listen", "127.0.0.1:0", "--base", "writer", "--base", "writer")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("two base models named 'writer'", ran.stderr)

    def test_stops_gracefully_under_load(self):
        server = harness.Server(self.home)
        told, cut = [], []

        def ask():
            client = harness.Client(server, self.home.keys["acme"])
            try:
                while True:
                    answer = client.classify("tickets", [TEXT] * 20)
                    told.append((answer.status, answer.request_id))
                    if answer.headers["Connection"] == "close":
                        return
            except OSError:
                return  # the listener is closed: nothing was sent
            except Exception as fault:  # an answer that broke off
                cut.append(repr(fault))
            finally:
                client.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        self.assertEqual(server.stop(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual({status for status, _ in told}, {200})
        self.assertEqual([c for c in cut if "RemoteDisconnected" not in c], [])
        self.assertEqual(self.home.open_holds(), 0)
        self.assertEqual(self.home.problems_in_books(), [])
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), len(told))

    def test_first_answer_and_memory(self):
        server = harness.Server(self.home, precision="bf16")
        client = harness.Client(server, self.home.keys["acme"])
        answer = client.classify("tickets", TEXT)
        seconds = time.monotonic() - server.started
        print(f"first answer {seconds:.3f} s after the start, {server.resident_bytes() / 1e6:.0f} MB resident "
              f"({harness.MODEL.name})")
        self.assertEqual(answer.status, 200, answer.text)
        client.close()
        self.assertEqual(server.stop(signal.SIGINT), 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
