#!/usr/bin/env python3
"""The edge of the server: TLS, packed answers, pages of other origins, traces, and the access log."""
import gzip
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest

import harness

ORIGIN = "https://app.example.com"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def make_certificate(folder, name="localhost"):
    """A self-signed pair: the files NAME.crt and NAME.key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


class Secure(harness.Server):
    """Behind TLS, with clients that check the certificate."""

    def __init__(self, home, certificate, key, *options):
        super().__init__(home, "--tls-certificate", certificate, "--tls-key", key, *options)
        self.trust = ssl.create_default_context(cafile=certificate)

    def connect(self, timeout=30):
        return http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=self.trust)


class EdgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("openssl"):
            harness.skip("the program openssl makes the certificate and is not installed")
        cls.home = harness.Home()
        cls.certificate, cls.key = make_certificate(cls.home.folder)
        cls.server = Secure(cls.home, cls.certificate, cls.key, "--workers", "0", "--cors-origin", ORIGIN, "--cors-origin",
                            "http://localhost:3000")

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        log = (cls.home.folder / "serve.log").read_text()
        cls.home.remove()
        assert code == 0, log[-2000:]
        for name, secret in cls.home.keys.items():
            assert secret not in log, f"the key {name} stands in the log"
        assert "CANARY" not in log and "where is my card" not in log, "a customer's text stands in the log"

    def setUp(self):
        self.client = harness.Client(self.server, self.home.keys["acme"])
        self.addCleanup(self.client.close)

    # ---- TLS ----

    def test_tls_is_spoken_and_told(self):
        self.assertIn("certificate  valid until", self.server.banner)
        answer = self.client.classify("tickets", "where is my card?")
        self.assertEqual(answer.status, 200, answer.text)
        self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])
        self.assertIn(self.client.connection.sock.version(), ["TLSv1.2", "TLSv1.3"])

    def test_a_stream_comes_under_tls(self):
        body = {"model": "writer", "prompt": [5, 6], "max_tokens": 8, "stream": True}
        answer = self.client.call("POST", "/v1/completions", body, {"Accept-Encoding": "gzip"})
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream; charset=utf-8")
        self.assertIsNone(answer.headers["Content-Encoding"])
        self.assertTrue(answer.text.endswith("data: [DONE]\n\n"))

    def test_a_large_upload_comes_under_tls(self):
        data = b'{"text": "a", "label": "b"}\n' * 100_000
        form = (b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--x\r\nContent-Disposition: form-data; '
                b'name="file"; filename="rows.jsonl"\r\n\r\n' + data + b"\r\n--x--\r\n")
        answer = self.client.call("POST", "/v1/files", form, {"Content-Type": "multipart/form-data; boundary=x"})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(answer.json["bytes"], len(data))
        content = self.client.call("GET", f"/v1/files/{answer.json['id']}/content")
        self.assertEqual(content.text.encode(), data)

    def test_an_idle_connection_under_tls_holds_little(self):
        self.idle_wires(100)  # what the first ones cost the whole process is not theirs
        before, count = self.server.resident_bytes(), 400
        self.idle_wires(count)
        self.assertLess((self.server.resident_bytes() - before) / count, 64 * 1024)

    def idle_wires(self, count):
        for _ in range(count):
            wire = self.trust_wire()
            wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(wire.recv(4096).startswith(b"HTTP/1.1 200"))

    def trust_wire(self):
        wire = self.server.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.server.port)), server_hostname="localhost")
        self.addCleanup(wire.close)
        return wire

    def test_plain_http_is_refused_not_redirected(self):
        answer = self.server.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertNotIn(b"Location", answer)

    def test_old_tls_and_other_protocols_are_refused(self):
        for change in [lambda context: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_1),
                       lambda context: context.set_alpn_protocols(["h2"])]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers("ALL:@SECLEVEL=0")
            change(context)
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as wire:
                with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                    context.wrap_socket(wire, server_hostname="localhost")

    def test_silent_handshakes_do_not_stop_others(self):
        silent = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(300)]
        for wire in silent[::2]:
            wire.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01")
        begun = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.client.call("GET", "/healthz").status, 200)
        self.assertLess(time.monotonic() - begun, 2)
        deadline = time.monotonic() + 13  # a handshake has 10 s
        for wire in silent:
            wire.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                while wire.recv(100):
                    pass
            except ConnectionResetError:
                pass
            wire.close()

    # ---- packing ----

    def pack(self, method, path, accept, body=None):
        sent = {"Authorization": "Bearer " + self.client.key, **({"Accept-Encoding": accept} if accept is not None else {})}
        self.client.connection.putrequest(method, path, skip_accept_encoding=True)
        data = json.dumps(body).encode() if body is not None else b""
        if body is not None:
            sent.update({"Content-Type": "application/json", "Content-Length": str(len(data))})
        for name, value in sent.items():
            self.client.connection.putheader(name, value)
        self.client.connection.endheaders(data)
        response = self.client.connection.getresponse()
        return response, response.read()

    def test_large_answers_are_packed_for_who_wants_it(self):
        plain_response, plain = self.pack("GET", "/openapi.json", None)
        self.assertIsNone(plain_response.headers["Content-Encoding"])
        self.assertIn("Accept-Encoding", plain_response.headers["Vary"])
        for accept, packed in [("gzip", True), ("gzip, deflate, br", True), ("GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False),
                               ("identity", False), ("identity;q=1, gzip;q=0.5", False), ("gzip;q=nonsense", False), ("", False)]:
            with self.subTest(accept):
                response, body = self.pack("GET", "/openapi.json", accept)
                self.assertEqual(response.headers["Content-Encoding"], "gzip" if packed else None)
                self.assertEqual(gzip.decompress(body) if packed else body, plain)
                self.assertEqual(int(response.headers["Content-Length"]), len(body))
                self.assertIn("Accept-Encoding", response.headers["Vary"])
        self.assertLess(len(self.pack("GET", "/openapi.json", "gzip")[1]), len(plain) / 3)

    def test_head_tells_what_get_would_send(self):
        for accept in ["gzip", "identity"]:
            got, body = self.pack("GET", "/openapi.json", accept)
            headed, nothing = self.pack("HEAD", "/openapi.json", accept)
            self.assertEqual(nothing, b"")
            for name in ["Content-Length", "Content-Encoding", "Vary", "Content-Type"]:
                self.assertEqual(headed.headers[name], got.headers[name], name)

    def test_small_answers_and_large_embeddings(self):
        response, body = self.pack("GET", "/healthz", "gzip")
        self.assertIsNone(response.headers["Content-Encoding"])
        response, body = self.pack("POST", "/v1/embeddings", "gzip", {"model": "fixture", "input": ["where is my card?"] * 300})
        self.assertEqual(response.headers["Content-Encoding"], "gzip")
        self.assertEqual(len(json.loads(gzip.decompress(body))["data"]), 300)

    # ---- pages of other origins ----

    def preflight(self, origin, method="POST", path="/v1/classify", **headers):
        client = harness.Client(self.server)
        self.addCleanup(client.close)
        return client.call("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method, **headers})

    def test_a_named_origin_may_ask_and_call(self):
        answer = self.preflight(ORIGIN, **{"Access-Control-Request-Headers": "authorization,content-type,x-stainless-os"})
        self.assertEqual((answer.status, answer.text), (204, ""))
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertEqual(answer.headers["Access-Control-Allow-Methods"], "POST")
        self.assertEqual(answer.headers["Access-Control-Allow-Headers"], "authorization, content-type, x-stainless-os")
        self.assertIn("Origin", answer.headers["Vary"])
        answer = self.client.classify("tickets", "where is my card?", {"Origin": ORIGIN})
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertIn("x-request-id", answer.headers["Access-Control-Expose-Headers"])
        answer = self.client.classify("nosuch", "a", {"Origin": ORIGIN})  # a page may read why it failed
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (404, ORIGIN))

    def test_other_origins_may_not(self):
        for origin in ["https://evil.example", "null", "*", ORIGIN + ".evil.example", ORIGIN.upper(), "http://app.example.com", ""]:
            answer = self.preflight(origin)
            self.assertEqual(answer.status, 405, origin)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            answer = self.client.call("GET", "/v1/models", headers={"Origin": origin})
            self.assertEqual(answer.status, 200)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            self.assertIn("Origin", answer.headers["Vary"])
        for answer in [self.preflight(ORIGIN), self.client.call("GET", "/v1/models", headers={"Origin": ORIGIN})]:
            self.assertNotEqual(answer.headers["Access-Control-Allow-Origin"], "*")
            self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])
        self.assertEqual(self.preflight(ORIGIN, path="/nowhere").status, 404)

    # ---- traces and the log ----

    def logged(self, request_id):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in (self.home.folder / "serve.log").read_text().splitlines():
                if f" access request={request_id} " in line:
                    return dict(word.split("=", 1) for word in line.split(" access ")[1].split(" "))
            time.sleep(0.02)
        self.fail(f"{request_id} is not in the access log")

    def test_a_trace_goes_on(self):
        answer = self.client.classify("tickets", "where is my card?", {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"})
        version, trace, span, flags = answer.headers["traceresponse"].split("-")
        self.assertEqual((version, trace, flags), ("00", TRACE, "01"))
        self.assertNotEqual(span, SPAN)
        line = self.logged(answer.request_id)
        self.assertEqual((line["trace"], line["span"], line["parent"]), (TRACE, span, SPAN))

    def test_a_malformed_trace_begins_anew(self):
        for bad in [f"00-{TRACE}-{SPAN}", f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01", "CANARY"]:
            answer = self.client.call("GET", "/v1/models", headers={"traceparent": bad})
            self.assertEqual(answer.status, 200)
            self.assertRegex(answer.headers["traceresponse"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-02$")
            self.assertNotIn(TRACE, answer.headers["traceresponse"])
            self.assertEqual(self.logged(answer.request_id)["parent"], "-")

    def test_the_access_log_tells_ids_and_numbers(self):
        answer = self.client.call("GET", "/v1/files/file-CANARY?limit=CANARY", headers={"User-Agent": "CANARY", "Cookie": "CANARY"})
        line = self.logged(answer.request_id)
        self.assertEqual((line["method"], line["route"], line["status"]), ("GET", "/v1/files/{id}", str(answer.status)))
        self.assertEqual(line["bytes"], answer.headers["Content-Length"])
        self.assertRegex(line["ms"], r"^\d+\.\d$")
        self.assertTrue(line["tenant"].startswith("ten_") and line["key"].startswith("key_"), line)
        answer = self.client.call("BREW", "/CANARY")
        line = self.logged(answer.request_id)
        self.assertEqual((line["method"], line["route"], line["status"]), ("-", "-", "404"))

    def test_metrics_by_tenant_model_and_step(self):
        self.client.classify("tickets", "where is my card?")
        text = self.client.call("GET", "/metrics").text
        for step in ["queue", "compute", "store", "total"]:
            self.assertRegex(text, rf'rootstock_answer_seconds_count{{model="fixture",step="{step}"}} [1-9]')
        tenant = re.search(r'rootstock_tenant_answers_total{model="fixture",tenant="([^"]+)"} [1-9]', text).group(1)
        self.assertEqual(tenant, self.home.value("SELECT id FROM tenant WHERE name = 'acme'"))
        self.assertNotIn("acme", text)
        self.assertNotIn("tickets", text)
        total = float(re.search(r'rootstock_answer_seconds_sum{model="fixture",step="total"} ([\d.e-]+)', text).group(1))
        parts = sum(float(re.search(rf'rootstock_answer_seconds_sum{{model="fixture",step="{step}"}} ([\d.e-]+)', text).group(1))
                    for step in ["queue", "compute", "store"])
        self.assertLessEqual(parts, total)
        self.assertGreater(parts, 0)


class ManyTenantsTest(unittest.TestCase):
    def test_the_labels_stay_few(self):
        home = harness.Home()
        self.addCleanup(home.remove)
        server = harness.Server(home, "--workers", "0", "--metrics-tenants-max", "1")
        self.addCleanup(server.stop)
        for name in ["acme", "umbra", "acme", "umbra", "umbra"]:
            client = harness.Client(server, home.keys[name])
            self.assertEqual(client.classify("tickets", "where is my card?").status, 200)
            client.close()
        client = harness.Client(server)
        text = client.call("GET", "/metrics").text
        client.close()
        counted = dict(re.findall(r'rootstock_tenant_answers_total{model="fixture",tenant="([^"]+)"} (\d+)', text))
        self.assertEqual(counted, {home.value("SELECT id FROM tenant WHERE name = 'acme'"): "2", "other": "3"})


if __name__ == "__main__":
    unittest.main(verbosity=1)
