#!/usr/bin/env python3
"""Our compatible routes against OpenAI's own description (../shared/data/openai-openapi/openapi.yaml), field by field.

Every answer is valid against the schema there and has no field that the schema does not name; every field that a
request may have there is taken here or refused by name.
"""
import os
import pathlib
import unittest

import harness
from writing_client import Stream, said

try:
    import jsonschema
    import yaml
except ImportError as missing:
    harness.skip(f"{missing.name} is not installed (python3-yaml, python3-jsonschema)")

SHARED = pathlib.Path(os.environ.get("ROOTSTOCK_SHARED_DATA", harness.ROOT.parent / "shared" / "data"))
FILE = SHARED / "openai-openapi" / "openapi.yaml"
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


def converted(node):
    """OpenAPI's `nullable` as JSON Schema says it."""
    if isinstance(node, list):
        return [converted(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: converted(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        return {"anyOf": [out, {"type": "null"}]}
    return out


class Theirs:
    def __init__(self):
        self.schemas = yaml.load(FILE.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["schemas"]
        self.converted = converted(self.schemas)

    def follow(self, schema):
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def parts(self, schema):
        """The schema and all that it is put together from or may be."""
        schema = self.follow(schema)
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, []):
                yield from self.parts(part)

    def properties(self, schema):
        named = {}
        for part in self.parts(schema):
            for name, inner in part.get("properties", {}).items():
                named.setdefault(name, []).append(inner)
        return named

    def unknown(self, schemas, value, path="answer"):
        """Paths of the fields that none of the schemas names."""
        if isinstance(value, list):
            items = [part["items"] for schema in schemas for part in self.parts(schema) if "items" in part]
            return [found for i, item in enumerate(value) for found in self.unknown(items, item, f"{path}[{i}]")]
        if not isinstance(value, dict):
            return []
        named, open_ended = {}, False
        for schema in schemas:
            for name, inner in self.properties(schema).items():
                named.setdefault(name, []).extend(inner)
            open_ended = open_ended or any(part.get("additionalProperties") for part in self.parts(schema))
        if open_ended and not named:
            return []
        found = []
        for name, inner in value.items():
            found += self.unknown(named[name], inner, f"{path}.{name}") if name in named else [f"{path}.{name}"]
        return found

    def check(self, name, value, extra=()):
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": self.converted}}
        jsonschema.Draft202012Validator(schema).validate(value)
        unknown = [path for path in self.unknown([self.schemas[name]], value) if path.rsplit(".", 1)[1] not in extra]
        assert not unknown, unknown


class ShapesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.theirs = Theirs()
        cls.ours = yaml.safe_load((harness.ROOT / "api" / "openapi.yaml").read_text())["components"]["schemas"]
        cls.home = harness.Home()
        cls.home.add_adapter("fixture", "omni-moderation-latest", "acme", ["ok", "hate", "self-harm/intent", "violence"], 31)
        cls.server = harness.Server(cls.home)
        cls.client = harness.Client(cls.server, cls.home.keys["acme"])

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.stop()
        cls.home.remove()

    def answer(self, path, body, status=200):
        answer = self.client.call("POST", path, body)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def events(self, path, body):
        stream = Stream(self.server, self.home.keys["acme"], path, body)
        self.assertEqual(stream.status, 200)
        events = list(stream)
        self.assertTrue(stream.done)
        stream.leave()
        return events

    def test_chat(self):
        for more in [{}, {"n": 3}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 4}, {"max_tokens": 1}, {"stop": "e"}]:
            self.theirs.check("CreateChatCompletionResponse", self.answer(CHAT, said("Where?", **{"max_tokens": 12, **more})))

    def test_chat_events(self):
        for more in [{}, {"n": 2}, {"logprobs": True, "top_logprobs": 2}, {"stream_options": {"include_usage": True}}]:
            for event in self.events(CHAT, said("Where?", max_tokens=12, **more)):
                self.theirs.check("CreateChatCompletionStreamResponse", event)

    def test_completions(self):
        for more in [{}, {"n": 2}, {"logprobs": 3}, {"prompt": ["a", "b"]}, {"prompt": [5, 6]}]:
            body = {"model": "writer", "prompt": "The card", "max_tokens": 8, **more}
            self.theirs.check("CreateCompletionResponse", self.answer(COMPLETIONS, body))
            for event in self.events(COMPLETIONS, body):
                for choice in event["choices"]:
                    # Their one schema for answers and events leaves out that an unfinished text has no reason yet.
                    self.assertIn("finish_reason", choice)
                    choice["finish_reason"] = choice["finish_reason"] or "stop"
                self.theirs.check("CreateCompletionResponse", event)

    def test_embeddings_and_models(self):
        for model in ["fixture", "writer"]:
            body = {"model": model, "input": ["a", "b"]}
            self.theirs.check("CreateEmbeddingResponse", self.answer("/v1/embeddings", body))
        models = self.client.call("GET", "/v1/models").json
        self.theirs.check("ListModelsResponse", models, extra=("task", "version", "labels", "base", "dimensions"))

    def test_moderations(self):
        for given in ["where is my card?", ["a", "b"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]]:
            for more in [{}, {"model": "omni-moderation-latest"}]:
                answer = self.answer("/v1/moderations", {"input": given, **more})
                self.theirs.check("CreateModerationResponse", answer, extra=("usage", "prediction_id"))
                self.assertEqual(len(answer["results"]), 2 if given == ["a", "b"] else 1)

    def test_errors(self):
        for path, body, status in [(CHAT, said("x", model="nosuch"), 404), (CHAT, said("x", spend=1), 400),
                                   (COMPLETIONS, {"model": "writer", "prompt": [7] * 600}, 400)]:
            self.theirs.check("ErrorResponse", self.answer(path, body, status))

    def test_every_field_of_a_request_is_taken_or_refused_by_name(self):
        for theirs, ours in [("CreateChatCompletionRequest", "ChatRequest"), ("CreateCompletionRequest", "CompletionRequest"),
                             ("CreateEmbeddingRequest", "EmbeddingsRequest"),
                             ("CreateModerationRequest", "ModerationRequest")]:
            missing = set(self.theirs.properties(self.theirs.schemas[theirs])) - set(self.ours[ours]["properties"])
            self.assertEqual(missing, set(), theirs)


if not FILE.is_file():
    harness.skip("OpenAI's description is not there (openai-openapi/openapi.yaml in $ROOTSTOCK_SHARED_DATA)")
if __name__ == "__main__":
    unittest.main(verbosity=1)
