#!/usr/bin/env python3
"""A thousand requests of one unit at once, on a balance of a hundred: exactly a hundred are answered, nine hundred refused
with 429, and nothing stays on hold; again and again.

    tests/serve/overspend_test.py [REPETITIONS]

One server on SQLite; where $ROOTSTOCK_TEST_POSTGRES names a database server, two on one set of records there.
"""
import collections
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time

import harness
from two_homes import ADDRESS, TwoHomes

REQUESTS, BALANCE = 1000, 100
BODY = b'{"model":"tickets","input":"help"}'
# A request costs one unit, whatever it reads; nothing can be had on credit.
PLAN = {"code": "unit", "credit_limit": "0", "prices": [
    {"meter": "requests", "rating": {"tiers": [{"nano_per_million": 10**15}]}},
    {"meter": "input_tokens", "rating": {"tiers": [{"nano_per_million": 0}]}}]}


class Wire:
    """A connection that is asked once a repetition."""

    def __init__(self, server, key):
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setblocking(False)
        self.request = (b"POST /v1/classify HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
                        key.encode() + b"\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY)
        self.heard = b""

    def ask(self):
        self.heard = b""
        self.socket.sendall(self.request)

    def answer(self):
        """(status, code of the error) when all of it has come."""
        if not (piece := self.socket.recv(65536)):
            raise ConnectionError("a server closed a connection: " + self.heard.decode())
        self.heard += piece
        head, end, body = self.heard.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not end or len(body) < int(length):
            return None
        status = int(head.split(b" ")[1])
        return status, None if status == 200 else json.loads(body)["error"]["code"]


def storm(wires, seconds=120):
    """Everybody asks at once; what they are told, counted."""
    waiting, told = selectors.DefaultSelector(), collections.Counter()
    for wire in wires:
        waiting.register(wire.socket, selectors.EVENT_READ, wire)
    for wire in wires:
        wire.ask()
    end = time.monotonic() + seconds
    while told.total() < len(wires):
        if time.monotonic() > end:
            sys.exit(f"{len(wires) - told.total()} requests had no answer within {seconds} s")
        for ready, _ in waiting.select(1):
            if answer := ready.data.answer():
                told[answer] += 1
                waiting.unregister(ready.fileobj)
    waiting.close()
    return told


class House:
    """The servers, however many, and what the books say."""

    def __init__(self):
        self.homes = TwoHomes("overspend") if ADDRESS else None
        self.home = self.homes.first if self.homes else harness.Home()
        self.servers = [harness.Server(home, "--connections-max", "2000") for home in self.homes or [self.home]]

    def command(self, *words):
        run = subprocess.run([harness.BIN / "rootstock", "--home", self.home.folder, "--json", *words], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"rootstock {' '.join(words)}: {run.stdout}{run.stderr}")
        return json.loads(run.stdout)

    def value(self, sql):
        return int(self.homes.value(sql)) if self.homes else self.home.value(sql)

    def customer(self):
        """The key of somebody who pays beforehand."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as plan:
            json.dump(PLAN, plan)
            plan.flush()
            self.command("plan", "add", plan.name)
        self.command("tenant", "create", "crowd", "--plan", "unit")
        return self.command("key", "create", "--tenant", "crowd")["secret"]

    def check(self, spent):
        held = self.value("SELECT CAST(COALESCE(SUM(pending_dr), 0) AS BIGINT) FROM ledger_balance")
        pending = self.value("SELECT COUNT(*) FROM reservation WHERE state = 'pending'")
        owed = self.value("SELECT CAST(SUM(b.posted_dr - b.posted_cr) AS BIGINT) FROM ledger_balance b JOIN ledger_account a "
                          "ON a.id = b.account_id JOIN tenant t ON t.id = a.tenant_id WHERE t.name = 'crowd'")
        events = self.value("SELECT COUNT(*) FROM usage_event")
        assert (held, pending, owed, events) == (0, 0, 0, spent), (held, pending, owed, events, spent)

    def stop(self):
        codes = [server.stop() for server in self.servers]
        books = self.command("ledger", "verify")
        (self.homes or self.home).remove()
        assert codes == [0] * len(codes), codes
        assert books["problems"] == [], books["problems"]


def main():
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    house = House()
    key = house.customer()
    wires = [Wire(house.servers[i % len(house.servers)], key) for i in range(REQUESTS)]
    begun = time.monotonic()
    for repetition in range(1, repetitions + 1):
        house.command("wallet", "grant", "crowd", str(BALANCE), "--kind", "purchased")
        told = storm(wires)
        expected = {(200, None): BALANCE, (429, "insufficient_quota"): REQUESTS - BALANCE}
        if told != expected:
            sys.exit(f"repetition {repetition}: {dict(told)} and not {expected}")
        house.check(repetition * BALANCE)
        if repetition % 50 == 0:
            print(f"{repetition} repetitions in {time.monotonic() - begun:.0f} s", flush=True)
    seconds = time.monotonic() - begun
    house.stop()
    print(f"overspend: {repetitions} times {REQUESTS} requests at once on a balance of {BALANCE}, {len(house.servers)} server(s) on "
          f"{'PostgreSQL' if house.homes else 'SQLite'}: {BALANCE} answered and {REQUESTS - BALANCE} refused each time, nothing "
          f"on hold; {seconds / repetitions:.2f} s each")


if __name__ == "__main__":
    main()
