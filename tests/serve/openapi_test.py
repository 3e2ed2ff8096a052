#!/usr/bin/env python3
"""api/openapi.yaml and the running server say the same.

Every route of the sources is documented and every documented one is served; each kind of answer that can be caused
from outside is caused, and must be documented for its route: status, headers, content type, body. What the document
says of request bodies is held against the server too: what the schema refuses, the server refuses.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import base64
import json
import re
import unittest

import harness
from forms import form
from writing_client import said

try:
    import jsonschema
    import yaml
except ImportError as missing:
    harness.skip(f"{missing.name} is not installed (python3-yaml, python3-jsonschema)")

TEXT = "where is my card?"
PICTURE = base64.b64encode((harness.GOLDEN / "images" / "rgb.png").read_bytes()).decode()
INFER = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [TEXT]}]}
TEI = ("/predict", "/embed", "/rerank")  # their clients know 422 where ours know 400
QUERIES = {"/predict": "?model=tickets", "/embed": "?model=entities"}


class Document:
    def __init__(self):
        self.root = yaml.safe_load((harness.ROOT / "api" / "openapi.yaml").read_text())

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def routes(self):
        return {(method.upper(), path) for path, item in self.root["paths"].items() for method in item}

    def routes_of_models(self):
        """All but the management API, which management_test.py and authorization_test.py hold to this document, what
        providers of payments call, and forms, which sign_up_test.py fills in."""
        others = ("/api/", "/hooks/", "/signup", "/zh/signup")
        return {route for route in self.routes() if not route[1].startswith(others)}

    def operation(self, method, path):
        return self.root["paths"][path][method.lower()]

    def check(self, schema, value):
        """jsonschema with this document's components in reach."""
        jsonschema.Draft202012Validator({"components": self.root["components"], **schema}).validate(value)

    def check_response(self, response, answer):
        """Headers, content type and body of an answer against a response object."""
        response = self.follow(response)
        for name, header in response.get("headers", {}).items():
            header = self.follow(header)
            value = answer.headers.get(name)
            if value is None:
                assert not header.get("required"), f"the header {name} is missing"
            else:
                self.check(header["schema"], value)
        if "content" not in response:
            assert answer.text == "", "a body that is not documented"
            return
        media = answer.headers["Content-Type"].split(";")[0]
        assert media in response["content"], f"{media} is not documented"
        value = answer.json if media.endswith("json") else answer.text
        self.check(response["content"][media]["schema"], value)


def routes_in_sources():
    found = set()
    for path in sorted((harness.ROOT / "src" / "app" / "routes").glob("*.cpp")):
        found |= set(re.findall(r'routes\.add\(\s*"([A-Z]+)",\s*"([^"]+)"', path.read_text()))
    return found


class OpenApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = Document()
        cls.home = harness.Home()
        names = ("entities", "answers", "crossencoder", "pictures")
        cls.home.add_adapter("fixture", "omni-moderation-latest", "acme", ["ok", "hate"], 31)
        cls.home.pull(*(harness.GOLDEN / "reading" / name for name in names))
        cls.server = harness.Server(cls.home, "--queue-rows-max", "100", "--workers", "0", bases=("fixture", "writer", *names))
        cls.seen = set()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.home.remove()
        assert code == 0

    def call(self, method, path, route, status, body=None, key="acme", headers=None):
        """One call; its answer must be documented for the route and have the status."""
        client = harness.Client(self.server, self.home.keys.get(key))
        answer = client.call(method, path, body, headers)
        client.close()
        self.assertEqual(answer.status, status, answer.text)
        responses = self.document.operation(method, route)["responses"]
        self.assertIn(str(status), responses, f"{method} {route} answers {status}, which is not documented")
        self.document.check_response(responses[str(status)], answer)
        self.seen.add((method, route, status))
        return answer

    def test_the_document_is_sound(self):
        root = self.document.root
        self.assertEqual(root["openapi"], "3.1.0")
        text = json.dumps(root)
        for reference in set(re.findall(r'"\$ref": "([^"]+)"', text)):
            self.assertIsInstance(self.document.follow({"$ref": reference}), dict, reference)
        for schema in root["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        operations = [op for item in root["paths"].values() for op in item.values()]
        names = [op["operationId"] for op in operations]
        self.assertEqual(len(names), len(set(names)))

    def test_the_same_routes(self):
        self.assertEqual(self.document.routes(), routes_in_sources())

    def prepared(self):
        """Something of each kind, made through the routes: what stands for {id} in each of them."""
        body, headers = form({"purpose": "fine-tune"}, data=b'{"text": "x", "label": "a"}\n' * 3)
        file = self.call("POST", "/v1/files", "/v1/files", 200, body, headers=headers).json["id"]
        body, headers = form({"purpose": "batch"}, data=b"{}\n")
        lines = self.call("POST", "/v1/files", "/v1/files", 200, body, headers=headers).json["id"]
        order = {"filename": "a", "purpose": "batch", "bytes": 4, "mime_type": "text/jsonl"}
        uploads = [self.call("POST", "/v1/uploads", "/v1/uploads", 200, order).json["id"] for _ in range(2)]
        part_body, part_headers = form({}, "data", data=b"0123")
        route = "/v1/uploads/{id}/parts"
        part = self.call("POST", route.replace("{id}", uploads[0]), route, 200, part_body, headers=part_headers).json["id"]
        tuning = {"model": "fixture", "training_file": file}
        job = self.call("POST", "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs", 200, tuning).json["id"]
        order = {"input_file_id": lines, "endpoint": "/v1/classify", "completion_window": "24h"}
        batch = self.call("POST", "/v1/batches", "/v1/batches", 200, order).json["id"]
        answer = self.call("POST", "/v1/classify", "/v1/classify", 200, {"model": "tickets", "input": TEXT}).json
        self.bodies = {
            "/v1/classify": {"model": "tickets", "input": TEXT}, "/v1/embeddings": {"model": "fixture", "input": TEXT},
            "/v1/extract": {"model": "entities", "input": TEXT},
            "/v1/answer-span": {"model": "answers", "question": TEXT, "context": "my card", "allow_no_answer": True, "top_k": 9},
            "/v1/rerank": {"model": "crossencoder", "query": TEXT, "documents": ["a", "b"], "return_documents": True},
            "/v1/images/classify": {"model": "pictures", "image": PICTURE},
            "/v1/moderations": {"input": TEXT},
            "/v2/models/{id}/infer": INFER,
            "/predict": {"inputs": TEXT}, "/embed": {"inputs": TEXT}, "/rerank": {"query": TEXT, "texts": ["a", "b"], "return_text": True},
            "/v1/similarity": {"model": "fixture", "source": TEXT, "input": ["a", "b"]},
            "/v1/chat/completions": said(TEXT, max_tokens=4),
            "/v1/completions": {"model": "writer", "prompt": TEXT, "max_tokens": 4},
            "/v1/uploads/{id}/complete": {"part_ids": [part]},
            "/v1/feedback": {"prediction_id": answer["data"][0]["prediction_id"], "rating": "good"}}
        return {"/v1/files/{id}": file, "/v1/files/{id}/content": file, "/v1/uploads/{id}/complete": uploads[0],
                "/v1/uploads/{id}/cancel": uploads[1], "/v1/batches/{id}": batch,
                "/v1/models/{id}": "tickets"} | {
                    f"/v1/fine_tuning/jobs/{{id}}{verb}": job
                    for verb in ["", "/events", "/checkpoints", "/pause", "/resume", "/cancel"]}

    # Made, ended, removed or learned by other tests: tuning_test.py, files_test.py and score_test.py.
    ELSEWHERE = {("DELETE", "/v1/models/{id}"), ("POST", "/v1/batches/{id}/cancel"), ("POST", "/v1/score")}

    def test_every_documented_route_answers(self):
        ids = self.prepared()
        done = {("POST", route) for route in ["/v1/files", "/v1/uploads", "/v1/uploads/{id}/parts", "/v1/fine_tuning/jobs",
                                              "/v1/batches"]} | self.ELSEWHERE
        # In the order in which a job can be paused, resumed and cancelled; what removes comes last.
        order = ["pause", "resume", "cancel"]
        routes = sorted(self.document.routes_of_models() - done,
                        key=lambda r: (r[0] == "DELETE", max([order.index(v) for v in order if r[1].endswith(v)], default=-1), r[1]))
        for method, route in routes:
            query = "?start_time=1700000000" if "organization" in route else QUERIES.get(route, "")
            path = route.replace("{id}", ids.get(route, "tickets")) + query
            self.call(method, path, route, 200, self.bodies.get(route))

    def test_records_that_are_not_there(self):
        for method, route in sorted(self.document.routes_of_models()):
            if "{id}" not in route:
                continue
            body, headers = None, None
            if route.endswith("/parts"):
                body, headers = form({}, "data", data=b"x")
            elif route.endswith("/complete"):
                body = {"part_ids": ["x"]}
            elif route.endswith("/infer"):
                body = INFER
            self.call(method, route.replace("{id}", "nosuch"), route, 404, body, headers=headers)
        for route, body in [("/v1/fine_tuning/jobs", {"model": "nosuch", "training_file": "x"}),
                            ("/v1/batches", {"input_file_id": "x", "endpoint": "/v1/classify", "completion_window": "24h"}),
                            ("/v1/feedback", {"prediction_id": "x", "rating": "good"})]:
            self.call("POST", route, route, 404, body)

    def test_refusals_of_the_record_routes(self):
        for method, route in sorted(self.document.routes_of_models()):
            operation = self.document.operation(method, route)
            path = route.replace("{id}", "nosuch")
            if "400" in operation["responses"] and method == "GET":
                self.call(method, path + "?nosuch=1", route, 400)
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                self.call(method, path, route, 422 if route in TEI else 400, {"nosuch": 1})
                self.call(method, path, route, 415, "x")
        ids = self.prepared()
        self.call("POST", f"/v1/uploads/{ids['/v1/uploads/{id}/cancel']}/cancel", "/v1/uploads/{id}/cancel", 200)
        self.call("POST", f"/v1/uploads/{ids['/v1/uploads/{id}/cancel']}/cancel", "/v1/uploads/{id}/cancel", 409)
        job = ids["/v1/fine_tuning/jobs/{id}"]
        self.call("POST", f"/v1/fine_tuning/jobs/{job}/resume", "/v1/fine_tuning/jobs/{id}/resume", 409)
        body, headers = form({"purpose": "fine-tune"}, data=b"x")
        self.call("POST", "/v1/files", "/v1/files", 415, body)
        self.call("POST", "/v1/files", "/v1/files", 400, body[:-9], headers=headers)
        self.call("DELETE", "/v1/models/tickets", "/v1/models/{id}", 403)

    def test_every_guarded_route_wants_a_key(self):
        for method, route in sorted(self.document.routes_of_models()):
            if self.document.operation(method, route).get("security") == []:
                self.call(method, route, route, 200, key="nobody")
                continue
            path = route.replace("{id}", "tickets")
            for key in ["nobody", "revoked", "expired"]:
                self.call(method, path, route, 401, key=key)
            self.call(method, path, route, 401, headers={"Authorization": "Bearer rsk_live_x"})
            self.call(method, path, route, 403, key="suspended")

    def test_refusals(self):
        route = "/v1/classify"
        good = {"model": "tickets", "input": TEXT}
        json_type = {"Content-Type": "application/json"}
        for route, good in [("/v1/classify", good), ("/v1/embeddings", {"model": "fixture", "input": TEXT})]:
            self.call("POST", route, route, 400, {**good, "spend": 1})
            self.call("POST", route, route, 400, "{", headers=json_type)
            self.call("POST", route, route, 400, '{"a":1,"a":2}', headers=json_type)
            self.call("POST", route, route, 400, {**good, "input": "card " * 1000})
            self.call("POST", route, route, 400, {**good, "input": ["x"] * 2049})
            self.call("POST", route, route, 404, {**good, "model": "nosuch"})
            self.call("POST", route, route, 413, {**good, "input": ["card"] * 60})  # half of --queue-rows-max is 50
            self.call("POST", route, route, 415, "x")
            self.call("POST", route, route, 429, {**good, "input": ["card card card"] * 20}, key="poor")
            key = {"Idempotency-Key": "k" + route}
            self.call("POST", route, route, 200, good, headers=key)
            self.call("POST", route, route, 200, good, headers=key)
            self.call("POST", route, route, 422, {**good, "truncate": True}, headers=key)
        for route, good in [("/v1/chat/completions", said(TEXT, max_tokens=4)),
                            ("/v1/completions", {"model": "writer", "prompt": TEXT, "max_tokens": 4})]:
            self.call("POST", route, route, 400, {**good, "spend": 1})
            self.call("POST", route, route, 400, "{", headers=json_type)
            self.call("POST", route, route, 404, {**good, "model": "nosuch"})
            self.call("POST", route, route, 400, {**good, "model": "fixture"})
            self.call("POST", route, route, 415, "x")
            self.call("POST", route, route, 429, {**good, "max_tokens": 100}, key="poor")
            self.call("POST", route, route, 200, {**good, "stream": True})
            key = {"Idempotency-Key": "k" + route}
            self.call("POST", route, route, 200, good, headers=key)
            self.call("POST", route, route, 200, good, headers=key)
            self.call("POST", route, route, 422, {**good, "seed": 1}, headers=key)
        long = {"model": "writer", "prompt": [7] * 600}
        self.call("POST", "/v1/completions", "/v1/completions", 400, long)
        self.call("POST", "/v1/classify", "/v1/classify", 503, {"model": "broken", "input": TEXT})
        self.call("GET", "/v1/models/secret", "/v1/models/{id}", 404)

    def test_refusals_before_a_route(self):
        responses = self.document.root["components"]["responses"]
        client = harness.Client(self.server, self.home.keys["acme"])
        for method, path, name in [("GET", "/v1/classify", "MethodNotAllowed"), ("PUT", "/healthz", "MethodNotAllowed"),
                                   ("GET", "/nowhere", "NotFound")]:
            self.document.check_response(responses[name], client.call(method, path))
        client.close()
        for head, status in [("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
                             ("GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % ("x" * 9000), 414),
                             ("GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % ("x" * 20000), 431),
                             ("POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
                             ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: x\r\n\r\n", 417)]:
            text = self.server.raw(head.encode()).decode()
            self.assertIn(f" {status} ", text.split("\r\n")[0])
            self.document.check_response(responses["HeadRefused"], parse(text))

    def test_what_the_schema_refuses_the_server_refuses(self):
        cases = {"ClassifyRequest": ("/v1/classify", {"model": "tickets", "input": TEXT}),
                 "EmbeddingsRequest": ("/v1/embeddings", {"model": "fixture", "input": TEXT}),
                 "ExtractRequest": ("/v1/extract", {"model": "entities", "input": TEXT}),
                 "AnswerSpanRequest": ("/v1/answer-span", {"model": "answers", "question": TEXT, "context": "my card"}),
                 "RerankRequest": ("/v1/rerank", {"model": "crossencoder", "query": TEXT, "documents": ["a"]}),
                 "ModerationRequest": ("/v1/moderations", {"input": TEXT}),
                 "SimilarityRequest": ("/v1/similarity", {"model": "fixture", "source": TEXT, "input": ["a"]})}
        changes = [{}, {"input": [TEXT, "b"]}, {"input": []}, {"input": 1}, {"input": None}, {"input": [[]]}, {"input": [1, -1]},
                   {"input": ["a", 1]}, {"input": [2, 3]}, {"input": [[2, 3], [2, 50, 3]]}, {"truncate": 1}, {"truncate": True},
                   {"top_k": 0}, {"top_k": 1}, {"top_k": "1"}, {"user": 1}, {"user": "u"}, {"encoding_format": "float"},
                   {"encoding_format": "base64"}, {"encoding_format": "x"}, {"tenant_id": "x"}, {"model": 5},
                   {"min_score": 0.5}, {"min_score": 2}, {"max_answer_tokens": 0}, {"allow_no_answer": True}, {"allow_no_answer": 1},
                   {"documents": []}, {"documents": "a"}, {"documents": ["a", 1]}, {"top_n": 0}, {"top_n": 2}, {"return_documents": 1},
                   {"input": [{"type": "text", "text": "a"}]}, {"input": [{"type": "x"}]}, {"threshold": 0.2}, {"threshold": 2},
                   {"thresholds": {"hate": 1}}, {"thresholds": {"hate": 2}}, {"neutral": []}, {"neutral": [1]},
                   {"source": ["a"]}, {"question": None}, {"context": 5}]
        self.hold_against_the_schema(cases, changes)

    def test_what_the_schema_of_writing_refuses_the_server_refuses(self):
        cases = {"ChatRequest": ("/v1/chat/completions", said(TEXT, max_tokens=2)),
                 "CompletionRequest": ("/v1/completions", {"model": "writer", "prompt": TEXT, "max_tokens": 2})}
        changes = [{}, {"temperature": 0}, {"temperature": 3}, {"temperature": None}, {"top_p": -1}, {"top_k": 5}, {"min_p": 2},
                   {"n": 2}, {"n": 0}, {"n": 33}, {"stop": "a"}, {"stop": ["a", "b"]}, {"stop": []}, {"stop": [""]}, {"stop": 1},
                   {"seed": 5}, {"seed": "5"}, {"logit_bias": {"5": 1}}, {"logit_bias": {"x": 1}}, {"logit_bias": {"5": 200}},
                   {"stream": False}, {"stream": 1}, {"max_tokens": 0}, {"max_tokens": "2"}, {"repetition_penalty": 0},
                   {"presence_penalty": 2}, {"frequency_penalty": -2.1}, {"user": 5}, {"messages": []}, {"prompt": []},
                   {"guided_choice": []}, {"model": 5}, {"stream_options": {"x": 1}}]
        self.hold_against_the_schema(cases, changes)

    def hold_against_the_schema(self, cases, changes):
        for name, (route, good) in cases.items():
            validator = jsonschema.Draft202012Validator(
                {"components": self.document.root["components"], "$ref": f"#/components/schemas/{name}"})
            for change in changes:
                body = {**good, **change}
                self.call("POST", route, route, 200 if validator.is_valid(body) else 400, body)


def parse(text):
    """A raw answer as harness.Answer shows it."""
    head, body = text.split("\r\n\r\n", 1)
    answer = harness.Answer.__new__(harness.Answer)
    answer.headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    answer.text = body
    return answer


if __name__ == "__main__":
    unittest.main(verbosity=1)
