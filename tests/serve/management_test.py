#!/usr/bin/env python3
"""The management API from outside: who may do what, pages, versions, repeated changes; every answer is held against
api/openapi.yaml.

Needs PyYAML and jsonschema (Debian: python3-yaml, python3-jsonschema).
"""
import json
import subprocess
import unittest

import harness
from openapi_test import Document


def command(home, *words):
    """A command of the program with --json; its answer."""
    run = subprocess.run([harness.BIN / "rootstock", "--home", home.folder, "--json", *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


class ManagementCase(unittest.TestCase):
    """A server with a key of the house that may do everything, and one of acme that may too."""

    @classmethod
    def setUpClass(cls):
        cls.document = Document()
        cls.home = harness.Home()
        scopes = {s for _, r in cls.operations() for s in r.get("x-scopes", []) if ":" in s}
        words = [word for scope in sorted(scopes) for word in ("--scope", scope)]
        cls.house = command(cls.home, "key", "create", "--house", *words)["secret"]
        cls.acme = command(cls.home, "key", "create", "--tenant", "acme", *words)["secret"]
        cls.umbra = command(cls.home, "key", "create", "--tenant", "umbra", *words)["secret"]
        cls.server = harness.Server(cls.home, "--workers", "0")

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.home.remove()
        assert code == 0, code

    @classmethod
    def operations(cls):
        return [((m.upper(), p), op) for p, item in cls.document.root["paths"].items() for m, op in item.items()]

    def call(self, method, path, route, status, body=None, key=None, headers=None):
        """One call; its answer must be documented for the route and have the status."""
        client = harness.Client(self.server, key)
        answer = client.call(method, path, body, headers)
        client.close()
        self.assertEqual(answer.status, status, answer.text)
        responses = self.document.operation(method, route)["responses"]
        self.assertIn(str(status), responses, f"{method} {route} answers {status}, which is not documented")
        self.document.check_response(responses[str(status)], answer)
        return answer


class KeysOfPrograms(ManagementCase):
    def test_a_problem_says_where_and_what(self):
        answer = self.call("GET", "/api/v1/keys/nosuch", "/api/v1/keys/{id}", 404, key=self.acme)
        self.assertEqual(answer.json | {"detail": ""}, {
            "type": "urn:rootstock:problem:key_not_found", "title": "Not Found", "status": 404, "detail": "",
            "instance": "/api/v1/keys/nosuch", "code": "key_not_found", "request_id": answer.request_id, "param": "id"})
        client = harness.Client(self.server, self.acme)
        self.document.check_response(self.document.root["components"]["responses"]["ProblemNotFound"],
                                     client.call("GET", "/api/v1/nowhere"))
        client.close()

    def test_a_strangers_key_answers_like_none(self):
        mine = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {}, key=self.umbra).json["id"]
        for method in ["GET", "DELETE"]:
            route = "/api/v1/keys/{id}"
            theirs = self.call(method, f"/api/v1/keys/{mine}", route, 404, key=self.acme)
            none = self.call(method, "/api/v1/keys/" + "x" * len(mine), route, 404, key=self.acme)
            different = {"instance": "", "request_id": ""}
            self.assertEqual(theirs.json | different, none.json | different)
        listed = self.call("GET", "/api/v1/keys?limit=100", "/api/v1/keys", 200, key=self.acme).json["data"]
        self.assertNotIn(mine, [key["id"] for key in listed])
        route = "/api/v1/tenants/{tenant}"
        theirs = self.call("GET", "/api/v1/tenants/umbra", route, 404, key=self.acme)
        none = self.call("GET", "/api/v1/tenants/nobody", route, 404, key=self.acme)
        self.assertEqual(theirs.json["detail"], none.json["detail"])
        self.call("GET", "/api/v1/keys?tenant=umbra", "/api/v1/keys", 404, key=self.acme)

    def test_the_house_acts_for_everybody(self):
        listed = self.call("GET", "/api/v1/tenants", "/api/v1/tenants", 200, key=self.house).json["data"]
        self.assertLessEqual({"acme", "umbra", "poor"}, {tenant["name"] for tenant in listed})
        self.assertNotIn("(house)", [tenant["name"] for tenant in listed])
        made = self.call("POST", "/api/v1/keys?tenant=poor", "/api/v1/keys", 201, {"name": "x"}, key=self.house).json
        client = harness.Client(self.server, made["secret"])
        self.assertEqual(client.call("GET", "/v1/models").status, 200)
        gone = self.call("DELETE", f"/api/v1/keys/{made['id']}", "/api/v1/keys/{id}", 200, key=self.house).json
        self.assertEqual(gone["state"], "revoked")
        self.assertEqual(client.call("GET", "/v1/models").status, 401)
        client.close()
        answer = self.call("POST", "/api/v1/keys", "/api/v1/keys", 400, {}, key=self.house)
        self.assertEqual(answer.json["code"], "tenant_required")
        answer = self.call("POST", "/api/v1/tenants", "/api/v1/tenants", 403, {"name": "x"}, key=self.acme)
        self.assertEqual(answer.json["code"], "house_only")

    def test_pages_hold_everything_once(self):
        whole = self.call("GET", "/api/v1/keys?limit=100", "/api/v1/keys", 200, key=self.house).json
        self.assertIsNone(whole["next_cursor"])
        seen, cursor = [], ""
        while cursor is not None:
            page = self.call("GET", "/api/v1/keys?limit=3" + cursor, "/api/v1/keys", 200, key=self.house).json
            seen += page["data"]
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
        self.assertEqual(seen, whole["data"])
        self.call("GET", "/api/v1/keys?cursor=AAAA", "/api/v1/keys", 400, key=self.house)
        self.call("GET", "/api/v1/keys?limit=0", "/api/v1/keys", 400, key=self.house)

    def test_a_change_is_made_of_the_version_that_was_seen(self):
        route, path = "/api/v1/tenants/{tenant}", "/api/v1/tenants/poor"
        seen = self.call("GET", path, route, 200, key=self.house)
        change = {"limits": {"parallel": 7}}
        self.call("PATCH", path, route, 428, change, key=self.house)
        first = self.call("PATCH", path, route, 200, change, key=self.house, headers={"If-Match": seen.headers["ETag"]})
        self.assertEqual(first.json["limits"], {"requests_per_minute": None, "tokens_per_minute": None, "parallel": 7})
        self.call("PATCH", path, route, 412, change, key=self.house, headers={"If-Match": seen.headers["ETag"]})
        self.call("PATCH", path, route, 200, {"limits": {}}, key=self.house, headers={"If-Match": first.headers["ETag"]})
        self.call("PATCH", path, route, 400, {"id": "x"}, key=self.house, headers={"If-Match": "*"})

    def test_a_change_is_repeated_safely(self):
        again = {"Idempotency-Key": "once"}
        first = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"name": "a"}, key=self.acme, headers=again)
        second = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"name": "a"}, key=self.acme, headers=again)
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        self.assertEqual(second.json, first.json | {"secret": None})  # it is told once, and stored nowhere
        self.assertEqual(self.home.rows("SELECT 1 FROM idempotency WHERE body LIKE ?", f"%{first.json['secret']}%"), [])
        self.call("POST", "/api/v1/keys", "/api/v1/keys", 422, {"name": "b"}, key=self.acme, headers=again)
        other = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"name": "a"}, key=self.umbra, headers=again)
        self.assertNotEqual(other.json["id"], first.json["id"])
        # A refusal keeps nothing: the same key may be used for the mended request.
        again = {"Idempotency-Key": "taken"}
        self.call("POST", "/api/v1/tenants", "/api/v1/tenants", 409, {"name": "acme"}, key=self.house, headers=again)
        self.call("POST", "/api/v1/tenants", "/api/v1/tenants", 201, {"name": "fresh"}, key=self.house, headers=again)

    def make(self, **order):
        return self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, order, key=self.acme).json

    def change(self, key, status, **change):
        return self.call("PATCH", f"/api/v1/keys/{key['id']}", "/api/v1/keys/{id}", status, change, key=self.acme).json

    def test_a_key_asks_its_models_only(self):
        made = self.make(models=["tickets"])
        self.assertEqual(made["models"], ["tickets"])
        client = harness.Client(self.server, made["secret"])
        self.assertEqual(client.classify("tickets", "hello").status, 200)
        refused = client.classify("mood", "hello")
        self.assertEqual((refused.status, refused.json["error"]["code"]), (403, "model_not_allowed"))
        base = client.call("POST", "/v1/embeddings", {"model": "fixture", "input": "hello"})
        self.assertEqual((base.status, base.json["error"]["code"]), (403, "model_not_allowed"))
        job = client.call("POST", "/v1/fine_tuning/jobs", {"model": "fixture", "training_file": "file-x"})
        self.assertEqual((job.status, job.json["error"]["code"]), (403, "model_not_allowed"))
        self.assertEqual([model["id"] for model in client.call("GET", "/v1/models").json["data"]], ["tickets"])
        self.assertEqual(client.call("GET", "/v1/models/mood").status, 403)
        changed = self.change(made, 200, models=["mood", "fixture"])
        self.assertEqual(changed["models"], ["fixture", "mood"])
        self.assertEqual(client.classify("tickets", "hello").status, 403)
        self.assertEqual(client.classify("mood", "hello").status, 200)
        self.assertEqual(client.call("POST", "/v1/embeddings", {"model": "fixture", "input": "hello"}).status, 200)
        client.close()
        self.call("POST", "/api/v1/keys", "/api/v1/keys", 400, {"models": ["*x"]}, key=self.acme)

    def test_a_key_spends_its_budget_only(self):
        made = self.make(budget={"amount": "0.000200"})
        self.assertEqual(made["budget"], {"amount": "0.000200", "period": "month", "spent": "0.000000", "held": "0.000000"})
        client = harness.Client(self.server, made["secret"])
        answered = 0
        while (answer := client.classify("tickets", "hello")).status == 200:
            answered += answer.json["usage"]["total_tokens"]
        self.assertEqual((answer.status, answer.json["error"]["code"]), (429, "key_budget_used"))
        self.assertIn("budget of 0.000200 a month", answer.json["error"]["message"])
        one = self.call("GET", f"/api/v1/keys/{made['id']}", "/api/v1/keys/{id}", 200, key=self.acme).json
        self.assertEqual(float(one["budget"]["spent"]), answered * 0.00002)
        self.assertEqual(one["budget"]["held"], "0.000000")
        turned = self.call("POST", f"/api/v1/keys/{made['id']}/rotate", "/api/v1/keys/{id}/rotate", 201,
                           {"overlap_seconds": 60}, key=self.acme).json
        self.assertEqual(turned["budget"], one["budget"])
        other = harness.Client(self.server, turned["secret"])
        self.assertEqual(other.classify("tickets", "hello").status, 429)
        other.close()
        changed = self.change(turned, 200, budget={"amount": "1", "period": "total"})
        self.assertEqual((changed["budget"]["amount"], changed["version"]), ("1.000000", turned["version"] + 1))
        self.assertEqual(client.classify("tickets", "hello").status, 200)
        self.assertIsNone(self.change(turned, 200, budget=None)["budget"])
        self.assertEqual(self.change(turned, 400, budget={"amount": "0"})["param"], "budget")
        self.assertEqual(self.change(turned, 400, budget={"amount": 0.5})["code"], "invalid_value")
        client.close()

    def test_scopes_hold(self):
        made = self.call("POST", "/api/v1/keys", "/api/v1/keys", 201, {"scopes": ["models", "keys:read"]}, key=self.acme).json
        narrow = harness.Client(self.server, made["secret"])
        self.assertEqual(narrow.call("GET", "/v1/models").status, 200)
        answer = narrow.classify("tickets", "x")
        self.assertEqual((answer.status, answer.error["code"]), (403, "insufficient_scope"))
        narrow.close()
        self.call("GET", "/api/v1/keys", "/api/v1/keys", 200, key=made["secret"])
        answer = self.call("POST", "/api/v1/keys", "/api/v1/keys", 403, {}, key=made["secret"])
        self.assertEqual(answer.json["code"], "insufficient_scope")
        self.call("GET", "/api/v1/keys", "/api/v1/keys", 403, key=self.home.keys["acme"])
        self.call("POST", "/api/v1/keys", "/api/v1/keys", 400, {"scopes": ["nosuch"]}, key=self.acme)


if __name__ == "__main__":
    unittest.main(verbosity=1)
