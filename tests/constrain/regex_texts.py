#!/usr/bin/env python3
"""Regular expressions, both ways, judged by Python's re.

    regex_texts.py [PATTERNS] [SEED]

What the constraint lets a model of random will write must match; random texts, many of them near misses, must be allowed
exactly when they match. Where the constraint says that it may have left something out, a text that matches may be refused;
that is rare.
"""
import random
import re
import signal
import sys

from probe import Probe

ATOMS = ["a", "b", "c", "0", "é", "日", ".", "\\d", "\\w", "\\s", "\\D", "[abc]", "[^a]", "[a-c0-9]", "[^\\d]", "\\.", "\\n",
         "[\\w-]", "[é-ü]", "\\x41", "\\u65e5", " ", "-"]
# Characters about which all dialects agree.
ALPHABET = "abcz059AZ_ .-\n\tü!{日é😀"


class TooLong(Exception):
    pass


def give_up(number, frame):
    raise TooLong


def matches(judge, text):
    """What re says; nothing where it would try for ever."""
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        return judge.fullmatch(text) is not None
    except TooLong:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def pattern(rng, depth, counted=False):
    """Repetitions stand in each other only with small numbers, for re's sake."""
    kind = rng.randrange(8)
    if depth == 0 or kind < 3:
        return rng.choice(ATOMS)
    if kind == 3:
        return "".join(pattern(rng, depth - 1, counted) for _ in range(3))
    if kind == 4:
        return "(" + rng.choice(["", "?:", "?P<n%d>" % rng.randrange(10**9)]) + "|".join(
            pattern(rng, depth - 1, counted) for _ in range(rng.randint(1, 3))) + ")"
    if counted:
        return rng.choice(ATOMS) + rng.choice(["?", "{2}", "{1,2}"])
    count = rng.choice(["*", "+", "?", "{2}", "{1,3}", "{0,30}", "{2,}", "*?", "{20,300}"])
    return "(?:" + pattern(rng, depth - 1, True) + ")" + count


def sample(rng, expression):
    """A text near the language: pieces of the pattern's own characters."""
    parts = [c for c in expression if c.isalnum() and ord(c) < 128] + list(ALPHABET)
    return "".join(rng.choice(parts) for _ in range(rng.randint(0, 6)))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {seed}")
    rng = random.Random(seed)
    signal.signal(signal.SIGALRM, give_up)
    faults = []
    written = compared = matching = refused = left_out = 0
    for tokenizer in ["gpt2", "phi-3-mini"]:
        probe = Probe(tokenizer)
        for _ in range(count):
            expression = pattern(rng, 4)
            judge = re.compile(expression, re.ASCII)
            answer = probe.ask(kind="regex", source=expression, walks=6, seed=rng.randrange(1 << 30),
                               tokens_max=rng.choice([8, 40]), accept=[])
            if "error" in answer:
                refused += 1
                if answer["reason"] != "constraint_too_large":
                    faults.append(f"{expression!r}: {answer['error']}")
                continue
            if not answer["cut"]:
                for text in answer["texts"]:
                    judged = matches(judge, text)
                    written += judged is not None
                    if judged is False:
                        faults.append(f"{expression!r} wrote {text!r}")
            texts = [text for text in answer["texts"] if all(c in ALPHABET for c in text)]
            texts += [sample(rng, expression) for _ in range(20)]
            answer = probe.ask(kind="regex", source=expression, accept=texts)
            for text, accepted in zip(texts, answer["accepted"]):
                judged = matches(judge, text)
                if judged is None:
                    continue
                compared += 1
                matching += judged
                if accepted is None:
                    left_out += 1
                    continue
                if accepted != judged:
                    faults.append(f"{expression!r}: {text!r} is {'allowed' if accepted else 'refused'}, and re says otherwise")
    for fault in faults[:20]:
        print(fault)
    print(f"{written} texts written, {compared} texts compared of which {matching} match, {refused} too large, "
          f"{left_out} left out, "
          f"{len(faults)} faults")
    sys.exit(1 if faults or written < count or matching < count or left_out * 20 > compared else 0)


main()
