"""What tests of paid routes share: a server with base models of tests/golden/reading beside the fixture's, requests, and
what the books say of them. At the end no hold may be left and every rule of the books must hold."""
import unittest

import harness

# These tests say what the tiny model does, whichever model the others run on.
harness.MODEL = harness.GOLDEN / "tiny_bert"


class PaidTest(unittest.TestCase):
    PULLED = ()  # folders of tests/golden/reading, served under their names
    ADAPTERS = ()  # (base, name, owner, labels, seed), made by serve_fixture

    @classmethod
    def setUpClass(cls):
        cls.home = harness.Home()
        cls.home.pull(*(harness.GOLDEN / "reading" / name for name in cls.PULLED))
        for adapter in cls.ADAPTERS:
            cls.home.add_adapter(*adapter)
        cls.server = harness.Server(cls.home, bases=("fixture", "writer", *cls.PULLED))

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        problems, holds = cls.home.problems_in_books(), cls.home.open_holds()
        cls.home.remove()
        assert code == 0, f"the server ended with {code}"
        assert not problems, problems
        assert holds == 0, f"{holds} holds are left"

    def call(self, method, path, body=None, headers=None, name="acme"):
        client = harness.Client(self.server, self.home.keys.get(name))
        self.addCleanup(client.close)
        return client.call(method, path, body, headers)

    def ask(self, path, body, headers=None, name="acme"):
        return self.call("POST", path, body, headers, name)

    def good(self, path, body, **more):
        answer = self.ask(path, body, **more)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def events(self, answer):
        return self.home.rows("SELECT input_tokens, inputs, amount, operation, adapter FROM usage_event WHERE event_id = ?",
                              answer.request_id)

    def assertNotCharged(self, answer):
        self.assertEqual(self.events(answer), [], "a refused request was charged")

    def assertProblem(self, answer, status, code, param=None, words=()):
        self.assertEqual((answer.status, answer.error["code"]), (status, code), answer.text)
        if param:
            self.assertEqual(answer.error["param"], param)
        for word in words:
            self.assertIn(word, answer.error["message"])
        self.assertNotCharged(answer)

    def assertChargedOnce(self, path, body, operation, adapter, number, other, headers=None):
        """The usage is what is charged; the same key with the same body is answered again and charged no more. Returns the
        first answer and its tokens."""
        key = {**(headers or {}), "Idempotency-Key": f"order-{number}"}
        first = self.ask(path, body, key)
        self.assertEqual(first.status, 200, first.text)
        [(tokens, rows, amount, booked, answered)] = self.events(first)
        self.assertEqual((amount, booked, answered), (tokens * 20, operation, adapter))
        self.assertGreater(rows, 0)
        again = self.ask(path, body, key)
        self.assertEqual((again.text, again.headers["Idempotent-Replayed"], self.events(again)), (first.text, "true", []))
        refused = self.ask(path, other, key)
        self.assertEqual(refused.status, 422, refused.text)
        self.assertNotCharged(refused)
        return first, tokens
