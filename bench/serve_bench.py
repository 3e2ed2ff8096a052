#!/usr/bin/env python3
"""How fast `rootstock serve` answers, its durable ledger entries included, over the loopback with keep-alive.

    bench/serve_bench.py [--json]

Starts a server on a home of its own (tests/serve/make_fixture.cpp: one adapter of rank 4 on every linear map) with the
model of ROOTSTOCK_TEST_MODEL (default build/test-model, all-MiniLM-L6-v2), in bf16, and prints: the time from process
start to the first answer, resident memory, the latency of a single short request, and throughput with 1 to 64
clients of 1 and of 16 texts. The client is raw sockets, so that it costs little beside the server it shares the
machine with.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("ROOTSTOCK_TEST_MODEL", str(ROOT / "build" / "test-model"))
sys.path.insert(0, str(ROOT / "tests" / "serve"))
import harness  # noqa: E402

TEXT = "I am still waiting on my card, when will it arrive?"  # 14 tokens with the special ones


class Wire:
    def __init__(self, port, key, texts):
        body = json.dumps({"model": "tickets", "input": texts}).encode()
        self.request = (b"POST /v1/classify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                        b"Authorization: Bearer " + key.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self):
        self.socket.sendall(self.request)
        answer = self.socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer[:300])


def sums(server):
    """(seconds, count) of requests and of inference runs, as the server counts them."""
    client = harness.Client(server)
    text = client.call("GET", "/metrics").text
    client.close()
    value = lambda start: sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start))
    return [value(f"rootstock_{name}_{part}") for name, part in [
        ('http_request_seconds', 'sum{route="/v1/classify"'), ('http_request_seconds', 'count{route="/v1/classify"'),
        ("batch_seconds", "sum"), ("batch_seconds", "count")]]


def latency(server, key, count=400):
    wire = Wire(server.port, key, TEXT)
    for _ in range(30):
        wire.ask()
    before = sums(server)
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        wire.ask()
        taken.append(time.perf_counter() - begun)
    spent = [b - a for a, b in zip(before, sums(server))]
    taken.sort()
    return {"server_mean_ms": spent[0] / spent[1] * 1e3, "inference_mean_ms": spent[2] / spent[3] * 1e3,
            "median_ms": statistics.median(taken) * 1e3, "p90_ms": taken[int(count * 0.9)] * 1e3,
            "p99_ms": taken[int(count * 0.99)] * 1e3}


def throughput(port, key, clients, texts, seconds=3):
    counts = [0] * clients
    end = time.perf_counter() + seconds

    def work(i):
        wire = Wire(port, key, [TEXT] * texts)
        while time.perf_counter() < end:
            wire.ask()
            counts[i] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--precision", default="bf16")
    options = parser.parse_args()
    home = harness.Home()
    key = home.keys["acme"]
    server = harness.Server(home, bases=["fixture"], precision=options.precision)
    Wire(server.port, key, TEXT).ask()
    facts = {"model": harness.MODEL.name, "first_answer_s": time.monotonic() - server.started,
             "ready_s": server.ready_after, "rss_first_mb": server.resident_bytes() / 1e6}
    facts.update(latency(server, key))
    facts["throughput"] = []
    for clients, texts in [(1, 1), (4, 1), (16, 1), (64, 1), (4, 16), (16, 16)]:
        rate = throughput(server.port, key, clients, texts)
        facts["throughput"].append({"clients": clients, "texts": texts, "requests_s": rate, "texts_s": rate * texts})
    facts["rss_end_mb"] = server.resident_bytes() / 1e6
    facts["books"] = home.problems_in_books() or "balance"
    print(server.banner.strip())
    server.stop()
    home.remove()
    if options.json:
        print(json.dumps(facts, indent=1))
        return
    print(f"first answer    {facts['first_answer_s']:.3f} s after process start (listening after {facts['ready_s']:.3f} s)")
    print(f"resident memory {facts['rss_first_mb']:.0f} MB after it, {facts['rss_end_mb']:.0f} MB at the end")
    print(f"one request     median {facts['median_ms']:.2f} ms, 90 of 100 in {facts['p90_ms']:.2f}, 99 in {facts['p99_ms']:.2f} ms")
    print(f"                server side mean {facts['server_mean_ms']:.2f} ms, of it inference {facts['inference_mean_ms']:.2f} ms")
    for row in facts["throughput"]:
        print(f"{row['clients']:3} clients of {row['texts']:2} texts: {row['requests_s']:7.0f} requests/s {row['texts_s']:7.0f} texts/s")


if __name__ == "__main__":
    main()
