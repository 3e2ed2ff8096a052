#!/usr/bin/env python3
"""What the server costs around the model: POST /v1/classify with key, credit, reservation and durable entry, on a model
of two thin layers (tests/golden/tiny_bert) that stands in for a real one.

    bench/http_bench.py [--json] [--seconds 6]

Prints requests a second at 64 and 256 connections (wrk, one thread, which shares the machine's cores), the latency of
one client, the memory of an idle connection (10,000 of them, plain, then under TLS), and what 5,000 clients that send a
byte of a header now and then do to an honest one. Needs wrk, which only this bench uses: scripts/setup wrk
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.pop("ROOTSTOCK_TEST_MODEL", None)
sys.path.insert(0, str(ROOT / "tests" / "serve"))
import edge_test  # noqa: E402
import harness  # noqa: E402

BODY = '{"model":"tickets","input":"where is my card?","top_k":1}'


def wrk(server, key, connections, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\n'
                     f'wrk.headers["Authorization"]="Bearer {key}"\nwrk.body=\'{BODY}\'\n')
        script.flush()
        text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", script.name,
                               f"http://127.0.0.1:{server.port}/v1/classify"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(text)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def request_bytes(key):
    return (f"POST /v1/classify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n{BODY}").encode()


def ask(wire, request):
    start = time.perf_counter()
    wire.sendall(request)
    answer = wire.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:300])
    return time.perf_counter() - start


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1e3


def honest(server, key, count=400):
    """Milliseconds: median and 99th of requests one after the other."""
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = request_bytes(key)
        for _ in range(50):
            ask(wire, request)
        times = [ask(wire, request) for _ in range(count)]
    return percentile(times, 0.5), percentile(times, 0.99)


def open_many(server, count, context=None):
    """So many connections, under TLS when there is a context."""
    wires = []
    for _ in range(count):
        wire = socket.create_connection(("127.0.0.1", server.port))
        wires.append(context.wrap_socket(wire) if context else wire)
    return wires


def trusting():
    """Asks for no proof: whose certificate it is does not matter here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def idle(server, count=10_000, context=None):
    """Bytes of memory per idle connection; each has been asked for something once."""
    before = server.resident_bytes()
    wires = open_many(server, count, context)
    for wire in wires:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n")
    for wire in wires:
        if not wire.recv(4096).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("an idle connection was refused")
    time.sleep(1)
    each = (server.resident_bytes() - before) / count
    for wire in wires:
        wire.close()
    return each


def idle_under_tls(home):
    certificate, key = edge_test.make_certificate(home.folder)
    server = harness.Server(home, "--threads", "1", "--connections-max", "16000", "--tls-certificate", certificate, "--tls-key", key)
    try:
        return idle(server, context=trusting())
    finally:
        server.stop()


def drip(wires, stop):
    """Every wire sends one more byte of its header about every five seconds; those that are closed are left."""
    for wire in wires:
        wire.sendall(b"POST /v1/classify HTTP/1.1\r\nHost: bench\r\n")
        wire.setblocking(False)
    place = 0
    while not stop.is_set():
        for wire in wires[place:place + 100]:
            try:
                wire.send(b"a")
            except OSError:
                pass
        place = (place + 100) % len(wires)
        stop.wait(0.1)


def slow(server, key, count=5_000):
    alone = honest(server, key)
    wires, stop = open_many(server, count), threading.Event()
    dripping = threading.Thread(target=drip, args=(wires, stop))
    dripping.start()
    time.sleep(1)
    beside = honest(server, key)
    stop.set()
    dripping.join()
    for wire in wires:
        wire.close()
    return alone, beside


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=int, default=6)
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("http_bench: the program wrk, which sends the requests, is missing; install it with: scripts/setup wrk")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    home = harness.Home()
    server = harness.Server(home, "--threads", "1", "--connections-max", "16000")
    key = home.keys["acme"]
    facts = {}

    def say(text):
        print(f"http_bench: {text}", file=sys.stderr, flush=True)

    try:
        for connections in (64, 256):
            say(f"{connections} connections")
            facts[f"requests_per_s_{connections}"] = wrk(server, key, connections, arguments.seconds)
        facts["alone_p50_ms"], facts["alone_p99_ms"] = honest(server, key)
        say("10,000 idle connections")
        facts["idle_bytes"] = idle(server)
        say("5,000 slow clients")
        (_, facts["slow_before_p99_ms"]), (facts["slow_p50_ms"], facts["slow_p99_ms"]) = slow(server, key)
        server.stop()
        say("10,000 idle connections under TLS")
        facts["idle_tls_bytes"] = idle_under_tls(home)
    finally:
        server.stop()
        verified = subprocess.run([harness.BIN / "rootstock", "--home", home.folder, "ledger", "verify"],
                                  capture_output=True, text=True)
        home.remove()
    facts["books"] = "" if verified.returncode == 0 else verified.stdout + verified.stderr
    if arguments.json:
        print(json.dumps(facts))
        return
    print(f"requests/s, 64 and 256 connections   {facts['requests_per_s_64']:.0f}  {facts['requests_per_s_256']:.0f}")
    print(f"one client: median, 99th             {facts['alone_p50_ms']:.2f} ms  {facts['alone_p99_ms']:.2f} ms")
    print(f"memory of an idle connection         {facts['idle_bytes'] / 1024:.1f} KiB (10,000 of them)")
    print(f"the same under TLS                   {facts['idle_tls_bytes'] / 1024:.1f} KiB")
    print(f"beside 5,000 slow clients            {facts['slow_p50_ms']:.2f} ms  {facts['slow_p99_ms']:.2f} ms "
          f"(99th before: {facts['slow_before_p99_ms']:.2f} ms)")


if __name__ == "__main__":
    main()
