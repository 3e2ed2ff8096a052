#!/usr/bin/env python3
"""Fine-tuning jobs of the running server and its workers, from outside, on the tiny model: the whole life of a job, what
bad orders and files get, pause, resume and cancel, and workers that are killed."""
import json
import os
import signal
import subprocess
import time
import unittest

import harness
from files_test import RecordsTest
from forms import upload

if not (harness.BIN / "rootstock-learn").exists():
    harness.skip("rootstock-learn is not built")


def rows(count):
    """Two labels that the tiny model can tell apart."""
    lines = []
    for i in range(count):
        lines.append(json.dumps({"text": f"my card {i} is lost", "label": "lost"}))
        lines.append(json.dumps({"text": f"please send money {i}", "label": "transfer"}))
    return "\n".join(lines) + "\n"


class TuningTest(RecordsTest):
    OPTIONS = ["--workers", "0", "--lease-seconds", "3"]

    def setUp(self):
        super().setUp()
        self.workers = []

    def tearDown(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        super().tearDown()

    def worker(self, *options):
        worker = subprocess.Popen([harness.BIN / "rootstock", "--home", self.home.folder, "worker", "--lease-seconds", "3",
                                   "--poll-seconds", "0.1", *options], stderr=self.server.log, stdout=subprocess.DEVNULL)
        self.workers.append(worker)
        return worker

    def order(self, data=None, status=200, **more):
        file = self.ok(upload(self.acme, data if data is not None else rows(40)))["id"]
        order = {"model": "fixture", "training_file": file, "suffix": "support", **more}
        answer = self.acme.call("POST", "/v1/fine_tuning/jobs", order)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def job(self, id):
        return self.ok(self.acme.call("GET", "/v1/fine_tuning/jobs/" + id))

    def wait(self, id, *states, seconds=120):
        for _ in range(seconds * 20):
            job = self.job(id)
            if job["status"] in states:
                return job
            time.sleep(0.05)
        self.fail(f"{job['status']} after {seconds} s, not one of {states}")

    def events(self, id):
        events, after = [], ""
        while True:
            page = self.ok(self.acme.call("GET", f"/v1/fine_tuning/jobs/{id}/events?limit=100{after}"))
            events += page["data"]
            if not page["has_more"]:
                return events[::-1]
            after = "&after=" + page["data"][-1]["id"]

    def step_of(self, id):
        """The newest step that was told."""
        newest = self.ok(self.acme.call("GET", f"/v1/fine_tuning/jobs/{id}/events?limit=100"))["data"]
        return max([event["data"].get("step", 0) for event in newest], default=0)

    def told(self, id):
        """The learner's own events."""
        file = self.home.folder / "jobs" / id / "events.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def resumed_from(self, id):
        """The step at which the newest run of the learner began."""
        return [event for event in self.told(id) if event["event"] == "started"][-1]["resumed_from"] or 0

    def wait_for_checkpoint(self, id, seconds=60):
        for _ in range(seconds * 20):
            if steps := [event["step"] for event in self.told(id) if event["event"] == "checkpoint"]:
                return steps[-1]
            time.sleep(0.05)
        self.fail("there is no checkpoint")

    def wait_for_step(self, id, step, seconds=60):
        for _ in range(seconds * 20):
            if self.step_of(id) >= step:
                return
            time.sleep(0.05)
        self.fail(f"step {step} was not reached")

    def learner_of(self, worker):
        found = subprocess.run(["pgrep", "-P", str(worker.pid), "rootstock-learn"], capture_output=True, text=True)
        return int(found.stdout.split()[0])

    def long_job(self):
        """A job that takes long enough to be interrupted: thousands of small steps in each pass."""
        return self.order(rows(3000), hyperparameters={"n_epochs": 50, "batch_size": 2})["id"]


class WholeLifeTest(TuningTest):
    def test_from_file_to_answers(self):
        job = self.order(hyperparameters={"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": "auto"}, seed=7,
                         metadata={"team": "a"})
        self.assertEqual((job["status"], job["seed"], job["error"], job["fine_tuned_model"]), ("validating_files", 7, None, None))
        worker = self.worker("--once")
        done = self.wait(job["id"], "succeeded", "failed")
        self.assertEqual(done["status"], "succeeded", done["error"])
        self.assertEqual(worker.wait(60), 0)
        model = done["fine_tuned_model"]
        self.assertRegex(model, r"^ft:fixture:acme:support:[0-9a-f]{12}$")
        self.assertEqual(done["hyperparameters"], {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1})
        self.assertGreater(done["trained_tokens"], 0)
        self.assertGreaterEqual(done["finished_at"], done["created_at"])

        answer = self.ok(self.acme.classify(model, ["my card 3 is lost", "please send money 4"]))
        self.assertEqual(answer["model"], model)
        self.assertEqual({entry["label"] for entry in answer["data"]} - {"lost", "transfer"}, set())
        self.refused(self.umbra.classify(model, "x"), 404, "model_not_found")

        names = [entry["id"] for entry in self.ok(self.acme.call("GET", "/v1/models"))["data"]]
        self.assertIn(model, names)
        self.assertNotIn(model, [entry["id"] for entry in self.ok(self.umbra.call("GET", "/v1/models"))["data"]])
        self.assertEqual(self.ok(self.acme.call("GET", "/v1/models/" + model))["owned_by"], "acme")

        messages = [event["message"] for event in self.events(job["id"])]
        for sentence in ["Created fine-tuning job: " + job["id"], "Files validated, moving job to queued state",
                         "Fine-tuning job started", "New fine-tuned model created: " + model,
                         "The job has successfully completed"]:
            self.assertEqual(messages.count(sentence), 1, sentence)
        metrics = [event["data"] for event in self.events(job["id"]) if event["type"] == "metrics"]
        self.assertTrue(any("train_loss" in data for data in metrics) and any("valid_loss" in data for data in metrics))

        checkpoints = self.ok(self.acme.call("GET", f"/v1/fine_tuning/jobs/{job['id']}/checkpoints"))["data"]
        self.assertEqual([entry["fine_tuned_model_checkpoint"] for entry in checkpoints], [model])

        result = self.acme.call("GET", f"/v1/files/{done['result_files'][0]}/content").text.splitlines()
        self.assertEqual(result[0], "step,train_loss,valid_loss,valid_accuracy")
        self.assertGreater(len(result), 2)

        charged = self.home.rows("SELECT operation, input_tokens, amount, adapter FROM usage_event WHERE operation = 'fine_tune'")
        tokens = done["trained_tokens"]
        self.assertEqual(charged, [("fine_tune", tokens, (tokens * 8000 + 500) // 1000, model)])
        self.assertGreater(self.home.value("SELECT SUM(compute_micros) FROM cost_event WHERE kind = 'training'"), 0)

        listed = self.ok(self.acme.call("GET", "/v1/fine_tuning/jobs?metadata[team]=a"))["data"]
        self.assertEqual([entry["id"] for entry in listed], [job["id"]])
        self.assertEqual(self.ok(self.acme.call("GET", "/v1/fine_tuning/jobs?metadata[team]=b"))["data"], [])

        self.refused(self.umbra.call("DELETE", "/v1/models/" + model), 404, "model_not_found")
        self.refused(self.acme.call("DELETE", "/v1/models/tickets"), 403, "permission_denied")
        self.assertEqual(self.ok(self.acme.call("DELETE", "/v1/models/" + model)), {"id": model, "object": "model", "deleted": True})
        self.refused(self.acme.classify(model, "x"), 404, "model_not_found")
        internal = self.home.value("SELECT name FROM adapter WHERE name LIKE 'ft-%'")
        for name in [internal, internal + "@1"]:
            self.assertEqual(self.acme.classify(name, "x").status, 404, name)
        self.assertNotIn(model, [entry["id"] for entry in self.ok(self.acme.call("GET", "/v1/models"))["data"]])

    def test_orders_that_cannot_be(self):
        batch_file = self.ok(upload(self.acme, rows(2), "batch"))["id"]
        foreign = self.ok(upload(self.umbra, rows(2)))["id"]
        file = self.ok(upload(self.acme, rows(2)))["id"]
        good = {"model": "fixture", "training_file": file}
        for change, status in [
                ({"model": "nosuch"}, 404), ({"training_file": foreign}, 404), ({"training_file": "file_x"}, 404),
                ({"training_file": batch_file}, 400), ({"validation_file": batch_file}, 400), ({"suffix": "a:b"}, 400),
                ({"suffix": ""}, 400), ({"suffix": "x" * 65}, 400), ({"seed": -1}, 400), ({"seed": 1.5}, 400),
                ({"hyperparameters": {"n_epochs": 0}}, 400), ({"hyperparameters": {"n_epochs": "many"}}, 400),
                ({"hyperparameters": {"beta": 1}}, 400), ({"hyperparameters": {"learning_rate_multiplier": 0}}, 400),
                ({"method": {"type": "dpo"}}, 400), ({"method": {"type": "reinforcement"}}, 400), ({"method": {"type": "x"}}, 400),
                ({"method": {"type": "supervised"}, "hyperparameters": {"n_epochs": 1}}, 400),
                ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, 400), ({"metadata": {"a": 1}}, 400),
                ({"spend": 1}, 400), ({"model": "ft:fixture:acme::0"}, 400)]:
            answer = self.acme.call("POST", "/v1/fine_tuning/jobs", {**good, **change})
            self.assertEqual(answer.status, status, (change, answer.text))
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM job"), 0)
        nulls = {"suffix": None, "validation_file": None, "seed": None, "integrations": None, "method": None, "metadata": None,
                 "hyperparameters": None}
        self.ok(self.acme.call("POST", "/v1/fine_tuning/jobs", {**good, **nulls}))
        id = self.home.value("SELECT id FROM job")
        for method, path in [("GET", ""), ("GET", "/events"), ("GET", "/checkpoints"), ("POST", "/cancel"), ("POST", "/pause"),
                             ("POST", "/resume")]:
            self.refused(self.umbra.call(method, f"/v1/fine_tuning/jobs/{id}{path}"), 404, "job_not_found")
            self.refused(self.acme.call(method, f"/v1/fine_tuning/jobs/nosuch{path}"), 404, "job_not_found")
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/cancel"))

    def test_a_faulty_file_fails_its_job_with_the_rows_named(self):
        data = rows(20) + '{"text": "no label"}\n{"text": "x", "label": ""}\nnot json\n'
        for bad, words in [(data, ["row 41", "row 42", "row 43", "rows.jsonl"]), ("{}\n", ["rows.jsonl"]),
                           ('{"text": "a", "label": "b"}\n' * 5, ["label"])]:
            job = self.order(bad)
            self.assertEqual(self.worker("--once").wait(60), 0)
            failed = self.job(job["id"])
            self.assertEqual(failed["status"], "failed")
            self.assertEqual((failed["error"]["code"], failed["error"]["param"]), ("invalid_argument", "training_file"))
            for word in words:
                self.assertIn(word, failed["error"]["message"])
            self.assertNotIn(str(self.home.folder), failed["error"]["message"])
            self.assertIn(failed["error"]["message"], [event["message"] for event in self.events(job["id"])])
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), 0)

    def test_a_job_beyond_the_credit_limit_fails_before_it_learns(self):
        poor = harness.Client(self.server, self.home.keys["poor"])
        file = self.ok(upload(poor, rows(40)))["id"]
        id = self.ok(poor.call("POST", "/v1/fine_tuning/jobs", {"model": "fixture", "training_file": file}))["id"]
        self.assertEqual(self.worker("--once").wait(60), 0)
        failed = self.ok(poor.call("GET", "/v1/fine_tuning/jobs/" + id))
        self.assertEqual(failed["status"], "failed")
        self.assertFalse((self.home.folder / "jobs" / id / "events.jsonl").exists())
        poor.close()

    def test_a_file_deleted_before_it_was_read(self):
        job = self.order()
        self.ok(self.acme.call("DELETE", "/v1/files/" + job["training_file"]))
        self.assertEqual(self.worker("--once").wait(60), 0)
        self.assertIn("deleted", self.job(job["id"])["error"]["message"])


class InterruptTest(TuningTest):
    def test_pause_and_resume_reach_the_learner_and_lose_nothing(self):
        id = self.long_job()
        worker = self.worker()
        self.wait_for_step(id, 30)
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/pause"))
        self.wait(id, "paused")
        self.assertTrue((self.home.folder / "jobs" / id / "checkpoint").exists())
        self.refused(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/pause"), 409, "job_state")
        time.sleep(1)
        self.assertEqual(self.job(id)["status"], "paused")
        paused_at = self.step_of(id)
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/resume"))
        self.wait_for_step(id, paused_at + 20)
        self.assertGreaterEqual(self.resumed_from(id), paused_at)
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/cancel"))
        self.assertEqual(self.wait(id, "cancelled")["fine_tuned_model"], None)
        self.refused(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/resume"), 409, "job_state")
        self.assertEqual(self.home.open_holds(), 0)
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), 0)
        self.assertIsNone(worker.poll())

    def test_a_worker_told_to_end_gives_its_job_back(self):
        id = self.long_job()
        worker = self.worker()
        self.wait_for_step(id, 20)
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(60), 0)
        seen = self.step_of(id)
        self.worker()
        self.wait_for_step(id, seen + 20, seconds=20)
        self.assertGreaterEqual(self.resumed_from(id), seen)
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/cancel"))
        self.wait(id, "cancelled")

    def test_a_killed_worker_loses_at_most_the_steps_since_the_last_checkpoint(self):
        id = self.long_job()
        worker = self.worker()
        kept = self.wait_for_checkpoint(id)  # an epoch's end
        learner = self.learner_of(worker)
        os.kill(worker.pid, signal.SIGKILL)
        os.kill(learner, signal.SIGKILL)  # no last checkpoint either
        worker.wait()
        self.worker()
        self.wait_for_step(id, self.step_of(id) + 20)
        self.assertGreaterEqual(self.resumed_from(id), kept)
        self.assertEqual(self.job(id)["status"], "running")
        self.assertEqual(self.home.value("SELECT attempts FROM job"), 2)
        self.ok(self.acme.call("POST", f"/v1/fine_tuning/jobs/{id}/cancel"))
        self.wait(id, "cancelled")

    def test_a_job_whose_workers_die_again_and_again_fails_and_costs_nothing(self):
        id = self.long_job()
        self.wait(id, "validating_files")
        self.home.execute("UPDATE job SET attempts = 4, lease_until = 1")
        self.assertEqual(self.wait(id, "failed", seconds=20)["error"]["code"], "internal")
        self.assertEqual(self.worker("--once").wait(60), 0)


class SupervisedTest(TuningTest):
    OPTIONS = ["--workers", "2", "--lease-seconds", "3"]

    def test_the_server_keeps_workers_and_starts_them_again(self):
        first = self.server_workers()
        self.assertEqual(len(first), 2)
        for process in first:
            os.kill(process, signal.SIGKILL)
        for _ in range(200):
            again = self.server_workers()
            if len(again) == 2 and not set(first) & set(again):
                break
            time.sleep(0.05)
        self.assertEqual(len(again), 2)
        job = self.order(hyperparameters={"n_epochs": 1})
        self.assertEqual(self.wait(job["id"], "succeeded", "failed")["status"], "succeeded")

    def server_workers(self):
        found = subprocess.run(["pgrep", "-P", str(self.server.process.pid), "rootstock"], capture_output=True, text=True)
        return [int(word) for word in found.stdout.split()]


if __name__ == "__main__":
    unittest.main(verbosity=1)
