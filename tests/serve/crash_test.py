#!/usr/bin/env python3
"""kill -9 under load: sixteen clients, a random moment, again and again on the same home.

    tests/serve/crash_test.py [CYCLES] [SEED]

Half of the time the moment is the very arrival of an answer: what was told must be kept.
After every restart: no hold is left, the books balance, and every request that was answered stands in the ledger
exactly once. At the end every unanswered request with an Idempotency-Key is sent once more: each key is charged
exactly once, whether its first answer was lost or never made.
"""
import collections
import http.client
import random
import signal
import sys
import threading
import time

import harness

CLIENTS = 16
MODELS = {"acme": ["tickets", "mood", "mood@1"], "umbra": ["tickets", "secret"]}


class Load:
    """Sixteen clients with one request each on the wire, until the server dies."""

    def __init__(self, home, dice):
        self.home, self.dice = home, dice
        self.answered = []   # request ids of complete 200 answers
        self.unanswered = {}  # idempotency key -> (tenant, body) whose answer did not arrive
        self.keys_answered = {}  # idempotency key -> request id
        self.refused = collections.Counter()
        self.sent = 0
        self.kill_at = None  # the server is killed by whoever receives this many answers
        self.lock = threading.Lock()

    def body(self, tenant, dice):
        texts = ["where is my card?", "help", "my phone is lost", "exchange"]
        return {"model": dice.choice(MODELS[tenant]), "input": [dice.choice(texts) for _ in range(dice.choice([1, 1, 1, 4, 30]))]}

    def client(self, server, seed):
        dice = random.Random(seed)
        tenant = dice.choice(list(MODELS))
        client = harness.Client(server, self.home.keys[tenant])
        while True:
            body = self.body(tenant, dice)
            key = f"{seed}-{dice.random()}" if dice.random() < 0.5 else None
            with self.lock:
                self.sent += 1
                if key:
                    self.unanswered[key] = (tenant, body)
            try:
                answer = client.classify(body["model"], body["input"], {"Idempotency-Key": key} if key else None)
            except (OSError, http.client.HTTPException):
                return
            with self.lock:
                if answer.status != 200:
                    self.refused[answer.error["code"]] += 1
                else:
                    self.answered.append(answer.request_id)
                    if len(self.answered) == self.kill_at:
                        server.process.kill()
                    if key:
                        self.keys_answered[key] = answer.request_id
                if key:
                    self.unanswered.pop(key)

    def run_until_killed(self, server):
        threads = [threading.Thread(target=self.client, args=(server, self.dice.randrange(1 << 62))) for _ in range(CLIENTS)]
        at_an_answer = self.dice.random() < 0.5
        self.kill_at = len(self.answered) + self.dice.randint(1, 60) if at_an_answer else None
        for thread in threads:
            thread.start()
        if at_an_answer:
            server.process.wait(60)
        else:
            time.sleep(self.dice.uniform(0.05, 0.6))
        server.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()


def check(home, load, when):
    faults = home.problems_in_books()
    if holds := home.open_holds():
        faults.append(f"{holds} holds are left")
    events = collections.Counter(row[0] for row in home.rows("SELECT event_id FROM usage_event"))
    faults += [f"answered request {i} stands {events[i]} times in the ledger" for i in load.answered if events[i] != 1]
    if faults:
        sys.exit(f"{when}: " + "; ".join(map(str, faults[:5])))
    return events


def resend(home, load):
    """Every key whose answer was lost is asked again, until it is answered."""
    server = harness.Server(home)
    for key, (tenant, body) in list(load.unanswered.items()):
        client = harness.Client(server, home.keys[tenant])
        for _ in range(100):
            answer = client.classify(body["model"], body["input"], {"Idempotency-Key": key})
            if answer.status != 409:
                break
            time.sleep(1)  # the dead run's lease on the key
        client.close()
        if answer.status != 200:
            sys.exit(f"the key {key} is answered {answer.status}: {answer.text}")
    if server.stop() != 0:
        sys.exit("the server did not stop cleanly")


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"crash test: {cycles} cycles, {CLIENTS} clients, seed {seed}", flush=True)
    home = harness.Home()
    load = Load(home, random.Random(seed))
    slowest = 0
    for cycle in range(cycles):
        server = harness.Server(home)
        slowest = max(slowest, server.ready_after)
        load.run_until_killed(server)
        watch = harness.Server(home)  # a restart lets go of what the dead one held
        check(home, load, f"after cycle {cycle + 1}")
        if watch.stop() != 0:
            sys.exit("the restarted server did not stop cleanly")
    lost = len(load.unanswered)
    resend(home, load)
    events = check(home, load, "at the end")
    runners = [row[0] for row in home.rows("SELECT runner FROM idempotency WHERE state = 'done'")]
    keys = len(load.keys_answered) + lost
    if len(set(runners)) != keys or any(events[runner] != 1 for runner in runners):
        sys.exit(f"{keys} keys, {len(runners)} kept answers: a key was charged twice or not at all")
    unseen = len(events) - len(load.answered) - lost
    print(f"{load.sent} requests sent, {len(load.answered)} answered: each once in the ledger, none twice; "
          f"{lost} keys asked again, each charged once; {max(unseen, 0)} charged whose answer the kill swallowed "
          f"(at most {CLIENTS} a cycle); refused {dict(load.refused)}; holds left 0; slowest restart {slowest:.2f} s")
    if unseen > CLIENTS * cycles:
        sys.exit("more charged than were on the wire")
    home.remove()


if __name__ == "__main__":
    main()
