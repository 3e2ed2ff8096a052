#!/usr/bin/env python3
"""Our compatible routes against OpenAI's own description of theirs, field by field.

The description is looked for in $ROOTSTOCK_OPENAI_SPEC (default: ../shared/data/openai-openapi/openapi.yaml); without it
the test is skipped. For every pair of schemas: what they require of an answer, we require; what we answer or take, they
know (or it stands in the list of our extensions, with its reason); and every kind of value that we answer is one that
their schema takes.
"""
import os
import pathlib
import re
import unittest

import harness

try:
    import yaml
except ImportError as missing:
    harness.skip(f"{missing.name} is not installed (python3-yaml)")

SPEC = pathlib.Path(os.environ.get("ROOTSTOCK_OPENAI_SPEC", harness.ROOT / ".." / "shared" / "data" / "openai-openapi" / "openapi.yaml"))
if not SPEC.exists():
    harness.skip("there is no description of OpenAI's API; set ROOTSTOCK_OPENAI_SPEC")

# ours -> theirs: answers
ANSWERS = {
    "File": "OpenAIFile", "FileList": "ListFilesResponse", "DeletedFile": "DeleteFileResponse",
    "Upload": "Upload", "UploadPart": "UploadPart",
    "FineTuningJob": "FineTuningJob", "FineTuningJobList": "ListPaginatedFineTuningJobsResponse",
    "FineTuningJobEvent": "FineTuningJobEvent", "FineTuningJobEventList": "ListFineTuningJobEventsResponse",
    "FineTuningJobCheckpoint": "FineTuningJobCheckpoint",
    "FineTuningJobCheckpointList": "ListFineTuningJobCheckpointsResponse",
    "DeletedModel": "DeleteModelResponse", "Batch": "Batch", "BatchList": "ListBatchesResponse",
    "UsagePage": "UsageResponse", "CostsPage": "UsageResponse", "CostsResult": "CostsResult",
}
# ours -> theirs: requests
REQUESTS = {
    "CreateFileRequest": "CreateFileRequest", "CreateUploadRequest": "CreateUploadRequest",
    "AddUploadPartRequest": "AddUploadPartRequest", "CompleteUploadRequest": "CompleteUploadRequest",
    "CreateFineTuningJobRequest": "CreateFineTuningJobRequest",
}
# Where we say more or take less than they do, and why. None stands for null.
OURS_ALONE = {
    ("FileList", "first_id", None): "an empty page has no first id", ("FileList", "last_id", None): "likewise",
    ("BatchList", "first_id", None): "likewise", ("BatchList", "last_id", None): "likewise",
    ("File", "purpose", "evals"): "they take it in requests and leave it out of answers",
    ("FineTuningJob", "status", "paused"): "they have a route to pause and no word for it",
}
NOT_TAKEN = {
    ("CreateFileRequest", "expires_after"): "a form has it as expires_after[anchor] and expires_after[seconds]",
}
NOT_TOLD = {
    ("File", "status_details"): "deprecated; a file that is here is whole",
}
FORM_FIELDS = {"expires_after[anchor]": "expires_after", "expires_after[seconds]": "expires_after"}


class Document:
    def __init__(self, path):
        self.root = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.schemas = self.root["components"]["schemas"]

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.schemas[node["$ref"].rsplit("/", 1)[1]]
        return node

    def properties(self, node):
        """Of an object, through allOf and references."""
        node = self.follow(node)
        found = dict(node.get("properties", {}))
        for part in node.get("allOf", []):
            found |= self.properties(part)
        return found

    def required(self, node):
        return set(self.follow(node).get("required", []))

    def kinds(self, node):
        """The JSON types, and the words of an enum, that a value may be. None: anything."""
        node = self.follow(node)
        branches = node.get("anyOf", []) + node.get("oneOf", [])
        types, words = set(), set()
        for branch in branches:
            more, said = self.kinds(branch)
            types |= more
            words |= said
        for part in node.get("allOf", []):
            more, said = self.kinds(part)
            types |= more
            words |= said
        declared = node.get("type", [])
        types |= {declared} if isinstance(declared, str) else set(declared)
        values = node.get("enum", []) + ([node["const"]] if "const" in node else [])
        for value in values:
            types.add({str: "string", bool: "boolean", int: "integer", type(None): "null"}[type(value)])
            if isinstance(value, str):
                words.add(value)
        if "properties" in node:
            types.add("object")
        if node.get("nullable"):
            types.add("null")
        if "number" in types:
            types.add("integer")
        return types, words


class ShapesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ours = Document(harness.ROOT / "api" / "openapi.yaml")
        cls.theirs = Document(SPEC)

    def compare(self, name, ours, theirs, answer, path=""):
        """Every field of ours is one of theirs. What we answer they may answer; what they take we take."""
        theirs_have = self.theirs.properties(theirs)
        for field, schema in self.ours.properties(ours).items():
            where = f"{name}{path}.{field}"
            self.assertIn(FORM_FIELDS.get(field, field), theirs_have, f"{where} is not theirs")
            if field in FORM_FIELDS:
                continue
            their_schema = theirs_have[field]
            mine, other = self.kinds_of(name, field, schema), self.theirs.kinds(their_schema)
            told, known = (mine, other) if answer else (other, mine)
            if told[0] and known[0]:
                self.assertLessEqual(told[0] - {"integer"} if "number" in known[0] else told[0], known[0], where)
            open_text = (self.has_open_text(self.theirs, their_schema) if answer else self.has_open_text(self.ours, schema))
            if known[1] and not open_text:
                self.assertEqual(told[1] - known[1], set(), f"{where}: words that the other side does not know")
            if self.ours.properties(schema) and self.theirs.properties(their_schema):
                self.compare(name, schema, their_schema, answer, f"{path}.{field}")

    def kinds_of(self, name, field, schema):
        """Ours, without what is said or left out on purpose."""
        types, words = self.ours.kinds(schema)
        if (name, field, None) in OURS_ALONE:
            types.discard("null")
        return types, {word for word in words if (name, field, word) not in OURS_ALONE}

    def has_open_text(self, document, node):
        """May it be any text? An enum beside an open string is a list of examples."""
        node = document.follow(node)
        branches = node.get("anyOf", []) + node.get("oneOf", [])
        if branches:
            return any(self.has_open_text(document, branch) for branch in branches)
        types = node.get("type", [])
        return "string" in ([types] if isinstance(types, str) else types) and "enum" not in node

    def test_answers(self):
        for ours, theirs in ANSWERS.items():
            with self.subTest(ours):
                mine, other = self.ours.schemas[ours], self.theirs.schemas[theirs]
                self.assertLessEqual(self.theirs.required(other), self.ours.required(mine), "they require more")
                missing = {field for field in self.theirs.properties(other)
                           if field not in self.ours.properties(mine) and (ours, field) not in NOT_TOLD}
                self.assertEqual(missing, set(), "fields that we never tell")
                self.compare(ours, mine, other, ours in ANSWERS)

    def test_requests(self):
        for ours, theirs in REQUESTS.items():
            with self.subTest(ours):
                mine, other = self.ours.schemas[ours], self.theirs.schemas[theirs]
                self.assertLessEqual(self.ours.required(mine), self.theirs.required(other), "we require more")
                not_taken = {field for field in self.theirs.properties(other)
                             if field not in self.ours.properties(mine) and (ours, field) not in NOT_TAKEN}
                self.assertEqual(not_taken, set(), "fields that we do not take")
                self.compare(ours, mine, other, ours in ANSWERS)

    def test_usage_results(self):
        mine = self.ours.schemas["UsageResult"]
        for kind in ["Completions", "Embeddings", "Moderations"]:
            other = self.theirs.schemas[f"Usage{kind}Result"]
            told = set(self.ours.properties(mine))
            self.assertLessEqual(self.theirs.required(other), told, kind)
            self.assertLessEqual(told - {"output_tokens", "input_cached_tokens", "rows"}, set(self.theirs.properties(other)), kind)
            self.assertLessEqual(self.theirs.kinds(self.theirs.properties(other)["object"])[1],
                                 self.ours.kinds(self.ours.properties(mine)["object"])[1])

    def test_batch_requests(self):
        theirs = self.theirs.root["paths"]["/batches"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        mine = self.ours.schemas["CreateBatchRequest"]
        self.assertLessEqual(self.ours.required(mine), self.theirs.required(theirs))
        self.assertEqual(set(self.theirs.properties(theirs)), set(self.ours.properties(mine)))

    def test_routes_and_their_parameters(self):
        """What of theirs we serve has their methods and knows their query parameters."""
        served = ["/files", "/files/{file_id}", "/files/{file_id}/content", "/uploads", "/uploads/{upload_id}/parts",
                  "/uploads/{upload_id}/complete", "/uploads/{upload_id}/cancel", "/fine_tuning/jobs",
                  "/fine_tuning/jobs/{fine_tuning_job_id}", "/fine_tuning/jobs/{fine_tuning_job_id}/events",
                  "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints", "/fine_tuning/jobs/{fine_tuning_job_id}/cancel",
                  "/fine_tuning/jobs/{fine_tuning_job_id}/pause", "/fine_tuning/jobs/{fine_tuning_job_id}/resume", "/batches",
                  "/batches/{batch_id}", "/batches/{batch_id}/cancel", "/models", "/models/{model}"]
        for path in served:
            mine = self.ours.root["paths"]["/v1" + re.sub(r"\{[^}]+\}", "{id}", path)]
            for method, operation in self.theirs.root["paths"][path].items():
                self.assertIn(method, mine, path)
                wanted = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
                known = {p["name"] for p in mine[method].get("parameters", []) if p.get("in") == "query"}
                self.assertLessEqual(wanted, known, f"{method} {path}")
        # One tenant is one project and one user here: those filters have nothing to choose from.
        never = {"project_ids", "user_ids", "batch"}
        for path in ["usage/completions", "usage/embeddings", "usage/moderations", "costs"]:
            theirs = self.theirs.root["paths"]["/organization/" + path]["get"]["parameters"]
            known = {p["name"] for p in self.ours.root["paths"]["/v1/organization/" + path]["get"]["parameters"]}
            self.assertLessEqual({p["name"] for p in theirs} - never, known, path)


if __name__ == "__main__":
    unittest.main(verbosity=1)
