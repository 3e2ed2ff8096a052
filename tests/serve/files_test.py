#!/usr/bin/env python3
"""Files, uploads, batches, usage, costs and feedback of the running server, from outside."""
import hashlib
import json
import pathlib
import signal
import time
import unittest

import harness
from forms import form, upload

LINES = b'{"text": "where is my card?", "label": "a"}\n'


class RecordsTest(unittest.TestCase):
    OPTIONS = ["--workers", "0"]

    def setUp(self):
        self.home = harness.Home()
        self.server = harness.Server(self.home, *self.OPTIONS)
        self.acme = harness.Client(self.server, self.home.keys["acme"])
        self.umbra = harness.Client(self.server, self.home.keys["umbra"])

    def tearDown(self):
        self.acme.close()
        self.umbra.close()
        code = self.server.stop()
        problems = self.home.problems_in_books()
        holds = self.home.open_holds()
        self.home.remove()
        self.assertEqual(code, 0)
        self.assertEqual(problems, [])
        self.assertEqual(holds, 0)

    def restart(self, how=signal.SIGKILL, meanwhile=None):
        """`meanwhile`: SQL that changes the records while no server holds them."""
        self.server.stop(how)
        if meanwhile:
            self.home.execute(meanwhile)
        self.server = harness.Server(self.home, *self.OPTIONS)
        self.acme = harness.Client(self.server, self.home.keys["acme"])
        self.umbra = harness.Client(self.server, self.home.keys["umbra"])

    def ok(self, answer):
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.error["code"]), (status, code), answer.text)

    def blobs(self):
        return [path for path in (self.home.folder / "files").rglob("*") if path.is_file()]


