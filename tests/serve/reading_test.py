#!/usr/bin/env python3
"""Entities, answers in a text, reranking and similarity: what transformers' pipelines say with the same models
(tests/golden/make_reading_golden.py), clear refusals, exact charges."""
import json
import unittest

import harness

WANTED = json.loads((harness.GOLDEN / "reading.json").read_text())
TEXT = "where is my card?"


class ReadingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = harness.Home()
        names = ("entities", "answers", "crossencoder")
        cls.home.pull(*(harness.GOLDEN / "reading" / name for name in names))
        cls.server = harness.Server(cls.home, bases=("fixture", "writer", *names))

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        problems, holds = cls.home.problems_in_books(), cls.home.open_holds()
        cls.home.remove()
        assert code == 0, f"the server ended with {code}"
        assert not problems, problems
        assert holds == 0, f"{holds} holds are left"

    def ask(self, path, body, headers=None, name="acme"):
        client = harness.Client(self.server, self.home.keys[name])
        self.addCleanup(client.close)
        return client.call("POST", path, body, headers)

    def good(self, path, body, **more):
        answer = self.ask(path, body, **more)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def events(self, answer):
        return self.home.rows("SELECT input_tokens, inputs, amount, operation, adapter FROM usage_event WHERE event_id = ?",
                              answer.request_id)

    def assertProblem(self, answer, status, code, param=None, words=()):
        self.assertEqual((answer.status, answer.error["code"]), (status, code), answer.text)
        if param:
            self.assertEqual(answer.error["param"], param)
        for word in words:
            self.assertIn(word, answer.error["message"])
        self.assertEqual(self.events(answer), [], "a refused request was charged")

    def assertNear(self, told, wanted):
        """The same but for the last digits of scores."""
        self.assertEqual(len(told), len(wanted), (told, wanted))
        for one, other in zip(told, wanted):
            self.assertEqual({k: v for k, v in one.items() if k not in ("score", "object")},
                             {k: v for k, v in other.items() if k != "score"})
            self.assertLess(abs(one["score"] - other["score"]), 1e-4)

    # ---- as transformers ----

    def test_entities(self):
        texts = [case["text"] for case in WANTED["entities"]]
        answer = self.good("/v1/extract", {"model": "entities", "input": texts})
        self.assertEqual([row["index"] for row in answer["data"]], list(range(len(texts))))
        for row, case in zip(answer["data"], WANTED["entities"]):
            self.assertNear(row["entities"], case["entities"])
            for entity in row["entities"]:
                self.assertEqual(case["text"][entity["start"]:entity["end"]], entity["text"])
        alone = self.good("/v1/extract", {"model": "entities", "input": texts[0]})
        self.assertNear(alone["data"][0]["entities"], WANTED["entities"][0]["entities"])
        likely = self.good("/v1/extract", {"model": "entities", "input": texts, "min_score": 0.8})
        told = [e["score"] for row in likely["data"] for e in row["entities"]]
        every = [e["score"] for row in answer["data"] for e in row["entities"]]
        self.assertEqual(len(told), sum(score >= 0.8 for score in every))
        self.assertLess(0, len(told))
        self.assertLess(len(told), len(every))

    def test_answers(self):
        for case in WANTED["answers"]:
            order = {key: value for key, value in case.items() if key != "answers"}
            answer = self.good("/v1/answer-span", {"model": "answers", **order})
            self.assertNear(answer["data"], case["answers"])
        nothing = [case for case in WANTED["answers"] if any(a["text"] is None for a in case["answers"])]
        self.assertTrue(nothing)
        short = self.good("/v1/answer-span", {"model": "answers", "question": TEXT, "context": ""})
        self.assertEqual(short["data"], [])

    def test_cross_encoder(self):
        for case in WANTED["pairs"]:
            order = {"model": "crossencoder", "query": case["query"], "documents": case["documents"]}
            answer = self.good("/v1/rerank", order)
            ranked = sorted(range(len(case["scores"])), key=lambda i: -case["scores"][i])
            self.assertEqual([r["index"] for r in answer["results"]], ranked)
            for result in answer["results"]:
                self.assertLess(abs(result["relevance_score"] - case["scores"][result["index"]]), 1e-4)
                self.assertNotIn("document", result)
            best = self.good("/v1/rerank", {**order, "top_n": 2, "return_documents": True})
            self.assertEqual([(r["index"], r["document"]["text"]) for r in best["results"]],
                             [(i, case["documents"][i]) for i in ranked[:2]])

    def test_embeddings_rank_and_compare(self):
        documents = ["my card", "the rate of exchange", TEXT, ""]
        client = harness.Client(self.server, self.home.keys["acme"])
        vectors = [row["embedding"] for row in client.embed([TEXT, *documents], model="entities").json["data"]]
        client.close()
        cosines = [sum(a * b for a, b in zip(vectors[0], other)) for other in vectors[1:]]
        near = self.good("/v1/similarity", {"model": "entities", "source": TEXT, "input": documents})
        for row, cosine in zip(near["data"], cosines):
            self.assertAlmostEqual(row["score"], cosine, places=4)
        self.assertAlmostEqual(near["data"][2]["score"], 1, places=4)
        ranked = self.good("/v1/rerank", {"model": "entities", "query": TEXT, "documents": documents})
        self.assertEqual([r["index"] for r in ranked["results"]], sorted(range(4), key=lambda i: -cosines[i]))
        self.assertAlmostEqual(ranked["results"][0]["relevance_score"], 1, places=4)

    # ---- money ----

    ORDERS = [("/v1/extract", {"model": "entities", "input": [TEXT, "my card"]}, "extract"),
              ("/v1/answer-span", {"model": "answers", "question": TEXT, "context": "my card is lost"}, "answer"),
              ("/v1/rerank", {"model": "crossencoder", "query": TEXT, "documents": ["a", "b", "c"]}, "rerank"),
              ("/v1/rerank", {"model": "entities", "query": TEXT, "documents": ["a", "b", "c"]}, "rerank"),
              ("/v1/similarity", {"model": "fixture", "source": TEXT, "input": ["a", "b"]}, "similarity")]

    def test_the_charge_is_the_usage_and_a_key_is_charged_once(self):
        for number, (path, body, operation) in enumerate(self.ORDERS):
            key = {"Idempotency-Key": f"read-{number}"}
            first = self.ask(path, body, key)
            self.assertEqual(first.status, 200, first.text)
            [(tokens, rows, amount, booked, adapter)] = self.events(first)
            self.assertEqual((tokens, amount, booked, adapter), (first.json["usage"]["total_tokens"], tokens * 20, operation, ""))
            self.assertGreater(rows, 0)
            again = self.ask(path, body, key)
            self.assertEqual((again.text, again.headers["Idempotent-Replayed"], self.events(again)), (first.text, "true", []))
            self.assertProblem(self.ask(path, {**body, "user": "x"}, key), 422, "idempotency_key_reused")
            self.assertProblem(self.ask(path, {**body, "model": "nosuch"}), 404, "model_not_found", "model")

    def test_the_poor_are_refused_before_the_work(self):
        long = " ".join(["card"] * 55)
        self.assertProblem(self.ask("/v1/extract", {"model": "entities", "input": [long] * 3}, name="poor"), 429, "insufficient_quota")
        self.assertProblem(self.ask("/v1/answer-span", {"model": "answers", "question": TEXT, "context": long * 3}, name="poor"),
                           429, "insufficient_quota")

    def test_metrics(self):
        self.good("/v1/extract", {"model": "entities", "input": TEXT})
        client = harness.Client(self.server)
        text = client.call("GET", "/metrics").text
        client.close()
        for line in ['rootstock_tokens_total{operation="extract"}', 'route="/v1/extract",status="200"', 'rootstock_batch_rows_count{base="entities"}']:
            self.assertIn(line, text)

    # ---- refusals ----

    def test_models_that_cannot(self):
        for path, body in [("/v1/extract", {"input": TEXT}), ("/v1/answer-span", {"question": TEXT, "context": "a"})]:
            for model in ["fixture", "writer", "crossencoder"]:
                self.assertProblem(self.ask(path, {**body, "model": model}), 400, "unsupported", "model", ["head"])
        ranking = {"model": "fixture", "query": TEXT, "documents": ["a"]}
        self.assertProblem(self.ask("/v1/rerank", ranking), 400, "unsupported", "model", ["5 classes", "cross-encoder"])
        told = []
        for model in ["secret", "nosuch", "tickets", "mood"]:
            for path, body, _ in self.ORDERS:
                answer = self.ask(path, {**body, "model": model})
                self.assertProblem(answer, 404, "model_not_found", "model")
            told.append(answer.text.replace(model, "%"))
        self.assertEqual(len(set(told)), 1, told)

    def test_too_long_says_by_how_much(self):
        long = "card " * 100
        self.assertProblem(self.ask("/v1/extract", {"model": "entities", "input": [TEXT, long]}), 400, "context_length_exceeded",
                           "input", ["input 1", "102 tokens", "64", "truncate"])
        self.assertEqual(self.good("/v1/extract", {"model": "entities", "input": long, "truncate": True})["usage"]["total_tokens"], 64)
        pair = {"model": "crossencoder", "query": TEXT, "documents": ["a", long]}
        self.assertProblem(self.ask("/v1/rerank", pair), 400, "context_length_exceeded", "documents", ["truncate"])
        self.good("/v1/rerank", {**pair, "truncate": True})
        near = {"model": "entities", "source": TEXT, "input": [long]}
        self.assertProblem(self.ask("/v1/similarity", near), 400, "context_length_exceeded", "input")
        self.good("/v1/similarity", {**near, "truncate": True})
        self.assertProblem(self.ask("/v1/answer-span", {"model": "answers", "question": long, "context": "a"}), 400,
                           "context_length_exceeded", "question", ["100 tokens", "32"])

    def test_names_what_is_wrong_with_a_body(self):
        for path, body, _ in self.ORDERS:
            self.assertProblem(self.ask(path, {**body, "spend": 1}), 400, "unknown_field", "spend")
            for field in body:
                self.assertProblem(self.ask(path, {k: v for k, v in body.items() if k != field}), 400, "invalid_value", field, ["missing"])
                self.assertProblem(self.ask(path, {**body, field: 5}), 400, "invalid_value", field)
        self.assertProblem(self.ask("/v1/rerank", {**self.ORDERS[2][1], "documents": []}), 400, "invalid_value", "documents")
        self.assertProblem(self.ask("/v1/rerank", {**self.ORDERS[2][1], "documents": ["x"] * 2049}), 400, "too_many_inputs", "documents")
        self.assertProblem(self.ask("/v1/rerank", {**self.ORDERS[2][1], "top_n": 0}), 400, "invalid_value", "top_n")
        self.assertProblem(self.ask("/v1/answer-span", {**self.ORDERS[1][1], "context": "x" * 1_100_000}), 400,
                           "context_length_exceeded", "context")

    def test_what_models_are_for(self):
        client = harness.Client(self.server, self.home.keys["acme"])
        tasks = {m["id"]: m["task"] for m in client.call("GET", "/v1/models").json["data"]}
        client.close()
        self.assertEqual([tasks[name] for name in ("entities", "answers", "crossencoder")], ["extract", "answer-span", "rerank"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
