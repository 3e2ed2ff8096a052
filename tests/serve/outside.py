"""The world outside of a server, on the loopback: a receiver of webhooks, a mail server, and a Stripe that fails on order."""
import base64
import email
import http.server
import json
import re
import socketserver
import threading
import time
import urllib.parse


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


class Service:
    """An HTTP server whose handler asks `answer(method, path, headers, body)` for (status, body) or None: no answer."""

    def __init__(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                told = service.answer(self.command, self.path, self.headers, body)
                if told is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, text = told
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Receiver(Service):
    def __init__(self):
        self.heard, self.status = [], 200
        super().__init__()

    def answer(self, method, path, headers, body):
        self.heard.append((path, dict(headers), body))
        return self.status, b"{}"


class FaultyStripe(Service):
    """Keeps intents and refunds by idempotency key, as Stripe does. `fault`: what happens to the next POST that makes
    something: "drop_before" and "drop_after" (the work), "500_after", "409", "429", "decline", "slow_after"."""

    def __init__(self):
        self.objects, self.by_key, self.calls, self.fault = {}, {}, [], None
        super().__init__()

    def answer(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        form = dict(urllib.parse.parse_qsl(body.decode()))
        self.calls.append((method, url.path, form, dict(headers)))
        if not headers.get("Authorization", "").startswith("Bearer sk_test_"):
            return 401, b'{"error":{"type":"invalid_request_error"}}'
        if method == "GET":
            return self.look(url, dict(urllib.parse.parse_qsl(url.query)))
        if url.path.endswith("/cancel"):
            intent = self.objects[url.path.split("/")[3]]
            intent["status"] = "canceled"
            return 200, json.dumps(intent).encode()
        fault = self.fault if url.path != "/v1/customers" else None
        if fault == "drop_before":
            return None
        if fault in ("409", "429"):
            return int(fault), b'{"error":{"type":"idempotency_error","code":"lock_timeout"}}'
        made = self.make(url.path, form, headers.get("Idempotency-Key"), fault)
        if fault == "slow_after":
            time.sleep(3)
        if fault in ("drop_after", "slow_after"):
            return None
        if fault == "500_after":
            return 500, b"oops"
        if fault == "decline":
            return 402, json.dumps({"error": {"type": "card_error", "code": "card_declined", "decline_code":
                                              "insufficient_funds", "payment_intent": made}}).encode()
        return 200, json.dumps(made).encode()

    def make(self, path, form, key, fault):
        if key in self.by_key:
            return self.by_key[key]
        kind = {"/v1/customers": "customer", "/v1/payment_intents": "payment_intent", "/v1/refunds": "refund"}[path]
        made = {"id": f"{kind[:2]}_{len(self.objects) + 1}", "object": kind,
                "metadata": {k[9:-1]: v for k, v in form.items() if k.startswith("metadata[")}}
        if kind != "customer":
            made["amount"] = int(form["amount"])
        if kind == "payment_intent":
            confirmed = form.get("confirm") == "true" and fault != "decline"
            made["status"] = "succeeded" if confirmed else "requires_payment_method"
            made["amount_received"] = made["amount"] if confirmed else 0
            made["client_secret"] = made["id"] + "_secret_canary"
        if kind == "refund":
            made["status"] = "succeeded"
        self.objects[made["id"]] = self.by_key[key] = made
        return made

    def look(self, url, query):
        parts = url.path.split("/")
        if len(parts) == 4:
            found = self.objects.get(parts[3])
            return (200, json.dumps(found).encode()) if found else (404, b'{"error":{"type":"invalid_request_error"}}')
        kind = {"payment_intents": "payment_intent", "refunds": "refund"}[parts[2]]
        found = [o for o in self.objects.values() if o["object"] == kind]
        return 200, json.dumps({"data": found, "has_more": False}).encode()

    def made(self, kind):
        return [o for o in self.objects.values() if o["object"] == kind]


class MailServer:
    """SMTP enough to take letters (RFC 5321). `refuse`: a code for RCPT, such as 550 or 451."""

    def __init__(self):
        self.letters, self.refuse = [], None
        keeper = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 loopback")
                to = []
                while line := self.rfile.readline().decode().strip():
                    verb = line.upper()
                    if verb.startswith("DATA"):
                        self.say("354 go on")
                        data = b""
                        while not data.endswith(b"\r\n.\r\n"):
                            data += self.rfile.readline()
                        keeper.letters.append((to, email.message_from_bytes(data[:-3])))
                        self.say("250 kept")
                    elif verb.startswith("RCPT") and keeper.refuse:
                        self.say(f"{keeper.refuse} no")
                    elif verb.startswith("QUIT"):
                        self.say("221 bye")
                        return
                    else:
                        if verb.startswith("RCPT"):
                            to.append(re.search("<(.*)>", line).group(1))
                        self.say("250 fine")

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def text_of(letter):
    return base64.b64decode(letter.get_payload()).decode()
