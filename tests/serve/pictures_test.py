#!/usr/bin/env python3
"""Pictures over HTTP: what transformers says with the same model, forms and base64, hostile files, exact charges."""
import base64
import json
import struct
import unittest
import zlib

import harness
import paid_test
from forms import form

WANTED = json.loads((harness.GOLDEN / "reading.json").read_text())["pictures"]
IMAGES = harness.GOLDEN / "images"
PATH = "/v1/images/classify"
TOKENS = 10  # nine patches and the class token


def file_of(name):
    return (IMAGES / name).read_bytes()


def coded(data):
    return base64.b64encode(data).decode()


def png(width, height, data=b"", depth=8, colour=2):
    """A PNG that says it is so large; `data` are its pixels' bytes, packed."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


class PicturesTest(paid_test.PaidTest):
    PULLED = ("pictures",)
    ADAPTERS = [("pictures", "cells", "acme", ["red", "white"], 21), ("pictures", "hidden", "umbra", ["a", "b"], 22)]

    def send(self, data, headers=None, name="acme", **fields):
        body, form_headers = form({"model": "pictures", **fields}, "image", "a.png", data)
        return self.ask(PATH, body, {**form_headers, **(headers or {})}, name)

    def scores(self, row):
        return {p["label"]: p["score"] for p in row["probabilities"]}

    def assertScores(self, told, wanted):
        self.assertEqual(told.keys(), wanted.keys())
        for label, score in wanted.items():
            self.assertLess(abs(told[label] - score), 1e-4)

    def test_pictures_as_transformers_sees_them(self):
        names = sorted(WANTED)
        answer = self.good(PATH, {"model": "pictures", "image": [coded(file_of(name)) for name in names]})
        for row, name in zip(answer["data"], names):
            self.assertScores(self.scores(row), WANTED[name])
            self.assertEqual(row["label"], max(WANTED[name], key=WANTED[name].get))
            alone = self.send(file_of(name))
            self.assertEqual(alone.status, 200, alone.text)
            self.assertScores(self.scores(alone.json["data"][0]), WANTED[name])
        url = self.good(PATH, {"model": "pictures", "image": "data:image/png;base64," + coded(file_of("rgb.png")), "top_k": 1})
        self.assertEqual(len(url["data"][0]["probabilities"]), 1)
        self.assertEqual(answer["usage"]["total_tokens"], TOKENS * len(names))

    def test_an_adapter_on_a_vision_model(self):
        first = self.good(PATH, {"model": "cells", "image": coded(file_of("rgb.png"))})
        self.assertEqual((first["model"], sorted(self.scores(first["data"][0]))), ("cells@1", ["red", "white"]))
        by_form = self.send(file_of("rgb.png"), model="cells").json
        self.assertScores(self.scores(by_form["data"][0]), self.scores(first["data"][0]))
        prediction = first["data"][0]["prediction_id"]
        said = self.ask("/v1/feedback", {"prediction_id": prediction, "correction": "white"})
        self.assertEqual(said.status, 200, said.text)

    def test_a_foreign_adapter_answers_like_a_missing_one(self):
        told = []
        for name in ["hidden", "nosuch", "hidden@1", "secret"]:
            for answer in [self.ask(PATH, {"model": name, "image": coded(file_of("rgb.png"))}), self.send(file_of("rgb.png"), model=name)]:
                self.assertProblem(answer, 404, "model_not_found", "model")
                told.append(answer.text.replace(name, "%"))
        self.assertEqual(len(set(told)), 1, told)
        self.assertEqual(self.send(file_of("rgb.png"), name="umbra", model="hidden").status, 200)

    def test_the_charge_is_the_usage_and_a_key_is_charged_once(self):
        picture, other = coded(file_of("rgb.png")), coded(file_of("grey.png"))
        first, tokens = self.assertChargedOnce(PATH, {"model": "cells", "image": picture}, "classify", "cells@1", 1,
                                               {"model": "cells", "image": other})
        self.assertEqual((first.json["usage"]["total_tokens"], tokens), (TOKENS, TOKENS))
        body, headers = form({"model": "cells"}, "image", "a.png", file_of("rgb.png"))
        changed, _ = form({"model": "cells"}, "image", "a.png", file_of("grey.png"))
        self.assertChargedOnce(PATH, body, "classify", "cells@1", 2, changed, headers)
        self.assertProblem(self.ask(PATH, {"model": "pictures", "image": [picture] * 6}, name="poor"), 429, "insufficient_quota")

    def test_texts_and_pictures_go_to_models_that_take_them(self):
        self.assertProblem(self.ask(PATH, {"model": "tickets", "image": coded(file_of("rgb.png"))}), 400, "unsupported", "model",
                           ["/v1/classify"])
        for model in ["cells", "pictures"]:
            self.assertProblem(self.ask("/v1/classify", {"model": model, "input": "where?"}), 400, "unsupported", "model",
                               ["/v1/images/classify"])
        self.assertProblem(self.ask("/v1/embeddings", {"model": "pictures", "input": "a"}), 400, "unsupported", "model")

    # ---- hostile files ----

    def refuse_both_ways(self, data, status, code, words=()):
        self.assertProblem(self.ask(PATH, {"model": "pictures", "image": coded(data)}), status, code, "image", words)
        self.assertProblem(self.send(data), status, code, "image", words)

    def test_a_huge_picture_is_refused_by_its_header(self):
        before = self.server.resident_bytes()
        self.refuse_both_ways(png(10_000, 10_000, b"\0" * 100), 413, "image_too_large", ["10000"])
        self.refuse_both_ways(png(2**31 - 1, 2**31 - 1), 413, "image_too_large")
        rows = b"\0" * (3 * 60_000 + 1)
        self.refuse_both_ways(png(60_000, 60_000, rows * 200), 413, "image_too_large")
        self.assertLess(self.server.resident_bytes() - before, 64 << 20)

    def test_files_that_are_no_pictures(self):
        good = file_of("rgb.png")
        self.refuse_both_ways(b"hello, this is a text and no picture at all", 400, "not_an_image")
        self.refuse_both_ways(good[:len(good) // 2], 400, "damaged_image")
        self.refuse_both_ways(png(24, 24, b"\0" * 10), 400, "damaged_image")
        for text in ["####", "Zg=A", "data:image/png,abcd", "data:image/png;base64,***="]:
            self.assertProblem(self.ask(PATH, {"model": "pictures", "image": text}), 400, "invalid_value", "image", ["base64"])
        two = self.ask(PATH, {"model": "pictures", "image": [coded(good), "Z==="]})
        self.assertProblem(two, 400, "invalid_value", "image[1]")

    def test_names_what_is_wrong_with_a_body(self):
        picture = coded(file_of("rgb.png"))
        good = {"model": "pictures", "image": picture}
        for change, code, param in [({"spend": 1}, "unknown_field", "spend"), ({"image": 5}, "invalid_value", "image"),
                                    ({"image": []}, "invalid_value", "image"), ({"image": [picture] * 17}, "invalid_value", "image"),
                                    ({"top_k": 0}, "invalid_value", "top_k"), ({"model": None}, "invalid_value", "model")]:
            self.assertProblem(self.ask(PATH, {**good, **change}), 400, code, param)
        self.assertProblem(self.ask(PATH, {"model": "pictures"}), 400, "invalid_value", "image")
        self.assertProblem(self.ask(PATH, b"x"), 415, "unsupported_media_type")
        self.assertProblem(self.send(file_of("rgb.png"), spend="1"), 400, "unknown_field", "spend")
        self.assertProblem(self.send(file_of("rgb.png"), top_k="x"), 400, "invalid_value", "top_k")
        body, headers = form({}, "image", "a.png", file_of("rgb.png"))
        self.assertProblem(self.ask(PATH, body, headers), 400, "invalid_value", "model")
        body, headers = form({"model": "pictures"}, "picture", "a.png", file_of("rgb.png"))
        self.assertProblem(self.ask(PATH, body, headers), 400, "invalid_value")
        self.assertProblem(self.ask(PATH, body[:-9], headers), 400, "invalid_value")
        answer = self.server.raw(b"POST %b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Type: multipart/form-data; boundary=a\r\n"
                                 b"Content-Length: 99999999\r\n\r\n" % (PATH.encode(), self.home.keys["acme"].encode()))
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        stranger = self.server.raw(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=a\r\nContent-Length: 9\r\n\r\n"
                                   % PATH.encode())
        self.assertIn(b" 401 ", stranger.split(b"\r\n")[0])

    def test_models(self):
        tasks = {m["id"]: m["task"] for m in self.call("GET", "/v1/models").json["data"]}
        self.assertEqual((tasks["pictures"], tasks["cells"]), ("classify-images", "classify"))


if __name__ == "__main__":
    unittest.main(verbosity=1)
