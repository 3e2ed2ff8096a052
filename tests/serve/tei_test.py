#!/usr/bin/env python3
"""/predict, /embed and /rerank as Text Embeddings Inference has them: its shapes, its errors; our books."""
import math
import unittest

import paid_test

TEXT = "where is my card?"


class TeiTest(paid_test.PaidTest):
    PULLED = ("entities", "crossencoder")

    def assertFault(self, answer, status, kind, words=()):
        self.assertEqual((answer.status, answer.json.get("error_type")), (status, kind), answer.text)
        self.assertEqual(sorted(answer.json), ["error", "error_type"])
        for word in words:
            self.assertIn(word, answer.json["error"])
        self.assertNotCharged(answer)

    def test_predict(self):
        one = self.good("/predict?model=tickets", {"inputs": TEXT})
        row = self.good("/v1/classify", {"model": "tickets", "input": TEXT})["data"][0]
        self.assertEqual([p["label"] for p in one], [p["label"] for p in row["probabilities"]])
        for told, wanted in zip(one, row["probabilities"]):
            self.assertAlmostEqual(told["score"], wanted["score"], places=4)
        self.assertEqual(self.good("/predict?model=tickets", {"inputs": [TEXT]}), one)
        batch = self.good("/predict?model=tickets", {"inputs": [[TEXT], ["my card"]]})
        self.assertEqual((len(batch), [p["label"] for p in batch[0]]), (2, [p["label"] for p in one]))
        raw = self.good("/predict?model=tickets", {"inputs": TEXT, "raw_scores": True})
        total = sum(math.exp(p["score"]) for p in raw)
        for told, wanted in zip(raw, one):
            self.assertAlmostEqual(math.exp(told["score"]) / total, wanted["score"], places=4)

    def test_embed(self):
        vectors = self.good("/embed?model=entities", {"inputs": [TEXT, "my card"]})
        wanted = self.good("/v1/embeddings", {"model": "entities", "input": [TEXT, "my card"]})["data"]
        for vector, other in zip(vectors, wanted):
            self.assertTrue(all(abs(a - b) < 1e-5 for a, b in zip(vector, other["embedding"])))
        self.assertEqual(len(self.good("/embed?model=entities", {"inputs": TEXT, "normalize": True, "truncate": True})), 1)
        self.assertFault(self.ask("/embed?model=entities", {"inputs": TEXT, "normalize": False}), 422, "Validation", ["normalize"])

    def test_rerank(self):
        texts = ["the fee is 2 %", TEXT, "lost card"]
        # The only cross-encoder that is served need not be named.
        ranks = self.good("/rerank", {"query": TEXT, "texts": texts})
        ours = self.good("/v1/rerank", {"model": "crossencoder", "query": TEXT, "documents": texts})["results"]
        self.assertEqual([(r["index"], r["score"]) for r in ranks], [(r["index"], r["relevance_score"]) for r in ours])
        raw = self.good("/rerank", {"query": TEXT, "texts": texts, "raw_scores": True, "return_text": True})
        for told, wanted in zip(raw, ranks):
            self.assertEqual((told["index"], told["text"]), (wanted["index"], texts[told["index"]]))
            self.assertAlmostEqual(1 / (1 + math.exp(-told["score"])), wanted["score"], places=4)

    def test_the_charge_is_told_and_a_key_is_charged_once(self):
        for number, (path, body, operation, adapter, other) in enumerate([
                ("/predict?model=tickets", {"inputs": TEXT}, "classify", "tickets@1", {"inputs": "x"}),
                ("/embed?model=entities", {"inputs": TEXT}, "embed", "", {"inputs": "x"}),
                ("/rerank", {"query": TEXT, "texts": ["a"]}, "rerank", "", {"query": TEXT, "texts": ["b"]})]):
            first, tokens = self.assertChargedOnce(path, body, operation, adapter, number, other)
            self.assertEqual(first.headers["x-compute-tokens"], str(tokens))
        # The key of a request to another model is another key.
        moved = self.ask("/predict?model=mood", {"inputs": TEXT}, {"Idempotency-Key": "order-0"})
        self.assertEqual((moved.status, len(self.events(moved))), (200, 1))

    def test_which_model(self):
        answer = self.ask("/predict", {"inputs": TEXT})
        self.assertFault(answer, 422, "Validation", ["?model=", "tickets", "mood"])
        self.assertNotIn("secret", answer.text)
        told = set()
        for name in ["secret", "nosuch"]:
            answer = self.ask(f"/predict?model={name}", {"inputs": TEXT})
            self.assertFault(answer, 404, "Validation")
            told.add(answer.text.replace(name, "%"))
        self.assertEqual(len(told), 1)
        self.assertFault(self.ask("/embed", {"inputs": TEXT}), 404, "Validation")
        self.assertFault(self.ask("/rerank?model=fixture", {"query": TEXT, "texts": ["a"]}), 424, "Backend", ["5 classes"])
        self.assertFault(self.ask("/predict?model=voice", {"inputs": TEXT}), 424, "Backend")
        self.assertFault(self.ask("/predict?nosuch=1", {"inputs": TEXT}), 422, "Validation")

    def test_faults(self):
        good = {"/predict?model=tickets": {"inputs": TEXT}, "/embed?model=entities": {"inputs": TEXT}, "/rerank": {"query": TEXT, "texts": ["a"]}}
        for path, body in good.items():
            self.assertFault(self.ask(path, {**body, "spend": 1}), 422, "Validation", ["spend"])
            self.assertFault(self.ask(path, {}), 422, "Validation", ["missing"])
            self.assertFault(self.ask(path, "{", {"Content-Type": "application/json"}), 422, "Validation")
            self.assertFault(self.ask(path, b"x"), 415, "Validation")
            self.assertFault(self.ask(path, body, name="nobody"), 401, "Validation")
            self.assertFault(self.ask(path, body, name="suspended"), 403, "Validation")
            self.assertFault(self.ask(path, {**body, "truncate": 1}), 422, "Validation")
            empty = {"texts": []} if path == "/rerank" else {"inputs": []}
            self.assertFault(self.ask(path, {**body, **empty}), 400, "Empty", ["empty"])
            long = {"texts": ["card " * 100]} if path == "/rerank" else {"inputs": "card " * 100}
            self.assertFault(self.ask(path, {**body, **long}), 413, "Validation", ["tokens"])
            self.assertEqual(self.ask(path, {**body, **long, "truncate": True}).status, 200)
        poor = self.ask("/embed?model=entities", {"inputs": ["card card card card"] * 20}, name="poor")
        self.assertFault(poor, 429, "Overloaded")
        self.assertEqual(poor.headers["x-should-retry"], "false")
        self.assertFault(self.ask("/predict?model=tickets", {"inputs": [TEXT, "my card"]}), 424, "Backend", ["pairs"])
        self.assertFault(self.ask("/predict?model=tickets", {"inputs": [[TEXT], ["a", "b", "c"]]}), 422, "Validation")


if __name__ == "__main__":
    unittest.main(verbosity=1)
