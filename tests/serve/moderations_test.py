#!/usr/bin/env python3
"""/v1/moderations: OpenAI's shape from a tuned classifier; thresholds, neutral labels, exact charges."""
import unittest

import paid_test

PATH = "/v1/moderations"
TEXT = "where is my card?"
KNOWN = ["hate", "hate/threatening", "harassment", "harassment/threatening", "illicit", "illicit/violent", "self-harm",
         "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic"]


class ModerationsTest(paid_test.PaidTest):
    ADAPTERS = [("fixture", "omni-moderation-latest", "acme", ["ok", "hate", "violence", "spam"], 31),
                ("fixture", "strict", "umbra", ["none", "hate"], 32)]

    def probabilities(self, text):
        row = self.good("/v1/classify", {"model": "omni-moderation-latest", "input": text})["data"][0]
        return {p["label"]: p["score"] for p in row["probabilities"]}

    def test_scores_are_the_classifiers(self):
        answer = self.good(PATH, {"input": [TEXT, "my card"]})
        self.assertEqual((answer["model"], len(answer["results"])), ("omni-moderation-latest@1", 2))
        self.assertTrue(answer["id"].startswith("modr-"))
        for text, result in zip([TEXT, "my card"], answer["results"]):
            wanted = self.probabilities(text)
            self.assertEqual(list(result["categories"]), KNOWN + ["spam"])
            for category, score in result["category_scores"].items():
                self.assertAlmostEqual(score, wanted.get(category, 0), places=4)
                self.assertEqual(result["categories"][category], category in wanted and wanted[category] >= 0.5)
                self.assertEqual(result["category_applied_input_types"][category], ["text"] if category in wanted else [])
            self.assertEqual(result["flagged"], any(result["categories"].values()))
        said = self.ask("/v1/feedback", {"prediction_id": answer["results"][0]["prediction_id"], "rating": "bad"})
        self.assertEqual(said.status, 200, said.text)

    def test_thresholds(self):
        all_flagged = self.good(PATH, {"input": TEXT, "threshold": 0})["results"][0]
        self.assertEqual([c for c, flag in all_flagged["categories"].items() if flag], ["hate", "violence", "spam"])
        none = self.good(PATH, {"input": TEXT, "threshold": 1})["results"][0]
        self.assertEqual((none["flagged"], any(none["categories"].values())), (False, False))
        one = self.good(PATH, {"input": TEXT, "threshold": 1, "thresholds": {"violence": 0}})["results"][0]
        self.assertEqual([c for c, flag in one["categories"].items() if flag], ["violence"])
        own = self.good(PATH, {"input": TEXT, "neutral": ["spam"]})["results"][0]
        self.assertEqual(list(own["categories"]), KNOWN + ["ok"])

    def test_parts_are_one_text(self):
        parts = self.good(PATH, {"input": [{"type": "text", "text": "where is"}, {"type": "text", "text": "my card?"}]})
        whole = self.good(PATH, {"input": "where is\nmy card?"})
        self.assertEqual(len(parts["results"]), 1)
        self.assertEqual(parts["results"][0]["category_scores"], whole["results"][0]["category_scores"])
        picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
        self.assertProblem(self.ask(PATH, {"input": [picture]}), 400, "invalid_value", "input", ["/v1/images/classify"])

    def test_the_charge_is_the_usage_and_a_key_is_charged_once(self):
        first, tokens = self.assertChargedOnce(PATH, {"input": TEXT}, "moderate", "omni-moderation-latest@1", 1, {"input": "other"})
        self.assertEqual(first.json["usage"], {"prompt_tokens": tokens, "total_tokens": tokens})
        usage = self.call("GET", "/v1/organization/usage/moderations?start_time=1700000000&bucket_width=1d&limit=1").json
        self.assertEqual(usage["object"], "page")
        metrics = self.call("GET", "/metrics").text
        self.assertIn('rootstock_tokens_total{operation="moderate"}', metrics)

    def test_refusals(self):
        for change, code, param in [({"spend": 1}, "unknown_field", "spend"), ({"input": 5}, "invalid_value", "input"),
                                    ({"input": []}, "invalid_value", "input"), ({"threshold": 2}, "invalid_value", "threshold"),
                                    ({"thresholds": {"hate": "x"}}, "invalid_value", "thresholds.hate"), ({"neutral": "ok"}, "invalid_value", "neutral"),
                                    ({"input": [{"type": "text"}]}, "invalid_value", "input"), ({"model": 5}, "invalid_value", "model")]:
            self.assertProblem(self.ask(PATH, {"input": TEXT, **change}), 400, code, param)
        self.assertProblem(self.ask(PATH, {}), 400, "invalid_value", "input", ["missing"])
        self.assertProblem(self.ask(PATH, {"input": "card " * 100}), 400, "context_length_exceeded", "input")
        self.good(PATH, {"input": "card " * 100, "truncate": True})
        told = set()
        for name in ["strict", "nosuch", "strict@1"]:
            answer = self.ask(PATH, {"input": TEXT, "model": name})
            self.assertProblem(answer, 404, "model_not_found", "model")
            told.add(answer.text.replace(name, "%"))
        self.assertEqual(len(told), 1)
        self.assertProblem(self.ask(PATH, {"input": TEXT}, name="umbra"), 404, "model_not_found", "model")
        self.assertProblem(self.ask(PATH, {"input": TEXT, "model": "voice"}), 400, "unsupported", "model")


if __name__ == "__main__":
    unittest.main(verbosity=1)
