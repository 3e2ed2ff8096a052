#!/usr/bin/env python3
"""A stand-in for the model Hub on the loopback interface, for tests/journeys/pull_hub.sh.

It serves one folder as the repository OWNER/NAME, with the behaviour that matters to a client: the list of files with
sizes, git blob ids and LFS digests; small files directly; safetensors files by a redirect to a second port (the "CDN"),
with X-Linked-Size and X-Linked-ETag; Range and If-Range (RFC 9110); a token on request. It can also break the first
transfers of a large file after so many bytes, or change a byte of it. Every request is a line in --log, with the
Authorization header where there was one.

    hub_server.py FOLDER --repo OWNER/NAME --log FILE [--token T] [--break-after BYTES --breaks N] [--corrupt]

Prints "PORT" on its first line when it listens; ends with SIGTERM."""
import argparse
import hashlib
import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Repository:
    def __init__(self, options):
        self.options = options
        self.breaks_left = options.breaks
        self.lock = threading.Lock()
        self.files = {}
        for root, _, names in os.walk(options.folder):
            for name in names:
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    self.files[os.path.relpath(path, options.folder)] = file.read()

    def listing(self):
        siblings = []
        for name, data in sorted(self.files.items()):
            entry = {"rfilename": name, "size": len(data), "blobId": git_blob(data)}
            if name.endswith(".safetensors"):
                digest = hashlib.sha256(data).hexdigest()
                entry["blobId"] = git_blob(b"version https://git-lfs.github.com/spec/v1\n")
                entry["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        return {"id": self.options.repo, "sha": COMMIT, "siblings": siblings, "cardData": {"license": "apache-2.0"}}

    def breaks_now(self):
        with self.lock:
            self.breaks_left -= 1
            return self.breaks_left >= 0

    def log(self, line):
        with self.lock, open(self.options.log, "a", encoding="utf-8") as file:
            file.write(line + "\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repository = None
    cdn = ""
    is_cdn = False

    def log_message(self, *_):
        pass

    def answer(self, status, data=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        repository, options = self.repository, self.repository.options
        path = unquote(urlsplit(self.path).path)
        authorization = self.headers.get("Authorization", "-")
        repository.log(f"{'cdn' if self.is_cdn else 'hub'} {path} range={self.headers.get('Range', '-')} auth={authorization}")
        if self.is_cdn:
            if authorization != "-":
                return self.answer(400, b"only one way to sign in")
            return self.send_file(repository.files[path.removeprefix("/lfs/")])
        if options.token and authorization != f"Bearer {options.token}":
            return self.answer(401, b"", X_Error_Message="Access to this model is restricted")
        if path in (f"/api/models/{options.repo}/revision/{r}" for r in ("main", "v1.0", COMMIT)):
            return self.answer(200, json.dumps(repository.listing()).encode(), Content_Type="application/json")
        prefix = f"/{options.repo}/resolve/{COMMIT}/"
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or name not in repository.files:
            return self.answer(404, b"", X_Error_Message="Repository not found")
        data = repository.files[name]
        if not name.endswith(".safetensors"):
            return self.answer(200, data, ETag=f'"{git_blob(data)}"', X_Repo_Commit=COMMIT)
        digest = hashlib.sha256(data).hexdigest()
        self.answer(302, b"redirecting", Location=f"{self.cdn}/lfs/{name}?signature=abc", X_Linked_Size=str(len(data)),
                    X_Linked_ETag=f'"{digest}"', X_Repo_Commit=COMMIT)

    def send_file(self, data):
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and self.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        body = bytearray(data[start:])
        if self.repository.options.corrupt and body:
            body[-1] ^= 1
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        limit = self.repository.options.break_after
        if limit and self.repository.breaks_now():
            self.wfile.write(body[:limit])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--repo", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--token", default="")
    parser.add_argument("--break-after", type=int, default=0)
    parser.add_argument("--breaks", type=int, default=1)
    parser.add_argument("--corrupt", action="store_true")
    Handler.repository = Repository(parser.parse_args())

    class Cdn(Handler):
        is_cdn = True

    cdn = ThreadingHTTPServer(("127.0.0.1", 0), Cdn)
    Handler.cdn = f"http://127.0.0.1:{cdn.server_port}"
    threading.Thread(target=cdn.serve_forever, daemon=True).start()
    hub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(hub.server_port, flush=True)
    hub.serve_forever()


if __name__ == "__main__":
    main()
