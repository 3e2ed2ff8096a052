#!/usr/bin/env python3
"""The routes that write: at once and as events, and what the books say of each answer."""
import json
import socket
import threading
import time
import unittest

import harness
from writing_client import Stream, event_of, said, words_of

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


class WritingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = harness.Home()
        cls.server = harness.Server(cls.home)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        problems, open_holds = cls.home.problems_in_books(), cls.home.open_holds()
        cls.home.remove()
        assert (code, problems, open_holds) == (0, [], 0), (code, problems, open_holds)

    def post(self, path, body, key="acme", headers=None):
        client = harness.Client(self.server, self.home.keys[key])
        self.addCleanup(client.close)
        return client.call("POST", path, body, headers)

    def chat(self, text="Where is my card?", **more):
        answer = self.post(CHAT, said(text, **more))
        self.assertEqual(answer.status, 200, answer.text)
        return answer

    def complete(self, prompt="The card", **more):
        answer = self.post(COMPLETIONS, {"model": "writer", "prompt": prompt, **more})
        self.assertEqual(answer.status, 200, answer.text)
        return answer

    def stream(self, path, body, key="acme", headers=None):
        stream = Stream(self.server, self.home.keys[key], path, body, headers)
        self.addCleanup(stream.leave)
        self.assertEqual(stream.status, 200)
        return stream

    def refused(self, path, body, status, code, param=None, words=(), key="acme", headers=None):
        answer = self.post(path, body, key, headers)
        self.assertEqual((answer.status, answer.error["code"]), (status, code), answer.text)
        if param is not None:
            self.assertEqual(answer.error["param"], param, answer.text)
        for word in words:
            self.assertIn(word, answer.error["message"])
        return answer

    # ---- answers ----

    def test_the_charge_is_what_was_read_and_written(self):
        answer = self.chat(max_tokens=20, seed=1)
        usage = answer.json["usage"]
        self.assertLessEqual(usage["completion_tokens"], 20)
        self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])
        event = event_of(self.home, answer.request_id)
        price = usage["prompt_tokens"] * 20 + usage["completion_tokens"] * 60
        finish = answer.json["choices"][0]["finish_reason"]
        self.assertEqual(event, (usage["prompt_tokens"], usage["completion_tokens"], price, finish, 0, "chat"))

    def test_the_same_seed_writes_the_same(self):
        first, second = self.chat(max_tokens=40, seed=7), self.chat(max_tokens=40, seed=7)
        self.assertEqual(first.json["choices"], second.json["choices"])
        others = {self.chat(max_tokens=40, seed=seed).json["choices"][0]["message"]["content"] for seed in range(5)}
        self.assertGreater(len(others), 1)

    def test_choices_share_their_prompt(self):
        one = self.chat(max_tokens=12, seed=3).json["usage"]["prompt_tokens"]
        answer = self.chat(max_tokens=12, seed=3, n=4).json
        self.assertEqual([c["index"] for c in answer["choices"]], [0, 1, 2, 3])
        self.assertGreater(len({c["message"]["content"] for c in answer["choices"]}), 1)
        self.assertEqual(answer["usage"]["prompt_tokens"], one)

    def test_length_and_stop(self):
        text = self.complete(max_tokens=60, temperature=0, logit_bias={"2": -100}).json["choices"][0]
        self.assertEqual(text["finish_reason"], "length")
        stop = text["text"][5:8]
        cut = self.complete(max_tokens=60, temperature=0, logit_bias={"2": -100}, stop=["nosuch-stop", stop])
        self.assertEqual(cut.json["choices"][0]["finish_reason"], "stop")
        self.assertEqual(cut.json["choices"][0]["text"], text["text"][:text["text"].index(stop)])
        self.assertLess(cut.json["usage"]["completion_tokens"], 60)
        self.assertEqual(event_of(self.home, cut.request_id)[1], cut.json["usage"]["completion_tokens"])

    def test_prompts_as_texts_and_ids(self):
        alone = [self.complete(p, temperature=0, max_tokens=8).json["choices"][0]["text"] for p in ["The card", "My phone"]]
        both = self.complete(["The card", "My phone"], temperature=0, max_tokens=8).json
        self.assertEqual([c["text"] for c in both["choices"]], alone)
        ids = self.complete([[5, 6, 7], [8, 9]], temperature=0, max_tokens=8, n=2).json
        self.assertEqual([c["index"] for c in ids["choices"]], [0, 1, 2, 3])
        self.assertEqual(ids["usage"]["prompt_tokens"], 5)
        self.assertEqual(self.complete([5, 6, 7], max_tokens=8).json["usage"]["prompt_tokens"], 3)

    def test_logprobs(self):
        answer = self.chat(max_tokens=6, temperature=0, logprobs=True, top_logprobs=3).json
        tokens = answer["choices"][0]["logprobs"]["content"]
        self.assertEqual(len(tokens), answer["usage"]["completion_tokens"])
        for token in tokens:
            best = token["top_logprobs"]
            self.assertEqual(len(best), 3)
            self.assertEqual(best, sorted(best, key=lambda chance: -chance["logprob"]))
            self.assertEqual((best[0]["bytes"], best[0]["logprob"]), (token["bytes"], token["logprob"]))  # greedy
        written = b"".join(bytes(token["bytes"]) for token in tokens)
        self.assertEqual(written.decode(errors="replace"), answer["choices"][0]["message"]["content"])
        older = self.complete(max_tokens=6, temperature=0, logprobs=2).json["choices"][0]["logprobs"]
        self.assertEqual({len(column) for column in older.values()}, {6})

    def test_parts_and_roles(self):
        plain = self.chat("one two", max_tokens=4, temperature=0).json
        parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
        body = {"model": "writer", "max_tokens": 4, "temperature": 0, "messages": [{"role": "user", "content": parts}]}
        self.assertEqual(self.post(CHAT, body).json["choices"], plain["choices"])
        talk = [{"role": role, "content": "Be brief."} for role in ("developer", "system")]
        told = [self.post(CHAT, {**body, "messages": [m, {"role": "user", "content": "x"}]}).json["choices"] for m in talk]
        self.assertEqual(told[0], told[1])

    def test_null_is_absent(self):
        answer = self.chat(max_tokens=4, temperature=None, top_p=None, stop=None, n=None, seed=None, tools=None,
                           response_format=None, logit_bias=None, stream=None, stream_options=None, metadata={"a": "b"},
                           store=True, user="u")
        self.assertEqual(len(answer.json["choices"]), 1)

    def test_tools_are_told_and_calls_are_read(self):
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
        bare = self.chat(max_tokens=4).json["usage"]["prompt_tokens"]
        offered = self.chat(max_tokens=4, tools=[tool]).json["usage"]["prompt_tokens"]
        self.assertGreater(offered, bare)
        self.assertEqual(self.chat(max_tokens=4, tools=[tool], tool_choice="none").json["usage"]["prompt_tokens"], bare)
        call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}}
        talk = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
        self.assertEqual(self.post(CHAT, {"model": "writer", "messages": talk, "max_tokens": 4}).status, 200)

    def test_an_adapter_writes_in_its_own_voice(self):
        asked = {"max_tokens": 30, "temperature": 0}
        base, voice = self.chat(**asked), self.chat(model="voice", **asked)
        self.assertEqual((base.json["model"], voice.json["model"]), ("writer", "voice@1"))
        self.assertNotEqual(base.json["choices"], voice.json["choices"])
        booked = self.home.rows("SELECT model, adapter FROM usage_event WHERE event_id = ?", voice.request_id)
        self.assertEqual(booked, [("writer", "voice@1")])
        self.refused(CHAT, said("x", model="voice"), 404, "model_not_found", "model", key="umbra")
        self.refused("/v1/classify", {"model": "voice", "input": "x"}, 400, "unsupported", "model")
        self.assertEqual(self.post(CHAT, said("x", model="voice@1", max_tokens=3)).status, 200)
        got = {}

        def ask(model):
            got[model] = words_of(self.stream(CHAT, said("Where is my card?", model=model, **asked)))[0]

        threads = [threading.Thread(target=ask, args=(model,)) for model in ("writer", "voice")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, {a.json["model"].split("@")[0]: a.json["choices"][0]["message"]["content"] for a in (base, voice)})

    # ---- the answer's shape ----

    def test_json_is_json(self):
        schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer"},
                                                   "kind": {"enum": ["a", "b"]}},
                  "required": ["name", "age", "kind"], "additionalProperties": False}
        formats = [{"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}},
                   {"guided_json": schema}]
        for more in formats:
            for seed in range(5):
                choice = self.chat(max_tokens=300, seed=seed, **more).json["choices"][0]
                value = json.loads(choice["message"]["content"])
                self.assertEqual(set(value), {"name", "age", "kind"})
                self.assertIn(value["kind"], ["a", "b"])
                self.assertIsInstance(value["age"], int)
        some = self.chat(max_tokens=300, temperature=0, response_format={"type": "json_object"}).json["choices"][0]
        if some["finish_reason"] == "stop":
            self.assertIsInstance(json.loads(some["message"]["content"]), dict)

    def test_regex_choice_and_grammar(self):
        for seed in range(5):
            for more, fits in [({"guided_regex": "[a-c]{2}-[0-9]{3}"}, r"[a-c]{2}-[0-9]{3}"),
                               ({"guided_choice": ["yes", "no", "卡"]}, "yes|no|卡"),
                               ({"guided_grammar": 'root ::= "a" root | "b"'}, "a*b")]:
                choice = self.chat(max_tokens=100, seed=seed, **more).json["choices"][0]
                self.assertRegex(choice["message"]["content"], f"^({fits})$")
                self.assertEqual(choice["finish_reason"], "stop")

    def test_a_shape_that_cannot_be_compiled_is_named(self):
        bad = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "strang"}}}
        self.refused(CHAT, said("x", response_format=bad), 400, "constraint_invalid", "response_format")
        self.refused(CHAT, said("x", guided_regex="(a"), 400, "constraint_invalid", "guided_regex")
        self.refused(CHAT, said("x", guided_regex="(?=a)b"), 400, "constraint_unsupported", "guided_regex")

    def test_a_forced_call(self):
        parameters = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
                      "additionalProperties": False}
        tools = [{"type": "function", "function": {"name": name, "parameters": parameters}} for name in ("weather", "news")]
        named = {"type": "function", "function": {"name": "news"}}
        for choice, names in [("required", {"weather", "news"}), (named, {"news"})]:
            body = said("x", max_tokens=200, seed=4, tools=tools, tool_choice=choice, parallel_tool_calls=False)
            told = self.post(CHAT, body).json["choices"][0]
            self.assertEqual(told["finish_reason"], "tool_calls")
            [call] = told["message"]["tool_calls"]
            self.assertIn(call["function"]["name"], names)
            self.assertIn(json.loads(call["function"]["arguments"])["city"], ["Paris", "Rome"])
            self.assertIsNone(told["message"]["content"])
            deltas = [e["choices"][0]["delta"] for e in self.stream(CHAT, body)]
            calls = [c for d in deltas for c in d.get("tool_calls", [])]
            self.assertEqual([c["function"] for c in calls], [call["function"]])
            self.assertEqual("".join(d.get("content") or "" for d in deltas), "")
        self.refused(CHAT, said("x", tools=tools, tool_choice={"type": "function", "function": {"name": "no"}}), 400,
                     "invalid_value", "tool_choice", ["'no'"])

    # ---- events ----

    def test_a_stream_is_the_plain_answer_in_pieces(self):
        body = said("Where is my card?", max_tokens=50, seed=5, n=2)
        plain = self.post(CHAT, body).json
        stream = self.stream(CHAT, {**body, "stream_options": {"include_usage": True}})
        events = list(stream)
        self.assertTrue(stream.done)
        self.assertEqual(words_of(events), {c["index"]: c["message"]["content"] for c in plain["choices"]})
        finishes = {c["index"]: c["finish_reason"] for e in events for c in e["choices"] if c["finish_reason"]}
        self.assertEqual(finishes, {c["index"]: c["finish_reason"] for c in plain["choices"]})
        self.assertEqual([e["choices"][0]["delta"].get("role") for e in events[:2]], ["assistant", "assistant"])
        self.assertEqual(events[-1]["choices"], [])
        counts = ("prompt_tokens", "completion_tokens", "total_tokens")
        self.assertEqual([events[-1]["usage"][c] for c in counts], [plain["usage"][c] for c in counts])
        self.assertEqual({e["usage"] for e in events[:-1]}, {None})
        self.assertEqual(len({(e["id"], e["created"], e["model"]) for e in events}), 1)

    def test_a_completion_streams(self):
        body = {"model": "writer", "prompt": ["The card", "My phone"], "max_tokens": 20, "temperature": 0}
        plain = self.post(COMPLETIONS, body).json
        texts = ["", ""]
        for event in self.stream(COMPLETIONS, body):
            self.assertNotIn("usage", event)
            for choice in event["choices"]:
                texts[choice["index"]] += choice["text"]
        self.assertEqual(texts, [c["text"] for c in plain["choices"]])

    def test_the_entry_is_there_when_the_end_is(self):
        for _ in range(5):
            stream = self.stream(CHAT, said("x", max_tokens=30))
            for _ in stream:
                pass
            self.assertTrue(stream.done)
            self.assertIsNotNone(event_of(self.home, stream.request_id, within=0))

    def test_several_streams_on_one_connection(self):
        client = harness.Client(self.server, self.home.keys["acme"])
        for _ in range(3):
            answer = client.call("POST", CHAT, said("x", max_tokens=5, stream=True))
            self.assertEqual(answer.headers["Content-Type"], "text/event-stream; charset=utf-8")
            self.assertTrue(answer.text.endswith("data: [DONE]\n\n"))
        client.close()

    # ---- leaving ----

    def test_who_leaves_pays_what_was_written(self):
        stream = self.stream(CHAT, said("x", max_tokens=450, seed=2, logit_bias={"2": -100, "0": -100}))
        for _ in zip(range(5), stream):
            pass
        stream.leave()
        event = event_of(self.home, stream.request_id)
        if event[4]:  # the machine may have been faster than the client
            self.assertEqual(event[3], "client_gone")
            self.assertLess(event[1], 450)
        self.assertGreaterEqual(event[1], 3)

    def test_who_leaves_a_plain_answer_stops_it_too(self):
        body = json.dumps(said("x", max_tokens=450, n=16, logit_bias={"2": -100, "0": -100})).encode()
        head = (f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.home.keys['umbra']}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.server.port)) as wire:
            wire.sendall(head + body)
            time.sleep(0.1)
        end = time.monotonic() + 10
        while self.home.open_holds() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.home.open_holds(), 0)

    # ---- once only ----

    def test_a_retry_is_answered_as_before_and_free(self):
        for body in [said("x", max_tokens=10), said("x", max_tokens=10, stream=True)]:
            key = {"Idempotency-Key": f"k{time.monotonic_ns()}"}
            before = self.home.value("SELECT COUNT(*) FROM usage_event")
            first, second = self.post(CHAT, body, headers=key), self.post(CHAT, body, headers=key)
            self.assertEqual((first.status, first.text), (200, second.text))
            self.assertEqual(second.headers["Idempotent-Replayed"], "true")
            self.assertEqual(first.headers["Content-Type"], second.headers["Content-Type"])
            self.assertEqual(self.home.value("SELECT COUNT(*) FROM usage_event"), before + 1)
            self.refused(CHAT, {**body, "max_tokens": 11}, 422, "idempotency_key_reused", headers=key)

    def test_a_refusal_frees_its_key(self):
        key = {"Idempotency-Key": f"k{time.monotonic_ns()}"}
        body = said("x" * 3000, max_tokens=4)
        self.refused(CHAT, body, 400, "context_length_exceeded", headers=key)
        self.refused(CHAT, body, 400, "context_length_exceeded", headers=key)

    # ---- refusals ----

    def test_a_long_prompt_says_by_how_much(self):
        answer = self.refused(COMPLETIONS, {"model": "writer", "prompt": [7] * 600}, 400, "context_length_exceeded",
                              "prompt", ["600 tokens", "89 more than the 511", "context of 512"])
        self.assertEqual(answer.error["type"], "invalid_request_error")
        self.refused(CHAT, said("word " * 3000), 400, "context_length_exceeded", "messages")
        self.assertEqual(self.complete([7] * 511, max_tokens=50).json["usage"]["completion_tokens"], 1)

    def test_refusals(self):
        image = [{"type": "image_url", "image_url": {"url": "data:,"}}]
        self.refused(CHAT, {"model": "writer", "messages": [{"role": "user", "content": image}]}, 400, "unsupported",
                     "messages[0].content", ["image_url"])
        self.refused(CHAT, said("x", model="nosuch"), 404, "model_not_found", "model")
        self.refused(CHAT, said("x", model="secret"), 404, "model_not_found", "model")
        self.refused(CHAT, said("x", model="fixture"), 400, "unsupported", "model")
        self.refused(CHAT, said("x", model="tickets"), 400, "unsupported", "model", ["/v1/classify"])
        self.refused(CHAT, said("x", spend=1), 400, "unknown_field")
        self.refused(CHAT, said("x", audio={}), 400, "unsupported", "audio")
        self.refused(CHAT, said("x", top_logprobs=2), 400, "invalid_value", "top_logprobs")
        self.refused(CHAT, said("x", max_tokens=2, max_completion_tokens=3), 400, "invalid_value", "max_tokens")
        self.refused(CHAT, said("x", tool_choice="auto"), 400, "invalid_value", "tool_choice")
        self.refused(COMPLETIONS, {"model": "writer", "prompt": "x", "echo": True}, 400, "unsupported", "echo")
        self.refused(COMPLETIONS, {"model": "writer", "prompt": "x", "suffix": "y"}, 400, "unsupported", "suffix")
        self.refused(COMPLETIONS, {"model": "writer", "prompt": "x", "best_of": 3}, 400, "unsupported", "best_of")
        self.refused(COMPLETIONS, {"model": "writer", "prompt": [999_999]}, 400, "invalid_value", "prompt")
        # also of a stream, before its first event
        self.refused(COMPLETIONS, {"model": "writer", "prompt": [999_999], "stream": True}, 400, "invalid_value", "prompt")

    def test_credit(self):
        answer = self.refused(CHAT, said("x", max_tokens=100), 429, "insufficient_quota", key="poor")
        self.assertEqual(answer.headers["x-should-retry"], "false")
        self.assertEqual(self.home.open_holds(), 0)

    # ---- many at once ----

    def test_many_streams_at_once_are_each_their_own(self):
        texts = [f"Question {i}: where is card number {i * 7919}?" for i in range(24)]
        wanted = [self.chat(t, max_tokens=40, temperature=0).json["choices"][0]["message"]["content"] for t in texts]
        got = [None] * len(texts)

        def ask(i):
            got[i] = words_of(self.stream(CHAT, said(texts[i], max_tokens=40, temperature=0)))[0]

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(texts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, wanted)


if __name__ == "__main__":
    unittest.main(verbosity=1)
