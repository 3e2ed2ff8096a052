#!/usr/bin/env python3
"""Rows of a table over HTTP, by models learned here from real applicants for credit: the scores of the command line, exact
charges by the row, refusals that name row and column.

Needs rootstock-learn and ../shared/data/german-credit (or $ROOTSTOCK_SHARED_DATA); else it is skipped.
"""
import csv
import json
import os
import pathlib
import subprocess
import time
import unittest

import harness
import paid_test
from openapi_test import Document

DATA = pathlib.Path(os.environ.get("ROOTSTOCK_SHARED_DATA", harness.ROOT.parent / "shared" / "data")) / "german-credit" / "german.csv"
COLUMNS = [str(i) for i in range(1, 22)]
TUNE = ["--task", "table", "--blocks", "1", "--width", "16", "--heads", "2", "--epochs", "2"]
MICROS = 100  # a row's price by the default plan


class ScoreTest(paid_test.PaidTest):
    @classmethod
    def setUpClass(cls):
        if not DATA.is_file() or not (harness.BIN / "rootstock-learn").exists():
            harness.skip("there is no rootstock-learn, or no german-credit")
        super().setUpClass()
        cls.document = Document()
        with open(DATA) as file:
            applicants = [dict(zip(COLUMNS, cells)) for cells in csv.reader(file)]
        cls.learn("credit", applicants[:300], "21")
        cls.learn("amount", applicants[:300], "5", "--drop", "21")
        cls.learn("risk", applicants[:200], "21", "--tenant", "umbra")
        cls.asked = [{k: v for k, v in row.items() if k != "21"} for row in applicants[300:340]]

    @classmethod
    def command(cls, *words):
        done = subprocess.run([harness.BIN / "rootstock", "--home", cls.home.folder, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @classmethod
    def write(cls, name, rows):
        path = cls.home.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    @classmethod
    def learn(cls, name, rows, label, *more):
        path = cls.write(name + ".jsonl", rows)
        cls.command("finetune", *TUNE, "--data", path, "--label", label, "--name", name, *more)
        cls.command("promote", name, *(more if "--tenant" in more else ()))

    def said_on_the_command_line(self, model, rows):
        answer = json.loads(self.command("score", "--model", model, self.write("asked.jsonl", rows), "--json"))
        return answer["rows"]

    def ask(self, path, body, headers=None, name="acme"):
        """Every answer is as api/openapi.yaml has it."""
        answer = super().ask(path, body, headers, name)
        self.document.check_response(self.document.operation("POST", path)["responses"][str(answer.status)], answer)
        return answer

    def score(self, rows, model="credit", **more):
        return self.good("/v1/score", {"model": model, "rows": rows, **more})

    # ---- scores ----

    def test_classes_as_on_the_command_line(self):
        answer = self.score(self.asked)
        self.assertEqual((answer["model"], answer["target"], answer["problems"]), ("credit@1", "21", []))
        self.assertEqual(answer["usage"], {"rows": 40})
        for row, wanted in zip(answer["data"], self.said_on_the_command_line("credit", self.asked), strict=True):
            told = {p["label"]: p["score"] for p in row["probabilities"]}
            self.assertEqual(told.keys(), wanted["probabilities"].keys())
            for label, probability in wanted["probabilities"].items():
                self.assertAlmostEqual(told[label], probability, places=6)
            self.assertEqual((row["label"], row["score"]), (wanted["value"], max(told.values())))
        self.assertEqual([row["index"] for row in answer["data"]], list(range(40)))
        best = self.score(self.asked[:2], top_k=1)
        self.assertEqual([len(row["probabilities"]) for row in best["data"]], [1, 1])

    def test_numbers_as_on_the_command_line(self):
        rows = [{k: v for k, v in row.items() if k != "5"} for row in self.asked]
        answer = self.score(rows, "amount")
        wanted = self.said_on_the_command_line("amount", rows)
        for row, said in zip(answer["data"], wanted, strict=True):
            self.assertAlmostEqual(row["value"], said["value"], delta=1e-6 * abs(said["value"]))
            self.assertNotIn("label", row)

    def test_cells_as_json_has_them(self):
        row = dict(self.asked[0])
        numbers = {**row, "2": int(row["2"]), "5": float(row["5"]), "13": int(row["13"])}
        without = {k: v for k, v in row.items() if k != "2"}
        pairs = self.score([row, numbers, {**row, "2": None}, {**without}, {**row, "2": "NA"}])["data"]
        scores = [pair["score"] for pair in pairs]
        self.assertAlmostEqual(scores[0], scores[1], places=6)
        self.assertAlmostEqual(scores[2], scores[3], places=6)
        self.assertAlmostEqual(scores[2], scores[4], places=6)

    def test_a_prediction_is_kept_and_can_be_corrected(self):
        answer = self.score(self.asked[:3])
        for row in answer["data"]:
            [(label, probability)] = self.home.rows("SELECT label, probability FROM prediction WHERE id = ?", row["prediction_id"])
            self.assertEqual(label, row["label"])
            self.assertAlmostEqual(probability, row["score"], places=6)
        told = self.good("/v1/feedback", {"prediction_id": answer["data"][1]["prediction_id"], "correction": "2"})
        self.assertEqual(told["correction"], "2")

    # ---- money ----

    def test_a_row_is_charged_once(self):
        body, key = {"model": "credit", "rows": self.asked[:5]}, {"Idempotency-Key": "rows"}
        first = self.ask("/v1/score", body, key)
        self.assertEqual(first.status, 200, first.text)
        self.assertEqual(self.events(first), [(0, 5, 5 * MICROS, "score", "credit@1")])
        again = self.ask("/v1/score", body, key)
        self.assertEqual((again.text, again.headers["Idempotent-Replayed"], self.events(again)), (first.text, "true", []))
        self.assertEqual(self.ask("/v1/score", {**body, "lenient": True}, key).status, 422)
        start = time.time() - 60
        page = self.call("GET", f"/v1/organization/usage/scores?start_time={int(start)}&group_by=model").json
        sums = [r for bucket in page["data"] for r in bucket["results"] if r["model"] == "credit@1"]
        self.assertGreaterEqual(sum(r["rows"] for r in sums), 5)
        costs = self.call("GET", f"/v1/organization/costs?start_time={int(start)}&group_by=line_item").json
        lines = [r for bucket in costs["data"] for r in bucket["results"] if r["line_item"] == "credit@1, score"]
        self.assertEqual({r["quantity_unit"] for r in lines}, {"rows"})
        self.assertAlmostEqual(sum(r["amount"]["value"] for r in lines), sum(r["quantity"] for r in lines) * MICROS / 1e6)

    def test_the_poor_are_refused_before_the_work(self):
        answer = self.ask("/v1/score", {"model": "credit", "rows": self.asked * 50}, name="poor")
        self.assertProblem(answer, 429, "insufficient_quota")

    # ---- refusals ----

    def test_row_and_column_are_named(self):
        good = self.asked[:3]

        def refused(row, code, words, place=2, param="rows"):
            rows = [*good[:place], row, *good[place:]]
            self.assertProblem(self.ask("/v1/score", {"model": "credit", "rows": rows}), 400, code, param, words)

        refused({**good[0], "2": "often"}, "unreadable_cell", ["rows[2]", "'2'", "'often' is not a number", "lenient"])
        refused({**good[0], "age": 3}, "unknown_column", ["rows[2]", "'age'"])
        refused({**good[0], "3": ["A34"]}, "invalid_value", ["'rows[2].3' must be"], param="rows[2].3")
        refused({**good[0], "3": {}}, "invalid_value", ["'rows[1].3' must be"], 1, "rows[1].3")
        refused({}, "invalid_value", ["rows[0]"], 0, "rows[0]")
        refused("A11,6", "invalid_value", ["rows[0]"], 0, "rows[0]")
        short = [{k: v for k, v in row.items() if k != "20"} for row in good]
        self.assertProblem(self.ask("/v1/score", {"model": "credit", "rows": short}), 400, "missing_column", "rows", ["'20'"])
        answer = self.score([good[0], {**good[1], "2": "often"}], lenient=True)
        [problem] = answer["problems"]
        self.assertEqual((problem["index"], problem["column"]), (1, "2"))
        self.assertEqual(answer["data"][1]["score"], self.score([good[0], {**good[1], "2": None}])["data"][1]["score"])

    def test_bodies_and_models(self):
        good = {"model": "credit", "rows": self.asked[:1]}
        for change in [{"rows": []}, {"rows": 5}, {"rows": None}, {"top_k": 0}, {"lenient": 1}, {"model": 5}]:
            self.assertProblem(self.ask("/v1/score", {**good, **change}), 400, "invalid_value")
        self.assertProblem(self.ask("/v1/score", {**good, "spend": 1}), 400, "unknown_field", "spend")
        self.assertProblem(self.ask("/v1/score", {**good, "rows": self.asked[:1] * 2049}), 400, "too_many_inputs", "rows")
        for model in ["nosuch", "risk", "secret"]:
            self.assertProblem(self.ask("/v1/score", {**good, "model": model}), 404, "model_not_found", "model")
        self.assertProblem(self.ask("/v1/score", {**good, "model": "tickets"}), 400, "unsupported", "model")
        self.assertProblem(self.ask("/v1/classify", {"model": "credit", "input": "x"}), 400, "unsupported", "model", ["/v1/score"])

    def test_the_list_of_models(self):
        models = {m["id"]: m for m in self.call("GET", "/v1/models").json["data"]}
        self.assertEqual((models["credit"]["task"], models["credit"]["labels"]), ("score", ["1", "2"]))
        self.assertNotIn("base", models["credit"])
        self.assertNotIn("risk", models)
        self.assertEqual(self.call("GET", "/v1/models/amount").json["task"], "score")
        own = {m["id"] for m in self.call("GET", "/v1/models", name="umbra").json["data"]}
        self.assertIn("risk", own)

    def test_metrics(self):
        self.score(self.asked[:2])
        text = self.call("GET", "/metrics", name="nobody").text
        for line in ['rootstock_inputs_total{operation="score"}', 'rootstock_batch_rows_count{base="tables"}',
                     'rootstock_resident_adapters{base="tables"}']:
            self.assertIn(line, text)


if __name__ == "__main__":
    unittest.main()
