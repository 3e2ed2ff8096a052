#!/usr/bin/env python3
"""KServe's open inference protocol, version 2: health, metadata, texts in and labels, scores or vectors out, its errors."""
import unittest

import paid_test

TEXT = "where is my card?"


def texts(*values, shape=None, **more):
    return {"inputs": [{"name": "text", "shape": shape or [len(values)], "datatype": "BYTES", "data": list(values)}], **more}


class KServeTest(paid_test.PaidTest):
    def infer(self, model, body, headers=None, name="acme"):
        return self.ask(f"/v2/models/{model}/infer", body, headers, name)

    def outputs(self, answer):
        return {o["name"]: o for o in answer["outputs"]}

    def assertFault(self, answer, status, words=()):
        self.assertEqual((answer.status, list(answer.json)), (status, ["error"]), answer.text)
        for word in words:
            self.assertIn(word, answer.json["error"])
        self.assertNotCharged(answer)

    def test_health_and_server(self):
        self.assertEqual(self.call("GET", "/v2/health/live", name="nobody").json, {"live": True})
        self.assertEqual(self.call("GET", "/v2/health/ready", name="nobody").json, {"ready": True})
        server = self.call("GET", "/v2", name="nobody").json
        self.assertEqual((server["name"], server["extensions"]), ("rootstock", []))

    def test_model_metadata(self):
        model = self.call("GET", "/v2/models/mood").json
        self.assertEqual((model["name"], model["versions"], model["platform"]), ("mood", ["2"], "rootstock"))
        self.assertEqual(model["inputs"], [{"name": "text", "datatype": "BYTES", "shape": [-1]}])
        self.assertEqual([o["name"] for o in model["outputs"]], ["label", "score", "prediction_id", "probabilities", "labels"])
        self.assertEqual(model["outputs"][3]["shape"], [-1, 3])
        self.assertEqual(self.call("GET", "/v2/models/mood/ready").json, {"name": "mood", "ready": True})
        writer = self.call("GET", "/v2/models/writer").json
        self.assertEqual(writer["outputs"], [{"name": "embedding", "datatype": "FP32", "shape": [-1, 64]}])
        told = set()
        for name in ["secret", "nosuch"]:
            for path in ["", "/ready"]:
                answer = self.call("GET", f"/v2/models/{name}{path}")
                self.assertFault(answer, 404)
                told.add(answer.text.replace(name, "%"))
            answer = self.infer(name, texts(TEXT))
            self.assertFault(answer, 404)
            told.add(answer.text.replace(name, "%"))
        self.assertEqual(len(told), 1, told)

    def test_labels_and_scores(self):
        answer = self.infer("tickets", texts(TEXT, "my card", id="a-1"))
        self.assertEqual(answer.status, 200, answer.text)
        body = answer.json
        self.assertEqual((body["model_name"], body["model_version"], body["id"]), ("tickets", "1", "a-1"))
        given = self.outputs(body)
        self.assertEqual(list(given), ["label", "score", "prediction_id"])
        rows = self.good("/v1/classify", {"model": "tickets", "input": [TEXT, "my card"]})["data"]
        self.assertEqual((given["label"]["data"], given["label"]["shape"]), ([row["label"] for row in rows], [2]))
        for score, row in zip(given["score"]["data"], rows):
            self.assertAlmostEqual(score, row["score"], places=4)
        said = self.ask("/v1/feedback", {"prediction_id": given["prediction_id"]["data"][1], "rating": "good"})
        self.assertEqual(said.status, 200, said.text)
        wanted = self.infer("tickets", texts([TEXT], ["my card"], shape=[2, 1], outputs=[{"name": "probabilities"}, {"name": "labels"}]))
        given = self.outputs(wanted.json)
        self.assertEqual((list(given), given["probabilities"]["shape"]), (["probabilities", "labels"], [2, 3]))
        table = dict(zip(given["labels"]["data"], given["probabilities"]["data"][3:]))
        for one in rows[1]["probabilities"]:
            self.assertAlmostEqual(table[one["label"]], one["score"], places=4)

    def test_vectors_of_a_base_model(self):
        answer = self.infer("writer", texts(TEXT))
        self.assertEqual(answer.status, 200, answer.text)
        vector = self.outputs(answer.json)["embedding"]
        self.assertEqual((vector["shape"], vector["datatype"]), ([1, 64], "FP32"))
        wanted = self.good("/v1/embeddings", {"model": "writer", "input": TEXT})["data"][0]["embedding"]
        self.assertTrue(all(abs(a - b) < 1e-5 for a, b in zip(vector["data"], wanted)))
        self.assertEqual(self.events(answer)[0][3], "embed")

    def test_the_charge_is_the_usage_and_a_key_is_charged_once(self):
        path = "/v2/models/tickets/infer"
        first, tokens = self.assertChargedOnce(path, texts(TEXT), "classify", "tickets@1", 1, texts("other"))
        self.assertEqual(first.json["parameters"], {"prompt_tokens": tokens, "total_tokens": tokens})
        # The key of another model's request is another key.
        other = self.infer("mood", texts(TEXT), {"Idempotency-Key": "order-1"})
        self.assertEqual((other.status, len(self.events(other))), (200, 1))
        self.assertFault(self.infer("tickets", texts(*["card card card"] * 20), name="poor"), 429)

    def test_refusals(self):
        good = texts(TEXT)
        tensor = good["inputs"][0]
        for body, words in [({}, ["inputs"]), ({**good, "spend": 1}, ["spend"]), ({"inputs": []}, ["inputs"]),
                            ({"inputs": [tensor, tensor]}, ["inputs"]), ({"inputs": [{**tensor, "datatype": "FP32"}]}, ["datatype"]),
                            ({"inputs": [{**tensor, "shape": [2]}]}, ["shape", "[1]"]), ({"inputs": [{**tensor, "data": [1]}]}, ["data"]),
                            ({**good, "outputs": [{"name": "nosuch"}]}, ["nosuch"]), ({**good, "outputs": [{"name": "embedding"}]}, ["embedding"]),
                            (texts("card " * 100), ["tokens"])]:
            self.assertFault(self.infer("tickets", body), 400, words)
        binary = {"Inference-Header-Content-Length": "9", "Content-Type": "application/json"}
        self.assertFault(self.infer("tickets", good, binary), 400, ["JSON"])
        self.assertFault(self.infer("tickets", b"x", {"Content-Type": "application/octet-stream"}), 415)
        self.assertFault(self.infer("tickets", good, name="nobody"), 401)
        self.assertFault(self.infer("tickets", good, name="suspended"), 403)
        self.assertFault(self.call("GET", "/v2/models/tickets?x=1"), 400, ["x"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
