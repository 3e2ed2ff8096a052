#!/usr/bin/env python3
"""kill -9 under sixty-four live streams, at a random moment, again and again on the same home.

    tests/serve/crash_streams_test.py [CYCLES] [SEED]

After every restart, which is ready within five seconds: a stream that its reader saw to the end is in the books once, to the
token; one that died is there with what its reader was told up to the last mark: never more than he heard, and at most 64
tokens less; no hold is left and the books balance. At the end every Idempotency-Key is sent once more: what
was answered is answered again, and nothing is charged for that.
"""
import collections
import http.client
import random
import signal
import subprocess
import sys
import threading
import time

import harness
from writing_client import Stream, StreamBroken, said, tokens_in

STREAMS = 64
BEHIND = 64  # tokens that a crash may give away, per stream
READY_S = 5
CHAT = "/v1/chat/completions"
LENGTHS = [50, 300, 450]


class Reader:
    """One stream as its reader saw it."""

    def __init__(self, seed, dice):
        self.key = f"key-{seed}" if dice.random() < 0.5 else None
        self.body = said("Tell me a very long story.", max_tokens=dice.choice(LENGTHS), seed=seed % 2**31, temperature=1,
                         logprobs=True, logit_bias={"2": -100})
        self.request = None  # its id, once the answer has begun
        self.heard, self.done, self.refused = 0, False, None

    def read(self, server, home):
        try:
            stream = Stream(server, home.keys["acme"], CHAT, self.body, {"Idempotency-Key": self.key} if self.key else None)
            if stream.status != 200:
                self.refused = f"{stream.status}: {stream.text()}"
                return
            self.request = stream.request_id
            for event in stream:
                if "choices" in event:
                    self.heard += tokens_in([event])
            self.done = stream.done
            stream.leave()
        except (StreamBroken, OSError, http.client.HTTPException):
            return


class Cycle:
    """A server, sixty-four readers who begin anew when they are done, and its death."""

    def __init__(self, home, dice):
        self.home, self.dice = home, dice
        self.readers, self.dead = [], threading.Event()

    def sit(self, server, seed):
        dice = random.Random(seed)
        while not self.dead.is_set():
            reader = Reader(dice.randrange(1 << 62), dice)
            self.readers.append(reader)
            reader.read(server, self.home)

    def run(self):
        server = harness.Server(self.home)
        seats = [threading.Thread(target=self.sit, args=(server, self.dice.randrange(1 << 62))) for _ in range(STREAMS)]
        for seat in seats:
            seat.start()
        time.sleep(self.dice.uniform(0.3, 2.5))
        self.live = sum(reader.request is not None and not reader.done for reader in self.readers)
        self.dead.set()
        server.stop(signal.SIGKILL)
        for seat in seats:
            seat.join()


def ready(server):
    """Seconds from its start until /readyz says so."""
    client = harness.Client(server)
    while client.call("GET", "/readyz").status != 200:
        time.sleep(0.01)
    client.close()
    return time.monotonic() - server.started


def check(home, readers):
    """What the restarted server's books say of them: the most tokens given away, and all charged ids."""
    events = collections.defaultdict(list)
    for request, *rest in home.rows("SELECT event_id, output_tokens, finish_reason, partial FROM usage_event"):
        events[request].append(tuple(rest))
    behind, ahead = 0, 0
    for reader in readers:
        assert not reader.refused, reader.refused
        charged = events.get(reader.request, [])
        assert len(charged) <= 1, f"{reader.request} is charged {len(charged)} times"
        if reader.done:
            assert charged == [(reader.heard, charged[0][1], 0)] and charged[0][1] in ("stop", "length"), (reader.heard, charged)
        elif reader.request:
            tokens, finish, _ = charged[0] if charged else (0, "server_gone", 1)
            # Killed after its commit and before its reader had the end of it: whole, and charged so.
            assert finish == "server_gone" or tokens >= reader.heard, (reader.request, reader.heard, charged)
            if finish == "server_gone":
                behind, ahead = max(behind, reader.heard - tokens), max(ahead, tokens - reader.heard)
    assert behind <= BEHIND, f"{behind} tokens were given away"
    assert ahead <= 0, f"{ahead} tokens were charged that their reader never got"
    assert home.open_holds() == 0, f"{home.open_holds()} holds are left"
    problems = home.problems_in_books()
    assert not problems, problems
    return behind, set(events)


def ask_again(home, readers):
    """Every key that was answered tells its answer again, for nothing."""
    server = harness.Server(home)
    before = home.value("SELECT COUNT(*) FROM usage_event")
    again = [reader for reader in readers if reader.key and reader.done]
    for reader in again:
        stream = Stream(server, home.keys["acme"], CHAT, reader.body, {"Idempotency-Key": reader.key})
        assert stream.status == 200 and stream.response.headers["Idempotent-Replayed"] == "true", stream.status
        heard = sum(tokens_in([event]) for event in stream if "choices" in event)
        assert heard == reader.heard and stream.done, (heard, reader.heard)
        stream.leave()
    assert home.value("SELECT COUNT(*) FROM usage_event") == before, "an answer that was told again was charged again"
    assert server.stop() == 0
    return len(again)


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"crash test: {cycles} cycles, {STREAMS} streams, seed {seed}", flush=True)
    dice, home = random.Random(seed), harness.Home()
    subprocess.run([harness.BIN / "rootstock", "--home", home.folder, "wallet", "grant", "acme", "1000000"], check=True,
                   capture_output=True)
    readers, slowest, most_behind, live = [], 0, 0, []
    for cycle in range(1, cycles + 1):
        one = Cycle(home, dice)
        one.run()
        watch = harness.Server(home)  # settles what the dead one left
        slowest = max(slowest, ready(watch))
        assert slowest <= READY_S, f"cycle {cycle}: ready after {slowest:.1f} s"
        readers += one.readers
        try:
            behind, charged = check(home, one.readers)
        except AssertionError as wrong:
            sys.exit(f"cycle {cycle} of seed {seed}: {wrong}")
        assert watch.stop() == 0
        most_behind = max(most_behind, behind)
        live.append(one.live)
    known = {reader.request for reader in readers}
    unheard = len(charged - known)  # charged, and its reader had not even the head of the answer
    assert unheard <= sum(reader.request is None for reader in readers), unheard
    again = ask_again(home, readers)
    done = sum(reader.done for reader in readers)
    print(f"{len(readers)} streams, {STREAMS} under way at each kill, {min(live)} to {max(live)} of them begun; {done} read to the "
          f"end: each charged once, to the token; of the others at most {most_behind} tokens given away and none charged unread; "
          f"{again} keys asked again, charged nothing; holds left 0; slowest restart to ready {slowest:.2f} s")
    home.remove()


if __name__ == "__main__":
    main()
