#!/usr/bin/env python3
"""The settings file, and SIGHUP: what is live changes under open connections, what is faulty changes nothing."""
import shutil
import signal
import ssl
import subprocess
import time
import unittest

import harness
from edge_test import Secure, make_certificate


class ReloadTest(unittest.TestCase):
    def setUp(self):
        self.home = harness.Home()
        self.addCleanup(self.home.remove)
        self.file = self.home.folder / "serve.conf"
        self.server = None

    def tearDown(self):
        if self.server:
            self.assertEqual(self.server.stop(), 0)

    def start(self, text, *options):
        self.file.write_text(text)
        self.server = harness.Server(self.home, "--settings", self.file, *options)

    def log(self):
        return (self.home.folder / "serve.log").read_text()

    def reload(self, text, wanted="settings read: "):
        """Writes the file, sends SIGHUP and returns what the log says then."""
        self.file.write_text(text)
        before = len(self.log())
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while wanted not in self.log()[before:]:
            self.assertLess(time.monotonic(), deadline, self.log()[before:])
            time.sleep(0.02)
        time.sleep(0.05)  # the line behind it
        return self.log()[before:]

    def client(self):
        client = harness.Client(self.server, self.home.keys["acme"])
        self.addCleanup(client.close)
        return client

    def test_live_settings_change_under_open_connections(self):
        self.start("# ours\nworkers = 0\nbody-bytes-max = 100000\n")
        client = self.client()
        self.assertIsNone(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"])
        said = self.reload("workers = 0\nbody-bytes-max = 100000\nrequests-per-minute = 100\ncors-origin = https://a.example\n"
                           "inputs-max = 1\ngzip-bytes-min = 0\n")
        self.assertIn("requests-per-minute: 0 -> 100", said)
        self.assertIn("cors-origin: (nothing) -> https://a.example", said)
        self.assertNotIn("body-bytes-max", said)
        self.assertNotIn("need a restart", said)
        answer = client.call("GET", "/v1/models", headers={"Origin": "https://a.example"})
        self.assertEqual(answer.headers["x-ratelimit-limit-requests"], "100")
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://a.example")
        self.assertEqual(client.classify("tickets", ["a", "b"]).error["code"], "too_many_inputs")
        self.assertIsNone(client.call("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"])
        said = self.reload("workers = 0\nbody-bytes-max = 50\ninputs-max = 1\n")
        self.assertIn("body-bytes-max: 100000 -> 50", said)
        answer = client.classify("tickets", "a" * 100)
        self.assertEqual(answer.status, 413, answer.text)

    def test_what_needs_a_restart_is_told_and_unchanged(self):
        self.start("workers = 0\nlisten = 127.0.0.1:0\nqueue-rows-max = 100\n")
        said = self.reload("workers = 0\nqueue-rows-max = 200\nthreads = 1\n", "need a restart")
        self.assertIn("queue-rows-max: 100 -> 200", said)
        self.assertIn("threads: (nothing) -> 1", said)
        self.assertIn("settings read: nothing changed", said)
        said = self.reload("workers = 0\nqueue-rows-max = 100\n")
        self.assertNotIn("need a restart", said)

    def test_a_faulty_file_changes_nothing(self):
        self.start("workers = 0\nrequests-per-minute = 100\n")
        client = self.client()
        for text, sentence in [("requests-per-minute = 5\nrequests per minute\n", "serve.conf:2: write `name = value`"),
                               ("requests-per-minute = 5\nreqests = 6\n", "serve.conf:2: there is no setting 'reqests'"),
                               ("requests-per-minute = -5\n", "requests-per-minute"),
                               ("requests-per-minute = 5\nlog-level = loud\n", "log-level"),
                               ("requests-per-minute = 5\ncors-origin = *\n", "name each origin that may call"),
                               ("requests-per-minute = 5\ntls-key = /nowhere\n", "TLS needs both files"),
                               ("#" * 70_000, "larger than a settings file can be")]:
            with self.subTest(text[:60]):
                said = self.reload(text, "settings are unchanged")
                self.assertIn(sentence, said)
                self.assertEqual(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"], "100")
        self.file.unlink()
        before = len(self.log())
        self.server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIn("cannot be read", self.log()[before:])
        self.assertEqual(client.call("GET", "/v1/models").status, 200)

    def test_the_command_line_comes_before_the_file(self):
        self.start("workers = 0\nrequests-per-minute = 100\n", "--requests-per-minute", "7")
        client = self.client()
        self.assertEqual(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"], "7")
        self.assertIn("nothing changed", self.reload("workers = 0\nrequests-per-minute = 200\n"))
        self.assertEqual(client.call("GET", "/v1/models").headers["x-ratelimit-limit-requests"], "7")

    def test_the_log_level(self):
        self.start("workers = 0\nlog-level = warning\n")
        client = self.client()
        client.call("GET", "/v1/models")
        self.assertNotIn(" access ", self.log())
        self.file.write_text("workers = 0\nlog-level = info\n")
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while " access " not in self.log():
            self.assertLess(time.monotonic(), deadline)
            client.call("GET", "/v1/models")
            time.sleep(0.02)

    def test_a_faulty_file_does_not_start(self):
        self.file.write_text("colour = green\n")
        done = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "serve", "--settings", self.file],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no setting 'colour'", done.stderr)

    def test_a_renewed_certificate_drops_nobody(self):
        if not shutil.which("openssl"):
            self.skipTest("the program openssl makes the certificate and is not installed")
        old = make_certificate(self.home.folder, "old")
        files = self.home.folder / "live.crt", self.home.folder / "live.key"
        for source, target in zip(old, files):
            shutil.copy(source, target)
        self.file.write_text("workers = 0\n")
        self.server = Secure(self.home, *files, "--settings", self.file)
        early = self.client()
        self.assertEqual(early.call("GET", "/healthz").status, 200)
        new = make_certificate(self.home.folder, "new")
        shutil.copy(new[0], files[0])  # half renewed: the key is the old one
        said = self.reload("workers = 0\n", "settings are unchanged")
        self.assertIn("live.key is not the key of", said)
        self.assertEqual(self.client().call("GET", "/healthz").status, 200)
        shutil.copy(new[1], files[1])
        self.assertIn("certificate read, valid until", self.reload("workers = 0\n"))
        self.assertEqual(early.call("GET", "/healthz").status, 200)  # on the connection of before
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.client().call("GET", "/healthz")  # who trusts the old one only
        self.server.trust = ssl.create_default_context(cafile=new[0])
        self.assertEqual(self.client().call("GET", "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=1)
