"""What the tests of the writing routes share: a streamed answer read event by event, and what the books say of it."""
import http.client
import json
import time


class StreamBroken(Exception):
    pass


class Stream:
    """A streamed answer. Iterating gives the events' data, decoded; the last one, "[DONE]", sets `done`."""

    def __init__(self, server, key, path, body, headers=None):
        self.connection = server.connect(timeout=60)
        sent = {"Authorization": "Bearer " + key, "Content-Type": "application/json", **(headers or {})}
        self.connection.request("POST", path, body=json.dumps({**body, "stream": True}).encode(), headers=sent)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.request_id = self.response.headers.get("x-request-id")
        self.done = False

    def __iter__(self):
        try:
            for line in self.response:
                line = line.decode().rstrip("\n")
                if not line.startswith("data: "):
                    assert line == "", line
                    continue
                data = line.removeprefix("data: ")
                if data == "[DONE]":
                    self.done = True
                    continue
                yield json.loads(data)
        except (ConnectionError, http.client.HTTPException) as broken:
            raise StreamBroken(repr(broken)) from broken

    def text(self):
        """All of it: the raw body."""
        return self.response.read().decode()

    def leave(self):
        self.connection.close()
        self.response.close()


def event_of(home, request_id, within=10):
    """The request's usage event: (input, output, amount, finish, partial, operation), waited for; None if none comes."""
    end = time.monotonic() + within
    while True:
        rows = home.rows("SELECT input_tokens, output_tokens, amount, finish_reason, partial, operation FROM usage_event "
                         "WHERE event_id = ?", request_id)
        if rows or time.monotonic() >= end:
            return rows[0] if rows else None
        time.sleep(0.02)


def words_of(events):
    """The texts of a chat stream by choice."""
    words = {}
    for event in events:
        for choice in event["choices"]:
            words[choice["index"]] = words.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return words


def said(text, **more):
    return {"model": "writer", "messages": [{"role": "user", "content": text}], **more}


def tokens_in(events):
    """How many tokens chat events bring, of requests with logprobs."""
    return sum(len((choice["logprobs"] or {}).get("content") or []) for event in events for choice in event["choices"])