class FilesTest(RecordsTest):
    def test_a_file_comes_back_as_it_was_and_goes_for_good(self):
        data = bytes(range(256)) * 5000 + b"\r\n----rootstock\r\n"
        file = self.ok(upload(self.acme, data, filename='we "quote" \\ 卡.jsonl'.replace('"', '%22')))
        self.assertEqual(file["bytes"], len(data))
        self.assertEqual(file["filename"], 'we "quote" \\ 卡.jsonl')
        self.assertEqual(self.ok(self.acme.call("GET", "/v1/files/" + file["id"])), file)
        self.acme.connection.request("GET", f"/v1/files/{file['id']}/content",
                                     headers={"Authorization": "Bearer " + self.acme.key})
        answer = self.acme.connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.read(), data)
        for method, path in [("GET", ""), ("GET", "/content"), ("DELETE", "")]:
            self.refused(self.umbra.call(method, f"/v1/files/{file['id']}{path}"), 404, "file_not_found")
        self.assertEqual(len(self.blobs()), 1)
        self.assertEqual(self.ok(self.acme.call("DELETE", "/v1/files/" + file["id"])),
                         {"id": file["id"], "object": "file", "deleted": True})
        self.refused(self.acme.call("GET", "/v1/files/" + file["id"]), 404, "file_not_found")
        self.assertEqual(self.blobs(), [])

    def test_pages_of_files(self):
        ids = [self.ok(upload(self.acme, LINES, purpose))["id"] for purpose in ["fine-tune", "batch", "fine-tune"]]
        page = self.ok(self.acme.call("GET", "/v1/files?limit=2"))
        self.assertEqual([file["id"] for file in page["data"]], [ids[2], ids[1]])
        self.assertTrue(page["has_more"])
        rest = self.ok(self.acme.call("GET", "/v1/files?limit=2&after=" + page["last_id"]))
        self.assertEqual([file["id"] for file in rest["data"]], [ids[0]])
        self.assertFalse(rest["has_more"])
        self.assertEqual(len(self.ok(self.acme.call("GET", "/v1/files?purpose=batch&order=asc"))["data"]), 1)
        self.assertEqual(self.ok(self.umbra.call("GET", "/v1/files"))["data"], [])
        for query in ["limit=0", "limit=x", "order=up", "nosuch=1", "limit=1&limit=2"]:
            self.assertEqual(self.acme.call("GET", "/v1/files?" + query).status, 400, query)
        self.refused(self.acme.call("GET", "/v1/files?limit=%zz"), 400, "invalid_value")

    def test_what_is_no_form_is_refused_and_leaves_nothing(self):
        body, headers = form({"purpose": "fine-tune"}, data=LINES)
        cases = [
            (body.replace(b"fine-tune", b"training"), headers, 400, "invalid_value"),
            (body, {"Content-Type": "application/json"}, 415, "unsupported_media_type"),
            (body, {"Content-Type": "multipart/form-data"}, 400, "invalid_value"),
            (body[:-10], headers, 400, "invalid_value"),
            (b"--x" + body, headers, 400, "invalid_value"),
            (b"", headers, 400, "invalid_value"),
            (form({}, data=LINES)[0], headers, 400, "invalid_value"),
            (form({"purpose": "fine-tune"}, data=b"")[0], headers, 400, "invalid_value"),
            (form({"purpose": "fine-tune"}, "data", data=LINES)[0], headers, 400, "invalid_value"),
            (form({"purpose": "fine-tune", "spend": "1"}, data=LINES)[0], headers, 400, "unknown_field"),
            (form({"purpose": "fine-tune", "expires_after[anchor]": "created_at"}, data=LINES)[0], headers, 400, "invalid_value"),
            (form({"purpose": "fine-tune"}, filename="a%0D%0Ab", data=LINES)[0], headers, 400, "invalid_value"),
            (form({"purpose": "x" * 70000}, data=LINES)[0], headers, 400, "invalid_value"),
        ]
        for sent, with_headers, status, code in cases:
            client = harness.Client(self.server, self.home.keys["acme"])
            self.refused(client.call("POST", "/v1/files", sent, with_headers), status, code)
            client.close()
        self.assertEqual(self.blobs(), [])
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM file"), 0)

    def test_expiry_is_told(self):
        file = self.ok(upload(self.acme, LINES, **{"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600}))
        self.assertEqual(file["expires_at"] - file["created_at"], 3600)

    def test_an_expired_file_is_missing_and_its_bytes_are_swept(self):
        file = self.ok(upload(self.acme, LINES, **{"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600}))
        self.home.execute("UPDATE file SET expires_at = 1")
        self.refused(self.acme.call("GET", "/v1/files/" + file["id"]), 404, "file_not_found")
        for _ in range(100):
            if not self.blobs():
                break
            time.sleep(0.1)
        self.assertEqual(self.blobs(), [])

    def test_a_stranger_fills_no_disk(self):
        head = "POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: 400000000\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        self.assertIn(b" 401 ", self.server.raw((head + "\r\n").encode()))
        self.assertIn(b" 413 ", self.server.raw((head.replace("400000000", "600000000") +
                                                 f"Authorization: Bearer {self.acme.key}\r\n\r\n").encode()))

    def test_memory_stays_small_while_a_large_file_comes(self):
        before = self.server.resident_bytes()
        data = b'{"text": "' + b"x" * (90 << 20) + b'"}\n'
        file = self.ok(upload(self.acme, data, "batch"))
        self.assertEqual(file["bytes"], len(data))
        self.assertLess(self.server.resident_bytes() - before, 30 << 20)

    def test_uploads_in_parts(self):
        data = LINES * 1000
        order = {"filename": "big.jsonl", "purpose": "fine-tune", "bytes": len(data), "mime_type": "text/jsonl"}
        made = self.ok(self.acme.call("POST", "/v1/uploads", order))
        self.assertEqual((made["status"], made["file"]), ("pending", None))
        half = len(data) // 2

        def part(piece, client=self.acme):
            body, headers = form({}, "data", data=piece)
            return client.call("POST", f"/v1/uploads/{made['id']}/parts", body, headers)

        second, first = self.ok(part(data[half:])), self.ok(part(data[:half]))
        self.assertEqual(first["upload_id"], made["id"])
        self.refused(part(b"x", self.umbra), 404, "upload_not_found")
        self.refused(part(b"x"), 400, "invalid_value")  # more than was announced
        path = f"/v1/uploads/{made['id']}/complete"
        self.refused(self.acme.call("POST", path, {"part_ids": [first["id"]]}), 400, "invalid_value")
        self.refused(self.acme.call("POST", path, {"part_ids": [first["id"], first["id"]]}), 400, "invalid_value")
        ids = [first["id"], second["id"]]
        self.refused(self.acme.call("POST", path, {"part_ids": ids, "md5": "0" * 32}), 400, "invalid_value")
        self.assertEqual(len(self.blobs()), 2)
        done = self.ok(self.acme.call("POST", path, {"part_ids": ids, "md5": hashlib.md5(data).hexdigest().upper()}))
        self.assertEqual((done["status"], done["file"]["bytes"]), ("completed", len(data)))
        self.assertEqual(self.acme.call("GET", f"/v1/files/{done['file']['id']}/content").text.encode(), data)
        self.refused(self.acme.call("POST", path, {"part_ids": ids}), 409, "upload_state")
        self.refused(self.acme.call("POST", f"/v1/uploads/{made['id']}/cancel"), 409, "upload_state")
        self.assertEqual(len(self.blobs()), 1)

    def test_a_cancelled_upload_leaves_nothing(self):
        order = {"filename": "big.jsonl", "purpose": "batch", "bytes": 10, "mime_type": "text/jsonl"}
        made = self.ok(self.acme.call("POST", "/v1/uploads", order))
        body, headers = form({}, "data", data=b"0123")
        self.ok(self.acme.call("POST", f"/v1/uploads/{made['id']}/parts", body, headers))
        self.assertEqual(self.ok(self.acme.call("POST", f"/v1/uploads/{made['id']}/cancel"))["status"], "cancelled")
        self.assertEqual(self.blobs(), [])
        for change in [{"bytes": 0}, {"bytes": 1 << 40}, {"purpose": "x"}, {"filename": ""}, {"mime_type": "a\nb"}, {"spend": 1}]:
            self.assertEqual(self.acme.call("POST", "/v1/uploads", {**order, **change}).status, 400, change)


class QuotaTest(RecordsTest):
    OPTIONS = ["--workers", "0", "--files-bytes-max", "1000", "--upload-bytes-max", "2000"]

    def test_a_tenants_files_have_a_limit(self):
        first = self.ok(upload(self.acme, b"x" * 700))
        self.refused(upload(self.acme, b"x" * 400), 413, "storage_quota_exceeded")
        self.assertEqual(len(self.blobs()), 1)
        self.ok(upload(self.umbra, b"x" * 900))
        self.ok(self.acme.call("DELETE", "/v1/files/" + first["id"]))
        self.ok(upload(self.acme, b"x" * 400))

    def test_one_upload_has_a_limit(self):
        answer = upload(harness.Client(self.server, self.home.keys["acme"]), b"x" * 3000)
        self.refused(answer, 413, "request_too_large")


class FeedbackTest(RecordsTest):
    def test_feedback_is_appended_to_a_prediction_of_ones_own(self):
        answer = self.ok(self.acme.classify("tickets", "where is my card?"))
        prediction = answer["data"][0]["prediction_id"]
        said = self.ok(self.acme.call("POST", "/v1/feedback", {"prediction_id": prediction, "rating": "bad"}))
        self.assertEqual((said["object"], said["rating"], said["correction"]), ("feedback", "bad", None))
        self.ok(self.acme.call("POST", "/v1/feedback", {"prediction_id": prediction, "correction": "lost_card", "comment": "x"}))
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM feedback"), 2)
        self.refused(self.umbra.call("POST", "/v1/feedback", {"prediction_id": prediction, "rating": "bad"}), 404,
                     "prediction_not_found")
        for body in [{"prediction_id": prediction}, {"prediction_id": prediction, "rating": "fine"}, {"rating": "good"},
                     {"prediction_id": prediction, "correction": "x" * 9000}, {"prediction_id": prediction, "rating": 1}]:
            self.assertEqual(self.acme.call("POST", "/v1/feedback", body).status, 400, body)


class UsageTest(RecordsTest):
    def test_usage_and_costs_are_the_ledgers_and_the_tenants_own(self):
        start = int(time.time()) // 86400 * 86400
        tokens = 0
        for model in ["tickets", "mood", "tickets"]:
            tokens += self.ok(self.acme.classify(model, ["where is my card?", "help"]))["usage"]["total_tokens"]
        embedded = self.ok(self.acme.embed("where is my card?"))["usage"]["total_tokens"]
        self.ok(self.umbra.classify("tickets", "x"))

        def buckets(path, client=self.acme):
            return self.ok(client.call("GET", f"/v1/organization/{path}"))["data"]

        day = buckets(f"usage/classifications?start_time={start}")
        self.assertEqual(len(day), 1)
        self.assertEqual(day[0]["end_time"] - day[0]["start_time"], 86400)
        self.assertEqual(sum(result["input_tokens"] for bucket in day for result in bucket["results"]), tokens)
        models = buckets(f"usage/classifications?start_time={start}&group_by[]=model&group_by[]=api_key_id")[0]["results"]
        self.assertEqual({result["model"]: result["num_model_requests"] for result in models}, {"tickets@1": 2, "mood@2": 1})
        self.assertTrue(all(result["api_key_id"].startswith("key_") for result in models))
        only = buckets(f"usage/classifications?start_time={start}&models=mood@2")[0]["results"]
        self.assertEqual([result["num_model_requests"] for result in only], [1])
        self.assertEqual(buckets(f"usage/embeddings?start_time={start}")[0]["results"][0]["input_tokens"], embedded)
        self.assertEqual(buckets(f"usage/completions?start_time={start}")[0]["results"], [])
        owed = self.home.value("SELECT SUM(amount) FROM usage_event WHERE tenant_id = (SELECT id FROM tenant WHERE name = 'acme')")
        text = self.acme.call("GET", f"/v1/organization/costs?start_time={start}").text
        self.assertIn(f'"value":{owed // 10**6}.{owed % 10**6:06d},"currency":"usd"', text)
        lines = buckets(f"costs?start_time={start}&group_by=line_item")[0]["results"]
        self.assertEqual({line["line_item"] for line in lines}, {"tickets@1, classify", "mood@2, classify", "fixture, embed"})
        self.assertEqual(sum(line["quantity"] for line in lines), tokens + embedded)
        self.assertEqual(buckets(f"usage/classifications?start_time={start}", self.umbra)[0]["results"][0]["num_model_requests"], 1)

    def test_pages_of_buckets(self):
        self.ok(self.acme.classify("tickets", "x"))
        now = int(time.time())
        start = now // 60 * 60 - 600
        path = f"/v1/organization/usage/classifications?start_time={start}&bucket_width=1m&limit=4"
        seen, page = [], self.ok(self.acme.call("GET", path))
        while True:
            seen += page["data"]
            if not page["has_more"]:
                break
            page = self.ok(self.acme.call("GET", f"{path}&page={page['next_page']}"))
        self.assertEqual([bucket["start_time"] for bucket in seen], list(range(start, seen[-1]["end_time"], 60)))
        self.assertEqual(sum(result["num_model_requests"] for bucket in seen for result in bucket["results"]), 1)
        for query in ["", "start_time=-1", "start_time=x", f"start_time={start}&bucket_width=1y", f"start_time={start}&group_by=day",
                      f"start_time={start}&page=next", f"start_time={start}&limit=100000"]:
            self.assertEqual(self.acme.call("GET", "/v1/organization/usage/classifications?" + query).status, 400, query)
        self.assertEqual(self.acme.call("GET", f"/v1/organization/costs?start_time={start}&bucket_width=1h").status, 400)


def line(custom_id, body, url="/v1/classify", **more):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body, **more}) + "\n"


class BatchTest(RecordsTest):
    def order(self, lines, endpoint="/v1/classify", **more):
        file = self.ok(upload(self.acme, "".join(lines), "batch"))
        return self.acme.call("POST", "/v1/batches", {"input_file_id": file["id"], "endpoint": endpoint,
                                                      "completion_window": "24h", **more})

    def wait(self, batch, *states, seconds=60):
        for _ in range(seconds * 20):
            found = self.ok(self.acme.call("GET", "/v1/batches/" + batch["id"]))
            if found["status"] in states:
                return found
            time.sleep(0.05)
        self.fail(f"{found['status']} after {seconds} s")

    def content(self, file):
        text = self.acme.call("GET", f"/v1/files/{file}/content").text
        return {entry["custom_id"]: entry for entry in map(json.loads, text.splitlines())}

    def test_every_line_is_answered_as_its_route_answers(self):
        lines = [line(f"n{i}", {"model": "tickets", "input": f"text {i}"}) for i in range(50)]
        lines += [line("nosuch", {"model": "nosuch", "input": "x"}), line("bad", {"model": "tickets"})]
        batch = self.ok(self.order(lines, metadata={"for": "test"}))
        self.assertEqual((batch["status"], batch["metadata"]), ("validating", {"for": "test"}))
        done = self.wait(batch, "completed")
        self.assertEqual(done["request_counts"], {"total": 52, "completed": 50, "failed": 2})
        self.assertEqual(done["model"], "tickets")
        answers = self.content(done["output_file_id"])
        self.assertEqual(len(answers), 50)
        direct = self.ok(self.acme.classify("tickets", "text 7"))
        self.assertEqual(answers["n7"]["response"]["body"]["data"][0]["probabilities"], direct["data"][0]["probabilities"])
        self.assertEqual(done["usage"]["input_tokens"],
                         sum(answer["response"]["body"]["usage"]["prompt_tokens"] for answer in answers.values()))
        errors = self.content(done["error_file_id"])
        self.assertEqual(errors["nosuch"]["response"]["status_code"], 404)
        self.assertEqual(errors["bad"]["response"]["status_code"], 400)
        self.assertFalse((self.home.folder / "batches" / batch["id"]).exists())
        self.refused(self.acme.call("POST", f"/v1/batches/{batch['id']}/cancel"), 409, "batch_state")
        for method, path in [("GET", ""), ("POST", "/cancel")]:
            self.refused(self.umbra.call(method, f"/v1/batches/{batch['id']}{path}"), 404, "batch_not_found")
        self.assertEqual([entry["id"] for entry in self.ok(self.acme.call("GET", "/v1/batches?limit=1"))["data"]], [batch["id"]])

    def test_embeddings_can_be_batched_too(self):
        done = self.wait(self.ok(self.order([line("a", {"model": "fixture", "input": "x"}, "/v1/embeddings")], "/v1/embeddings")),
                         "completed")
        self.assertEqual(self.content(done["output_file_id"])["a"]["response"]["body"]["object"], "list")
        self.assertNotIn("error_file_id", done)

    def test_a_file_that_is_no_batch_fails_with_its_lines(self):
        good = {"model": "tickets", "input": "x"}
        lines = [line("a", good), "{\n", line("a", good), line("b", good, "/v1/embeddings"), line("c", good, method="GET"),
                 line("d", {**good, "stream": True}), line("", good), line("e", [1])]
        done = self.wait(self.ok(self.order(lines)), "failed")
        self.assertEqual({(problem["line"], problem["code"]) for problem in done["errors"]["data"]},
                         {(2, "invalid_json_line"), (3, "duplicate_custom_id"), (4, "mismatched_endpoint"), (5, "invalid_method"),
                          (6, "streaming_unsupported"), (7, "invalid_custom_id"), (8, "invalid_request")})
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), 0)

    def test_orders_that_cannot_be(self):
        file = self.ok(upload(self.acme, LINES, "fine-tune"))["id"]
        foreign = self.ok(upload(self.umbra, LINES, "batch"))["id"]
        own = self.ok(upload(self.acme, LINES, "batch"))["id"]
        good = {"input_file_id": own, "endpoint": "/v1/classify", "completion_window": "24h"}
        for change, status in [({"input_file_id": file}, 400), ({"input_file_id": foreign}, 404), ({"input_file_id": "x"}, 404),
                               ({"endpoint": "/v1/batches"}, 400), ({"endpoint": "/v1/files"}, 400), ({"endpoint": "/v1/nosuch"}, 400),
                               ({"completion_window": "1h"}, 400), ({"metadata": {"a": 1}}, 400), ({"spend": 1}, 400),
                               ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, 400)]:
            self.assertEqual(self.acme.call("POST", "/v1/batches", {**good, **change}).status, status, change)

    def test_a_cancelled_batch_keeps_what_it_answered(self):
        lines = [line(f"n{i}", {"model": "tickets", "input": "text " * 12}) for i in range(5000)]
        batch = self.ok(self.order(lines))
        self.wait(batch, "in_progress")
        self.assertEqual(self.ok(self.acme.call("POST", f"/v1/batches/{batch['id']}/cancel"))["status"], "cancelling")
        done = self.wait(batch, "cancelled")
        counts = done["request_counts"]
        self.assertLess(counts["completed"], 5000)
        if counts["completed"]:
            self.assertEqual(len(self.content(done["output_file_id"])), counts["completed"])
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), counts["completed"])

    def test_an_expired_batch_tells_what_it_did_not_answer(self):
        lines = [line(f"n{i}", {"model": "tickets", "input": "text " * 12}) for i in range(5000)]
        batch = self.ok(self.order(lines))
        self.wait(batch, "in_progress")
        self.restart(meanwhile="UPDATE batch SET expires_at = 1")
        done = self.wait(batch, "expired")
        self.assertEqual(done["request_counts"]["completed"] + done["request_counts"]["failed"], 5000)
        errors = self.content(done["error_file_id"])
        self.assertEqual({entry["error"]["code"] for entry in errors.values()}, {"batch_expired"})

    def test_killed_servers_charge_no_line_twice(self):
        count = 3000
        lines = [line(f"n{i}", {"model": "tickets", "input": f"text {i}"}) for i in range(count)]
        batch = self.ok(self.order(lines))
        for _ in range(4):
            self.wait(batch, "in_progress", "completed")
            time.sleep(0.3)
            self.restart(signal.SIGKILL)
        done = self.wait(batch, "completed", seconds=120)
        self.assertEqual(done["request_counts"], {"total": count, "completed": count, "failed": 0})
        self.assertEqual(len(self.content(done["output_file_id"])), count)
        self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), count)


if __name__ == "__main__":
    unittest.main(verbosity=1)
