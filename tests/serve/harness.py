"""What the tests of the running server share: a home to serve, the server as a process, a client, the ledger's rows.

Programs are looked for in $ROOTSTOCK_BIN (default: build/bin beside the sources). The model is the tiny one of
tests/golden, so that nothing need be fetched; ROOTSTOCK_TEST_MODEL names another.
"""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ROOTSTOCK_BIN", ROOT / "build" / "bin"))
GOLDEN = ROOT / "tests" / "golden"
MODEL = pathlib.Path(os.environ.get("ROOTSTOCK_TEST_MODEL", ROOT / "tests" / "golden" / "tiny_bert"))


def skip(sentence):
    print("skipped:", sentence)
    sys.exit(77)


class Home:
    """A temporary home folder with the fixture in it; `facts` is what serve_fixture printed."""

    def __init__(self, writer=None):
        if not MODEL.is_dir():
            skip(f"there is no model folder {MODEL.name}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rootstock-serve-"))
        made = subprocess.run([BIN / "serve_fixture", self.folder, MODEL, *([writer] if writer else [])], capture_output=True, text=True)
        if made.returncode != 0:
            raise RuntimeError("serve_fixture: " + made.stderr)
        self.facts = json.loads(made.stdout)
        self.keys = self.facts["keys"]

    def pull(self, *folders):
        """Base models besides those of the fixture, each under its folder's name."""
        for folder in folders:
            subprocess.run([BIN / "rootstock", "--home", self.folder, "pull", f"file:{folder}", "--name", folder.name],
                           check=True, capture_output=True)

    def rows(self, sql, *args):
        with contextlib.closing(sqlite3.connect(self.folder / "rootstock.db", timeout=10)) as records:
            return records.execute(sql, args).fetchall()

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.folder / "rootstock.db", timeout=10)) as records:
            records.execute(sql)
            records.commit()

    def value(self, sql, *args):
        return self.rows(sql, *args)[0][0]

    def open_holds(self):
        return self.value("SELECT COUNT(*) FROM reservation WHERE state = 'pending'")

    def problems_in_books(self):
        """Every rule that a crash could break, as sentences; see the SQL for what each means."""
        problems = []

        def none(sentence, sql):
            rows = self.rows(sql)
            if rows:
                problems.append(f"{sentence}: {rows[:3]}")

        none("an account is not the fold of its transfers", """
            SELECT b.account_id, b.posted_dr, b.posted_cr FROM ledger_balance b WHERE
            b.posted_dr <> (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfer WHERE debit_account = b.account_id) OR
            b.posted_cr <> (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfer WHERE credit_account = b.account_id)""")
        none("held amounts are not the open reservations", """
            SELECT b.account_id, b.pending_dr FROM ledger_balance b WHERE b.pending_dr <>
            (SELECT COALESCE(SUM(amount), 0) FROM reservation WHERE account_id = b.account_id AND state = 'pending')""")
        none("a posted request has not exactly one usage event", """
            SELECT request_id FROM reservation r WHERE state = 'posted' AND
            (SELECT COUNT(*) FROM usage_event WHERE event_id = r.request_id) <> 1""")
        none("a usage event without a posted request", """
            SELECT event_id FROM usage_event u WHERE NOT EXISTS
            (SELECT 1 FROM reservation WHERE request_id = u.event_id AND state = 'posted')""")
        none("a usage event without its one transfer of the same amount", """
            SELECT event_id, amount FROM usage_event u WHERE
            (SELECT COUNT(*) FROM ledger_transfer WHERE id = u.transfer_id AND amount = u.amount) <> 1""")
        none("two usage events share a transfer",
             "SELECT transfer_id FROM usage_event GROUP BY transfer_id HAVING COUNT(*) > 1")
        none("a classified request without its predictions", """
            SELECT event_id FROM usage_event u WHERE operation = 'classify' AND u.inputs <>
            (SELECT COUNT(*) FROM prediction WHERE request_id = u.event_id)""")
        return problems

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """`rootstock serve` on a free port of the loopback."""

    def __init__(self, home, *options, precision="fp32", bases=("fixture", "writer")):
        chosen = [word for base in bases for word in ("--base", base)]
        self.started = time.monotonic()
        self.log = open(home.folder / "serve.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "rootstock", "--home", home.folder, "serve", "--listen", "127.0.0.1:0", "--precision", precision,
             *chosen, *options], stdout=subprocess.PIPE, stderr=self.log)
        self.banner = ""
        while "listening on " not in self.banner:
            line = self.process.stdout.readline().decode()
            if not line:
                raise RuntimeError(f"the server ended with {self.process.wait()}:\n" +
                                   (home.folder / "serve.log").read_text()[-2000:])
            self.banner += line
        self.ready_after = time.monotonic() - self.started
        self.port = int(self.banner.rsplit(":", 1)[1])

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def raw(self, data, timeout=5, shut=False):
        """Sends bytes as they are; returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as wire:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                wire.sendall(data)
            if shut:
                wire.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := wire.recv(65536):
                    answer += piece
            return answer

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def stop(self, how=signal.SIGTERM, timeout=40):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout)
        self.process.stdout.close()
        self.log.close()
        return code


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()
        self.request_id = response.headers.get("x-request-id")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def error(self):
        return self.json["error"]


class Client:
    """One keep-alive connection with one key."""

    def __init__(self, server, key=None):
        self.connection = server.connect()
        self.key = key

    def call(self, method, path, body=None, headers=None):
        sent = dict(headers or {})
        if self.key and "Authorization" not in sent:
            sent["Authorization"] = "Bearer " + self.key
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        self.connection.request(method, path, body=body, headers=sent)
        return Answer(self.connection.getresponse())

    def classify(self, model, texts, headers=None, **more):
        return self.call("POST", "/v1/classify", {"model": model, "input": texts, **more}, headers)

    def embed(self, texts, model="fixture", headers=None, **more):
        return self.call("POST", "/v1/embeddings", {"model": model, "input": texts, **more}, headers)

    def close(self):
        self.connection.close()
